"""The model's attempts to take the blocks of a captured machine offline, as a recording.

They are those that `compare` counts: the model starts from the state that was captured, not from
its own boot, and before each attempt the block gets what its snapshot says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.kernel.attempt_telling import read_marks, tell_verdict
from hotmem_viz.kernel.capture_counters import describe_attempts
from hotmem_viz.kernel.model_run import WatchedRun
from hotmem_viz.kernel.offline_run import make_attempts
from hotmem_viz.recording.recorder import Tick
from hotmem_viz.recording.recording import Event
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.hotplug_answers import OfflineAttempt
    from hotmem_viz.kernel.offline_run import OfflineRun
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.mechanisms.offline import Offlining


class RecordedSweep(WatchedRun):
    """A captured sweep in the model: a tick for each attempt, with what it left, and the end.

    A block that left is seen back in its zone at the next tick. Which frames an attempt changed is
    read off the kinds of all frames, before and after.
    """

    runs_the_load = True

    def __init__(
        self, machine: ComparedMachine, profile: KernelProfile, offlines: OfflineRun
    ) -> None:
        super().__init__(machine, profile, offlines.memory)
        self.offlines = offlines
        self.meta["counters"].append(describe_attempts())
        self._planned = len(machine.capture.sweep())

    @property
    def name(self) -> str:
        """What to call the run: it is not the model's own boot."""
        return "model, from the captured state"

    def ticks(self) -> Iterator[Tick]:
        """Yield the machine as it was captured, then each attempt."""
        begin = self._begin()
        yield Tick(0.0, self._read(0), events=[begin], captions=[begin.caption()])
        for planned in self.machine.capture.sweep():
            # One at a time: only then is the block before it back when the marks are read.
            marks = read_marks(self.memory)
            for attempt, out in make_attempts(self.offlines, (planned,)):
                self.look()
                self.pages = out.granted if out else 0
                yield self.end_tick(0, self._tell(attempt, out, marks))
        self.look()
        yield self.end_tick(0, self._end())

    def _read(self, done: int) -> Any:
        return np.append(super()._read(done), min(self.tick, self._planned))

    def _begin(self) -> Event:
        text = (
            f"What every page held was read at the stage {self.offlines.stage!r}; "
            f"{format_pages(int(self.memory.zones.free.sum()))} are free. Next: every attempt to "
            "take a block offline, decided by the model. Before each, the block is given what was "
            "read of it just then."
        )
        return Event(0, EventKind.BOOT.name, "The model stands in the captured state", text)

    def _end(self) -> Event:
        free = format_pages(int(self.memory.zones.free.sum()))
        text = f"Every block that left is back, and {free} are free."
        return Event(self.tick + 1, EventKind.DONE.name, "The attempts are over", text, mark=True)

    def _tell(
        self, attempt: OfflineAttempt, out: Offlining | None, marks: list[tuple[int, int]]
    ) -> Event:
        """Tell how an attempt ended in the model: verdict, guilty page, rule, function."""
        mem, tick, block = self.memory, self.tick + 1, f"memory{attempt.block}"
        if out is None or out.verdict is None:
            text = "The block is not online, so nothing is asked."
            return Event(tick, EventKind.OFFLINE_REFUSED.name, f"{block}: not online", text)
        kind, told = tell_verdict(mem, block, out, marks)
        return Event(tick=tick, kind=kind.name, mark=True, **told)
