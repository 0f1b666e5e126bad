"""Compaction: pages that can move go to the top of a zone, so that whole pageblocks become free.

One scanner goes up from the zone's bottom and takes what can migrate, another comes down from its
top and finds the frames for it; where they meet a zone is done. A pageblock that holds a page that
cannot move is no use to a huge page and is passed over; targets lie in pageblocks of the movable
type that are not wholly free. Left out: deferring, the order of the request, and the pages that a
real run moves out of pageblocks it cannot empty.

Source: mm/compaction.c, 6.1: compact_zone, isolate_migratepages_block, suitable_migration_target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.costs import MIGRATE_PAGE_NS
from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.mechanisms.outcome import Moves, Outcome
from hotmem_viz.memory.frames import WORD, FrameSet, unpack
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def compact_zone(mem: PhysicalMemory, zone: int) -> Outcome:
    """Compact a zone until the scanners meet (a write to compact_memory); granted counts pages.

    `moves` pairs old and new frames in order of pfn, `frames` are the new ones, and the old ones,
    which are free now, stand in `released`. Looks at all pages of the zone.
    """
    blocks = whole_blocks(mem, zone)
    kinds = mem.kind.reshape(-1, PAGEBLOCK_PAGES)[blocks]
    used, free = np.isin(kinds, LRU_KINDS), kinds == PageKind.FREE
    words = PAGEBLOCK_PAGES // WORD
    pinned = unpack(mem.pinned_bits.reshape(-1, words)[blocks].ravel()).astype(bool)
    used &= ~pinned.reshape(used.shape)
    types = mem.types[blocks]
    empty = free.all(axis=1)
    movable = (used | free).all(axis=1) & ~empty & (types != MigrateType.ISOLATE)
    usable = ~empty & (types == MigrateType.MOVABLE)
    gone = np.cumsum(np.where(movable, used.sum(axis=1), 0))
    room = np.where(usable, free.sum(axis=1), 0)
    above = room.sum() - np.cumsum(room)
    meet = int((gone <= above).sum())
    used[~movable], free[~usable] = False, False
    source = _pfns(blocks[:meet], used[:meet])
    target = _pfns(blocks[meet:], free[meet:])[-len(source) :] if len(source) else source
    return _move(mem, source, target) if len(source) else Outcome()


def whole_blocks(mem: PhysicalMemory, zone: int) -> np.ndarray:
    """List the pageblocks that lie wholly in a zone: (n,) int64, ascending."""
    size = PAGEBLOCK_PAGES
    parts = [
        np.arange(-(-s.start_pfn // size), s.end_pfn // size)
        for s in mem.segments
        if s.zone == zone
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _pfns(blocks: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the pfns that are chosen, ascending; chosen: (n, 512) bool."""
    at = np.flatnonzero(chosen)
    return np.asarray(blocks[at // PAGEBLOCK_PAGES] * PAGEBLOCK_PAGES + at % PAGEBLOCK_PAGES)


def _move(mem: PhysicalMemory, source: np.ndarray, target: np.ndarray) -> Outcome:
    """Move pages to free frames: (n,) int64 each."""
    kinds, owners = mem.kind.reshape(-1)[source], mem.owner.reshape(-1)[source]
    old, new = FrameSet.of_pfns(source), FrameSet.of_pfns(target)
    groups = np.unique(new.words // GROUP_WORDS)
    count_blocks(mem, groups, -1)
    mem.fill(new, PageKind.ANON, 0)
    count_blocks(mem, groups, +1)
    mem.relabel(new, kinds, owners)
    buddy.give_back(mem, old)
    return Outcome(
        granted=len(source),
        frames=new,
        released=[old],
        moves=[Moves(source, target)],
        time_ns=len(source) * MIGRATE_PAGE_NS,
    )
