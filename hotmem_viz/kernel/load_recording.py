"""The model's run of a captured load as a recording: the very requests that `compare` counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.capture_counters import load_of
from hotmem_viz.kernel.changing_run import has_steps
from hotmem_viz.kernel.compare_loads import LOADS, is_table_load, load_bounds
from hotmem_viz.kernel.growth_recording import RecordedGrowth
from hotmem_viz.kernel.hot_events import is_growth
from hotmem_viz.kernel.hot_recording import RecordedHotplug
from hotmem_viz.kernel.load_run import StartedLoad, park
from hotmem_viz.kernel.model_run import ModelRun
from hotmem_viz.kernel.offline_run import OfflineRun
from hotmem_viz.kernel.sweep_recording import RecordedSweep
from hotmem_viz.kernel.table_recording import RecordedTables
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.recording.recorder import Tick, record
from hotmem_viz.scenarios import cache_telling, telling
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.load_run import Step
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.vocabulary import EventKind


class RecordedLoad(ModelRun):
    """A captured load of objects on the model's machine.

    Raises CaptureError where the capture's arguments make no sense, ParameterError where the
    model's machine does not boot.
    """

    runs_the_load = True

    def __init__(self, machine: ComparedMachine, profile: KernelProfile) -> None:
        load = load_of(machine.capture)
        self.run = StartedLoad(machine.spec, machine.options, profile, load)
        super().__init__(machine, profile, self.run.mem)
        self._seen: set[EventKind] = set()

    def ticks(self) -> Iterator[Tick]:
        """Yield the booted machine, the parked sockets, then the load turn by turn."""
        yield self.boot_tick()
        run = self.run
        most, ballast = load_bounds(self.machine, self.profile)
        for step in park(self.memory, ballast):
            yield from self._take_in(step, 0)
        for next_step in run.steps(most):
            if next_step is not None:
                yield from self._take_in(next_step, run.done)
            elif self.is_enough(run.turn_pages):
                yield self.end_tick(run.done)
        if not run.out_of_memory:
            done = cache_telling.tell_done(self.memory, self.tick + 1, self.objects, run.done)
            yield self.end_tick(run.done, done)

    def _take_in(self, step: Step, done: int) -> Iterator[Tick]:
        """Note what a request did. A kind of event seen for the first time ends its tick."""
        stock, outcome = step
        self.touched += [outcome.frames, *outcome.released]
        self.pages += sum(outcome.by_zone.values())
        if stock.gfp.highest <= ZoneType.NORMAL:
            nids = self.memory.zones.nid
            self.remote += sum(n for z, n in outcome.by_zone.items() if nids[z] != 0)
        for report in telling.sort_reports(self.memory, outcome, stock.gfp):
            if report.kind not in self._seen:
                self._seen.add(report.kind)
                event = telling.tell(self.memory, report, self.tick + 1, mark=True)
                yield self.end_tick(done, event)


def record_load(
    machine: ComparedMachine, profile: KernelProfile, max_cells: int | None = None
) -> tuple[Recording, str, str]:
    """Return the model's run as a recording, what to call it, and why it is the boot alone.

    The last is empty where what was captured is run, and where nothing but a boot was.
    """
    run = _choose_run(machine, profile)
    return record(run, max_cells), run.name, "" if run.runs_the_load else run.why


def _choose_run(machine: ComparedMachine, profile: KernelProfile) -> ModelRun:
    capture, load = machine.capture, load_of(machine.capture)
    why = ""
    if is_table_load(capture):
        return RecordedTables(machine, profile)
    if load in LOADS and load in profile.operations:
        return RecordedLoad(machine, profile)
    if capture.sweep():
        offlines = OfflineRun(capture)
        if not (why := offlines.why_not):
            return RecordedSweep(machine, profile, offlines)
    elif is_growth(capture):
        return RecordedGrowth(machine, profile)
    elif has_steps(capture):
        return RecordedHotplug(machine, profile)
    run = ModelRun(machine, profile, boot_machine(machine.spec, machine.options, profile))
    run.why = why or run.why
    return run
