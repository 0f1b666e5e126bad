"""What must hold at any moment: every kept count equals a recount, every frame has one place.

The recounts share no code with the writers: zones come from the segments that are online, free
blocks from merging pairs of booleans. They look at all N frames, so they are for
tests and for finding bugs, not for every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import HotmemError
from hotmem_viz.vocabulary import (
    MAX_ORDER,
    MAX_ORDER_PAGES,
    N_ORDERS,
    ONLINE_STATES,
    PAGEBLOCK_PAGES,
    HugeState,
    MigrateType,
    PageKind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.memory.physical import PhysicalMemory

NO_ZONE = -1
"""Stands in a zone map for a frame that does not exist."""


class InvariantError(HotmemError, AssertionError):
    """Something that must always hold does not; names the array, the place and both values."""


def validate_memory(mem: PhysicalMemory) -> None:
    """Check everything that must hold between two mechanisms.

    Each frame lies where the segments say, the free bitmap and the kinds tell the same, nobody
    owns or pins free frames or holes, free frames of isolated pageblocks count for no zone, and
    all counts of `hotmem_viz.memory.fields` equal recounts.
    Raises InvariantError with one sentence about the first thing found wrong.
    """
    zones = map_zones(mem)
    _check_places(mem, zones)
    _check_sections(mem, zones)
    _check_frames(mem)
    _check_halves(mem, zones)
    recounts: tuple[tuple[str, np.ndarray, Callable[..., np.ndarray]], ...] = (
        ("zone_kinds", mem.zone_kinds, recount_zone_kinds),
        ("extent_kinds", mem.extent_kinds, recount_extent_kinds),
        ("zone_types", mem.zone_types, recount_zone_types),
        ("free_blocks", mem.free_blocks, recount_free_blocks),
    )
    for name, kept, recount in recounts:
        _same(name, kept, recount(mem, zones))
    _same("zones.free", mem.zones.free, recount_free(mem, zones))
    _same("zones.present", mem.zones.present, mem.zone_kinds.sum(axis=1))
    if (mem.zones.boost < 0).any():
        raise InvariantError(f"zones.boost: {mem.zones.boost.tolist()} has a negative boost")


def map_zones(mem: PhysicalMemory) -> np.ndarray:
    """Say in which zone each frame lies by the segments: (N,) int16, NO_ZONE in a hole."""
    zones = np.full(mem.kind.size, NO_ZONE, np.int16)
    for start, end, row in mem.segments:
        if (zones[start:end] != NO_ZONE).any():
            raise InvariantError(f"segments: two of them hold frames of [{start}, {end})")
        zones[start:end] = row
    return zones


def recount_zone_kinds(mem: PhysicalMemory, zones: np.ndarray) -> np.ndarray:
    """Count the frames of each kind in each zone: (Z, K) int64."""
    there = zones != NO_ZONE
    return _tally(mem.zone_kinds.shape, zones[there], mem.kind.reshape(-1)[there])


def recount_free(mem: PhysicalMemory, zones: np.ndarray) -> np.ndarray:
    """Count the free frames of each zone outside isolated pageblocks: (Z,) int64."""
    free = mem.kind.reshape(-1) == PageKind.FREE
    free &= np.repeat(mem.types != MigrateType.ISOLATE, PAGEBLOCK_PAGES)
    return np.bincount(zones[free], minlength=len(mem.zones))


def recount_extent_kinds(mem: PhysicalMemory, zones: np.ndarray) -> np.ndarray:
    """Count the frames of each kind in each part of a section in one zone: (E, K) int64."""
    there = np.flatnonzero(zones != NO_ZONE)
    rows = _extent_rows(mem)[zones[there], there // mem.spec.section_pages]
    if (rows < 0).any():
        raise InvariantError(f"extents: frame {there[rows < 0][0]} lies in none of them")
    return _tally(mem.extent_kinds.shape, rows, mem.kind.reshape(-1)[there])


def recount_zone_types(mem: PhysicalMemory, zones: np.ndarray) -> np.ndarray:
    """Count pageblocks by zone and type: (Z, Y) int64.

    A pageblock counts once, for the zone of its first frame that exists.
    """
    blocks = zones.reshape(-1, PAGEBLOCK_PAGES)
    there = blocks != NO_ZONE
    rows = np.flatnonzero(there.any(axis=1))
    first = blocks[rows, there[rows].argmax(axis=1)]
    return _tally(mem.zone_types.shape, first, mem.types[rows])


def recount_free_blocks(mem: PhysicalMemory, zones: np.ndarray) -> np.ndarray:
    """Count free buddy blocks by extent, type of the pageblock at the head, and order.

    Returns (E, Y, 11) int64. Pairs of free blocks of one zone merge, order by order.
    """
    counts = np.zeros((len(mem.extents), len(MigrateType), N_ORDERS), np.int64)
    extents = _extent_rows(mem)
    free = mem.kind.reshape(-1) == PageKind.FREE
    for order in range(N_ORDERS):
        alone = free
        if order < MAX_ORDER:
            pairs = free[::2] & free[1::2] & (zones[::2] == zones[1::2])
            alone = free & ~np.repeat(pairs, 2)
        at = np.flatnonzero(alone)
        heads = at << order
        rows = extents[zones[at], heads // mem.spec.section_pages]
        counts[:, :, order] = _tally(counts.shape[:2], rows, mem.types[heads // PAGEBLOCK_PAGES])
        if order < MAX_ORDER:
            free, zones = pairs, zones[::2]
    return counts


def _tally(shape: tuple[int, ...], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Count pairs of row and column: an int64 table of two axes."""
    flat = rows.astype(np.int64) * shape[1] + columns
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def _extent_rows(mem: PhysicalMemory) -> np.ndarray:
    """Return the extent of each zone and section: (Z, S) int64, -1 where there is none."""
    rows = np.full((len(mem.zones), mem.spec.n_sections), -1, np.int64)
    rows[mem.extents.zone, mem.extents.section] = np.arange(len(mem.extents))
    return rows


def _check_places(mem: PhysicalMemory, zones: np.ndarray) -> None:
    kind, tag = mem.kind.reshape(-1), mem.zone.reshape(-1)
    there = zones != NO_ZONE
    _refuse((kind != PageKind.HOLE) != there, "kind: frame {} is a hole in one of kind, segments")
    _refuse(there & (tag != zones), "zone: frame {} is tagged with another zone than its own")
    _refuse(kind >= len(PageKind), "kind: frame {} holds something that is no PageKind")


def _check_sections(mem: PhysicalMemory, zones: np.ndarray) -> None:
    """Refuse sections online without memory or the reverse, lost groups, frames out of spans."""
    there = (zones.reshape(mem.kind.shape) != NO_ZONE).any(axis=1)
    _refuse(
        np.isin(mem.section_state, ONLINE_STATES) != there,
        "section_state: section {} is online in one of state and segments",
    )
    own = np.arange(mem.spec.section_pages) < mem.own_map[:, None]
    _refuse(
        (own & (mem.kind != PageKind.MEMMAP)).any(axis=1),
        "own_map: section {} does not begin with as many frames of its memory map",
    )
    groups = zones.reshape(-1, MAX_ORDER_PAGES)
    extent = mem.extents.of_group
    _refuse(
        (extent != -1) != (groups != NO_ZONE).any(axis=1),
        "extents: group {} has memory in one of groups and segments",
    )
    regular = extent >= 0
    _refuse(
        (groups[regular].max(axis=1) != mem.extents.zone[extent[regular]]),
        "extents: the group at place {} among those of one zone is of another zone",
    )
    for start, end, row in mem.segments:
        if start < mem.zones.start_pfn[row] or end > mem.zones.end_pfn[row]:
            raise InvariantError(f"zones: [{start}, {end}) lies outside the span of its zone {row}")


def _check_frames(mem: PhysicalMemory) -> None:
    kind, owner = mem.kind.reshape(-1), mem.owner.reshape(-1)
    free = kind == PageKind.FREE
    bits = np.unpackbits(mem.free_bits.astype("<u8").view(np.uint8), bitorder="little")
    _refuse(bits.view(bool) != free, "free_bits: frame {} is free in one of bitmap and kind")
    pinned = np.unpackbits(mem.pinned_bits.astype("<u8").view(np.uint8), bitorder="little")
    _refuse(pinned.view(bool) & (kind <= PageKind.FREE), "pinned_bits: frame {} holds nothing")
    huge = np.repeat(mem.huge_states != HugeState.NONE, PAGEBLOCK_PAGES)
    _refuse((kind == PageKind.HUGETLB) != huge, "huge: frame {} is huge in one of pool and kind")
    _refuse((kind <= PageKind.FREE) & (owner != 0), "owner: frame {} is free or a hole, but owned")
    _refuse(owner >= len(mem.owners.names), "owner: frame {} belongs to no row of the owner table")


def _check_halves(mem: PhysicalMemory, zones: np.ndarray) -> None:
    """Refuse a free block of two types: its pageblocks stand on one list.

    So none is half isolated: memory is isolated in whole groups of 1,024 frames.
    """
    free = (mem.kind.reshape(-1, MAX_ORDER_PAGES) == PageKind.FREE).all(axis=1)
    same = zones.reshape(-1, MAX_ORDER_PAGES)
    whole = free & (same == same[:, :1]).all(axis=1)
    types = mem.types.reshape(-1, MAX_ORDER_PAGES // PAGEBLOCK_PAGES)
    torn = np.flatnonzero(whole & (types != types[:, :1]).any(axis=1))
    if len(torn):
        raise InvariantError(
            f"migratetype: the free block at frame {torn[0] * MAX_ORDER_PAGES} has two types"
        )


def _refuse(wrong: np.ndarray, sentence: str) -> None:
    if wrong.any():
        raise InvariantError(sentence.format(int(np.flatnonzero(wrong)[0])))


def _same(name: str, kept: np.ndarray, counted: np.ndarray) -> None:
    if not np.array_equal(kept, counted):
        at = tuple(int(i) for i in np.argwhere(kept != counted)[0])
        raise InvariantError(f"{name}{list(at)}: kept {kept[at]}, recounted {counted[at]}")
