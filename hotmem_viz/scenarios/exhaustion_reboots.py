"""A PAE box that is bought larger each time: the load that fitted the small one kills the large.

Each box is booted anew, and the same requests are served by it until the metadata has had its
fill, which is that of the first box. A flat memory map of all that is addressable, holes
too, lies in lowmem, and lowmem does not grow (S11). Captures e-boot-* give LowTotal by size.

The boxes stand below each other in one recording, as in the scenario boot_options.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.mechanisms.several_boots import SeveralBoots
from hotmem_viz.memory.frames import union
from hotmem_viz.scenarios import growth_telling as telling
from hotmem_viz.scenarios.boot_scores import describe_zones, read_zones
from hotmem_viz.scenarios.describe import describe_run
from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.scenarios.exhaustion_filled import FilledRun
from hotmem_viz.scenarios.exhaustion_machines import BOXES_GIB, pae_box
from hotmem_viz.scenarios.story import Story
from hotmem_viz.scenarios.telling import OBJECT_NAMES
from hotmem_viz.vocabulary import EventKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.recording.recording import Event
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import Setup
    from hotmem_viz.scenarios.workloads import Workload

TICKS_A_BOX = 24
"""The load of a box is shown in about so many ticks."""


class BoxLoad(FilledRun):
    """The load on one box. limit: where it stops, in pages; its own fill where that is 0."""

    limit = 0.0

    def _fill_pages(self) -> float:
        return self.limit or super()._fill_pages()

    def _go_on(self) -> Iterator[Tick]:
        yield self._flush()

    def _read(self) -> np.ndarray:
        # The counters of all boxes are read where their ticks are told.
        return np.empty(0)

    @property
    def operations(self) -> int:
        """Operations so far."""
        return self._operations


class LargerBoxes(Exhaustion):
    """A run of the same load on one box after another, each with more memory."""

    title = "More memory, fewer kernel objects"

    def __init__(
        self, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> None:
        self.parameters, self._setup = parameters, setup
        self.objects = OBJECT_NAMES[parameters.workload]
        self.specs = tuple(pae_box(gib) for gib in BOXES_GIB)
        plans = [plan_zones(s, setup.options, setup.profile) for s in self.specs]
        self.boots = SeveralBoots(self.specs, plans, setup.profile)
        self.memory = self.boots.memory
        # The load's own class goes on to nothing.
        self._plain = replace(parameters, then="")
        self.load = BoxLoad(self._plain, setup, requests)
        self.load.limit = self.load._fill_pages()
        self.workload = self.load.workload
        self.machines = [self.load.memory]
        self.boots.show(0, self.load.memory)
        self.story = Story(self.memory, self._read)
        self.meta: dict[str, Any] = {
            **describe_run(self, setup.profile),
            **describe_zones(self.boots, self.specs, self._own_counters()),
            "boots": [
                {
                    "title": f"box of {gib} GiB",
                    "options": setup.options.text,
                    "profile": setup.profile.name,
                    "first_pfn": band * self.boots.band_pages,
                    "srat": [],
                }
                for band, gib in enumerate(BOXES_GIB)
            ],
        }
        sizes = f"{', '.join(map(str, BOXES_GIB[:-1]))} and {BOXES_GIB[-1]}"
        self.meta["machine"]["title"] = f"32-bit PAE boxes of {sizes} GiB, every border at 1/32"

    def _own_counters(self) -> dict[str, tuple[str, str]]:
        return {
            "installed": ("pages", "memory of the box"),
            "room": (self.objects, f"{self.objects} that kernel zones still have room for"),
            "boots": ("boots", "boots so far"),
            "objects": (self.objects, f"{self.objects} made on this box"),
        }

    def _read(self) -> np.ndarray:
        band = len(self.machines) - 1
        own = (self.specs[band].present_pages, self._room(), band + 1, self.load.operations)
        return read_zones(self.boots, self.machines, own)

    def _room(self) -> int:
        room = count_room(self.machines[-1], ZoneType.NORMAL)
        return int(room / self.workload.pages_per_operation())

    def _tell(self, event: Event) -> Iterator[Tick]:
        yield from self.story.tell(
            EventKind[event.kind],
            event.title,
            event.text,
            mark=event.mark,
            claims=event.claims,
            rule=event.rule,
            function=event.function,
        )
        yield self.story.flush()

    def ticks(self) -> Iterator[Tick]:
        """Run the load on one box after another, and yield the ticks."""
        for band, gib in enumerate(BOXES_GIB):
            if band and not self._boot(band):
                yield from self._tell(telling.tell_no_boot(self.specs[band], gib))
                return
            mem = self.machines[band]
            yield from self._tell(telling.tell_box(mem, gib, self._room(), self.objects))
            yield from self._serve(band)
            made, killed = self.load.operations, self.load.is_over
            boxes = BOXES_GIB[: band + 1]
            yield from self._tell(telling.tell_load(mem, boxes, made, self.objects, killed=killed))
            if killed:
                return

    def _boot(self, band: int) -> bool:
        """Boot the next box; say whether it came up."""
        limit = self.load.limit
        try:
            setup = replace(self._setup, spec=self.specs[band])
            self.load = BoxLoad(self._plain, setup, self.workload)
        except ParameterError:
            return False
        self.load.limit = limit
        self.machines.append(self.load.memory)
        self.story.touch(self.boots.show(band, self.load.memory))
        return True

    def _serve(self, band: int) -> Iterator[Tick]:
        """Let the load run on the box that has booted; the last tick is the caller's."""
        turns = self.load.limit / self.load.turn_pages
        each, before = max(1, round(turns / TICKS_A_BOX)), 0.0
        touched: list[FrameSet] = []
        for number, tick in enumerate(self.load.ticks()):
            touched += tick.touched
            self.story.time_ns += tick.time_ns - before
            before = tick.time_ns
            if number % each == each - 1:
                self._show(band, touched)
                touched = []
                yield self.story.flush()
        self._show(band, touched)

    def _show(self, band: int, touched: list[FrameSet]) -> None:
        """Show what has become of a box's frames."""
        if touched:
            self.story.touch(self.boots.show(band, self.load.memory, union(touched)))
