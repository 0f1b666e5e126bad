"""The counters of the stop_machine scenario, and where each virtual section is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hotmem_viz.memory.address_map import SCATTERED as SCATTERED_PAGES
from hotmem_viz.recording.tracks import SCATTERED
from hotmem_viz.scenarios.describe import describe_levels, read_levels, read_memory
from hotmem_viz.scenarios.remap_devices import DEVICE_COUNTERS
from hotmem_viz.vocabulary import Movability, PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.stop_machine import TaxOrStall
    from hotmem_viz.memory.address_map import AddressMap
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.scenarios.remap_devices import Devices

COUNTERS = {
    "pause_ns": ("ns", "time that the machine stood still, by the cost model"),
    "migrated": ("pages", "pages migrated out of the section"),
    "copied": ("pages", "pages copied while it stood still"),
    "entries_scanned": ("entries", "page-table entries read by the walk"),
    "entries_fixed": ("entries", "entries rewritten: parents and the kernel's own map"),
    "loads_fast": ("loads", "dependent loads of a lookup in a fast section"),
    "loads_slow": ("loads", "and in a slow one; 0 while there is none"),
    "loads_mean": ("loads", "mean of all kernel pages, each asked for as often"),
    "sections_fast": ("sections", "sections found by the 1:1 map"),
    "sections_slow": ("sections", "sections that have to be looked up"),
    "target_idle": ("pages", "free in a section reserved as a target, of no use"),
    "tax_day_ns": ("ns", "what a tax on every fault costs in a day"),
    "stall_day_ns": ("ns", "what a day of removals costs, each with the pauses of this run"),
    "even_removals": ("a day", "removals at which both cost the same; 0 before a pause"),
    **DEVICE_COUNTERS,
    "processes": ("processes", "processes that exist"),
}

_REMAP_ONLY = [k for k in PageKind if k.movability is Movability.REMAP_ONLY]


class Lookups(NamedTuple):
    """What lookups cost: loads in each kind of section, pages in slow ones and of all, the mean."""

    fast: int
    slow: int
    live: int
    every: int
    mean: float


class MapGauges:
    """Numbers about a map of sections, and about what was done to it."""

    def __init__(self, amap: AddressMap) -> None:
        self.map = amap
        self.pause_ns = 0.0
        self.migrated = self.copied = self.scanned = self.fixed = 0

    def look_up(self) -> Lookups:
        """Work out what lookups cost now (A14)."""
        amap = self.map
        fast, slow = int(amap.style.kaslr), [amap.count_loads(s) for s in amap.slow]
        live = [int((amap.pages[s] >= 0).sum()) for s in amap.slow]
        every = int(amap.mem.zone_kinds[:, _REMAP_ONLY].sum())
        total = sum(n * loads for n, loads in zip(live, slow, strict=True))
        mean = (total + (every - sum(live)) * fast) / every if every else float(fast)
        return Lookups(fast, max(slow, default=0), sum(live), every, mean)

    def lookup(self) -> np.ndarray:
        """Return where each virtual section is found, as recordings have it: (S,)."""
        found = self.map.found_in
        return np.where(found == SCATTERED_PAGES, SCATTERED, found)

    def count_idle(self) -> int:
        """Count the frames that lie free in sections reserved as targets, of no use."""
        targets = list(self.map.targets)
        return int((self.map.mem.kind[targets] == PageKind.FREE).sum())


class Gauges(MapGauges):
    """Numbers that the run keeps, read at every tick. device_pfn: what a device knows, or -1."""

    def __init__(
        self, amap: AddressMap, spaces: AddressSpaces, devices: Devices, price: TaxOrStall
    ) -> None:
        super().__init__(amap)
        self.spaces, self.devices, self.price = spaces, devices, price
        self.device_pfn = -1

    def describe(self) -> list[dict[str, Any]]:
        """Return names, units and labels of the counters, in the order of `read`."""
        own = [{"name": n, "unit": unit, "label": label} for n, (unit, label) in COUNTERS.items()]
        return [*own, *describe_levels(self.spaces.geometry)]

    def read(self) -> list[float]:
        """Read all counters: those of any run, then those of this one."""
        look, mem = self.look_up(), self.map.mem
        held = np.isin(mem.section_state, (SectionState.ABSENT, SectionState.OFFLINE))
        slow = len(self.map.slow)
        own = (
            self.pause_ns,
            self.migrated,
            self.copied,
            self.scanned,
            self.fixed,
            look.fast,
            look.slow,
            look.mean,
            int((~held).sum()) - slow,
            slow,
            self.count_idle(),
            self.price.tax_day_ns,
            self.price.stall_day_ns(self.pause_ns),
            self.price.even_removals(self.pause_ns),
            *self.devices.read(),
            len(self.spaces.alive()),
        )
        return [*read_memory(mem).tolist(), *own, *read_levels(self.spaces).tolist()]
