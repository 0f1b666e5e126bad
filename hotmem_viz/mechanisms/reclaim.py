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
from hotmem_viz.mechanisms.outcome import Report
from hotmem_viz.memory.frames import FrameSet, pack, union
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import EventKind, MigrateType, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

MAX_RECLAIM_RETRIES = 16
"""Fruitless runs after which kswapd gives up on a node (mm/internal.h)."""

SWAP_CLUSTER_MAX = 32
"""Pages that a direct reclaimer tries for at least (include/linux/swap.h)."""

_CACHES = (PageKind.PAGE_CACHE, PageKind.BUFFER)


def find_reclaimable(mem: PhysicalMemory, zone: int, pages: int) -> FrameSet:
    """Find up to `pages` frames of a zone that reclaim could free, in the order it would."""
    if pages <= 0:
        return FrameSet.empty()
    caches = _find(mem, zone, pages, _CACHES)
    left = pages - len(caches)
    if left <= 0 or not any(mem.owners.shrinkable):
        return caches
    return caches | _find(mem, zone, left, (PageKind.RECLAIMABLE_SLAB,))


def _find(mem: PhysicalMemory, zone: int, pages: int, kinds: tuple[PageKind, ...]) -> FrameSet:
    """Walk the hand over a zone's extents until `pages` frames of some kinds are found."""
    if not mem.zone_kinds[zone, kinds].any():
        return FrameSet.empty()
    part = mem.extents.zone_slices[zone]
    held = mem.extent_kinds[part][:, kinds].sum(axis=1, dtype=np.int64)
    turn = (np.arange(len(held)) + int(mem.reclaim_hand[zone])) % len(held)
    turn = turn[held[turn] > 0]
    found: list[FrameSet] = []
    while pages > 0 and len(turn):
        n = int(np.searchsorted(np.cumsum(held[turn]), pages)) + 1
        batch, turn = turn[:n], turn[n:]
        # Not more than `pages` are in all but the last; in slabs that nobody can shrink, fewer.
        for extents in (batch[:-1], batch[-1:]):
            frames = _reclaimable_in(mem, np.sort(extents) + part.start, kinds).lowest(pages)
            found.append(frames)
            pages -= len(frames)
        mem.reclaim_hand[zone] = int(batch[-1])
    return union(found)


def _reclaimable_in(
    mem: PhysicalMemory, extents: np.ndarray, kinds: tuple[PageKind, ...]
) -> FrameSet:
    """Find all frames of some kinds in some extents; of slabs, those that can be shrunk.

    What is pinned or lies in an isolated pageblock is left out.
    """
    if not len(extents):
        return FrameSet.empty()
    view = buddy.view_extents(mem, extents)
    rows = mem.kind_words.reshape(-1, GROUP_WORDS, 64)[view.groups]
    hit = rows == kinds[0]
    for kind in kinds[1:]:
        hit |= rows == kind
    if PageKind.RECLAIMABLE_SLAB in kinds:
        owners = mem.owner_words.reshape(-1, GROUP_WORDS, 64)[view.groups]
        hit &= np.asarray(mem.owners.shrinkable)[owners]
    bits = pack(hit).reshape(-1, GROUP_WORDS)
    bits &= ~mem.pinned_bits.reshape(-1, GROUP_WORDS)[view.groups]
    isolated = mem.types.reshape(-1, 2)[view.groups] == MigrateType.ISOLATE
    bits[np.repeat(isolated, GROUP_WORDS // 2, axis=1)] = 0
    for i in np.flatnonzero(mem.extents.of_group[view.groups] == buddy.IRREGULAR):
        bits[i] &= dict(mem.extents.irregular[int(view.groups[i])])[int(view.extent[i])]
    return FrameSet.of_nonzero(view.words.ravel(), bits.ravel())


def run_kswapd(mem: PhysicalMemory, nid: int, highest: int) -> tuple[FrameSet, list[Report]]:
    """Let a node's kswapd run once, for requests that may use zones up to `highest`.

    It runs only if no zone has reached its high mark or one is boosted, and not at all after 16
    fruitless runs. It reclaims up to each zone's high mark and takes the boosts back. Returns the
    freed frames and reports.
    """
    zones = mem.zones
    mine = (zones.nid == nid) & (zones.type <= highest) & (zones.managed > 0)
    rows = mine.nonzero()[0].tolist()
    boosted = zones.boost[rows].any()
    line = zones.high + zones.boost + zones.protection[:, highest]
    balanced = (zones.free > line)[rows].any()
    if not rows or mem.kswapd_failures[nid] >= MAX_RECLAIM_RETRIES or (balanced and not boosted):
        return FrameSet.empty(), []
    freed = [
        find_reclaimable(mem, z, int(zones.high[z] + zones.boost[z] - zones.free[z])) for z in rows
    ]
    frames = union(freed)
    top = rows[-1]
    facts: dict[str, int | str] = {
        "nid": nid,
        "free": int(zones.free[top]),
        "low": int(zones.low[top] + zones.boost[top]),
        "boost": int(zones.boost[top]),
    }
    reports = [Report(EventKind.KSWAPD_WAKE, top, facts=facts)]
    if len(frames):
        buddy.give_back(mem, frames)
        mem.kswapd_failures[nid] = 0
        reports.append(Report(EventKind.RECLAIM, top, facts={"pages": len(frames)}))
    else:
        # Above the boosted low mark nobody wakes kswapd again at once; below it every
        # allocation does, and its sixteen tries are gone between two of our ticks.
        pressed = not any(zones.free[z] > zones.low[z] + zones.boost[z] for z in rows)
        mem.kswapd_failures[nid] = MAX_RECLAIM_RETRIES if pressed else mem.kswapd_failures[nid] + 1
        if mem.kswapd_failures[nid] >= MAX_RECLAIM_RETRIES:
            reports.append(Report(EventKind.KSWAPD_GIVES_UP, top, facts={"nid": nid}))
    # A run takes the boosts back at its end, fruitless or not; only what is boosted after the
    # last one stays.
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
