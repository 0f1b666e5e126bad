"""The model's machine that gets one DIMM after another until one does not fit, as a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.changing_run import ChangingRun
from hotmem_viz.kernel.hot_growth import dimm_slots, most_dimms, way_online
from hotmem_viz.machine.hotplug_options import OFFLINE
from hotmem_viz.vocabulary import EventKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.recording.recorder import Tick


class RecordedGrowth(ChangingRun):
    """DIMMs of one size, added and brought online as the scenario does, as long as they fit."""

    coming = "Next: one DIMM after another, as on the captured machine."

    def __init__(self, machine: ComparedMachine, profile: KernelProfile) -> None:
        self.nid, self.dimms = dimm_slots(machine, most_dimms(machine))
        super().__init__(machine, profile, [(self.nid, *dimm) for dimm in self.dimms])

    def ticks(self) -> Iterator[Tick]:
        """Yield the booted machine, each DIMM added and online, and how that ended."""
        yield self.boot_tick()
        mem, how = self.memory, way_online(self.machine)
        for number, (start, end) in enumerate(self.dimms, 1):
            name = f"DIMM {number}"
            self.steps = 2 * number - 1
            if not (yield from self.add(name, start, end, None)):
                return
            self.steps = 2 * number
            offline = (mem.section_state[self.sections(start, end)] == SectionState.OFFLINE).all()
            if how != OFFLINE and offline:
                yield self.bring_online(name, start, end, how)
        yield self.end(
            EventKind.DONE,
            title=f"All {len(self.dimms)} DIMMs fit",
            text="Nothing was refused: the kernel zones had room for every memory map.",
            rule="A11",
            function="add_memory_resource()",
        )
