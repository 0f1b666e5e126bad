"""The result of a boot: ranges taken for good, pages in use, and what each zone manages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.boot_use import BootUse
    from hotmem_viz.machine.zone_plan import ZonePlan
    from hotmem_viz.vocabulary import PageKind, ZoneType


@dataclass(frozen=True)
class BootRange:
    """Pages that boot took for good: never free, never the page allocator's."""

    start_pfn: int
    pages: int
    kind: PageKind
    why: str

    @property
    def end_pfn(self) -> int:
        """End (exclusive) of the range."""
        return self.start_pfn + self.pages


@dataclass(frozen=True)
class BootLayout:
    """The memory of a machine that has just booted.

    Attributes
    ----------
    reserved
        Ranges by pfn, apart from each other, all inside memory. managed = present - these.
    used
        What the started system has allocated; to be taken through the allocator.
    freed_after_init
        Per (node, zone): pages that became free after watermarks and reserves had been
        computed. managed - this is the M_init that they come from.
    late
        [start, end) in pfns, ascending: those of them that become free only when the kernel is up,
        so that its own pages have to do without.
    """

    reserved: tuple[BootRange, ...]
    used: tuple[BootUse, ...]
    freed_after_init: Mapping[tuple[int, ZoneType], int]
    late: tuple[tuple[int, int], ...] = ()

    def reserved_pages(self, start_pfn: int, end_pfn: int) -> int:
        """Pages between two pfns that boot took."""
        return sum(
            max(0, min(end_pfn, r.end_pfn) - max(start_pfn, r.start_pfn)) for r in self.reserved
        )

    def managed_pages(self, plan: ZonePlan) -> dict[tuple[int, ZoneType], int]:
        """Pages that each zone's allocator manages: present less reserved."""
        return {
            (z.nid, z.zone): z.present_pages - self.reserved_pages(z.start_pfn, z.end_pfn)
            for z in plan.zones
        }

    def initial_pages(self, plan: ZonePlan) -> dict[tuple[int, ZoneType], int]:
        """Return managed pages as they were when watermarks and reserves were computed."""
        return {
            key: pages - self.freed_after_init.get(key, 0)
            for key, pages in self.managed_pages(plan).items()
        }
