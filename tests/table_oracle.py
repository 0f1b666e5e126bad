"""Address spaces kept page by page in sets: slow, and right by being simple."""

from __future__ import annotations

from collections import defaultdict

from hotmem_viz.machine.page_geometry import PageGeometry
from hotmem_viz.memory.address_spaces import AddressSpaces, HugeUse


class Slow:
    """What tables there must be, from the pages touched and the mappings that remain."""

    def __init__(self, geometry: PageGeometry) -> None:
        self.geometry = geometry
        self.mappings: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.pages: dict[int, set[int]] = defaultdict(set)
        self.written: dict[int, set[int]] = defaultdict(set)
        self.tables: dict[int, set[tuple[int, int]]] = {}

    def start(self, space: int) -> None:
        top = self.geometry.top
        ready = {(top - 1, i) for i in range(self.geometry.ready_made)}
        self.tables[space] = {(top, 0)} | ready

    def map(self, space: int, start: int, pages: int) -> None:
        self.mappings[space].append((start, start + pages))

    def touch(self, space: int, vpn: int, *, write: bool = True) -> None:
        assert any(a <= vpn < b for a, b in self.mappings[space])
        self.pages[space].add(vpn)
        if write:
            self.written[space].add(vpn)
        for i in range(len(self.geometry.levels)):
            self.tables[space].add((i, vpn >> self.order(i)))

    def order(self, level: int) -> int:
        order = 0
        for place in self.geometry.levels[: level + 1]:
            order += place.entries.bit_length() - 1
        return order

    def unmap(self, space: int, start: int, pages: int) -> None:
        end, kept = start + pages, []
        for a, b in self.mappings[space]:
            kept += [p for p in ((a, min(b, start)), (max(a, end), b)) if p[0] < p[1]]
        self.mappings[space] = kept
        for pages_ in (self.pages[space], self.written[space]):
            pages_.difference_update(range(start, end))
        for level, span in list(self.tables[space]):
            first, last = span << self.order(level), (span + 1) << self.order(level)
            meets = first < end and last > start
            covers = any(a < last and b > first for a, b in kept)
            if meets and not covers and level != self.geometry.top:
                self.tables[space].remove((level, span))

    def exit(self, space: int) -> None:
        del self.tables[space]
        for kept in (self.mappings, self.pages, self.written):
            kept.pop(space, None)


def walk_slowly(s: AddressSpaces, space: int) -> tuple[set[tuple[int, int]], set[int], set[int]]:
    """Read a process's tables entry by entry: tables, pages present, pages that are its own."""
    tables, pages, own = set(), set(), set()

    def read(row: int, span: int) -> None:
        level = int(s.tables.level[row])
        place, slot = s.geometry.levels[level], int(s.tables.slot[row])
        assert s.tables.space[row] == space
        tables.add((level, span))
        for i in range(place.entries):
            if level:
                child = int(s.entries.entries[slot, i])
                if child >= 0:
                    assert (s.tables.parent[child], s.tables.index[child]) == (row, i)
                    read(child, span * place.entries + i)
            elif int(s.present.present[slot, i // 64]) >> (i % 64) & 1:
                pages.add(span * place.entries + i)
                if not int(s.present.zero[slot, i // 64]) >> (i % 64) & 1:
                    own.add(span * place.entries + i)

    read(int(s.spaces.top[space]), 0)
    return tables, pages, own


def same(s: AddressSpaces, slow: Slow) -> None:
    """Compare all address spaces, none of which uses huge pages."""
    assert sorted(s.alive().tolist()) == sorted(slow.tables)
    assert not s.mappings.huge.any() or HugeUse.NO
    for space in slow.tables:
        tables, pages, own = walk_slowly(s, space)
        assert tables == slow.tables[space]
        assert pages == slow.pages[space]
        assert own == slow.written[space]
        levels = [
            sum(1 for level, _ in tables if level == i) for i in range(len(s.geometry.levels))
        ]
        assert s.spaces.levels[space].tolist() == levels
        assert s.spaces.rss[space] == len(own)
