"""Huge pages of 2 MiB: a pool of whole pageblocks, free or used, and what offlining does to them.

A used huge page migrates whole, to a free one of the pool elsewhere or, if there is none, to a new
one that the allocator must find in one piece. A free one is dissolved: its frames go back to the
allocator, and the pool is smaller by one. Free pages that are promised to mappings (`reserved`)
are not available for either.

Left out: pages of 1 GiB, surplus pages, memory policies, the memory map that newer kernels free
for huge pages and need back when they dissolve one. Free pages inside isolated memory are never
taken as targets, which the kernel does not forbid.

Sources: mm/hugetlb.c, 6.1: alloc_huge_page_nodemask, dequeue_huge_page_nodemask,
alloc_migrate_huge_page, move_hugetlb_state, dissolve_free_huge_page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.costs import FAILED_PAGE_NS, MIGRATE_HUGE_PAGE_NS
from hotmem_viz.mechanisms.migrate import MIGRATE_PASSES, Migration
from hotmem_viz.mechanisms.outcome import Moves, Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import WORD, FrameSet
from hotmem_viz.vocabulary import (
    PAGEBLOCK_ORDER,
    PAGEBLOCK_PAGES,
    EventKind,
    HugeState,
    MigrateType,
    PageKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.memory.physical import PhysicalMemory

POOL = "free huge pages"
"""The owner of what nobody uses yet."""

_REQUEST = GFP["HIGHUSER_MOVABLE"]


def grow_pool(
    mem: PhysicalMemory, count: int, *, nid: int = 0, may_reclaim: bool = True
) -> Outcome:
    """Add up to `count` free huge pages, from node `nid` on (writing to nr_hugepages).

    may_reclaim: whether page cache may go for them; without it only blocks that are free count.
    """
    out = alloc_pages(
        mem,
        _REQUEST,
        count,
        PageKind.HUGETLB,
        order=PAGEBLOCK_ORDER,
        owner=mem.owners.add(POOL),
        nid=nid,
        may_reclaim=may_reclaim,
    )
    mem.huge_states[_blocks_of(out.frames)] = HugeState.FREE
    return out


def use_huge_pages(mem: PhysicalMemory, count: int, *, owner: int, nid: int = 0) -> Outcome:
    """Give free huge pages of the pool to a user on node `nid`; refuses what is not there."""
    blocks = _find_free(mem, nid, None)[:count]
    mem.huge_states[blocks] = HugeState.USED
    frames = _frames_of(blocks)
    mem.relabel(frames, *_labels(len(blocks), owner))
    return Outcome(granted=len(blocks), refused=count - len(blocks), frames=frames)


def release_huge_pages(mem: PhysicalMemory, frames: FrameSet) -> Outcome:
    """Give used huge pages back to the pool; a pin on them ends."""
    blocks = _blocks_of(frames)
    mem.huge_states[blocks] = HugeState.FREE
    mem.relabel(frames, *_labels(len(blocks), mem.owners.add(POOL)))
    mem.pinned_bits[frames.words] = 0
    return Outcome(granted=len(blocks), frames=frames)


def find_used(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> np.ndarray:
    """Find the pageblocks of a range that are used huge pages: (n,) int64, ascending."""
    return _find(mem, start_pfn, end_pfn, HugeState.USED)


def dissolve_free(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Outcome:
    """Give the free huge pages of a range back to the allocator, the lowest first.

    Refuses (EBUSY) those that the pool needs for what it has promised; the others are gone then.
    """
    blocks = _find(mem, start_pfn, end_pfn, HugeState.FREE)
    gone = blocks[: max(0, _available(mem))]
    _give_up(mem, gone)
    refused = len(blocks) - len(gone)
    return Outcome(granted=len(gone), refused=refused, frames=_frames_of(gone))


def migrate_huge_pages(
    mem: PhysicalMemory,
    blocks: np.ndarray,
    *,
    nid: int,
    nodes: Collection[int] | None = None,
) -> Migration:
    """Migrate used huge pages to the nodes given; granted and refused count 4 KiB pages.

    The old frames return to the pool as a free huge page where the new ones came out of it, else
    to the allocator.
    """
    if not len(blocks):
        return Migration()
    bits = mem.pinned_bits[buddy.words_of(blocks)].reshape(len(blocks), -1)
    stuck = bits.any(axis=1)
    moving = blocks[~stuck]
    pooled = _find_free(mem, nid, nodes)[: max(0, min(_available(mem), len(moving)))]
    rest = len(moving) - len(pooled)
    out = Migration()
    got = Outcome()
    if rest:
        kind, order = PageKind.HUGETLB, PAGEBLOCK_ORDER
        got = alloc_pages(mem, _REQUEST, rest, kind, order=order, nid=nid, nodes=nodes)
    fresh = _blocks_of(got.frames)
    mem.huge_states[fresh] = HugeState.USED
    source, target = moving[: len(pooled) + len(fresh)], np.concatenate([pooled, fresh])
    owners = mem.owner.reshape(-1, PAGEBLOCK_PAGES)
    owners[target] = owners[source, :1]
    mem.huge_states[target] = HugeState.USED
    mem.huge_states[source[: len(pooled)]] = HugeState.FREE
    owners[source[: len(pooled)]] = mem.owners.add(POOL)
    _give_up(mem, source[len(pooled) :])
    if len(source):
        out.moves.append(Moves(_pages(source), _pages(target)))
    out.frames = _frames_of(np.sort(np.concatenate([source, target])))
    out.released = got.released
    out.reports = [r for r in got.reports if r.kind is not EventKind.OOM]
    out.granted = len(source) * PAGEBLOCK_PAGES
    out.no_room = (len(moving) - len(source)) * PAGEBLOCK_PAGES
    out.pinned = 0 if out.no_room else int(stuck.sum()) * PAGEBLOCK_PAGES
    out.refused = len(blocks) * PAGEBLOCK_PAGES - out.granted
    tries = int(stuck.sum()) * MIGRATE_PASSES
    out.time_ns = len(source) * MIGRATE_HUGE_PAGE_NS + tries * FAILED_PAGE_NS
    return out


def _available(mem: PhysicalMemory) -> int:
    """Free huge pages that are promised to nobody."""
    return int((mem.huge_states == HugeState.FREE).sum()) - mem.huge_pool.reserved


def _find(mem: PhysicalMemory, start_pfn: int, end_pfn: int, state: HugeState) -> np.ndarray:
    first = start_pfn >> PAGEBLOCK_ORDER
    part = mem.huge_states[first : end_pfn >> PAGEBLOCK_ORDER]
    return np.asarray(first + np.flatnonzero(part == state))


def _find_free(mem: PhysicalMemory, nid: int, nodes: Collection[int] | None) -> np.ndarray:
    """List free huge pages outside isolated memory, in the order of a node's zones, then of pfn."""
    usable = (mem.huge_states == HugeState.FREE) & (mem.types != MigrateType.ISOLATE)
    blocks = np.flatnonzero(usable)
    zones = mem.zone.reshape(-1)[blocks << PAGEBLOCK_ORDER]
    rank = np.full(len(mem.zones), -1)
    zonelist = mem.zonelists[nid, int(_REQUEST.highest)]
    allowed = [z for z in zonelist if nodes is None or int(mem.zones.nid[z]) in nodes]
    rank[allowed] = np.arange(len(allowed))
    found = rank[zones] >= 0
    order = np.argsort(rank[zones[found]], kind="stable")
    return np.asarray(blocks[found][order])


def _give_up(mem: PhysicalMemory, blocks: np.ndarray) -> None:
    """Let huge pages be single frames again, all free."""
    if len(blocks):
        mem.huge_states[blocks] = HugeState.NONE
        buddy.give_back(mem, _frames_of(blocks))


def _labels(blocks: int, owner: int) -> tuple[np.ndarray, np.ndarray]:
    """Kinds and owners of the frames of so many huge pages."""
    pages = blocks * PAGEBLOCK_PAGES
    return np.full(pages, PageKind.HUGETLB, np.uint8), np.full(pages, owner, np.uint16)


def _blocks_of(frames: FrameSet) -> np.ndarray:
    """Pageblocks of a set of whole pageblocks: (n,) int64."""
    return np.unique(frames.words // (PAGEBLOCK_PAGES // WORD))


def _frames_of(blocks: np.ndarray) -> FrameSet:
    """All frames of some pageblocks."""
    words = buddy.words_of(np.sort(blocks))
    return FrameSet(words, np.full(len(words), ~np.uint64(0)))


def _pages(blocks: np.ndarray) -> np.ndarray:
    """Pfns of all frames of some pageblocks, in the order of the blocks: (512 n,) int64."""
    return ((blocks << PAGEBLOCK_ORDER)[:, None] + np.arange(PAGEBLOCK_PAGES)).ravel()
