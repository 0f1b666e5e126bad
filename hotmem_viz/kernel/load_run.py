"""Runs a captured metadata load on the model's own machine: operations until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.scenarios.workloads import Stock, Stockpile, find_stocks
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

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


Step = tuple[Stock, Outcome]
"""What was asked for, and what became of it."""


class StartedLoad:
    """A booted machine, and a load that does its operations on it turn by turn.

    done: operations so far. out_of_memory: whether a request was refused, which ends the load.
    turn_pages: pages of a turn while there is room.
    """

    def __init__(
        self, spec: MachineSpec, options: BootOptions, profile: KernelProfile, load: str
    ) -> None:
        self.operation = profile.operations[load]
        self.mem = boot_machine(spec, options, profile)
        self.owner = self.mem.owners.add(load, shrinkable=self.operation.shrinkable)
        self.pile = Stockpile(find_stocks(profile, self.operation))
        self.done = self.turn_pages = 0
        self.out_of_memory = False

    def steps(self, most: int) -> Iterator[Step | None]:
        """Do up to `most` operations; yields every request, and None at the end of a turn."""
        cost = sum(s.pages_per_operation for s in self.pile.stocks)
        self.turn_pages = max(LEAST_TURN_PAGES, self.room() // TURNS_TO_FILL)
        scarce = SCARCE_TURNS * self.turn_pages
        while self.done < most and not self.out_of_memory:
            near = not self.operation.shrinkable and self.room() < scarce
            pages = LEAST_TURN_PAGES if near else self.turn_pages
            yield from self._turn(min(most - self.done, max(1, int(pages / cost))))
            yield None

    def _turn(self, operations: int) -> Iterator[Step]:
        wanted = self.done + operations
        for stock in self.pile.stocks:
            outcome = self.pile.ask(self.mem, stock, wanted, owner=self.owner)
            if outcome is None:
                continue
            if outcome.refused:
                self.out_of_memory = True
                self.done = max(self.done, self.pile.operations(wanted))
            yield stock, outcome
            if outcome.refused:
                return
        self.done = wanted

    def room(self) -> int:
        """Free pages that the zones open to the load would still give."""
        highest = max(s.gfp.highest for s in self.pile.stocks if s.gfp.highest < ZoneType.MOVABLE)
        return count_room(self.mem, highest)


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
    run = StartedLoad(spec, options, profile, load)
    mem = run.mem
    park(mem, ballast)
    peak = _reclaimable(mem)
    for step in run.steps(most):
        if step is None:
            peak = max(peak, _reclaimable(mem))
    free = {
        t: int(mem.zones.free[mem.zones.type == t].sum()) for t in ZoneType if t in mem.zones.type
    }
    return LoadRun(run.done, run.out_of_memory, free, peak)


def park(mem: PhysicalMemory, pairs: int) -> list[Step]:
    """Park socket pairs full of datagrams, as the captures' loads do before they start.

    Returns what was asked for, and what became of it.
    """
    pile = Stockpile(find_stocks(mem.profile, mem.profile.operations["ballast"]))
    owner = mem.owners.add("parked")
    steps: list[Step] = []
    for stock in pile.stocks:
        outcome = pile.ask(mem, stock, pairs, owner=owner)
        if outcome is not None:
            steps.append((stock, outcome))
            if outcome.refused:
                break
    return steps


def _reclaimable(mem: PhysicalMemory) -> int:
    return int(mem.zone_kinds[:, PageKind.RECLAIMABLE_SLAB].sum())
