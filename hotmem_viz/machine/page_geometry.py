"""How page tables are built: levels, entries, what one table spans; and how many a range needs.

Sizes are in pages of 4 KiB, addresses are virtual page numbers (vpn = address >> 12). Sources:
arch/x86/include/asm/pgtable_64_types.h, pgtable-3level_types.h, pgtable-2level_types.h and
arch/x86/mm/pgtable.c (6.1); Documentation/arch/x86/x86_64/5level-paging.rst. Claims S13 and S35
of the mail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.spec import Arch
from hotmem_viz.vocabulary import PAGE_SHIFT, TableLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.profiles import KernelProfile


@dataclass(frozen=True)
class Level:
    """One level: a table holds `entries`, each of which spans 2**entry_order pages."""

    level: TableLevel
    entry_order: int
    entries: int

    @cached_property
    def table_order(self) -> int:
        """Pages that one table spans, as a power of two."""
        return self.entry_order + self.entries.bit_length() - 1


@dataclass(frozen=True)
class PageGeometry:
    """The page tables of one kind of kernel.

    Attributes
    ----------
    levels
        Lowest first; the last is the top, of which a process has one.
    user_pages
        Pages of the part of the address space that belongs to user programs.
    top_pages
        Pages of the top table. Two on a kernel built with page-table isolation, whose
        second half is the program's own copy (PGD_ALLOCATION_ORDER, arch/x86/mm/pgtable.c);
        none on PAE, where it is 32 bytes of a slab.
    ready_made
        Tables of the level below the top that come with the top table: on PAE the processor
        reads all its entries at once, so they are filled beforehand (PREALLOCATED_PMDS).
    """

    name: str
    levels: tuple[Level, ...]
    user_pages: int
    top_pages: int = 1
    ready_made: int = 0

    @property
    def top(self) -> int:
        """Index of the top level."""
        return len(self.levels) - 1

    @property
    def huge_order(self) -> int:
        """Order of a huge page: what one entry of the second level spans."""
        return self.levels[1].entry_order

    def span(self, level: int, vpn: int) -> int:
        """Return which table of a level covers a page, counted from address 0."""
        return vpn >> self.levels[level].table_order


def _levels(*rows: tuple[TableLevel, int]) -> tuple[Level, ...]:
    """Stack levels, given the entries of each, lowest first."""
    stacked, order = [], 0
    for level, entries in rows:
        stacked.append(Level(level, order, entries))
        order = stacked[-1].table_order
    return tuple(stacked)


_PTE, _PMD, _PUD, _P4D, _PGD = TableLevel
_TASK_GUARD = 1
"""The last page below the border is never mapped on x86-64 (TASK_SIZE_MAX, page_64_types.h)."""

GEOMETRIES: Mapping[str, PageGeometry] = MappingProxyType(
    {
        g.name: g
        for g in (
            PageGeometry(
                "4-level",
                _levels((_PTE, 512), (_PMD, 512), (_PUD, 512), (_PGD, 512)),
                (1 << 47 >> PAGE_SHIFT) - _TASK_GUARD,
            ),
            PageGeometry(
                "5-level",
                _levels((_PTE, 512), (_PMD, 512), (_PUD, 512), (_P4D, 512), (_PGD, 512)),
                (1 << 56 >> PAGE_SHIFT) - _TASK_GUARD,
            ),
            PageGeometry(
                "pae",
                _levels((_PTE, 512), (_PMD, 512), (_PGD, 4)),
                3 << 30 >> PAGE_SHIFT,
                top_pages=0,
                ready_made=3,
            ),
            PageGeometry("2-level", _levels((_PTE, 1024), (_PGD, 1024)), 3 << 30 >> PAGE_SHIFT),
        )
    }
)
"""Page tables by name, as a kernel without page-table isolation has them."""


def find_geometry(profile: KernelProfile) -> PageGeometry:
    """Return the page tables that processes have on a kernel.

    On 32-bit the split of the address space decides how much of it a process has, and so how
    many tables are made with it.
    """
    if profile.arch is not Arch.PAE:
        return replace(GEOMETRIES["4-level"], top_pages=profile.pgd_pages)
    border = profile.page_offset
    pages = border >> PAGE_SHIFT
    return replace(GEOMETRIES["pae"], user_pages=pages, ready_made=border >> 30)


def count_tables(geometry: PageGeometry, start: int, pages: int) -> dict[TableLevel, int]:
    """Count the tables that a range needs once every page of it is touched (A6).

    start: first vpn. The top table counts as one. A range of no pages needs none.

    Raises
    ------
    ParameterError
        When the range leaves the user part of the address space.
    """
    if not 0 <= start <= start + pages <= geometry.user_pages:
        allowed = f"pages 0 to {geometry.user_pages - 1} of a {geometry.name} process"
        raise ParameterError("range", (start, start + pages), allowed)
    last = start + pages - 1
    return {
        level.level: geometry.span(i, last) - geometry.span(i, start) + 1 if pages else 0
        for i, level in enumerate(geometry.levels)
    }
