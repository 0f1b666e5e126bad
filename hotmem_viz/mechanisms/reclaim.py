"""Making memory free again: kswapd, direct reclaim, and what can be reclaimed at all.

Page cache and buffers go first, then slabs whose owner can be shrunk; there is no swap, so
anonymous pages stay. A hand walks each zone, so that what was filled first goes first. Pinned pages
stay, too, and pages of isolated pageblocks, which are off the LRU while they migrate. Left out: LRU
lists and their balance, the proportional scan of slab caches, dirty pages and writeback.

Sources: mm/vmscan.c, 6.1: balance_pgdat, kswapd_shrink_node, shrink_slab, try_to_free_pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.orders import FEW_GROUPS
from hotmem_viz.mechanisms.outcome import Report
from hotmem_viz.memory.frames import WORD, FrameSet, pack, union
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import MAX_ORDER_PAGES, EventKind, MigrateType, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

MAX_RECLAIM_RETRIES = 16
"""Fruitless runs after which kswapd gives up on a node (mm/internal.h)."""

SWAP_CLUSTER_MAX = 32
"""Pages that a direct reclaimer tries for at least (include/linux/swap.h)."""

_CACHES = (int(PageKind.PAGE_CACHE), int(PageKind.BUFFER))
_SLABS = (int(PageKind.RECLAIMABLE_SLAB),)
_ISOLATE = int(MigrateType.ISOLATE)
"""Plain numbers, as in `memory.physical`: members cost more to look up and to compare."""


def find_reclaimable(mem: PhysicalMemory, zone: int, pages: int) -> FrameSet:
    """Find up to `pages` frames of a zone that reclaim could free, in the order it would."""
    if pages <= 0:
        return FrameSet.empty()
    caches = _find(mem, zone, pages, _CACHES)
    left = pages - len(caches)
    if left <= 0 or not any(mem.owners.shrinkable):
        return caches
    return caches | _find(mem, zone, left, _SLABS)


def _find(mem: PhysicalMemory, zone: int, pages: int, kinds: tuple[int, ...]) -> FrameSet:
    """Walk the hand over a zone's extents until `pages` frames of some kinds are found."""
    if not any(mem.zone_kinds[zone, kind] for kind in kinds):
        return FrameSet.empty()
    part = mem.extents.zone_slices[zone]
    held = mem.extent_kinds[part][:, kinds].sum(axis=1, dtype=np.int64)
    holders = held.nonzero()[0]
    begin = int(holders.searchsorted(mem.reclaim_hand[zone]))
    # Looking at a few groups costs little more than looking at one; twice as many the next time.
    few = max(1, FEW_GROUPS * MAX_ORDER_PAGES // mem.spec.section_pages)
    found: list[FrameSet] = []
    for turn in (holders[begin:], holders[:begin]):
        done = 0
        while pages > 0 and done < len(turn):
            # Enough, unless pages are pinned or in slabs that nobody can shrink.
            n = max(few, int(held[turn[done:]].cumsum().searchsorted(pages)) + 1)
            batch = turn[done : done + n]
            done, few = done + n, 2 * n
            frames = _reclaimable_in(mem, batch + part.start, kinds).lowest(pages)
            found.append(frames)
            pages -= len(frames)
            last = int(batch[-1])
            if not pages:
                section = int(frames.words[-1]) * WORD // mem.spec.section_pages
                last = int(mem.extents.section[part].searchsorted(section))
            mem.reclaim_hand[zone] = last
    return union(found)


def _reclaimable_in(mem: PhysicalMemory, extents: np.ndarray, kinds: tuple[int, ...]) -> FrameSet:
    """Find all frames of some kinds in some extents; of slabs, those that can be shrunk.

    What is pinned or lies in an isolated pageblock is left out.
    """
    view = buddy.view_extents(mem, extents)
    rows = mem.kind_words.reshape(-1, MAX_ORDER_PAGES)[view.groups]
    hit = rows == kinds[0]
    for kind in kinds[1:]:
        hit |= rows == kind
    if kinds == _SLABS:
        hit &= _is_shrinkable(mem, mem.owner_words.reshape(-1, MAX_ORDER_PAGES)[view.groups])
    bits = pack(hit).reshape(-1, GROUP_WORDS)
    bits &= ~mem.pinned_bits.reshape(-1, GROUP_WORDS)[view.groups]
    if any(mem.zone_types[:, _ISOLATE].tolist()):
        isolated = mem.types.reshape(-1, 2)[view.groups] == _ISOLATE
        bits[np.repeat(isolated, GROUP_WORDS // 2, axis=1)] = 0
    for i, mask in buddy.shares_of(mem, view.groups, view.extent):
        bits[i] &= mask
    return FrameSet.of_nonzero(view.words.ravel(), bits.ravel())


def _is_shrinkable(mem: PhysicalMemory, owners: np.ndarray) -> np.ndarray:
    """Say of some owners whether their slabs can be shrunk: uint16 -> bool, of the same shape."""
    shrinkable = [row for row, yes in enumerate(mem.owners.shrinkable) if yes]
    answer: np.ndarray = owners == shrinkable[0]
    for row in shrinkable[1:]:
        answer |= owners == row
    return answer


def run_kswapd(mem: PhysicalMemory, nid: int, highest: int) -> tuple[FrameSet, list[Report]]:
    """Let a node's kswapd run once, for requests that may use zones up to `highest`.

    It runs only if no zone has reached its high mark or one is boosted, and not at all after 16
    fruitless runs. It reclaims up to each zone's high mark and takes the boosts back. Returns the
    freed frames and reports.
    """
    zones = mem.zones
    if mem.kswapd_failures[nid] >= MAX_RECLAIM_RETRIES:
        return FrameSet.empty(), []
    named = zip(zones.nid.tolist(), zones.type.tolist(), zones.managed.tolist(), strict=True)
    rows = [z for z, (n, t, managed) in enumerate(named) if n == nid and t <= highest and managed]
    free, boost = zones.free.tolist(), zones.boost.tolist()
    high, kept = zones.high.tolist(), zones.protection[:, highest].tolist()
    boosted = any(boost[z] for z in rows)
    balanced = any(free[z] > high[z] + boost[z] + kept[z] for z in rows)
    if not rows or (balanced and not boosted):
        return FrameSet.empty(), []
    frames = union([find_reclaimable(mem, z, high[z] + boost[z] - free[z]) for z in rows])
    top = rows[-1]
    low = zones.low.tolist()
    facts: dict[str, int | str] = {
        "nid": nid,
        "free": free[top],
        "low": low[top] + boost[top],
        "boost": boost[top],
    }
    reports = [Report(EventKind.KSWAPD_WAKE, top, facts=facts)]
    if len(frames):
        buddy.give_back(mem, frames)
        mem.kswapd_failures[nid] = 0
        reports.append(Report(EventKind.RECLAIM, top, facts={"pages": len(frames)}))
    else:
        # Above the boosted low mark nobody wakes kswapd again at once; below it every
        # allocation does, and its sixteen tries are gone between two of our ticks.
        pressed = not any(free[z] > low[z] + boost[z] for z in rows)
        mem.kswapd_failures[nid] = MAX_RECLAIM_RETRIES if pressed else mem.kswapd_failures[nid] + 1
        if mem.kswapd_failures[nid] >= MAX_RECLAIM_RETRIES:
            reports.append(Report(EventKind.KSWAPD_GIVES_UP, top, facts={"nid": nid}))
    # A run takes the boosts back at its end, fruitless or not; only what is boosted after the
    # last one stays.
    if boosted:
        zones.boost[rows] = 0
    return frames, reports


def reclaim_directly(mem: PhysicalMemory, zones: list[int], pages: int) -> FrameSet:
    """Free up to `pages` (at least 32) frames of the given zones for a waiting request."""
    left = max(pages, SWAP_CLUSTER_MAX)
    freed = []
    for zone in zones:
        frames = find_reclaimable(mem, zone, left)
        left -= len(frames)
        freed.append(frames)
    found = union(freed)
    if len(found):
        buddy.give_back(mem, found)
        for zone, frames in zip(zones, freed, strict=True):
            if len(frames):
                mem.kswapd_failures[int(mem.zones.nid[zone])] = 0
    return found
