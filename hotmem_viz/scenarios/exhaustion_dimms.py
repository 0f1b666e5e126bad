"""DIMMs for a machine whose kernel zones are short: each takes more of them, until one kills it.

A DIMM that comes into ZONE_MOVABLE gives kernel memory nothing, and its memory map, 64 bytes a
page, is charged to the zones that are short already (S10, S11). Captures d-grow-* show real
kernels that die of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.machine.hotplug_options import ONLINE_MOVABLE
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.scenarios import growth_telling as telling
from hotmem_viz.scenarios.exhaustion_filled import FilledRun
from hotmem_viz.scenarios.growth_telling import Purchase
from hotmem_viz.vocabulary import SectionState, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import Setup
    from hotmem_viz.scenarios.workloads import Workload


class AddedDimms(FilledRun):
    """An exhaustion run that goes on to add DIMMs, onlined movable, until one does not fit."""

    title = "Added memory eats kernel memory"

    def __init__(
        self, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> None:
        super().__init__(parameters, setup, requests)
        self._options, self._added = setup.options, 0
        self._tell_slots()

    def _list_own(self) -> list[dict[str, Any]]:
        zones = self.memory.zones
        managed = [
            {"name": f"zone{z}.managed", "unit": "pages", "zone": z, "label": f"{label}: managed"}
            for z, label in enumerate(map(zones.label, range(len(zones))))
        ]
        room = f"{self.objects} that kernel zones still have room for"
        return [
            *managed,
            {"name": "added", "unit": "pages", "label": "memory that DIMMs have brought"},
            {"name": "room", "unit": self.objects, "label": room},
        ]

    def _read_own(self) -> Sequence[float]:
        return (*self.memory.zones.managed.tolist(), self._added, self._room())

    def _tell_slots(self) -> None:
        """Enter the slots into the meta: nodes and zones stand as they are in the end."""
        for node in self.memory.spec.pluggable:
            ends = [[r.start_pfn, r.end_pfn] for r in node.ranges]
            for row in self.meta["machine"]["nodes"]:
                if row["nid"] == node.nid:
                    row["ranges"] += ends
            for row in self.meta["zones"]:
                if (row["nid"], row["zone"]) == (node.nid, ZoneType.MOVABLE.label):
                    row["start_pfn"] = row["start_pfn"] or ends[0][0]
                    row["end_pfn"] = ends[-1][1]

    def _room(self) -> int:
        """Count the objects that kernel zones still have room for."""
        return int(count_room(self.memory, ZoneType.NORMAL) / self.workload.pages_per_operation())

    def _go_on(self) -> Iterator[Tick]:
        node = self.memory.spec.pluggable[0]
        yield self._flush(telling.tell_short(self.memory, self._room(), self.objects))
        for number, slot in enumerate(node.ranges, 1):
            dimm = Purchase(number, node.nid, slot.start_pfn, slot.end_pfn)
            yield from self._add(dimm)
            if self.is_over:
                return
        yield self._flush(telling.tell_all_fit(self.memory, len(node.ranges), self._added))

    def _add(self, dimm: Purchase) -> Iterator[Tick]:
        """Add one DIMM and online it."""
        mem, start, end, room = self.memory, dimm.start_pfn, dimm.end_pfn, self._room()
        out = add_memory(mem, start, end, self._options)
        yield from self._take_in(GFP["KERNEL"], replace(out, by_zone={}), dimm.nid)
        if out.refused:
            self.is_over = True
            yield self._flush(telling.tell_killed(mem, dimm, self._added))
            return
        sections = slice(start // mem.spec.section_pages, end // mem.spec.section_pages)
        if (mem.section_state[sections] == SectionState.OFFLINE).all():
            online = online_memory(mem, start, end, self._options, how=ONLINE_MOVABLE)
            self._touched.append(online.frames)
        self._added += end - start
        # The zones that a recording shows are the largest that they ever were.
        for row in self.meta["zones"]:
            z = row["id"]
            row["present"], row["managed"] = int(mem.zones.present[z]), int(mem.zones.managed[z])
        paid = len(mem.added[-1].held)
        rooms = (room, self._room())
        yield self._flush(telling.tell_dimm(mem, dimm, paid, rooms, self.objects))
