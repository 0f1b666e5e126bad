"""What comes after the remap: lookups, corruption, draining, coming home, moving once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import remap_after, stop_machine
from hotmem_viz.mechanisms.unmapping import exit_process
from hotmem_viz.recording.tracks import TableChange
from hotmem_viz.scenarios import remap_ending, remap_failures, remap_telling
from hotmem_viz.scenarios.remap_rows import table_rows, tables_of_spaces, walk_rows
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.mechanisms.remap import Remap
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.stop_machine import StopMachine

BATCHES = 6
"""Ticks in which the residue is freed."""


class Afterwards:
    """Goes on with a run whose section is offline-migrated."""

    def __init__(self, run: StopMachine, attempt: Remap) -> None:
        self.run, self.attempt = run, attempt
        self.map, self.spaces, self.story = run.map, run.spaces, run.story
        self.section = attempt.section

    def ticks(self) -> Iterator[Tick]:
        """Yield the ticks that the parameters ask for."""
        look = self.run.gauges.look_up()
        told = remap_telling.lookups(look.fast, look.slow, (look.live, look.every), look.mean)
        yield from self.story.tell(**told)
        yield self.story.flush()
        p = self.run.parameters
        yield from self.story.tell(**remap_telling.taxed(self.run.gauges.pause_ns, p))
        yield self.story.flush()
        if p.failure == "corrupt":
            yield from self._corrupt()
        go_on = {"drain": self._drain, "home": self._come_home, "target": self._leave_again}
        yield from go_on[p.after]()
        yield from self.story.tell(**remap_ending.device_reserve(self.map.mem))
        yield from self.story.tell(**remap_ending.finished(len(self.map.slow)))
        yield self.story.flush()

    def _corrupt(self) -> Iterator[Tick]:
        """Write through the address and let the device read its frame."""
        pfn = self.run.gauges.device_pfn
        if pfn < 0:
            return
        page = np.array([pfn])
        frame = self.map.translate(page)
        self.map.contents.write_new(frame)
        read, true = int(self.map.contents.read(page)[0]), int(self.map.read(page)[0])
        told = remap_failures.corrupted(pfn, int(frame[0]), read, true)
        yield from self.story.tell(**told)
        yield self.story.flush()

    def _drain(self) -> Iterator[Tick]:
        """Let processes exit, then slabs be freed, until nothing of the section lives."""
        none = np.empty(0, np.int64)
        for part in np.array_split(self.spaces.alive(), BATCHES // 2):
            if self._is_slow() and len(part):
                self._exit(part)
                yield self.story.flush()
        pages = remap_after.live_pages(self.map, self.section) if self._is_slow() else none
        for batch in np.array_split(pages, BATCHES):
            if len(batch):
                self.story.take(remap_after.free_moved(self.map, batch))
                if self._is_slow():
                    yield self.story.flush()
        self.story.set_lookup(self.run.gauges.lookup())
        yield from self.story.tell(**remap_ending.drained(self.section))
        yield self.story.flush()

    def _exit(self, spaces: np.ndarray) -> None:
        """Let processes exit; (n,) rows."""
        rows = tables_of_spaces(self.spaces, spaces)
        self.story.add_rows("tables", table_rows(self.spaces, rows, TableChange.GONE))
        for space in spaces.tolist():
            frames = exit_process(self.spaces, space)
            self.story.touch(frames)
            self.story.take(remap_after.note_freed(self.map, [frames]))

    def _is_slow(self) -> bool:
        return self.section in self.map.pages

    def _come_home(self) -> Iterator[Tick]:
        """Pull the memory out, plug it in again, and copy the residue home in another stop."""
        remap_after.pull_out(self.map, self.section)
        yield self.story.flush()
        p, gauges = self.run.parameters, self.run.gauges
        zone_type = ZoneType(int(self.map.mem.zones.type[self.attempt.zone]))
        out, walk = remap_after.copy_home(self.map, self.spaces, self.section, zone_type)
        pause = stop_machine.stop_time(
            p.costs, p.cpus, copied=out.granted, entries=walk.entries, fixed=len(walk.parents)
        )
        gauges.pause_ns += pause.total
        gauges.copied += out.granted
        gauges.scanned += walk.entries
        gauges.fixed += len(walk.parents)
        self.story.add_rows("spans", stop_machine.stop_spans(p.costs, p.cpus, pause))
        home = np.concatenate([moves.target for moves in out.moves])
        for rows in walk_rows(self.spaces, walk, home):
            self.story.add_rows("tables", rows)
        self.story.take(out, pause.total)
        self.story.set_lookup(gauges.lookup())
        yield from self.story.tell(**remap_ending.came_home(self.section, out.granted))
        yield self.story.flush()

    def _leave_again(self) -> Iterator[Tick]:
        """Take the section out where most of the pages went, in the same way."""
        size = self.map.mem.spec.section_pages
        hosts = np.bincount(self.attempt.room.targets // size)
        host = int(hosts.argmax())
        yield from self.run.repeat(host)
        again = self.run.remap
        if again and again.verdict and again.pfn < 0:
            yield from self.story.tell(**remap_ending.target_left(host, self.map.slow))
            yield self.story.flush()
