"""The model's run of a captured load as a recording: the very requests that `compare` counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.kernel.capture_counters import load_of, objects_of
from hotmem_viz.kernel.compare_loads import LOADS, is_table_load, load_bounds
from hotmem_viz.kernel.load_run import StartedLoad, park
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.recording.recorder import Tick, record
from hotmem_viz.scenarios import describe, telling
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.load_run import Step
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Event, Recording
    from hotmem_viz.vocabulary import EventKind

SCENARIO = "load"
SLOW_MOTION = 8
"""Close to the end a turn is a few pages; so many parts of a whole turn are a tick there."""

_PAGE_NS = 1000.0
"""Model time of handing out a page, as in the lessons: it orders ticks and measures nothing."""


class RecordedLoad:
    """A captured load on the model's machine; see `hotmem_viz.recording.recorder.Run`.

    Without a load that is modelled its only tick is the booted machine. Raises CaptureError where
    the capture's arguments make no sense, ParameterError where the model's machine does not boot.
    """

    def __init__(self, machine: ComparedMachine, profile: KernelProfile) -> None:
        self.machine, self.profile = machine, profile
        self.load = load_of(machine.capture)
        self.objects = objects_of(self.load)
        self._run: StartedLoad | None = None
        if _is_object_load(machine.capture) and self.load in profile.operations:
            self._run = StartedLoad(machine.spec, machine.options, profile, self.load)
            self.memory: PhysicalMemory = self._run.mem
        else:
            self.memory = boot_machine(machine.spec, machine.options, profile)
        self.meta: dict[str, Any] = {
            "scenario": SCENARIO,
            "title": machine.capture.title or machine.capture.name,
            "parameters": dict(machine.capture.args),
            "seed": 0,
            "profile": profile.name,
            **describe.describe_machine(self.memory),
            "counters": describe.describe_counters(self.memory, self.objects),
        }
        self.meta["machine"]["title"] = machine.capture.name
        self._seen: set[EventKind] = set()
        self._touched: list[FrameSet] = []
        self._time = 0.0
        self._tick = self._pages = self._remote = 0

    @property
    def runs_the_load(self) -> bool:
        """Whether the load itself is run, and not the boot alone."""
        return self._run is not None

    def ticks(self) -> Iterator[Tick]:
        """Run, and yield the ticks: the booted machine, the parked sockets, then turn by turn."""
        boot = self._tell_boot()
        yield Tick(0.0, self._read(0), events=[boot], captions=[telling.caption_of(boot)])
        run = self._run
        if run is None:
            return
        most, ballast = load_bounds(self.machine, self.profile)
        for step in park(self.memory, ballast):
            yield from self._take_in(step, 0)
        for next_step in run.steps(most):
            if next_step is not None:
                yield from self._take_in(next_step, run.done)
            elif self._pages * SLOW_MOTION >= run.turn_pages:
                yield self._end_tick(run.done)
        if not run.out_of_memory:
            done = telling.tell_done(self.memory, self._tick + 1, self.objects, run.done)
            yield self._end_tick(run.done, done)

    def _tell_boot(self) -> Event:
        boot = telling.tell_boot(self.memory, "")
        text = boot.text.partition("Next: ")[0].strip()
        if self._run:
            text += " Next: the captured load, request by request."
        elif self.load:
            text += " The captured load is not modelled: this is the booted machine."
        return replace(boot, title="The model has booted", text=text)

    def _read(self, done: int) -> Any:
        return describe.read_counters(self.memory, user_pages=0, remote=self._remote, objects=done)

    def _take_in(self, step: Step, done: int) -> Iterator[Tick]:
        """Note what a request did. A kind of event seen for the first time ends its tick."""
        stock, outcome = step
        self._touched += [outcome.frames, *outcome.released]
        self._pages += sum(outcome.by_zone.values())
        if stock.gfp.highest <= ZoneType.NORMAL:
            nids = self.memory.zones.nid
            self._remote += sum(n for z, n in outcome.by_zone.items() if nids[z] != 0)
        for report in telling.sort_reports(self.memory, outcome, stock.gfp):
            if report.kind not in self._seen:
                self._seen.add(report.kind)
                event = telling.tell(self.memory, report, self._tick + 1, mark=True)
                yield self._end_tick(done, event)

    def _end_tick(self, done: int, event: Event | None = None) -> Tick:
        self._tick += 1
        events = [event] if event else []
        self._time += self._pages * _PAGE_NS
        tick = Tick(
            self._time,
            self._read(done),
            touched=self._touched,
            events=events,
            captions=[telling.caption_of(e) for e in events],
            details=self._sections_of(event) if event else [],
        )
        self._touched, self._pages = [], 0
        return tick

    def _sections_of(self, event: Event) -> list[int]:
        """Return the section that an event names: the pfn's, or the last one of its zone."""
        mem = self.memory
        if event.pfn >= 0:
            return [event.pfn // mem.spec.section_pages]
        if event.zone < 0:
            return []
        part = mem.extents.zone_slices[event.zone]
        return [int(mem.extents.section[part][-1])]


def _is_object_load(capture: Capture) -> bool:
    return capture.args.get("kind") in LOADS and not is_table_load(capture)


def record_load(
    machine: ComparedMachine, profile: KernelProfile, max_cells: int | None = None
) -> tuple[Recording, bool]:
    """Return the model's run of a captured load as a recording, and whether the load was run."""
    run = RecordedLoad(machine, profile)
    return record(run, max_cells), run.runs_the_load
