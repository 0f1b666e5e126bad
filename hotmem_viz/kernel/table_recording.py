"""The model's run of a captured page-table load as a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.capture_counters import load_of
from hotmem_viz.kernel.compare_tables import table_stops, told_load
from hotmem_viz.kernel.model_run import ModelRun
from hotmem_viz.kernel.samples import read_sample, sample_names
from hotmem_viz.kernel.table_run import StartedTables
from hotmem_viz.mechanisms.outcome import Report
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.scenarios import cache_telling, telling
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.recording.recorder import Tick


class RecordedTables(ModelRun):
    """A captured page-table load on the model's machine; errors as `load_recording`'s.

    A turn of it is thousands of small requests whose outcomes nobody gathers. Which frames it
    touched is read off the free bitmap, one bit a page, before and after.
    """

    runs_the_load = True

    def __init__(self, machine: ComparedMachine, profile: KernelProfile) -> None:
        told = told_load(machine, profile, load_of(machine.capture))
        self.run = StartedTables(machine.spec, machine.options, profile, told)
        super().__init__(machine, profile, self.run.mem)
        self._is_awake = False

    def ticks(self) -> Iterator[Tick]:
        """Yield the booted machine, then the load turn by turn, the first with its ballast."""
        yield self.boot_tick()
        run, before = self.run, self.memory.free_bits.copy()
        started, stops = run.begin(), self._stops()
        for done in run.turns(stops):
            before = self._look(before)
            woken = self._woken_at()
            if woken is not None:
                event = telling.tell(self.memory, woken, self.tick + 1, mark=True)
                yield self.end_tick(done, event)
            elif self.is_enough(run.turn_pages) or done in stops:
                yield self.end_tick(done)
        self._look(before)
        if run.out_of_memory or not started:
            event = telling.tell(self.memory, self._report(), self.tick + 1, mark=True)
        else:
            event = cache_telling.tell_done(self.memory, self.tick + 1, self.objects, run.done)
        yield self.end_tick(run.done, event)

    def _stops(self) -> tuple[int, ...]:
        """Return the operations after which the captured side was looked at too."""
        capture = self.machine.capture
        taken = {read_sample(capture, name).operations for name in sample_names(capture)}
        return tuple(sorted(taken.union(table_stops(capture))))

    def _look(self, before: np.ndarray) -> np.ndarray:
        """Note the frames that are no longer free, or free again; returns the bitmap now."""
        now = self.memory.free_bits
        words = np.flatnonzero(now != before)
        frames = FrameSet(words, now[words] ^ before[words])
        self.touched.append(frames)
        self.pages += len(frames)
        return now.copy()

    def _woken_at(self) -> Report | None:
        """Report the first kernel zone below its low mark, once: there kswapd wakes."""
        zones = self.memory.zones
        low = zones.low + zones.boost
        below = (zones.free < low) & (zones.type <= ZoneType.NORMAL) & (zones.managed > 0)
        if self._is_awake or not below.any():
            return None
        self._is_awake = True
        zone = int(below.nonzero()[0][-1])
        numbers = {"free": zones.free, "low": low, "boost": zones.boost, "nid": zones.nid}
        facts: dict[str, int | str] = {name: int(of[zone]) for name, of in numbers.items()}
        return Report(EventKind.KSWAPD_WAKE, zone, facts=facts)

    def _report(self) -> Report:
        """Report the end: a kernel request's, unless ordinary memory is at its mark as well."""
        zones = self.memory.zones
        user = zones.type > ZoneType.NORMAL
        spare = zones.free[user] > (zones.min + zones.boost)[user]
        gfp = "KERNEL" if spare.any() or not user.any() else "HIGHUSER_MOVABLE"
        kind = PageKind.PAGE_TABLE if gfp == "KERNEL" else PageKind.ANON
        return Report(EventKind.OOM, facts={"gfp": gfp, "kind": kind.name})
