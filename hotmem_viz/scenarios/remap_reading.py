"""The counters of the stop_machine scenario, and where each virtual section is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hotmem_viz.memory.address_map import SCATTERED as SCATTERED_PAGES
from hotmem_viz.recording.tracks import SCATTERED
from hotmem_viz.scenarios.describe import read_memory
from hotmem_viz.vocabulary import Movability, PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.memory.address_map import AddressMap

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
}

_REMAP_ONLY = [k for k in PageKind if k.movability is Movability.REMAP_ONLY]


class Lookups(NamedTuple):
    """What lookups cost: loads in each kind of section, pages in slow ones and of all, the mean."""

    fast: int
    slow: int
    live: int
    every: int
    mean: float


class Gauges:
    """Numbers that the run keeps, read at every tick. device_pfn: what a device knows, or -1."""

    def __init__(self, amap: AddressMap) -> None:
        self.map = amap
        self.pause_ns = 0.0
        self.migrated = self.copied = self.scanned = self.fixed = 0
        self.device_pfn = -1

    def describe(self) -> list[dict[str, Any]]:
        """Return names, units and labels of the counters, in the order of `read`."""
        return [{"name": n, "unit": unit, "label": label} for n, (unit, label) in COUNTERS.items()]

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
        )
        return [*read_memory(mem).tolist(), *own]

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
