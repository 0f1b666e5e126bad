"""The model's machine of a capture as a run that can be recorded; by itself it only boots."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.kernel.capture_counters import load_of, objects_of
from hotmem_viz.memory.frames import FrameSet, pack
from hotmem_viz.recording.recorder import Tick
from hotmem_viz.scenarios import describe, telling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Event

SCENARIO = "load"
SLOW_MOTION = 8
"""Close to the end a turn is a few pages; so many parts of a whole turn are a tick there."""

_PAGE_NS = 1000.0
"""Model time of handing out a page, as in the lessons: it orders ticks and measures nothing."""


class ModelRun:
    """A machine rebuilt from a capture's inputs; see `hotmem_viz.recording.recorder.Run`.

    runs_the_load: whether what was captured is run, and not the boot alone. why: why it is not.
    """

    runs_the_load = False
    coming = "Next: the captured load, request by request."

    def __init__(
        self, machine: ComparedMachine, profile: KernelProfile, memory: PhysicalMemory
    ) -> None:
        self.machine, self.profile, self.memory = machine, profile, memory
        self.load = load_of(machine.capture)
        self.objects = objects_of(self.load)
        self.meta: dict[str, Any] = {
            "scenario": SCENARIO,
            "title": machine.capture.title or machine.capture.name,
            "parameters": dict(machine.capture.args),
            "seed": 0,
            "profile": profile.name,
            **describe.describe_machine(memory),
            "counters": describe.describe_counters(memory, self.objects),
        }
        self.meta["machine"]["title"] = machine.capture.name
        self.why = f"the load {self.load!r} is not modelled" if self.load else ""
        self.touched: list[FrameSet] = []
        self.pages = self.remote = self.tick = 0
        self._time = 0.0

    @property
    def name(self) -> str:
        """What to call the run where it stands beside the captured one."""
        return f"model ({self.profile.title})" if self.runs_the_load else "model, booted"

    def ticks(self) -> Iterator[Tick]:
        """Yield the booted machine."""
        yield self.boot_tick()

    def boot_tick(self) -> Tick:
        """Return tick 0."""
        boot = telling.tell_boot(self.memory, "")
        text = boot.text.partition("Next: ")[0].strip()
        if self.runs_the_load:
            text += f" {self.coming}"
        elif self.load:
            text += " The captured load is not modelled: this is the booted machine."
        event = replace(boot, title="The model has booted", text=text)
        return Tick(0.0, self._read(0), events=[event], captions=[event.caption()])

    def _read(self, done: int) -> Any:
        return describe.read_counters(self.memory, user_pages=0, remote=self.remote, objects=done)

    def end_tick(self, done: int, event: Event | None = None) -> Tick:
        """End the tick that has gathered: `touched` frames, `pages` handed out."""
        self.tick += 1
        self._time += self.pages * _PAGE_NS
        events = [event] if event else []
        tick = Tick(
            self._time,
            self._read(done),
            touched=self.touched,
            events=events,
            captions=[e.caption() for e in events],
            details=self._sections_of(event) if event else [],
        )
        self.touched, self.pages = [], 0
        return tick

    def is_enough(self, turn_pages: int) -> bool:
        """Say whether enough has gathered for a tick of its own."""
        return self.pages * SLOW_MOTION >= turn_pages

    def _sections_of(self, event: Event) -> list[int]:
        """Return the section that an event names: the pfn's, or the last one of its zone."""
        mem = self.memory
        if event.pfn >= 0:
            return [event.pfn // mem.spec.section_pages]
        if event.zone < 0:
            return []
        part = mem.extents.zone_slices[event.zone]
        return [int(mem.extents.section[part][-1])]


class WatchedRun(ModelRun):
    """A run of which it is seen, and not told, which frames a step changed."""

    def __init__(
        self, machine: ComparedMachine, profile: KernelProfile, memory: PhysicalMemory
    ) -> None:
        super().__init__(machine, profile, memory)
        self._before = memory.kind.copy()

    def look(self) -> None:
        """Note the frames that hold something else than when this was asked last."""
        changed = pack((self.memory.kind != self._before).reshape(-1))
        self.touched.append(FrameSet.of_bits(changed))
        self._before = self.memory.kind.copy()
