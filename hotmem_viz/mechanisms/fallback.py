"""What a request does when its own lists are empty: borrow, or claim, another type's pageblock.

The rule of Linux up to 6.14: look through the other types from the largest order down; a free
block of a pageblock or more changes sides whole; of a smaller one, the pageblock is converted if
enough of it is free or alike, else only the block is taken. (A movable request that could claim
nothing takes the smallest block instead of the largest.)

Left out: 6.1 moves all free frames of a considered pageblock to the requester's lists even where
it does not convert it; here a block's list is always that of its pageblock's type, so a stolen
block serves the rest of one call, then what remains of it counts for its pageblock again.

Sources: mm/page_alloc.c, 6.1: __rmqueue_fallback, steal_suitable_fallback, can_steal_fallback.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.block_counts import IRREGULAR
from hotmem_viz.mechanisms.orders import find_heads
from hotmem_viz.memory.frames import WORD, FrameSet, find_changes, union, unpack
from hotmem_viz.vocabulary import (
    MAX_ORDER,
    PAGEBLOCK_ORDER,
    PAGEBLOCK_PAGES,
    MigrateType,
    PageKind,
)

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

FALLBACKS = {
    MigrateType.UNMOVABLE: (MigrateType.RECLAIMABLE, MigrateType.MOVABLE),
    MigrateType.MOVABLE: (MigrateType.RECLAIMABLE, MigrateType.UNMOVABLE),
    MigrateType.RECLAIMABLE: (MigrateType.UNMOVABLE, MigrateType.MOVABLE),
}
"""Types to turn to, in order (mm/page_alloc.c, `fallbacks`)."""

Counts = int | np.ndarray

_FREE, _BUFFER = int(PageKind.FREE), int(PageKind.BUFFER)

HALF_ORDER = PAGEBLOCK_ORDER // 2
"""From this order on a movable request, too, may claim the pageblock."""


@dataclass(frozen=True)
class Borrowed:
    """What a fallback yielded: frames, requests served, and how it came by them."""

    frames: FrameSet
    served: int
    how: str = ""
    source: int = -1
    pfn: int = -1
    fragmented: bool = False


NOTHING = Borrowed(FrameSet.empty(), 0)


def should_claim(free: Counts, movable: Counts, request: int, block: int) -> Counts:
    """Say whether a pageblock is converted to the requester's type.

    free, movable: free pages of the pageblock, and pages in use that can move; numbers or
    arrays (n,). request, block: MigrateType of the request and of the pageblock.
    """
    alike: Counts = 0
    if request == MigrateType.MOVABLE:
        alike = movable
    elif block == MigrateType.MOVABLE:
        alike = PAGEBLOCK_PAGES - free - movable
    return free + alike >= PAGEBLOCK_PAGES // 2


def fall_back(
    mem: PhysicalMemory,
    zone: int,
    migratetype: int,
    order: int,
    count: int,
    *,
    whole_only: bool = False,
    single: int | None = None,
) -> Borrowed:
    """Serve up to `count` requests from other types' blocks; own lists must be empty.

    Does one step: one order of one type. whole_only (ALLOC_NOFRAGMENT) stops below pageblock
    order. single, where mixing types boosts the watermark: the most requests that the boosted
    mark lets through; then one pageblock or block is taken at most. Keeps `free_blocks` and
    types; `fill` of the frames must follow.
    """
    lists = mem.free_blocks[mem.extents.zone_slices[zone]]
    held = np.add.reduce(lists, axis=0).tolist()
    for source, k in _search_order(migratetype, order, whole_only=whole_only):
        if not held[source][k]:
            continue
        if k >= PAGEBLOCK_ORDER:
            return _take_whole(mem, zone, migratetype, order, count, source, k)
        if single is not None:
            count = min(count, max(single, 1))
        heads = _heads(mem, zone, source, k, None if single is None else 1)
        return _take_parts(mem, zone, migratetype, order, count, source, k, heads)
    return NOTHING


def _search_order(
    migratetype: int, order: int, *, whole_only: bool
) -> list[tuple[MigrateType, int]]:
    """Types and orders in the order in which they are tried."""
    floor = max(order, PAGEBLOCK_ORDER) if whole_only else order
    down = list(range(MAX_ORDER, floor - 1, -1))
    if migratetype == MigrateType.MOVABLE:
        down = [k for k in down if k >= HALF_ORDER] + list(range(floor, HALF_ORDER))
    return [(source, k) for k in down for source in FALLBACKS[MigrateType(migratetype)]]


def _heads(mem: PhysicalMemory, zone: int, source: int, k: int, n: int | None) -> np.ndarray:
    """Pfns of free blocks of order k on a type's lists, ascending; the n lowest, or all."""
    extents = mem.extents.zone_slices[zone]
    counts = mem.free_blocks[extents, source, k]
    holders = counts.nonzero()[0]
    if n is not None:
        holders = holders[: int(counts[holders].cumsum().searchsorted(n)) + 1]
    view = buddy.view_extents(mem, holders + extents.start)
    heads = buddy.heads_of_type(mem, view, k, source)
    at = unpack(heads.ravel()).ravel().nonzero()[0]
    pfns = view.words.ravel()[at // WORD] * WORD + at % WORD
    return np.asarray(pfns[:n])


def _take_whole(
    mem: PhysicalMemory, zone: int, migratetype: int, order: int, count: int, source: int, k: int
) -> Borrowed:
    """Convert as many whole blocks of order >= 9 as the requests need, and serve from them."""
    heads = _heads(mem, zone, source, k, -(-count >> (k - order)))
    per_block = np.arange(1 << (k - PAGEBLOCK_ORDER))
    pageblocks = ((heads >> PAGEBLOCK_ORDER)[:, None] + per_block).ravel()
    buddy.set_types(mem, pageblocks, migratetype)
    frames, served = buddy.take(mem, zone, migratetype, order, count)
    return Borrowed(frames, served, "whole", source, int(heads[0]))


def _take_parts(
    mem: PhysicalMemory,
    zone: int,
    migratetype: int,
    order: int,
    count: int,
    source: int,
    k: int,
    heads: np.ndarray,
) -> Borrowed:
    """Claim pageblocks, or steal single blocks, in order of pfn until the requests are served.

    Whether a pageblock is claimed does not change while its blocks are stolen (what is stolen
    counts as alike at once, or the free part only shrinks), so the answer of all can be had at
    once; each claimed pageblock is used up before the next block is looked at.
    """
    first = heads[0]
    blocks = heads >> PAGEBLOCK_ORDER
    may_claim = migratetype != MigrateType.MOVABLE or k >= HALF_ORDER
    claimed = _claims(mem, blocks, migratetype, source) & may_claim
    lead = ~claimed | find_changes(blocks)
    heads, blocks, claimed = heads[lead], blocks[lead], claimed[lead]
    yields = np.full(len(heads), 1 << (k - order))
    yields[claimed] = _usable(mem, zone, blocks[claimed], order)
    until = np.cumsum(yields)
    last = min(int(np.searchsorted(until, count)), len(heads) - 1)
    parts, served = [], 0
    if claimed[:last].any():
        buddy.set_types(mem, blocks[:last][claimed[:last]], migratetype)
        whole = int(yields[:last][claimed[:last]].sum())
        frames, n = buddy.take(mem, zone, migratetype, order, whole)
        parts.append(frames)
        served += n
    stolen = heads[:last][~claimed[:last]]
    if len(stolen):
        parts.append(_steal(mem, zone, stolen, k, 1 << k))
        served += len(stolen) << (k - order)
    rest = min(count - served, int(yields[last]))
    if not claimed[last]:
        parts.append(_steal(mem, zone, heads[last : last + 1], k, rest << order))
        served += rest
    elif not claimed[:last].any():
        # Frames taken from earlier pageblocks are not yet filled, and a second choice among the
        # own lists would choose them again: then the last pageblock waits for the next step.
        buddy.set_types(mem, blocks[last : last + 1], migratetype)
        frames, n = buddy.take(mem, zone, migratetype, order, rest)
        parts.append(frames)
        served += n
    how = "claim" if claimed[0] else "steal"
    return Borrowed(union(parts), served, how, source, int(first), fragmented=True)


def _claims(mem: PhysicalMemory, blocks: np.ndarray, migratetype: int, source: int) -> np.ndarray:
    """Say for each pageblock whether it would be converted: (n,) bool."""
    new = find_changes(blocks)
    unique, back = blocks[new], new.cumsum() - 1
    words = PAGEBLOCK_PAGES // WORD
    free = np.bitwise_count(mem.free_bits.reshape(-1, words)[unique]).sum(axis=1, dtype=np.int64)
    kinds = mem.kind.reshape(-1, PAGEBLOCK_PAGES)[unique]
    moves = ((kinds > _FREE) & (kinds <= _BUFFER)).sum(axis=1)
    claims = np.asarray(should_claim(free, moves, migratetype, source))
    return np.asarray(claims[back])


def _usable(mem: PhysicalMemory, zone: int, blocks: np.ndarray, order: int) -> np.ndarray:
    """Count the requests that each pageblock's free blocks could serve: (n,) int64."""
    words = PAGEBLOCK_PAGES // WORD
    bits = mem.free_bits.reshape(-1, words)[blocks]
    shared = mem.extents.of_group[blocks // 2] == IRREGULAR
    for i in np.flatnonzero(shared):
        half = slice(int(blocks[i]) % 2 * words, int(blocks[i]) % 2 * words + words)
        for e, mask in mem.extents.irregular[int(blocks[i]) // 2]:
            if mem.extents.zone[e] == zone:
                bits[i] &= mask[half]
    padded = np.zeros((len(blocks), 2 * words), np.uint64)
    padded[:, :words] = bits
    heads = find_heads(padded, PAGEBLOCK_ORDER)
    counts = np.bitwise_count(heads).sum(axis=2, dtype=np.int64)[order:]
    return np.asarray((counts << np.arange(len(counts))[:, None]).sum(axis=0))


def _steal(mem: PhysicalMemory, zone: int, pfns: np.ndarray, k: int, pages: int) -> FrameSet:
    """Take the first `pages` frames of free blocks of order k; the pageblocks keep their type."""
    extents = mem.extents.zone_slices[zone]
    sections = pfns // mem.spec.section_pages
    extent = extents.start + np.searchsorted(mem.extents.section[extents], sections)
    types = mem.types[pfns >> PAGEBLOCK_ORDER]
    np.subtract.at(mem.free_blocks[:, :, k], (extent, types), 1)
    if pages < 1 << k:
        buddy.add_pieces(mem, int(extent[-1]), int(pfns[-1]) + pages, int(pfns[-1]) + (1 << k))
    return FrameSet.of_pfns((pfns[:, None] + np.arange(pages)).ravel())
