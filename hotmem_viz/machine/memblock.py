"""The boot allocator in miniature: takes the highest free memory that fits (memblock).

memblock_find_in_range_node and memblock_alloc_range_nid (mm/memblock.c, 6.1), top-down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hotmem_viz.machine.spec import MachineSpec


@dataclass(frozen=True)
class FreeRange:
    """Memory that nothing has taken yet, of one node."""

    nid: int
    start_pfn: int
    end_pfn: int


class Memblock:
    """Free boot memory. Nodes in `avoided` give nothing but what is taken by address."""

    def __init__(self, spec: MachineSpec, avoided: Collection[int] = ()) -> None:
        self.free = sorted(
            (FreeRange(n.nid, r.start_pfn, r.end_pfn) for n in spec.nodes for r in n.ranges),
            key=lambda r: r.start_pfn,
        )
        self.avoided = frozenset(avoided)

    def take_at(self, start_pfn: int, pages: int) -> list[tuple[int, int]]:
        """Take what is free of an address range; returns (start pfn, pages) pieces."""
        taken, kept = [], []
        end_pfn = start_pfn + pages
        for r in self.free:
            low, high = max(r.start_pfn, start_pfn), min(r.end_pfn, end_pfn)
            if low >= high:
                kept.append(r)
                continue
            taken.append((low, high - low))
            kept.extend(_without(r, low, high))
        self.free = kept
        return taken

    def allocate(
        self,
        pages: int,
        why: str,
        *,
        nid: int | None = None,
        align: int = 1,
        limit: int | None = None,
    ) -> int:
        """Take `pages` from the top, of node `nid` if it has room; returns the first pfn.

        `limit` is an exclusive upper bound, `align` that of the first pfn. Another node
        steps in when `nid` is full or avoided.

        Raises
        ------
        ParameterError
            When no node has room: the machine is too small to boot.
        """
        start = self.try_allocate(pages, nid=nid, align=align, limit=limit)
        if start is None and nid is not None:
            start = self.try_allocate(pages, align=align, limit=limit)
        if start is None:
            raise ParameterError(
                "nodes",
                f"{pages} free pages for the {why}",
                "the machine is too small to boot; more memory is needed",
            )
        return start

    def try_allocate(
        self, pages: int, *, nid: int | None = None, align: int = 1, limit: int | None = None
    ) -> int | None:
        """Take pages as `allocate` does, from `nid` alone if given; None without room."""
        for r in reversed(self.free):
            if r.nid in self.avoided or (nid is not None and r.nid != nid):
                continue
            top = r.end_pfn if limit is None else min(r.end_pfn, limit)
            start = (top - pages) // align * align
            if start >= r.start_pfn:
                self.take_at(start, pages)
                return start
        return None

    def give_back(self, nid: int, start_pfn: int, pages: int) -> None:
        """Free what `allocate` took, joined with its free neighbours of the same node."""
        if not pages:
            return
        ranges = sorted(
            [*self.free, FreeRange(nid, start_pfn, start_pfn + pages)], key=lambda r: r.start_pfn
        )
        self.free = list(_joined(ranges))

    def node_of(self, pfn: int, spec: MachineSpec) -> int:
        """Return the node that `pfn` belongs to."""
        return next(n.nid for n in spec.nodes for r in n.ranges if r.start_pfn <= pfn < r.end_pfn)


def _without(r: FreeRange, low: int, high: int) -> Iterable[FreeRange]:
    if r.start_pfn < low:
        yield FreeRange(r.nid, r.start_pfn, low)
    if high < r.end_pfn:
        yield FreeRange(r.nid, high, r.end_pfn)


def _joined(ranges: list[FreeRange]) -> Iterable[FreeRange]:
    current = ranges[0]
    for r in ranges[1:]:
        if r.nid == current.nid and r.start_pfn == current.end_pfn:
            current = FreeRange(current.nid, current.start_pfn, r.end_pfn)
        else:
            yield current
            current = r
    yield current
