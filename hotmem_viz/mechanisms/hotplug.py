"""Memory that leaves its zone and comes into another: the last step of offlining and onlining.

`take_out` follows the loop that has emptied a block, `put_in` the choice of a zone. Both work on
whole sections and cost what the sections' pages cost.

Sources: mm/memory_hotplug.c, 6.1: offline_pages, remove_pfn_range_from_zone, online_pages,
move_pfn_range_to_zone; mm/page_alloc.c, 6.1: init_per_zone_wmark_min.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.oom import total_reserve
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.spans import grow_span, shrink_span
from hotmem_viz.mechanisms.watermarks import protection, settle_watermarks, watermark_rules
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.frames import ALL_ONES, WORD, FrameSet
from hotmem_viz.vocabulary import (
    MAX_ORDER_PAGES,
    ONLINE_STATES,
    PAGEBLOCK_PAGES,
    MigrateType,
    PageKind,
    SectionState,
    ZoneType,
)

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def take_out(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Outcome:
    """Take the sections [start_pfn, end_pfn) out of their zone; all their frames must be free.

    Frames that hold the block's own memory map (`own_map`) may stay and go with it. The frames
    become holes, the sections OFFLINE, whatever the pageblocks were. Zone counts fall, the span
    shrinks, marks and protection are computed again; where nothing remains, zonelists too.

    Raises ParameterError unless the range is whole sections that are online, of one zone and all
    free: who asks for less has not emptied the block. Answers with the frames, by zone.
    """
    sections = _whole_sections(mem, start_pfn, end_pfn)
    if not np.isin(mem.section_state[sections], ONLINE_STATES).all():
        raise ParameterError("range", (start_pfn, end_pfn), "sections that are online")
    zone = _only_zone(mem, start_pfn, end_pfn)
    _refuse_held(mem, sections, start_pfn)
    zones, own = mem.zones, int(mem.own_map[sections].sum())
    groups = np.arange(start_pfn // MAX_ORDER_PAGES, end_pfn // MAX_ORDER_PAGES)
    count_blocks(mem, groups, -1)
    blocks = np.arange(start_pfn // PAGEBLOCK_PAGES, end_pfn // PAGEBLOCK_PAGES)
    mem.zone_types[zone] -= np.bincount(mem.types[blocks], minlength=len(MigrateType))
    # Free frames of isolated pageblocks have left the zone's count already.
    isolated = int((mem.types[blocks] == MigrateType.ISOLATE).sum()) * PAGEBLOCK_PAGES
    mem.types[blocks] = MigrateType.MOVABLE
    extents = mem.extents.rows(zone, sections)
    mem.zone_kinds[zone] -= mem.extent_kinds[extents].sum(axis=0, dtype=np.int64)
    mem.extent_kinds[extents] = 0
    mem.extents.of_group[groups] = -1
    mem.kind[sections] = PageKind.HOLE
    mem.free_bits[start_pfn // WORD : end_pfn // WORD] = 0
    pages = end_pfn - start_pfn
    zones.free[zone] -= pages - own - isolated
    zones.managed[zone] -= pages - own
    zones.present[zone] -= pages
    mem.own_map[sections] = 0
    mem.section_state[sections] = SectionState.OFFLINE
    shrink_span(mem, zone, start_pfn, end_pfn)
    refresh_watermarks(mem)
    if not zones.present[zone]:
        build_all_zonelists(mem)
    return Outcome(frames=FrameSet.of_range(start_pfn, end_pfn), by_zone={zone: pages})


def put_in(
    mem: PhysicalMemory,
    zone_type: ZoneType,
    start_pfn: int,
    end_pfn: int,
    *,
    own_map: int = 0,
    blocks: int = 1,
) -> Outcome:
    """Put the offline sections [start_pfn, end_pfn) into a zone of their node, all frames free.

    own_map: pages at the start of each block that hold the memory map of the block itself, a
    multiple of a pageblock; they are present but not managed. blocks: how many memory blocks of one
    size these are, onlined one after another. The pageblocks are MOVABLE. Zone counts rise, the
    span grows over the range, marks are computed again after each block, and protection; a zone
    that was empty enters the zonelists.

    Raises ParameterError unless the range is whole sections, offline, of one node, and the
    machine has room for that zone there (`MachineSpec.can_hotplug`). Answers with the frames.
    """
    sections = _whole_sections(mem, start_pfn, end_pfn)
    if (mem.section_state[sections] != int(SectionState.OFFLINE)).any():
        raise ParameterError("range", (start_pfn, end_pfn), "sections that are offline")
    if own_map % PAGEBLOCK_PAGES or not 0 <= own_map <= mem.spec.section_pages:
        raise ParameterError("own_map", own_map, "whole pageblocks of the first section")
    zone, extents = _zone_for(mem, zone_type, sections)
    zones, size = mem.zones, mem.spec.section_pages
    was_empty = not zones.present[zone]
    first = slice(None, None, len(sections) // blocks)
    with_map, map_extents = sections[first], extents[first]
    mem.kind[sections], mem.zone[sections] = PageKind.FREE, zone
    mem.kind[with_map, :own_map] = PageKind.MEMMAP
    mem.free_bits[start_pfn // WORD : end_pfn // WORD] = ALL_ONES
    mem.free_bits.reshape(-1, size // WORD)[with_map, : own_map // WORD] = 0
    mem.extent_kinds[extents, PageKind.FREE] = size
    mem.extent_kinds[map_extents, PageKind.FREE] -= own_map
    mem.extent_kinds[map_extents, PageKind.MEMMAP] = own_map
    pages, maps = end_pfn - start_pfn, own_map * blocks
    mem.zone_kinds[zone, PageKind.FREE] += pages - maps
    mem.zone_kinds[zone, PageKind.MEMMAP] += maps
    mem.zone_types[zone, MigrateType.MOVABLE] += pages // PAGEBLOCK_PAGES
    groups = np.arange(start_pfn // MAX_ORDER_PAGES, end_pfn // MAX_ORDER_PAGES)
    mem.extents.of_group[groups] = np.repeat(extents, size // MAX_ORDER_PAGES)
    count_blocks(mem, groups, +1)
    zones.free[zone] += pages - maps
    zones.present[zone] += pages
    mem.own_map[with_map] = own_map
    mem.section_state[sections] = SectionState.ONLINE
    grow_span(mem, zone, start_pfn, end_pfn)
    for _ in range(blocks):
        zones.managed[zone] += pages // blocks - own_map
        _refresh_marks(mem)
    if was_empty:
        build_all_zonelists(mem)
    _refresh_protection(mem)
    return Outcome(frames=FrameSet.of_range(start_pfn, end_pfn), by_zone={zone: pages})


def refresh_watermarks(mem: PhysicalMemory) -> None:
    """Compute marks and protection from what zones manage now (init_per_zone_wmark_min, 6.1).

    The high marks in force, boosts included, are an input, so the result depends on the path;
    every boost ends. Whether huge pages count was decided at boot (KERNEL-CHECKED 3 and 5).
    """
    _refresh_marks(mem)
    _refresh_protection(mem)


def _refresh_marks(mem: PhysicalMemory) -> None:
    zones = mem.zones
    rules = watermark_rules(mem.profile, mem.spec.arch, 0)
    if zones.thp:
        rules = rules.with_thp()
    marks = settle_watermarks(zones.type, zones.managed, rules, zones.high + zones.boost)
    zones.min[:], zones.low[:], zones.high[:] = marks.min, marks.low, marks.high
    zones.boost[:] = 0


def _refresh_protection(mem: PhysicalMemory) -> None:
    zones = mem.zones
    zones.protection[:] = protection(
        zones.nid, zones.type, zones.managed, mem.profile.reserve_ratios
    )
    zones.total_reserve = total_reserve(zones.managed, zones.high, zones.protection.max(axis=1))


def _whole_sections(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> np.ndarray:
    """Return the sections of a range: (n,) int64; refuses what is not whole sections."""
    size = mem.spec.section_pages
    inside = 0 <= start_pfn < end_pfn <= mem.spec.n_sections * size
    if start_pfn % size or end_pfn % size or not inside:
        raise ParameterError("range", (start_pfn, end_pfn), f"whole sections of {size} pages")
    return np.arange(start_pfn // size, end_pfn // size)


def _only_zone(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> int:
    """Return the one zone that all frames of a range lie in."""
    over = [s for s in mem.segments if s.start_pfn < end_pfn and start_pfn < s.end_pfn]
    inside = sum(min(s.end_pfn, end_pfn) - max(s.start_pfn, start_pfn) for s in over)
    if len({s.zone for s in over}) != 1 or inside != end_pfn - start_pfn:
        raise ParameterError("range", (start_pfn, end_pfn), "memory of one zone without holes")
    return over[0].zone


def _refuse_held(mem: PhysicalMemory, sections: np.ndarray, start_pfn: int) -> None:
    """Refuse frames that hold something other than the map of their own block."""
    held = mem.kind[sections] != PageKind.FREE
    held &= np.arange(mem.spec.section_pages) >= mem.own_map[sections][:, None]
    if held.any():
        pfn = start_pfn + int(np.flatnonzero(held)[0])
        raise ParameterError("range", pfn, "frames that are all free")


def _zone_for(
    mem: PhysicalMemory, zone_type: ZoneType, sections: np.ndarray
) -> tuple[int, np.ndarray]:
    """Return the row of the zone that sections are to come into, and their extents there."""
    nids = {mem.spec.node_of(int(s) * mem.spec.section_pages) for s in (sections[0], sections[-1])}
    zone = mem.zones.row(nids.pop(), zone_type) if len(nids) == 1 else -1
    extents = mem.extents.rows(zone, sections)
    if zone < 0 or (extents < 0).any():
        allowed = "a zone that the sections can come into; see MachineSpec.can_hotplug"
        raise ParameterError("zone_type", ZoneType(zone_type).label, allowed)
    return zone, extents
