"""Starvation: page tables may lie in kernel zones only, so memory that is free cannot be mapped.

The mail's complex example (S13): page tables are confined to the same zones as other kernel
memory, and "a process may be unable to map" a large part of memory. A dense mapping of one process
does not get there at the usual ratios; many processes on one segment do, and sparse use does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.faults import badness, choose_victim
from hotmem_viz.mechanisms.huge_pages import switch_off_huge_pages
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.mechanisms.outcome import Report
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.scenarios import describe, telling
from hotmem_viz.scenarios import starvation_telling as words
from hotmem_viz.scenarios.starvation_gauges import Gauges
from hotmem_viz.scenarios.starvation_parameters import StarvationParameters
from hotmem_viz.scenarios.starvation_rows import WatchedTables
from hotmem_viz.scenarios.starvation_uses import Use
from hotmem_viz.scenarios.story import Story
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.setup import FindMachine, Setup

TICKS_TO_FILL = 60
"""Page tables would fill the kernel zones in about this many ticks."""

PAGE_NS = 1000.0
"""Model time of handing out a page, nominal as in the exhaustion lesson."""

MOST_KILLED = 5
"""Processes that the OOM killer ends before the lesson does."""

TOLD = (EventKind.KSWAPD_WAKE, EventKind.KSWAPD_GIVES_UP, EventKind.MIXING, EventKind.SPILL)
"""What the allocator reports that is told here, the first of each kind."""

OF_A_KIND = ("classroom", "server")
"""Presets whose movable share is a boot option."""


PAGE_OF_ITS_OWN = "a page of its own"


class Refusal(NamedTuple):
    """The first refusal: p and u of that moment, and what there was no frame for."""

    demand: float
    other: float
    what: str


class Starvation:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`."""

    name = "starvation"
    title = "Page tables starve"
    parameters_type = StarvationParameters

    def __init__(self, parameters: StarvationParameters, setup: Setup) -> None:
        self.parameters = p = parameters
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        high = setup.spec.arch is Arch.PAE and not setup.options.userpte_nohigh
        self.spaces = AddressSpaces(mem, find_geometry(setup.profile), high)
        # Huge pages would need no tables of the lowest level; that is another lesson.
        switch_off_huge_pages(mem)
        self._highest = ZoneType.HIGHMEM if high else ZoneType.NORMAL
        self.turn_pages = max(8, self._room() // TICKS_TO_FILL)
        self.use = Use(self.spaces, p, self.turn_pages)
        self.gauges = Gauges(self.spaces, self.use)
        self.story = Story(mem, self.gauges.read)
        self.watched = WatchedTables(self.spaces)
        self.meta: dict[str, Any] = {
            **describe.describe_run(self, setup.profile),
            "panels": ["tables"],
            "page_tables": describe.describe_tables(self.spaces.geometry),
            **describe.describe_machine(mem),
            "counters": self.gauges.describe(),
        }
        self._told: set[EventKind] = set()
        self._tables_at = self._table_zones()
        self._pending = 0
        self.refusal: Refusal | None = None

    @classmethod
    def prepare(cls, parameters: StarvationParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine that the parameters ask for."""
        p = parameters
        share = None if p.boot.strip() or p.machine not in OF_A_KIND else p.movable
        setup = find_machine(p.machine, share, p.boot, p.profile)
        if p.highpte:
            return setup
        return replace(setup, options=replace(setup.options, userpte_nohigh=True))

    def _room(self) -> int:
        """Count the pages that page tables could still have."""
        return count_room(self.memory, self._highest)

    def _table_zones(self) -> np.ndarray:
        return self.memory.zone_kinds[:, PageKind.PAGE_TABLE].astype(np.int64)

    def ticks(self) -> Iterator[Tick]:
        """Run the scenario to its end and yield its ticks, the booted machine first."""
        story = self.story
        yield from story.tell(**words.tell_boot(self.memory, self.gauges, self.spaces.high_tables))
        yield story.flush()
        self._use_kernel()
        yield from story.tell(**words.tell_mapped(self.use, self.parameters.use))
        yield story.flush()
        enough = True
        for enough in self.use.fill_segment():
            yield from self._take()
            yield self._flush()
            if not enough:
                break
        while enough and not self.use.is_over:
            enough = self.use.turn()
            yield from self._take()
            if not enough:
                yield from self._refuse_first()
            if not enough and self.parameters.asked == "fault":
                yield from self._kill()
                enough = self.use.killed < MOST_KILLED
            if self._pending >= self.turn_pages or not enough:
                yield self._flush()
        yield from self._end(enough)

    def _use_kernel(self) -> None:
        """Let the rest of the kernel take its share before anything is mapped."""
        wanted = int(self.parameters.other * self.memory.spec.present_pages)
        owner, nids = self.memory.owners.add("other kernel use"), self.use.nids
        for i, nid in enumerate(nids):
            n = wanted * (i + 1) // len(nids) - wanted * i // len(nids)
            gfp, kind = GFP["KERNEL"], PageKind.SLAB
            self.story.take(alloc_pages(self.memory, gfp, n, kind, owner=owner, nid=nid))

    def _take(self) -> Iterator[Tick]:
        """Take in what a turn did, and tell what is seen for the first time."""
        use, story = self.use, self.story
        reports: list[Report] = []
        for outcome in use.outcomes:
            pages = sum(outcome.by_zone.values())
            self._pending += pages if use.step == 1 and not use.shares else 0
            story.take(outcome, pages * PAGE_NS)
            reports += telling.sort_reports(self.memory, outcome, GFP["KERNEL"])
        for frames in use.released:
            story.touch(frames)
        use.outcomes, use.released = [], []
        for rows in self.watched.look(use.alive):
            story.add_rows("tables", rows)
        reports += self._spilt()
        for report in reports:
            if report.kind in TOLD and report.kind not in self._told:
                self._told.add(report.kind)
                e = telling.tell(self.memory, report, 0, mark=True)
                yield from story.tell(
                    report.kind,
                    e.title,
                    e.text,
                    claims=e.claims,
                    rule=e.rule,
                    function=e.function,
                    zone=e.zone,
                    pfn=e.pfn,
                )
        yield from self._tell_spill()

    def _spilt(self) -> list[Report]:
        """Report pages of programs in a kernel zone, where they have a zone of their own."""
        anon = self.memory.zone_kinds[:, PageKind.ANON] * self.gauges.kernel
        if not anon.any() or not telling.confined_zone_name(self.memory):
            return []
        zone = int(anon.nonzero()[0][-1])
        return [Report(EventKind.SPILL, zone, facts={"pages": int(anon[zone])})]

    def _tell_spill(self) -> Iterator[Tick]:
        """Tell when tables first lie in a zone that is not the highest of its node."""
        now = self._table_zones()
        more = np.maximum(now - self._tables_at, 0)
        self._pending += int(more.sum())
        self._tables_at = now
        if EventKind.TABLES_SPILL in self._told:
            return
        zones = self.memory.zones
        for zone in more.nonzero()[0].tolist():
            above = [
                z
                for z in range(len(zones))
                if zones.nid[z] == zones.nid[zone]
                and zones.type[zone] < zones.type[z] <= self._highest
                and zones.managed[z]
            ]
            # With HIGHPTE tables above the lowest level are in Normal from the first on.
            if self.spaces.high_tables:
                above = [z for z in above if zones.type[z] <= ZoneType.NORMAL]
            if above and EventKind.TABLES_SPILL not in self._told:
                self._told.add(EventKind.TABLES_SPILL)
                spill = words.tell_tables_spill(self.memory, above[-1], zone)
                yield from self.story.tell(**spill)

    def _refuse_first(self) -> Iterator[Tick]:
        """Note where memory first ended, and tell it."""
        if self.refusal is not None:
            return
        full = bool((self._free_above_line() == 0).all())
        what = PAGE_OF_ITS_OWN if full else self.use.lacking
        self.refusal = Refusal(self.gauges.demand, self.gauges.other, what)
        high = self.spaces.high_tables
        yield from self.story.tell(**words.tell_refused(self.memory, self.gauges, what, high))

    def _free_above_line(self) -> np.ndarray:
        """Return what a page table could not have, but a page of a program could: (Z,)."""
        z = self.memory.zones
        free = np.maximum(z.free - z.min - z.boost, 0)
        return np.asarray(np.where(z.type > self._highest, free, 0))

    def _kill(self) -> Iterator[Tick]:
        """Let the OOM killer end a process: first it is called, then somebody goes."""
        s, use, story = self.spaces, self.use, self.story
        yield from story.tell(**words.tell_oom(self.memory, self.gauges, use))
        victim = choose_victim(s)
        if victim is None:
            return
        yield story.flush()
        held, tables = int(badness(s, np.array([victim]))[0]), s.table_pages(victim)
        name, freed = use.alive[victim], len(use.kill(victim))
        yield from self._take()
        yield from story.tell(**words.tell_killed(name, held, tables, freed))

    def _end(self, enough: bool) -> Iterator[Tick]:
        """Say where it stopped, or that it fits."""
        story, gauges = self.story, self.gauges
        if enough and self.refusal is None:
            yield from story.tell(**words.tell_fits(self.memory, gauges, self.use))
            yield self._flush()
            return
        yield from self._refuse_first()
        if not self.use.killed:
            yield from story.tell(**words.tell_enomem(gauges, self.use))
        yield from self._tell_stop()
        yield self._flush()

    def _tell_stop(self) -> Iterator[Tick]:
        """Tell where the first refusal came, beside the closed form."""
        gauges, at = self.gauges, self.refusal
        if at is None or at.what == PAGE_OF_ITS_OWN:
            told = words.tell_full(gauges, int(gauges.levels().sum()))
        else:
            told = words.tell_starved(gauges, at.demand, at.other)
        yield from self.story.tell(**told)

    def _flush(self) -> Tick:
        self._pending = 0
        return self.story.flush()
