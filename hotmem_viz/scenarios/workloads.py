"""Workloads: requests drawn beforehand from a seed, independent of what becomes of them.

Two actors take turns. The metadata actor does operations (files, sockets, ...), each of which
costs objects of slab caches; slabs are requested when the objects so far need one more. The
user actor touches anonymous memory and reads files, whose metadata comes as buffers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.requests import GFP, GFP_OF_KIND, Gfp
from hotmem_viz.mechanisms.slab import SlabCut, alloc_slabs
from hotmem_viz.vocabulary import PAGE_SIZE, PageKind

if TYPE_CHECKING:
    from hotmem_viz.machine.profiles import KernelProfile, Operation, SlabCache
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.physical import PhysicalMemory

BUFFERS_PER_CACHE = 1 / 64
"""Buffers read with a page of file data: one block of an inode table or directory for each
sixty-four blocks of data [modelling choice: small files on ext4, 4 KiB blocks]."""

ANON_SHARE = 0.6
"""Of the user actor's pages; the rest is page cache [modelling choice]."""

EXIT_SHARE, EXIT_AFTER = 0.2, (8, 40)
"""Share of anonymous batches whose process exits, and after how many turns [modelling choice]."""


SINGLE = SlabCut(0, 1)
"""Pages that are asked for one by one."""


@dataclass(frozen=True)
class Stock:
    """One slab cache or kind of page that an operation draws on.

    `cut` says how many objects fill how many pages; per_operation objects are needed.
    """

    name: str
    kind: PageKind
    gfp: Gfp
    cut: SlabCut
    per_operation: int

    @property
    def pages_per_operation(self) -> float:
        """Pages that one operation costs in the long run."""
        return self.per_operation / self.cut.per_slab * (1 << self.cut.order)


class Stockpile:
    """Objects that there is room for, cache by cache, as a load goes on."""

    def __init__(self, stocks: tuple[Stock, ...]) -> None:
        self.stocks = stocks
        self._objects = dict.fromkeys((s.name for s in stocks), 0)

    def ask(
        self, mem: PhysicalMemory, stock: Stock, operations: int, *, owner: int, nid: int = 0
    ) -> Outcome | None:
        """Allocate what a stock lacks for so many operations in all; None if it lacks nothing."""
        missing = operations * stock.per_operation - self._objects[stock.name]
        if missing <= 0:
            return None
        slabs = -(-missing // stock.cut.per_slab)
        outcome, objects = alloc_slabs(
            mem, stock.gfp, slabs, stock.kind, stock.cut, owner=owner, nid=nid
        )
        self._objects[stock.name] += objects
        return outcome

    def operations(self, wanted: int) -> int:
        """Count the operations, of those wanted, that the objects so far are enough for."""
        return min(wanted, *(self._objects[s.name] // s.per_operation for s in self.stocks))


@dataclass(frozen=True)
class Workload:
    """The turns of both actors, drawn beforehand; all arrays (T',) int64.

    operations: operations of the metadata actor. anon, cache, buffers: pages of the user actor.
    node: the node that asks. exit_turn: the turn at which the process that got this turn's
    anonymous pages exits, 0 if it does not.
    """

    operation: Operation
    stocks: tuple[Stock, ...]
    operations: np.ndarray
    anon: np.ndarray
    cache: np.ndarray
    buffers: np.ndarray
    node: np.ndarray
    exit_turn: np.ndarray

    def __len__(self) -> int:
        return len(self.operations)

    def pages_per_operation(self) -> float:
        """Pages that one operation costs in the long run."""
        return sum(s.pages_per_operation for s in self.stocks)

    def on_kernel(self, profile: KernelProfile) -> Workload:
        """Return the same turns as they are on another kernel, whose objects differ in size."""
        operation = profile.operations[self.operation.name]
        return replace(self, operation=operation, stocks=find_stocks(profile, operation))


def cut_of(cache: SlabCache, shared: int = 1) -> SlabCut:
    """Return how a cache cuts pages; shared: operations that have an object together."""
    least = max(0, (-(-cache.object_bytes // PAGE_SIZE) - 1).bit_length())
    return SlabCut(
        order=cache.pages_per_slab.bit_length() - 1,
        per_slab=cache.objects_per_slab * shared,
        least_order=least,
        per_least=(PAGE_SIZE << least) // cache.object_bytes * shared,
    )


def find_stocks(profile: KernelProfile, operation: Operation) -> tuple[Stock, ...]:
    """List what an operation draws on, in the order in which it asks."""
    stocks = []
    for name, objects in operation.caches.items():
        cache = profile.caches[name]
        kind = PageKind.RECLAIMABLE_SLAB if cache.reclaimable else PageKind.SLAB
        # A fraction of an object becomes whole objects of that many operations.
        needed, shared = objects.as_integer_ratio()
        stocks.append(Stock(name, kind, GFP_OF_KIND[kind], cut_of(cache, shared), needed))
    if operation.data_pages:
        gfp, pages = GFP[operation.data_gfp], operation.data_pages
        stocks.append(Stock("data", PageKind.KERNEL_BUFFER, gfp, SINGLE, pages))
    if operation.stacks:
        gfp = GFP_OF_KIND[PageKind.KERNEL_STACK]
        stocks.append(Stock("stack", PageKind.KERNEL_STACK, gfp, SINGLE, operation.stacks))
    for name, kind, pages in (
        ("page tables", PageKind.PAGE_TABLE, operation.page_tables),
        ("anon", PageKind.ANON, operation.anon),
    ):
        if pages:
            stocks.append(Stock(name, kind, GFP_OF_KIND[kind], SINGLE, pages))
    return tuple(stocks)


def find_operation(profile: KernelProfile, name: str) -> Operation:
    """Return what one operation of a workload costs; raises ParameterError for an unknown one."""
    if name not in profile.operations:
        allowed = ", ".join(n for n in profile.operations if n != "ballast")
        raise ParameterError("workload", name, f"allowed are {allowed}, with this kernel")
    return profile.operations[name]


def draw_workload(
    profile: KernelProfile,
    name: str,
    nids: list[int],
    *,
    user: float,
    turn_pages: int,
    turns: int,
    rng: np.random.Generator,
) -> Workload:
    """Draw a workload.

    name: an operation of the profile. user: share of all pages that the user actor asks for.
    turn_pages: pages that the metadata actor asks for in a turn, on average. Raises
    ParameterError for an unknown workload.
    """
    operation = find_operation(profile, name)
    stocks = find_stocks(profile, operation)
    cost = sum(s.pages_per_operation for s in stocks)
    spread = rng.uniform(0.7, 1.3, (2, turns))
    operations = np.diff(np.rint(np.cumsum(spread[0]) * turn_pages / cost), prepend=0)
    # Programs and file readers alternate, each with the pages of two turns.
    user_pages = np.rint(2 * spread[1] * turn_pages * user / (1 - user))
    reads = np.arange(turns) % 2 == 1
    anon = np.where(reads, 0, np.rint(user_pages * ANON_SHARE))
    cache = np.where(reads, np.rint(user_pages * (1 - ANON_SHARE)), 0)
    buffers = np.diff(np.floor(np.cumsum(cache) * BUFFERS_PER_CACHE), prepend=0)
    exits = rng.random(turns) < EXIT_SHARE
    exit_turn = np.where(exits, np.arange(turns) + rng.integers(*EXIT_AFTER, turns), 0)
    # Two turns a node, so that programs and file readers both get round to every node.
    node = np.array(nids)[(np.arange(turns) // 2 + rng.integers(len(nids))) % len(nids)]
    columns = (operations, anon, cache, buffers, node, exit_turn)
    return Workload(operation, stocks, *(c.astype(np.int64) for c in columns))
