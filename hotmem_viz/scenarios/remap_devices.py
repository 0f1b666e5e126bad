"""Devices of the stop_machine scenario: what drivers ask for, a region for it, and what spills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.device_region import alloc_for_device, set_aside
from hotmem_viz.scenarios.remap_telling import Told, told
from hotmem_viz.units import percent
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.physical import PhysicalMemory

DEVICE_COUNTERS = {
    "device.region": ("pages", "set aside for devices' pages alone"),
    "device.held": ("pages", "of the region that devices have"),
    "device.spilled": ("pages", "of devices that found no room there, anywhere else"),
}


class Devices:
    """Asks for devices' pages turn by turn; their region is a part of the first node."""

    def __init__(self, mem: PhysicalMemory, region: float, asked: float) -> None:
        self.mem = mem
        self.region = set_aside(mem, region, mem.spec.nids[0])
        self._pages = int(asked * mem.spec.present_pages)
        self._owner = mem.owners.add("devices")

    def ask(self, turn: int, turns: int, nid: int) -> tuple[Outcome, Told | None]:
        """Ask for a turn's part; says what is new when the region is full for the first time."""
        count = self._pages * (turn + 1) // turns - self._pages * turn // turns
        held, spilled = self.region.held, self.region.spilled
        out = alloc_for_device(self.region, count, self._owner, nid)
        first = self.region.pages and self.region.spilled and not spilled
        if first:
            return out, self._spills(count, self.region.held - held)
        return out, self._asks(count) if count and not turn else None

    def tell(self) -> Told:
        """Say what is set aside."""
        region, present = self.region, self.mem.spec.present_pages
        first, last, count = region.sections[0], region.sections[-1], len(region.sections)
        where = f"section {first}" if count == 1 else f"{count} sections, {first} to {last},"
        text = (
            f"{region.pages:,} pages, {percent(region.pages / present, 1)} of memory, are set aside"
            f" in {where} of node {self.mem.spec.nids[0]}, which nobody will ask to go: only"
            " devices' pages may lie there. How the kernel would know, when a page is asked for,"
            " that a device will use it is open (Q15)."
        )
        return told(
            EventKind.DEVICE_REGION, "A region for devices alone", text, "S39", "S43", rule="5.3",
            questions=("Q15",), pfn=int(region.sections[0]) * self.mem.spec.section_pages,
        )  # fmt: skip

    def _asks(self, count: int) -> Told:
        where = "all in the region" if self.region.pages else "anywhere: no region is set aside"
        text = f"Drivers ask for {count:,} pages, and again in each of the next turns: {where}."
        said = told(
            EventKind.DEVICE_REGION, "Devices get pages", text, "S18", rule="A5", unproven=False,
            function="dma_alloc_coherent",
        )  # fmt: skip
        return {**said, "mark": False}

    def _spills(self, count: int, inside: int) -> Told:
        region = self.region
        text = (
            f"Drivers ask for {count:,} pages more: {inside:,} of them fill the region of"
            f" {region.pages:,}, {region.spilled:,} have to lie elsewhere. 'Where possible', says"
            " the mail: each of those keeps the section where it lies."
        )
        return told(
            EventKind.DEVICE_REGION, "The region spills", text, "S39", rule="5.3",
            function="dma_alloc_coherent", questions=("Q15",),
        )  # fmt: skip

    def read(self) -> list[float]:
        """Read the counters, in the order of DEVICE_COUNTERS."""
        region = self.region
        return [region.pages, region.held, region.spilled]

    def owns(self, section: int) -> bool:
        """Whether a section is set aside."""
        return bool(np.isin(section, self.region.sections))
