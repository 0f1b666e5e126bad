"""The strategies' workload at work: a plan's requests, what outlives them, who exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.device_region import alloc_for_device
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.scenarios.remap_filling import MAP_START
from hotmem_viz.scenarios.strategy_plan import ACTORS, LARGE
from hotmem_viz.units import MIB

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.device_region import DeviceRegion
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.scenarios.strategy_parameters import StrategiesParameters
    from hotmem_viz.scenarios.strategy_plan import Plan

SPAN = 2 * MIB
"""Pages that a table of the lowest level maps: one in each span is touched."""


class Load:
    """Makes a plan's requests.

    asked, given: by the actors' part of the demand, in pages, of processes in how many. faults:
    first touches of users' pages and of what processes have mapped. remote: pages of metadata that
    another node served. region: what devices' pages come from under the proposal, set once the
    machine has booted.
    """

    def __init__(self, spaces: AddressSpaces, plan: Plan, p: StrategiesParameters) -> None:
        self.spaces, self.mem, self.plan = spaces, spaces.mem, plan
        self.pages, self.residue = p.mapped * MIB, p.residue
        self.region: DeviceRegion | None = None
        self.asked = {actor.of: 0 for actor in ACTORS}
        self.given = dict(self.asked)
        self.faults = self.remote = 0
        self._owners = [self.mem.owners.add(actor.name) for actor in ACTORS]

    def turn(self, number: int) -> list[Outcome]:
        """Make the requests of one turn."""
        rows = self.plan.requests[self.plan.requests["turn"] == number]
        return [self._serve(*map(int, row)) for row in rows[["actor", "count", "nid"]]]

    def _serve(self, i: int, count: int, nid: int) -> Outcome:
        actor, owner = ACTORS[i], self._owners[i]
        self.asked[actor.of] += count
        if actor.of == "processes":
            return self._start(count, owner, nid)
        if actor.of == "device" and self.region:
            out = alloc_for_device(self.region, count, owner, nid)
        else:
            gfp = GFP_OF_KIND[actor.kind]
            out = alloc_pages(self.mem, gfp, count, actor.kind, owner=owner, nid=nid)
        self.given[actor.of] += out.granted
        self.faults += out.granted if actor.of == "user" else 0
        if actor.of == "metadata":
            nids = self.mem.zones.nid
            self.remote += sum(n for z, n in out.by_zone.items() if nids[z] != nid)
        return out

    def _start(self, count: int, owner: int, nid: int) -> Outcome:
        """Start processes; each maps memory and touches a page in every 2 MiB of it.

        They read what nobody wrote, so every touch gets the zero page: tables, no memory.
        """
        rows, out = start_processes(self.spaces, count, owner, nid=nid)
        self.given["processes"] += len(rows)
        if not len(rows):
            return out
        maps = map_regions(self.spaces, rows, np.full(len(rows), MAP_START), self.pages)
        wanted = np.full(len(rows), -(-self.pages // SPAN))
        done = touch(self.spaces, Access(maps, np.zeros(len(rows), np.int64), wanted, SPAN, False))
        self.faults += done.pages
        more = done.outcome
        more.frames |= out.frames
        more.refused += out.refused
        return more

    @property
    def mapped_tables(self) -> int:
        """Page tables of the lowest level that processes have."""
        t = self.spaces.tables
        return int((t.level[: t.used] == 0).sum())

    def shrink(self) -> Outcome:
        """Let the burst end: metadata goes but for what the plan has live on."""
        gone = []
        for i, fate in enumerate(self.plan.fates):
            pfns = self._held(i)
            gone.append(pfns[fate[: len(pfns)] >= self.residue])
        return self._free(np.sort(np.concatenate(gone)))

    def leave(self) -> Outcome:
        """Let the large program exit."""
        return self._free(self._held([actor.name for actor in ACTORS].index(LARGE)))

    def _held(self, i: int) -> np.ndarray:
        """Return the frames that an actor holds now, wherever they have gone to: (n,) int64."""
        return np.flatnonzero(self.mem.owner.reshape(-1) == self._owners[i])

    def _free(self, pfns: np.ndarray) -> Outcome:
        frames = FrameSet.of_pfns(pfns)
        free_pages(self.mem, frames)
        return Outcome(granted=len(frames), released=[frames])
