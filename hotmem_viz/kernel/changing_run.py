"""The model's machine of a capture whose memory comes and goes: the base of such recordings.

Each step of the scenario (memory added, online, loaded, asked out) is counted on both sides, so
that the captured kernel and the model stand at the same step. The steps are inputs; which zone, at
what cost, and with what verdict is the model's.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.kernel.attempt_telling import tell_verdict
from hotmem_viz.kernel.hot_events import STAGES, has_hotplug, is_growth
from hotmem_viz.kernel.hot_run import spec_with_slots
from hotmem_viz.kernel.model_run import WatchedRun
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.recording.recording import Event
from hotmem_viz.scenarios import describe, telling
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import EventKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.moments import Moment
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.mechanisms.offline import Offlining
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.added import MemoryGroup
    from hotmem_viz.recording.recorder import Tick

STEPS = "steps"
"""Counter of a capture whose memory comes and goes: steps of its scenario that were made."""


def describe_steps() -> dict[str, Any]:
    """Return name, unit and label of the counter that such a capture has besides, as its last."""
    return {"name": STEPS, "unit": "steps", "label": "steps: memory added, online, loaded, removed"}


def has_steps(capture: Capture) -> bool:
    """Say whether memory of a capture comes and goes, other than in a sweep of its blocks."""
    return has_hotplug(capture) and not capture.sweep()


def steps_of(capture: Capture, label: str) -> int:
    """Return the step that a moment of a capture stands for; 0 for one that is none.

    A DIMM that is added one by one is two steps: it is added, and it is online.
    """
    if not is_growth(capture):
        stages = [s for s in STAGES if s in capture.stages]
        return stages.index(label) + 1 if label in stages else 0
    series, _, number = label.rpartition("/")
    if series not in ("grow-added", "grow") or not number.isdecimal():
        return 0
    return 2 * int(number) - (series == "grow-added")


def count_steps(capture: Capture, moments: Sequence[Moment]) -> np.ndarray:
    """Return how many steps were made by each moment: (T, 1) int64.

    Where the machine died while DIMMs were added, it died of the next one.
    """
    told = [steps_of(capture, m.label) for m in moments]
    for tick, moment in enumerate(moments):
        if is_growth(capture) and moment.oom is not None:
            told[tick] = max(told[: tick + 1]) + 1
    return np.array(list(accumulate(told, max)))[:, None]


class ChangingRun(WatchedRun):
    """A machine with slots, booted, that memory can be added to.

    slots: node, first pfn and end of each. Raises CaptureError where that makes no machine,
    ParameterError where the machine does not boot.
    """

    runs_the_load = True
    coming = "Next: memory comes and goes as it did on the captured machine."

    def __init__(
        self,
        machine: ComparedMachine,
        profile: KernelProfile,
        slots: Iterable[tuple[int, int, int]],
    ) -> None:
        spec = spec_with_slots(machine, slots)
        super().__init__(machine, profile, boot_machine(spec, machine.options, profile))
        self.meta["counters"].append(describe_steps())
        self.steps = 0
        self._seen: set[EventKind] = set()

    def _read(self, done: int) -> Any:
        return np.append(super()._read(done), self.steps)

    def end(self, kind: EventKind, **told: Any) -> Tick:
        """End a tick with a mark that tells what happened in it."""
        self.look()
        return self.end_tick(0, Event(tick=self.tick + 1, kind=kind.name, mark=True, **told))

    def add(
        self, name: str, start: int, end: int, group: MemoryGroup | None
    ) -> Generator[Tick, None, bool]:
        """Add memory; yields what its cost led to, then what it is; returns whether it is there.

        Refused, it says of what.
        """
        mem = self.memory
        out = add_memory(mem, start, end, self.machine.options, group)
        yield from self._take_in(out)
        if out.refused:
            text = (
                f"The kernel zones have no room for its memory map and tables, so {name} is not "
                "added, and the request for them has called the OOM killer."
            )
            yield self.end(
                EventKind.REFUSED,
                title=f"{name} cannot be added",
                text=text,
                claims=("S11",),
                rule="A11",
                function="add_memory_resource()",
                pfn=start,
            )
            return False
        added = mem.added[-1]
        text = (
            f"{format_pages(end - start)} more, from pfn {start:,}. Memory map, page tables and "
            f"devices cost {format_pages(len(added.held))} of kernel zones at once."
        )
        if added.own_map:
            text += " The map itself lies in the added blocks (memmap_on_memory)."
        if (mem.section_state[self.sections(start, end)] == SectionState.ONLINE).all():
            describe.widen_zones(self.meta["zones"], mem)
            text += f" It is online by itself, {self._zones(start, end)}."
        else:
            text += " It is offline: in no zone, and nobody can use it."
        yield self.end(
            EventKind.PLUGGED,
            title=f"{name} is added",
            text=text,
            rule="A11",
            function="add_memory_resource()",
            pfn=start,
        )
        return True

    def bring_online(self, name: str, start: int, end: int, how: str) -> Tick:
        """Write a word to the state of offline blocks; a tick that says which zone it became."""
        online_memory(self.memory, start, end, self.machine.options, how=how)
        describe.widen_zones(self.meta["zones"], self.memory)
        zone = int(self.memory.zone.reshape(-1)[start])
        managed = format_pages(int(self.memory.zones.managed[zone]))
        text = (
            f"“{how}” is written to its state, and it comes {self._zones(start, end)}. "
            f"{self.memory.zones.label(zone)} manages {managed} now."
        )
        return self.end(
            EventKind.ONLINED,
            title=f"{name} is online",
            text=text,
            rule="A11",
            function="zone_for_pfn_range()",
            pfn=start,
            zone=zone,
        )

    def tell_attempt(self, block: int, out: Offlining, marks: list[tuple[int, int]]) -> Tick:
        """End a tick with how an attempt to take a block offline ended."""
        kind, told = tell_verdict(self.memory, f"memory{block}", out, marks)
        self.pages = out.granted
        return self.end(kind, **told)

    def _zones(self, start: int, end: int) -> str:
        rows = np.unique(self.memory.zone[self.sections(start, end)])
        return "into " + " and ".join(self.memory.zones.label(int(row)) for row in rows)

    def sections(self, start: int, end: int) -> slice:
        """Return the sections of a range of frames."""
        size = self.memory.spec.section_pages
        return slice(start // size, end // size)

    def _take_in(self, out: Outcome) -> Iterator[Tick]:
        """Tell what a request met that no request before it has."""
        self.pages += len(out.frames)
        for report in telling.sort_reports(self.memory, out, GFP["KERNEL"]):
            if report.kind not in self._seen:
                self._seen.add(report.kind)
                self.look()
                yield self.end_tick(0, telling.tell(self.memory, report, self.tick + 1, mark=True))
