"""The pause of the stop_machine scenario: what happens between the first CPU's stop and EXIT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hotmem_viz.mechanisms import remap, stop_machine
from hotmem_viz.scenarios import remap_telling
from hotmem_viz.scenarios.remap_rows import walk_rows
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.mechanisms.remap import Remap
    from hotmem_viz.mechanisms.stop_machine import StopTime
    from hotmem_viz.mechanisms.table_walk import Walk
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.remap_reading import MapGauges
    from hotmem_viz.scenarios.story import Story


class PauseParameters(Protocol):
    """What decides how long a pause is."""

    @property
    def cpus(self) -> int:
        """CPUs that have to arrive."""
        ...

    @property
    def costs(self) -> stop_machine.StopCosts:
        """The constants."""
        ...


class Stoppable(Protocol):
    """A run whose machine can be stopped."""

    @property
    def story(self) -> Story:
        """Where the steps are told."""
        ...

    @property
    def spaces(self) -> AddressSpaces:
        """The processes whose tables are walked."""
        ...

    @property
    def gauges(self) -> MapGauges:
        """The numbers that a pause adds to."""
        ...

    @property
    def parameters(self) -> PauseParameters:
        """What the pause costs."""
        ...


class Pause:
    """Stops a run's machine for one section."""

    def __init__(self, run: Stoppable, attempt: Remap) -> None:
        self.attempt, self.spaces, self.story = attempt, run.spaces, run.story
        self.parameters, self.gauges = run.parameters, run.gauges

    def _tell(self, told: remap_telling.Told) -> list[Tick]:
        return self.story.tell(**told)

    def ticks(self) -> Iterator[Tick]:
        """Stop, copy, write, walk, resume; nothing may fail after the first write."""
        story, p, attempt = self.story, self.parameters, self.attempt
        if not len(attempt.residue):
            story.take(remap.leave(attempt))
            return
        costs, cpus = p.costs, p.cpus
        pause = stop_machine.stop_time(costs, cpus, copied=len(attempt.residue), entries=0, fixed=0)
        attempt.enter(SectionState.STOPPED)
        story.add_rows("spans", stop_machine.rendezvous_spans(costs, cpus))
        story.time_ns += pause.rendezvous
        yield from self._tell(remap_telling.stopped(cpus, pause))
        yield story.flush()
        if remap.look_again(attempt):
            yield from self._work()
            story.take(remap.leave(attempt))
            return
        # The CPUs go on with nothing done; whoever called tells why.
        story.time_ns += pause.flush
        story.add_rows("spans", stop_machine.exit_spans(cpus, pause.flush))
        self.gauges.pause_ns += pause.rendezvous + pause.flush

    def _work(self) -> Iterator[Tick]:
        """Do the work of RUN and EXIT."""
        story, p, costs = self.story, self.parameters, self.parameters.costs
        attempt = self.attempt
        count, cpus = len(attempt.residue), p.cpus
        out = remap.copy(attempt)
        base = stop_machine.stop_time(costs, cpus, copied=count, entries=0, fixed=0)
        working = min(costs.copiers, cpus)
        story.take(out, base.copy)
        story.add_rows("spans", stop_machine.work_spans(cpus, working, base.copy))
        self.gauges.copied += count
        yield from self._tell(remap_telling.copied(attempt, base, working))
        yield story.flush()
        names = remap.write_map(attempt)
        entries = map_entries(attempt)
        story.set_lookup(self.gauges.lookup())
        spent = entries * costs.fix_entry_ns
        story.time_ns += spent
        story.add_rows("spans", stop_machine.work_spans(cpus, 1, spent))
        yield from self._tell(remap_telling.written(attempt, names, entries))
        yield story.flush()
        walk, pause = self._walk(entries)
        yield from self._tell(remap_telling.walked(walk, len(self.spaces.alive()), pause))
        yield story.flush()
        story.time_ns += pause.flush
        story.add_rows("spans", stop_machine.exit_spans(cpus, pause.flush))
        self.gauges.pause_ns += pause.total
        yield from self._tell(remap_telling.resumed(pause))
        yield story.flush()

    def _walk(self, written: int) -> tuple[Walk, StopTime]:
        """Walk all tables and rewrite entries; returns the walk, and the whole pause."""
        s, costs, story = self.spaces, self.parameters.costs, self.story
        attempt = self.attempt
        walk = remap.fix_tables(attempt, s)
        for rows in walk_rows(s, walk, attempt.room.targets):
            story.add_rows("tables", rows)
        fixed = len(walk.parents) + written
        self.gauges.scanned += walk.entries
        self.gauges.fixed += fixed
        pause = stop_machine.stop_time(
            costs,
            self.parameters.cpus,
            copied=len(attempt.residue),
            entries=walk.entries,
            fixed=fixed,
        )
        spent = pause.scan + len(walk.parents) * costs.fix_entry_ns
        story.time_ns += spent
        story.add_rows("spans", stop_machine.work_spans(self.parameters.cpus, 1, spent))
        return walk, pause


def map_entries(attempt: Remap) -> int:
    """Count the entries of the map that a remap writes: the table's, and the direct map's own.

    A whole section has one entry and 2 MiB mappings, which move as they are; else both tables
    have one for each page.
    """
    if attempt.room.section >= 0:
        return 1 + attempt.mem.spec.section_pages // PAGEBLOCK_PAGES
    return 2 * len(attempt.residue)
