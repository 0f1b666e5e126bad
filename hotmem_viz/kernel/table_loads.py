"""The captured loads that starve the kernel of page tables, done with the model's own mechanisms.

Each does operations on a machine: touching one page in every 2 MiB, or all of them, mapping a
segment again and again, or starting processes that share one or touch memory of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hotmem_viz.mechanisms.address_spaces import add_segment, map_regions
from hotmem_viz.mechanisms.touching import Access, Touched, touch
from hotmem_viz.scenarios.processes import ProcessLayout, start_small
from hotmem_viz.scenarios.workloads import Stockpile, find_stocks

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces

SPAN = 512
"""Pages of 2 MiB: what most loads call an operation."""

CHUNK = 32768
"""Operations for which the sparse loads map memory at once: 64 GiB, and 2 MiB to align it."""


@dataclass
class Bench:
    """What a load works on: the machine's processes, where its own memory lies, its owner."""

    spaces: AddressSpaces
    layout: ProcessLayout
    owner: int
    space: int


class Load(Protocol):
    """A load under way: pages that one more operation costs, and doing some."""

    cost: float

    def do(self, operations: int) -> tuple[int, bool]:
        """Do operations; say how many came to their end, and whether memory sufficed."""
        ...


class Sparse:
    """Touches one page in every 2 MiB of ever more memory, reading or writing it."""

    def __init__(self, bench: Bench, *, write: bool) -> None:
        self.bench, self.write = bench, write
        self.cost = 1 + 1 / SPAN + write
        self.end = bench.layout.map_base
        self.mapping, self.done = -1, 0

    def do(self, operations: int) -> tuple[int, bool]:
        """See `Load`."""
        s, did = self.bench.spaces, 0
        while did < operations:
            at = (self.done + did) % CHUNK
            if not at:
                self.end -= (CHUNK + 1) * SPAN
                maps = map_regions(s, [self.bench.space], [self.end], (CHUNK + 1) * SPAN)
                self.mapping = int(maps[0])
            n = min(operations - did, CHUNK - at)
            answer = touch(s, _one(self.mapping, at * SPAN, n, SPAN, write=self.write))
            did += answer.pages
            if answer.refused:
                break
        self.done += did
        return did, did == operations


class Dense:
    """Writes to every page of one mapping; an operation is 2 MiB of it.

    Its cost is that of the tables: the pages go to ZONE_MOVABLE, and where there is none, the end
    is found page by page all the same.
    """

    def __init__(self, bench: Bench, pages: int) -> None:
        self.bench, self.cost, self.pages = bench, 1 + 1 / SPAN, 0
        start = bench.layout.map_base - pages - SPAN
        start -= start % SPAN
        self.mapping = int(map_regions(bench.spaces, [bench.space], [start], pages)[0])

    def do(self, operations: int) -> tuple[int, bool]:
        """See `Load`."""
        before = self.pages // SPAN
        wanted = operations * SPAN - self.pages % SPAN
        access = _one(self.mapping, self.pages, wanted, 1, write=True)
        answer = touch(self.bench.spaces, access)
        self.pages += answer.pages
        return self.pages // SPAN - before, not answer.refused


class Shared:
    """Maps the same 2 MiB again and again, and touches them each time."""

    def __init__(self, bench: Bench) -> None:
        s, profile = bench.spaces, bench.spaces.mem.profile
        self.bench, self.end, self.done = bench, bench.layout.map_base, 0
        self.pile = Stockpile(find_stocks(profile, profile.operations["vmas"]))
        self.segment = add_segment(s, SPAN, bench.owner)
        self.cost = 1 + 1 / SPAN + sum(x.pages_per_operation for x in self.pile.stocks)

    def do(self, operations: int) -> tuple[int, bool]:
        """See `Load`."""
        s = self.bench.spaces
        room = _stock_up(self.bench, self.pile, self.done + operations) - self.done
        starts = self.end - SPAN * np.arange(1, room + 1)
        did = 0
        if room:
            rows = map_regions(s, [self.bench.space] * room, starts, SPAN, segment=self.segment)
            full = np.full(room, SPAN)
            did = touch(s, Access(rows, np.zeros_like(full), full, 1, write=True)).pages // SPAN
            self.end = int(starts[-1])
        self.done += did
        return did, did == operations


class Children:
    """Starts processes; each touches a segment that all share, or memory of its own, or neither."""

    def __init__(self, bench: Bench, pages: int, *, sparse: bool) -> None:
        s, profile = bench.spaces, bench.spaces.mem.profile
        self.bench, self.pages, self.sparse, self.done = bench, pages, sparse, 0
        operation = profile.operations["procs"]
        objects = dict(operation.caches)
        if pages:
            objects["vm_area_struct"] += 1
        cost = replace(operation, caches=MappingProxyType(objects), page_tables=0, anon=0)
        self.pile = Stockpile(find_stocks(profile, cost))
        self.cost = operation.page_tables + pages / SPAN
        self.cost += sum(x.pages_per_operation for x in self.pile.stocks)
        # A segment lies right below what a process has; private memory a GiB away from it.
        apart = sparse and bench.layout.map_base - pages > SPAN << 10
        self.start = bench.layout.map_base - pages - apart * (SPAN << 9)
        self.segment = -1
        if pages and not sparse:
            self.segment = add_segment(s, pages, bench.owner)
            # The parent populates it first.
            self._touch(np.array([bench.space]))

    def _touch(self, spaces: np.ndarray) -> Touched:
        """Map what a process adds to a small one, and touch it."""
        s, n = self.bench.spaces, len(spaces)
        start = np.full(n, self.start)
        rows = map_regions(s, spaces, start, self.pages, segment=self.segment)
        step = SPAN if self.sparse else 1
        count = np.full(n, self.pages // step)
        return touch(s, Access(rows, np.zeros_like(count), count, step, not self.sparse))

    def do(self, operations: int) -> tuple[int, bool]:
        """See `Load`."""
        room = _stock_up(self.bench, self.pile, self.done + operations) - self.done
        rows = start_small(self.bench.spaces, self.bench.layout, room, self.bench.owner)
        did = len(rows)
        if self.pages and did:
            answer = self._touch(rows)
            did = did * answer.pages // max(answer.wanted, 1)
        self.done += did
        return did, did == operations


def _stock_up(bench: Bench, pile: Stockpile, operations: int) -> int:
    """Allocate objects for so many operations in all; returns for how many there is room."""
    for stock in pile.stocks:
        pile.ask(bench.spaces.mem, stock, operations, owner=bench.owner)
    return pile.operations(operations)


def _one(mapping: int, first: int, pages: int, step: int, *, write: bool) -> Access:
    return Access(np.array([mapping]), np.array([first]), np.array([pages]), step, write)


TABLE_LOADS = ("sparse-zero", "sparse-write", "shared", "procs", "procs-sparse", "dense")
"""The loads that starve the kernel of page tables, by the name of `kind`."""


def start_load(bench: Bench, kind: str, pages: int) -> Load:
    """Start a load; pages: of the segment or the mapping (`mb`), 0 where the load has none."""
    if kind in ("sparse-zero", "sparse-write"):
        return Sparse(bench, write=kind == "sparse-write")
    if kind == "dense":
        return Dense(bench, pages)
    if kind == "shared":
        return Shared(bench)
    return Children(bench, pages, sparse=kind == "procs-sparse")
