"""The starvation lesson's own counters: tables by level, what they map, and the boundary r*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.machine.boundary import MEMORY_MAP, TABLES_PER_BYTE, find_boundary
from hotmem_viz.mechanisms.oom import count_useless
from hotmem_viz.scenarios import describe
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.scenarios.starvation_uses import Use


class Gauges:
    """Reads the counters of a run.

    ratio: r, movable over kernel memory as present. other: u, kernel memory that is neither memory
    map nor table, as a share of memory. kept: pages of the kernel zones that their min marks and
    reserves keep back, which u does not count and the closed form leaves out.
    """

    def __init__(self, spaces: AddressSpaces, use: Use) -> None:
        self.spaces, self.use = spaces, use
        zones = spaces.mem.zones
        self.kernel = zones.type <= ZoneType.NORMAL
        self.total = int(zones.present.sum())
        self.movable = int(zones.present[~self.kernel].sum())
        self.ratio = self.movable / max(1, self.total - self.movable)

    @property
    def kept(self) -> int:
        """Pages of the kernel zones that a kernel request cannot have."""
        return int(count_useless(self.spaces.mem, ZoneType.NORMAL)[self.kernel].sum())

    def levels(self) -> np.ndarray:
        """Count the table pages of the processes by level, lowest first: (D,) int64."""
        return describe.read_levels(self.spaces)

    @property
    def mapped(self) -> int:
        """Pages of address space that have a table."""
        s = self.spaces
        return int(s.spaces.levels[:, 0].sum()) << s.geometry.levels[0].table_order

    @property
    def confined(self) -> int:
        """Pages of tables in the kernel zones; with HIGHPTE others lie elsewhere."""
        return int(self.spaces.mem.zone_kinds[:, PageKind.PAGE_TABLE] @ self.kernel)

    @property
    def other(self) -> float:
        """Return u of this moment: what is neither free, nor tables, nor the memory map.

        Pages of programs that spilled into kernel zones are part of it: they take the room as well.
        Below 0 where boot put some of the memory map into movable memory, which 7.3 leaves out.
        """
        z = self.spaces.mem.zones
        used = int((z.present - z.free) @ self.kernel)
        return (used - self.confined) / self.total - MEMORY_MAP

    @property
    def demand(self) -> float:
        """Return p of this moment: what the confined tables could map, over movable memory.

        Tables that are not full, as those of small processes, count by their own size. 0 on a
        machine without movable memory.
        """
        if not self.movable:
            return 0.0
        return self.confined / TABLES_PER_BYTE / self.movable

    def describe(self) -> list[dict[str, Any]]:
        """Return names, units and labels, in the order of `read`."""
        tables = describe.describe_levels(self.spaces.geometry)
        others = (
            ("mapped", "pages", "address space that has page tables"),
            ("reached", "pages", "pages touched, counted for each process"),
            ("table_pages", "pages", "page tables of processes"),
            ("table_share", "%", "page tables as a share of the kernel zones"),
            ("processes", "processes", "processes that exist"),
            ("killed", "processes", "processes that the OOM killer ended"),
            ("ratio", "", "r: movable over kernel memory"),
            ("other", "", "u: all else in kernel zones, as a share of memory"),
            ("demand", "", "p: what the tables could map, over movable memory"),
            ("boundary", "", "r*: the largest ratio at which the tables fit"),
        )
        rest = [{"name": n, "unit": unit, "label": label} for n, unit, label in others]
        return [*describe.describe_memory(self.spaces.mem), *tables, *rest]

    def read(self) -> np.ndarray:
        """Read all counters: (F,) float64."""
        mem, levels = self.spaces.mem, self.levels()
        room = int(mem.zones.managed @ self.kernel)
        other, demand, pages = self.other, self.demand, int(levels.sum())
        own = (
            self.mapped,
            self.use.reached,
            pages,
            100 * self.confined / room,
            len(self.use.alive),
            self.use.killed,
            self.ratio,
            other,
            demand,
            find_boundary(other, demand),
        )
        return np.concatenate((describe.read_memory(mem), levels, own), dtype=np.float64)
