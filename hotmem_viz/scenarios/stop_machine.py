"""stop_machine: the mail's own proposal, from a section that will not empty to slow lookups.

"Stop the whole machine (yes, I mean stop_machine), copy those unmovable pages to another
location, update the kernel virt->phys mapping for the section being offlined" (S21 to S44). Nobody
built it: the states are KERNEL.md 5, the pause is its 4.5, and the mail's gaps are questions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.mechanisms import remap
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.residue import Handling, Residue, classify, hold_for_device
from hotmem_viz.memory.address_map import AddressMap
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.recording.tracks import TableChange
from hotmem_viz.scenarios import describe, remap_failures, remap_telling
from hotmem_viz.scenarios.remap_afterwards import Afterwards
from hotmem_viz.scenarios.remap_devices import Devices
from hotmem_viz.scenarios.remap_filling import TURNS, Filling, check_section
from hotmem_viz.scenarios.remap_parameters import StopMachineParameters
from hotmem_viz.scenarios.remap_pause import Pause
from hotmem_viz.scenarios.remap_reading import Gauges
from hotmem_viz.scenarios.remap_rows import table_rows, tables_of_spaces
from hotmem_viz.scenarios.remap_subsystems import describe_subsystems
from hotmem_viz.scenarios.story import Story
from hotmem_viz.vocabulary import PageKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.mechanisms.remap import Remap
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.setup import FindMachine, Setup

PAGE_NS = 1000.0
"""Model time of handing out a page, nominal as in the exhaustion lesson."""

PASSES = 6
"""Ticks in which a section is emptied."""


class StopMachine:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`."""

    name = "stop_machine"
    title = "Stop the machine and re-point a section"
    parameters_type = StopMachineParameters

    def __init__(self, parameters: StopMachineParameters, setup: Setup) -> None:
        self.parameters = p = parameters
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        self.devices = Devices(mem, p.device, p.devices)
        if p.section >= 0:
            check_section(mem, p.section)
        self.spaces = AddressSpaces(mem, find_geometry(setup.profile))
        self.map = AddressMap(mem, p.style)
        self.gauges = Gauges(self.map, self.spaces, self.devices, p.price)
        self.story = Story(mem, self.gauges.read)
        self.filling = Filling(self.spaces, p)
        self.remap: Remap | None = None
        self.meta: dict[str, Any] = {
            **describe.describe_run(self, setup.profile),
            "panels": ["lanes", "address_map", "tables", "meters"],
            "meters": ["device", "subsystems", "crossover"],
            "subsystems": describe_subsystems(),
            "page_tables": describe.describe_tables(self.spaces.geometry),
            **describe.describe_machine(mem),
            "counters": [*describe.describe_memory(mem), *self.gauges.describe()],
        }

    @classmethod
    def prepare(cls, parameters: StopMachineParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine without ZONE_MOVABLE, which the proposal does without (S44)."""
        setup = find_machine(parameters.machine, 0.0, "", "")
        return replace(setup, spec=replace(setup.spec, hotplug=True))

    def ticks(self) -> Iterator[Tick]:
        """Run the scenario to its end and yield its ticks, the booted machine first."""
        yield from self._fill()
        p, mem = self.parameters, self.memory
        section = self.filling.choose(p.section)
        if p.failure in ("ebusy", "corrupt"):
            yield from self._map_for_dma(section, marked=p.failure == "ebusy")
        attempt = self.remap = remap.start(self.map, section)
        nid = int(mem.zones.nid[attempt.zone])
        held = classify(mem, section)
        pfn = int(held.pfns[0]) if len(held) else -1
        yield from self._tell(remap_telling.asked(section, held, nid, pfn))
        yield self.story.flush()
        yield from self._empty(attempt)
        if not attempt.ended:
            yield from self._make_room(attempt)
        if not attempt.ended:
            yield from Pause(self, attempt).ticks()
        if attempt.verdict in (Exit.MIGRATED, Exit.OFFLINE):
            yield from self._settle(attempt)
        else:
            yield from self._fail(attempt)

    def _tell(self, told: remap_telling.Told) -> list[Tick]:
        return self.story.tell(**told)

    def _fill(self) -> Iterator[Tick]:
        """Fill the machine: a burst and its survivors, processes, users, one that exits."""
        story, mem = self.story, self.memory
        story.set_lookup(self.gauges.lookup())
        yield from self._tell(remap_telling.boot(int(mem.zones.free.sum())))
        yield story.flush()
        if self.devices.region.pages:
            yield from self._tell(self.devices.tell())
            yield story.flush()
        asked = 0
        for turn, (out, rows) in enumerate(self.filling.burst()):
            asked += len(out.frames)
            self._take(out)
            tables = tables_of_spaces(self.spaces, rows)
            if len(tables):
                story.add_rows("tables", table_rows(self.spaces, tables, TableChange.NEW))
            nids = mem.spec.nids
            got, told = self.devices.ask(turn, TURNS, nids[turn % len(nids)])
            self._take(got)
            if told:
                yield from self._tell(told)
            yield story.flush()
        gone = self.filling.shrink()
        freed = sum(len(f) for f in gone.released)
        self._take(gone)
        yield from self._tell(remap_telling.survivors(asked - freed, freed))
        yield story.flush()
        for out in self.filling.users():
            self._take(out)
            yield story.flush()
        self._take(self.filling.leave())
        yield story.flush()

    def _take(self, out: Outcome) -> None:
        self.story.take(out, len(out.frames) * PAGE_NS)

    def _map_for_dma(self, section: int, *, marked: bool) -> Iterator[Tick]:
        """Let a driver map a slab page of the section for DMA; the kernel knows, or does not."""
        pfns = _slab_pages(classify(self.memory, section))
        if not len(pfns):
            return
        pfn = int(pfns[len(pfns) // 2])
        self.gauges.device_pfn = pfn
        frame = FrameSet.of_range(pfn, pfn + 1)
        if marked:
            hold_for_device(self.memory, frame)
        self.story.touch(frame)
        yield from self._tell(remap_failures.taken_by_device(pfn, self._owner(pfn), marked=marked))
        yield self.story.flush()

    def _owner(self, pfn: int) -> str:
        mem = self.memory
        return mem.owners.names[int(mem.owner.reshape(-1)[pfn])]

    def _empty(self, attempt: Remap) -> Iterator[Tick]:
        """Migrate in a few passes; the user may give up half-way (EINTR)."""
        begin, story = self.story.time_ns, self.story
        movable = len(classify(self.memory, attempt.section).only(Handling.NO_ROOM))
        for turn in range(PASSES):
            if remap.is_emptied(attempt):
                break
            out = remap.empty(attempt, -(-movable // PASSES))
            story.take(out)
            self.gauges.migrated += out.granted
            if self.parameters.failure == "eintr" and turn == PASSES // 2 - 1:
                remap.fail(attempt, Exit.EINTR)
                return
            yield story.flush()
        left = len(classify(self.memory, attempt.section))
        if attempt.moved:
            spent = story.time_ns - begin
            yield from self._tell(remap_telling.emptied(attempt.moved, left, spent))
            yield story.flush()

    def _make_room(self, attempt: Remap) -> Iterator[Tick]:
        """Classify what stayed and reserve frames for it; both may fail."""
        story = self.story
        found = remap.find_residue(attempt)
        if not len(found):
            return
        yield from self._tell(remap_telling.residue(found))
        if attempt.ended:
            # The state is FAILED already; the tick that says why comes next.
            attempt.enter(SectionState.RESIDUAL)
            yield story.flush()
            attempt.enter(SectionState.FAILED)
            return
        yield story.flush()
        yield from self._reserve(attempt)

    def _reserve(self, attempt: Remap) -> Iterator[Tick]:
        """Reserve frames, unless somebody else is faster; a device may come in after that."""
        p, story = self.parameters, self.story
        if p.failure == "enomem":
            hog = self.memory.owners.add("another burst")
            got = alloc_pages(
                self.memory, GFP["KERNEL"], self.memory.spec.present_pages, PageKind.SLAB,
                owner=hog, may_reclaim=False,
            )  # fmt: skip
            self._take(got)
            yield from self._tell(remap_failures.no_more_room(got.granted))
            yield story.flush()
        story.take(remap.reserve(attempt, self.spaces, whole=p.target == "section"))
        if attempt.ended:
            return
        yield from self._tell(remap_telling.reserved(attempt, len(attempt.residue)))
        yield story.flush()
        slabs = _slab_pages(attempt.residue)
        if p.failure == "abort" and len(slabs):
            pfn = int(slabs[0])
            hold_for_device(self.memory, FrameSet.of_range(pfn, pfn + 1))
            story.touch(FrameSet.of_range(pfn, pfn + 1))

    def _settle(self, attempt: Remap) -> Iterator[Tick]:
        """Tell what the section is now, and go on as the parameters say."""
        if attempt.verdict is Exit.OFFLINE:
            yield from self._tell(remap_telling.emptied_whole(attempt.section))
            yield self.story.flush()
            return
        live = int((self.map.pages[attempt.section] >= 0).sum())
        yield from self._tell(remap_telling.migrated(attempt.section, live))
        yield self.story.flush()
        yield from Afterwards(self, attempt).ticks()

    def _fail(self, attempt: Remap) -> Iterator[Tick]:
        """Tell why the attempt ended."""
        pfn = max(attempt.pfn, 0)
        self.story.touch(attempt.frames)
        for frames in attempt.touched:
            self.story.touch(frames)
        kind = PageKind(int(self.memory.kind.reshape(-1)[pfn]))
        yield from self._tell(remap_failures.failed(attempt, kind, self._owner(pfn)))
        yield self.story.flush()

    def repeat(self, section: int) -> Iterator[Tick]:
        """Take another section out the same way, told in fewer steps; see `remap`."""
        again = self.remap = remap.start(self.map, section)
        yield from self._empty(again)
        yield from self._make_room(again)
        if not again.ended:
            yield from Pause(self, again).ticks()
        if again.verdict not in (Exit.MIGRATED, Exit.OFFLINE):
            yield from self._fail(again)


def _slab_pages(residue: Residue) -> np.ndarray:
    """Return the pages that a driver may map for DMA: (n,) int64; a stack is none of them."""
    return residue.pfns[np.isin(residue.kinds, (PageKind.SLAB, PageKind.RECLAIMABLE_SLAB))]
