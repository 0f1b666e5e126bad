"""Runs a captured metadata load on the model's own machine: operations until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.scenarios.workloads import Stockpile, find_stocks
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory

TURNS_TO_FILL = 180
"""The kernel zones, empty, would be filled in about this many turns."""

LEAST_TURN_PAGES, SCARCE_TURNS = 8, 3
"""Near the end turns are cut in pieces, so that the caches run dry together as in the kernel,
where they grow object by object."""


@dataclass(frozen=True)
class LoadRun:
    """What became of a load.

    `free` is free pages by zone type at the end; `peak_reclaimable` the most pages of
    reclaimable slab at any time, those of the booted system too.
    """

    operations: int
    out_of_memory: bool
    free: dict[ZoneType, int]
    peak_reclaimable: int


@dataclass
class _Load:
    """A load under way."""

    mem: PhysicalMemory
    pile: Stockpile
    owner: int
    done: int = 0

    def do(self, operations: int) -> bool:
        """Do some more operations; say whether memory sufficed."""
        wanted = self.done + operations
        for stock in self.pile.stocks:
            outcome = self.pile.ask(self.mem, stock, wanted, owner=self.owner)
            if outcome is not None and outcome.refused:
                self.done = max(self.done, self.pile.operations(wanted))
                return False
        self.done = wanted
        return True

    def room(self) -> int:
        """Free pages that the zones open to the load would still give."""
        zones = self.mem.zones
        highest = max(s.gfp.highest for s in self.pile.stocks if s.gfp.highest < ZoneType.MOVABLE)
        line = zones.min + zones.boost + zones.protection[:, highest]
        return int(np.maximum(zones.free - line, 0)[zones.type <= highest].sum())


def run_load(
    spec: MachineSpec,
    options: BootOptions,
    profile: KernelProfile,
    load: str,
    *,
    most: int,
    ballast: int,
) -> LoadRun:
    """Boot a machine, park `ballast` socket pairs, and do up to `most` operations of a load.

    load: a name of the profile's operations. Raises ParameterError where the machine does not
    boot.
    """
    mem = boot_machine(spec, options, profile)
    park(mem, ballast)
    operation = profile.operations[load]
    owner = mem.owners.add(load, shrinkable=operation.shrinkable)
    run = _Load(mem, Stockpile(find_stocks(profile, operation)), owner)
    cost = sum(s.pages_per_operation for s in run.pile.stocks)
    turn_pages = max(LEAST_TURN_PAGES, run.room() // TURNS_TO_FILL)
    out_of_memory, peak = False, _reclaimable(mem)
    while run.done < most and not out_of_memory:
        near = not operation.shrinkable and run.room() < SCARCE_TURNS * turn_pages
        pages = LEAST_TURN_PAGES if near else turn_pages
        out_of_memory = not run.do(min(most - run.done, max(1, int(pages / cost))))
        peak = max(peak, _reclaimable(mem))
    free = {
        t: int(mem.zones.free[mem.zones.type == t].sum()) for t in ZoneType if t in mem.zones.type
    }
    return LoadRun(run.done, out_of_memory, free, peak)


def park(mem: PhysicalMemory, pairs: int) -> None:
    """Park socket pairs full of datagrams, as the captures' loads do before they start."""
    pile = Stockpile(find_stocks(mem.profile, mem.profile.operations["ballast"]))
    _Load(mem, pile, mem.owners.add("parked")).do(pairs)


def _reclaimable(mem: PhysicalMemory) -> int:
    return int(mem.zone_kinds[:, PageKind.RECLAIMABLE_SLAB].sum())
