"""The buddy allocator page by page: slow, plain, and without the library's tricks.

Blocks are numbers in lists, merging walks upwards from each freed page, requests are made one
at a time. Written from the rules alone (A2, A4, A7 and the model's placement rule), so that it
and the library can only agree if both follow them.

The model's rules, where Linux leaves a choice or does otherwise:
* the smallest sufficient order, then the lowest pfn;
* a block stands on the list of the type of the pageblock at its head;
* merging two pageblocks gives both the type of the frame freed last; frees go upwards;
* what remains of a stolen block goes on serving the same call, in the same zone and down to the
  same mark, until it is used up or that mark refuses; then it counts for its pageblock again.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from hotmem_viz.mechanisms.requests import Gfp
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType

U, M, R = MigrateType.UNMOVABLE, MigrateType.MOVABLE, MigrateType.RECLAIMABLE
TURN_TO = {U: (R, M), M: (R, U), R: (U, M)}
CAN_MOVE = (PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER)


@dataclass
class Zone:
    """One zone of the oracle: its numbers, and its free blocks as sorted heads by order."""

    nid: int
    type: int
    managed: int
    marks: dict[str, int]
    reserve: list[int]
    boost: int
    free: int = 0
    heads: list[list[int]] = field(default_factory=lambda: [[] for _ in range(11)])


@dataclass
class Served:
    """What became of one call: pfns given, requests refused, pages by zone, what fell back."""

    pfns: list[int] = field(default_factory=list)
    granted: int = 0
    refused: int = 0
    by_zone: dict[int, int] = field(default_factory=dict)
    borrowed: list[str] = field(default_factory=list)


def compare_machine(mem: PhysicalMemory, oracle: Oracle) -> None:
    """Assert that a machine and its twin are in the same state, frame by frame."""
    assert mem.kind.ravel().tolist() == oracle.kind
    assert mem.types.tolist() == oracle.type
    assert mem.zones.free.tolist() == [z.free for z in oracle.zones]
    assert mem.zones.boost.tolist() == [z.boost for z in oracle.zones]
    for z, part in enumerate(mem.extents.zone_slices):
        kept = mem.free_blocks[part].sum(axis=0)
        for kind in (U, M, R):
            assert kept[kind].tolist() == [len(oracle.blocks(z, kind, o)) for o in range(11)]


class Oracle:
    """A page-by-page twin of a machine, as it is at this moment."""

    def __init__(self, mem: PhysicalMemory) -> None:
        self.kind = [int(k) for k in mem.kind.ravel()]
        self.type = [int(t) for t in mem.migratetype.ravel()]
        self.zone_of = [-1] * len(self.kind)
        self.zones: list[Zone] = []
        for start, end, z in mem.segments:
            self.zone_of[start:end] = [z] * (end - start)
        for z in range(len(mem.zones)):
            marks = {m: int(getattr(mem.zones, m)[z]) for m in ("min", "low", "high")}
            reserve = [int(p) for p in mem.zones.protection[z]]
            nid, zone_type = int(mem.zones.nid[z]), int(mem.zones.type[z])
            managed, boost = int(mem.zones.managed[z]), int(mem.zones.boost[z])
            self.zones.append(Zone(nid, zone_type, managed, marks, reserve, boost))
        self.order_at: dict[int, int] = {}
        self._loose: dict[tuple[int, str], tuple[int, int]] = {}
        for pfn, kind in enumerate(self.kind):
            if kind == PageKind.FREE:
                self.zones[self.zone_of[pfn]].free += 1
                self._put(pfn)

    # Blocks.

    def _put(self, pfn: int) -> None:
        """Put one free page on the lists; it merges with its buddy, and so on upwards.

        Merging two pageblocks gives both the type of the one that the page lies in.
        """
        order, kind = 0, self.type[pfn >> 9]
        while order < 10:
            buddy = pfn ^ (1 << order)
            if self.order_at.get(buddy) != order or self.zone_of[buddy] != self.zone_of[pfn]:
                break
            self._drop(buddy)
            if order == 9:
                self.type[buddy >> 9] = kind
            pfn &= buddy
            order += 1
        self._list(pfn, order)

    def _list(self, head: int, order: int) -> None:
        self.order_at[head] = order
        insort(self.zones[self.zone_of[head]].heads[order], head)

    def _drop(self, head: int) -> int:
        order = self.order_at.pop(head)
        heads = self.zones[self.zone_of[head]].heads[order]
        del heads[bisect_left(heads, head)]
        return order

    def blocks(self, zone: int, kind: int, order: int) -> list[int]:
        """Heads of the free blocks of one order on one type's list, ascending."""
        return [h for h in self.zones[zone].heads[order] if self.type[h >> 9] == kind]

    def _first(self, zone: int, kind: int, order: int) -> int | None:
        for head in self.zones[zone].heads[order]:
            if self.type[head >> 9] == kind:
                return head
        return None

    def _use(self, zone: int, head: int, order: int, kind: int) -> None:
        for pfn in range(head, head + (1 << order)):
            assert self.kind[pfn] == PageKind.FREE
            self.kind[pfn] = kind
        self.zones[zone].free -= 1 << order

    # One request from a zone's own lists, one page given back.

    def take_one(self, zone: int, kind: int, order: int, holds: int) -> int | None:
        """Serve one request from a type's own lists; None if they have no such block."""
        for size in range(order, 11):
            head = self._first(zone, kind, size)
            if head is not None:
                self._drop(head)
                for half in range(size - 1, order - 1, -1):
                    self._list(head + (1 << half), half)
                self._use(zone, head, order, holds)
                return head
        return None

    def free_one(self, pfn: int) -> None:
        """Free one page."""
        assert self.kind[pfn] > PageKind.FREE
        self.kind[pfn] = PageKind.FREE
        self.zones[self.zone_of[pfn]].free += 1
        self._put(pfn)

    # Fallback.

    def fall_back_one(
        self, zone: int, kind: int, order: int, holds: int, mark: str, *, whole_only: bool
    ) -> tuple[int, str] | None:
        """Serve one request from another type's block: the pfn, and how it was come by."""
        found = self._look_elsewhere(zone, kind, order, whole_only=whole_only)
        if found is None:
            return None
        head, size = found
        if size >= 9:
            for block in range(head >> 9, (head + (1 << size)) >> 9):
                self.type[block] = kind
            how = "whole"
        else:
            self._raise_boost(self.zones[zone])
            may = kind != M or size >= 4
            how = "claim" if may and self._claims(head >> 9, kind) else "steal"
        if how == "steal":
            self._drop(head)
            self._use(zone, head, order, holds)
            self._loose[zone, mark] = head + (1 << order), head + (1 << size)
            return head, how
        if how == "claim":
            self.type[head >> 9] = kind
        served = self.take_one(zone, kind, order, holds)
        assert served is not None
        return served, how

    def _look_elsewhere(
        self, zone: int, kind: int, order: int, *, whole_only: bool
    ) -> tuple[int, int] | None:
        down = list(range(10, order - 1, -1))
        if kind == M:
            down = [k for k in down if k >= 4] + list(range(order, 4))
        for size in down:
            for source in TURN_TO[MigrateType(kind)]:
                head = self._first(zone, source, size)
                if head is not None and not (whole_only and size < 9):
                    return head, size
        return None

    def _claims(self, block: int, kind: int) -> bool:
        pages = self.kind[block * 512 : block * 512 + 512]
        free = sum(k == PageKind.FREE for k in pages)
        movable = sum(k in CAN_MOVE for k in pages)
        if kind == M:
            alike = movable
        elif self.type[block] == M:
            alike = 512 - free - movable
        else:
            alike = 0
        return free + alike >= 256

    @staticmethod
    def _raise_boost(zone: Zone) -> None:
        if zone.managed >= 2048:
            cap = max(512, zone.marks["high"] * 15000 // 10000)
            zone.boost = min(zone.boost + 512, cap)

    def borrow(self, zone: int, kind: int, order: int, count: int, holds: int) -> list[int]:
        """Serve up to `count` requests from one zone, whatever its marks: the pfns given."""
        pfns: list[int] = []
        for _ in range(count):
            head = self._take_loose(zone, "", order, holds)
            if head is None:
                head = self.take_one(zone, kind, order, holds)
            if head is None:
                got = self.fall_back_one(zone, kind, order, holds, "", whole_only=False)
                if got is None:
                    break
                head = got[0]
            pfns.extend(range(head, head + (1 << order)))
        self._put_loose_back((zone, ""))
        return pfns

    # Calls.

    def zonelist(self, nid: int, highest: int) -> list[int]:
        """Zones a request may use: own node first, then upwards and around; highest first."""
        return sorted(
            (z for z in range(len(self.zones)) if self.zones[z].type <= highest),
            key=lambda z: (self.zones[z].nid < nid, self.zones[z].nid, -self.zones[z].type),
        )

    def alloc(self, gfp: Gfp, count: int, kind: int, order: int, nid: int) -> Served:
        """Make `count` requests one after another; nothing is ever reclaimed."""
        zonelist = [z for z in self.zonelist(nid, gfp.highest) if self.zones[z].managed > 0]
        passes = [("low", zonelist, False), ("min", zonelist, False)]
        first = self.zones[zonelist[0]] if zonelist else None
        if first is not None and first.type == ZoneType.NORMAL:
            local = [z for z in zonelist if self.zones[z].nid == first.nid]
            if any(self.zones[z].type == ZoneType.DMA32 for z in local):
                passes.insert(0, ("low", local, True))
        served = Served()
        for _ in range(count):
            got = self._one(gfp, passes, kind, order)
            if got is None:
                served.refused += 1
                continue
            head, zone, how = got
            served.pfns.extend(range(head, head + (1 << order)))
            served.granted += 1
            served.by_zone[zone] = served.by_zone.get(zone, 0) + (1 << order)
            served.borrowed.extend([how] if how else [])
        for key in list(self._loose):
            self._put_loose_back(key)
        return served

    def _one(
        self, gfp: Gfp, passes: list[tuple[str, list[int], bool]], kind: int, order: int
    ) -> tuple[int, int, str] | None:
        for mark, zonelist, whole_only in passes:
            for z in zonelist:
                zone = self.zones[z]
                level = zone.marks[mark] + zone.boost + zone.reserve[gfp.highest]
                if zone.free - ((1 << order) - 1) <= level:
                    self._put_loose_back((z, mark))
                    continue
                head = self._take_loose(z, mark, order, kind)
                if head is None:
                    head = self.take_one(z, gfp.migratetype, order, kind)
                if head is not None:
                    return head, z, ""
                got = self.fall_back_one(
                    z, gfp.migratetype, order, kind, mark, whole_only=whole_only
                )
                if got is not None:
                    return got[0], z, got[1]
        return None

    def _take_loose(self, zone: int, mark: str, order: int, kind: int) -> int | None:
        start, end = self._loose.pop((zone, mark), (0, 0))
        if end - start < 1 << order:
            return None
        self._loose[zone, mark] = start + (1 << order), end
        self._use(zone, start, order, kind)
        return start

    def _put_loose_back(self, key: tuple[int, str]) -> None:
        for pfn in range(*self._loose.pop(key, (0, 0))):
            self._put(pfn)
