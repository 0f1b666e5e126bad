"""Offlining page by page: slow, plain, written from the rules (A9, A10) alone.

Free pages of isolated memory are kept off the lists as HIDDEN. The model's rules, where Linux
leaves a choice: what moves is paired with its targets in order of pfn. Nothing is reclaimed here.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotmem_viz.mechanisms.requests import Gfp
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType
from tests.oracles import Oracle

HIDDEN = -1
ON_LRU = (PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER)
BOOT = (PageKind.HOLE, PageKind.RESERVED, PageKind.MEMMAP, PageKind.KERNEL_IMAGE)


@dataclass
class Answer:
    """What became of an attempt: a word, the guilty page, the pages that moved."""

    verdict: str
    guilty: int = -1
    moved: int = 0


class OfflineOracle(Oracle):
    """A page-by-page twin that can take memory offline."""

    def __init__(self, mem: PhysicalMemory) -> None:
        super().__init__(mem)
        self.owner = [int(o) for o in mem.owner.ravel()]
        words = enumerate(mem.pinned_bits.tolist())
        self.pinned = {64 * w + i for w, word in words for i in range(64) if word >> i & 1}
        self.nodes: set[int] | None = None

    def zonelist(self, nid: int, highest: int) -> list[int]:
        """Zones a request may use, those of the allowed nodes only."""
        zones = super().zonelist(nid, highest)
        return [z for z in zones if self.nodes is None or self.zones[z].nid in self.nodes]

    def offline(self, start: int, end: int, high: Gfp, low: Gfp) -> Answer:
        """Try once, and give up when a round changes nothing.

        high, low: the request for pages of ZONE_MOVABLE, and for those of kernel zones.
        """
        if self._is_torn(start, end):
            return Answer("EINVAL")
        zone = self.zones[self.zone_of[start]]
        movable = zone.type == ZoneType.MOVABLE
        guilty = self._isolate(start, end, movable=movable)
        if guilty >= 0:
            return Answer("EBUSY", guilty)
        moved = self._empty(start, end, zone.nid, high if movable else low)
        left = [p for p in range(start, end) if self.kind[p] != HIDDEN]
        for block in range(start, end, 512):
            self.type[block >> 9] = MigrateType.MOVABLE
        if left:
            self._bring_back(start, end)
            return Answer("never ends", left[0], moved)
        for pfn in range(start, end):
            self.kind[pfn] = PageKind.HOLE
        for other in self.zones:
            other.boost = 0
        return Answer("ok", -1, moved)

    def _is_torn(self, start: int, end: int) -> bool:
        """Say whether a range has a hole, or lies in several zones."""
        zones = {self.zone_of[p] for p in range(start, end)}
        return len(zones) != 1 or zones == {-1}

    def _isolate(self, start: int, end: int, *, movable: bool) -> int:
        """Hide what is free, or return the page that is in the way."""
        blocks = list(range(start, end, 512))
        seen: list[int] = []
        for block in [blocks[0], blocks[-1], *blocks[1:-1]]:
            guilty = self._guilty(block, movable=movable)
            if guilty >= 0:
                # Before 6.17 an isolation that is undone leaves MOVABLE behind.
                for other in sorted(seen):
                    self._retype(other)
                return guilty
            seen.append(block)
        for pfn in range(start, end):
            self._hide(pfn)
        return -1

    def _bring_back(self, start: int, end: int) -> None:
        for pfn in range(start, end):
            if self.kind[pfn] == HIDDEN:
                self.kind[pfn] = PageKind.FREE
                self.zones[self.zone_of[pfn]].free += 1
                self._put(pfn)

    def _guilty(self, block: int, *, movable: bool) -> int:
        for pfn in range(block, block + 512):
            kind = self.kind[pfn]
            if kind in BOOT:
                return pfn
            if not movable and kind != PageKind.FREE and kind not in ON_LRU:
                return pfn
        return -1

    def _retype(self, block: int) -> None:
        """Take the free pages of a pageblock off the lists and put them on the MOVABLE ones."""
        self.type[block >> 9] = MigrateType.MOVABLE
        free = [p for p in range(block, block + 512) if self.kind[p] == PageKind.FREE]
        for pfn in free:
            self._split_to(pfn)
        for pfn in free:
            self._put(pfn)

    def _split_to(self, pfn: int) -> None:
        """Break the free block around a page up, so that the page is on no list."""
        for order in range(11):
            head = pfn >> order << order
            if self.order_at.get(head) == order:
                self._drop(head)
                for half in range(order - 1, -1, -1):
                    middle = head + (1 << half)
                    self._list(head if pfn >= middle else middle, half)
                    head = middle if pfn >= middle else head
                return
        raise AssertionError(f"{pfn} is in no free block")

    def _hide(self, pfn: int) -> None:
        if self.kind[pfn] == PageKind.FREE:
            self._split_to(pfn)
            self.zones[self.zone_of[pfn]].free -= 1
            self.kind[pfn] = HIDDEN

    def _empty(self, start: int, end: int, nid: int, gfp: Gfp) -> int:
        """Move what can move, the lowest pages first; returns how many did."""
        there = {z.nid for z in self.zones if z.managed}
        self.nodes = there - {nid} or {nid}
        going = [p for p in range(start, end) if self.kind[p] in ON_LRU and p not in self.pinned]
        served = self.alloc(gfp, len(going), PageKind.ANON, 0, nid)
        self.nodes = None
        for source, target in zip(going, sorted(served.pfns), strict=False):
            self.kind[target], self.owner[target] = self.kind[source], self.owner[source]
            self.kind[source], self.owner[source] = HIDDEN, 0
        return len(served.pfns)
