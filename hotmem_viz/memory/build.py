"""A machine's memory as the boot code leaves it: what exists, what is reserved, what is free.

Reserved frames stand where the real kernel puts them; a node's memory map can lie inside its own
ZONE_MOVABLE, because boot memory is taken from the top of the node before zones mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.frames import FrameSet, pack
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_layout import BootLayout
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan


def build_memory(
    spec: MachineSpec, plan: ZonePlan, layout: BootLayout, profile: KernelProfile
) -> PhysicalMemory:
    """Build the memory of a machine before its first allocation.

    All pageblocks are MOVABLE, as memmap_init leaves them (mm/page_alloc.c, 6.1). Watermarks are
    still 0, and `free_blocks` is empty until `mechanisms.boot` counts it.
    """
    mem = PhysicalMemory(spec, plan, profile)
    kind, zone = mem.kind.reshape(-1), mem.zone.reshape(-1)
    painted = 0
    for s in mem.segments:
        kind[s.start_pfn : s.end_pfn] = PageKind.FREE
        # The pageblock that a segment begins in belongs to it from its first frame on.
        block = s.start_pfn - s.start_pfn % PAGEBLOCK_PAGES
        zone[max(block, painted) : s.end_pfn] = s.zone
        painted = s.end_pfn
        size = spec.section_pages
        mem.section_state[s.start_pfn // size : -(-s.end_pfn // size)] = SectionState.ONLINE
    for r in layout.reserved:
        kind[r.start_pfn : r.start_pfn + r.pages] = r.kind
    for s in mem.segments:
        _count_segment(mem, kind, s.start_pfn, s.end_pfn, s.zone)
    # A pageblock counts for the zone of its first frame that exists, even behind a hole.
    blocks = np.flatnonzero(kind.reshape(-1, PAGEBLOCK_PAGES).any(axis=1))
    np.add.at(mem.zone_types, (zone[blocks * PAGEBLOCK_PAGES], mem.types[blocks]), 1)
    mem.free_bits[:] = pack(kind == PageKind.FREE)
    mem.zones.free[:] = mem.zone_kinds[:, PageKind.FREE]
    mem.zones.managed[:] = mem.zones.free
    return mem


def _count_segment(mem: PhysicalMemory, kind: np.ndarray, start: int, end: int, zone: int) -> None:
    """Count the kinds of one segment, extent by extent."""
    part, size = mem.extents.zone_slices[zone], mem.spec.section_pages
    rows = mem.extents.section[part]
    for section in range(start // size, (end - 1) // size + 1):
        frames = kind[max(start, section * size) : min(end, (section + 1) * size)]
        pages = np.bincount(frames, minlength=len(PageKind))
        mem.extent_kinds[part.start + int(np.searchsorted(rows, section))] += pages.astype(np.int32)
        mem.zone_kinds[zone] += pages


def all_groups(mem: PhysicalMemory) -> np.ndarray:
    """Return the groups of 1,024 frames that hold memory: (G,) int64, ascending."""
    return np.flatnonzero(mem.extents.of_group != -1)


def frames_of_zone(mem: PhysicalMemory, zone: int) -> FrameSet:
    """Return all frames of a zone, holes left out."""
    parts = [FrameSet.of_range(s.start_pfn, s.end_pfn) for s in mem.segments if s.zone == zone]
    words = np.concatenate([p.words for p in parts])
    first = np.flatnonzero(np.r_[True, words[1:] != words[:-1]])
    bits = np.bitwise_or.reduceat(np.concatenate([p.bits for p in parts]), first)
    return FrameSet(words[first], bits)
