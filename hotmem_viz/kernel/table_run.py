"""Runs a captured page-table load on the model's own machine, until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.load_run import park
from hotmem_viz.kernel.table_loads import Bench, start_load
from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.huge_pages import switch_off_huge_pages
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.scenarios.processes import lay_out_process, start_small
from hotmem_viz.vocabulary import TableLevel, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory

TURNS_TO_FILL, LEAST_TURN_PAGES = 180, 8


@dataclass(frozen=True)
class TableLoad:
    """What a load is told: its kind, pages of `mb`, operations at most, socket pairs of ballast.

    huge_pages: whether transparent huge pages stay on.
    """

    kind: str
    pages: int = 0
    most: int = 1 << 40
    ballast: int = 0
    huge_pages: bool = False


@dataclass(frozen=True)
class TableRun:
    """What became of a load.

    operations: those that came to their end. free: free pages by zone type at the end, and free_at
    after each number of operations asked for. counted: page tables that the kernel's counters tell
    of, by operations done, at each number asked for and at the end; those of the booted system and
    of the load before its first operation left out.
    """

    operations: int
    out_of_memory: bool
    free: dict[ZoneType, int]
    counted: dict[int, int] = field(default_factory=dict)
    free_at: dict[int, dict[ZoneType, int]] = field(default_factory=dict)


def run_table_load(
    spec: MachineSpec,
    options: BootOptions,
    profile: KernelProfile,
    load: TableLoad,
    *,
    count_at: tuple[int, ...] = (),
) -> TableRun:
    """Boot a machine, park ballast, and do operations of a load until memory or the load ends.

    count_at: numbers of operations after which tables and free pages are counted, if it comes that
    far. Raises ParameterError where the machine does not boot.
    """
    started = StartedTables(spec, options, profile, load)
    if not started.begin():
        return TableRun(0, True, _free(started.mem))
    before = count_tables_told(started.spaces)
    counted, free_at = {}, {}
    for done in started.turns(count_at):
        if done in count_at:
            counted[done] = count_tables_told(started.spaces) - before
            free_at[done] = _free(started.mem)
    counted[started.done] = count_tables_told(started.spaces) - before
    free = _free(started.mem)
    return TableRun(started.done, started.out_of_memory, free, counted, free_at)


class StartedTables:
    """A booted machine, and a page-table load that does its operations on it turn by turn.

    done: operations so far. out_of_memory: whether memory ended, which ends the load. turn_pages:
    pages of a turn while there is room.
    """

    def __init__(
        self, spec: MachineSpec, options: BootOptions, profile: KernelProfile, load: TableLoad
    ) -> None:
        self.load = load
        self.mem = boot_machine(spec, options, profile)
        high = spec.arch is Arch.PAE and not options.userpte_nohigh
        self.spaces = AddressSpaces(self.mem, find_geometry(profile), high)
        self.bench: Bench | None = None
        self.done = self.turn_pages = 0
        self.out_of_memory = False

    def begin(self) -> bool:
        """Switch off huge pages, park ballast, start the process; say whether memory sufficed."""
        if not self.load.huge_pages:
            switch_off_huge_pages(self.mem)
        park(self.mem, self.load.ballast)
        layout, owner = lay_out_process(self.spaces.geometry), self.mem.owners.add(self.load.kind)
        parent = start_small(self.spaces, layout, 1, owner)
        if len(parent):
            self.bench = Bench(self.spaces, layout, owner, int(parent[0]))
        return self.bench is not None

    def turns(self, stops: tuple[int, ...] = ()) -> Iterator[int]:
        """Do operations until memory or the load ends; yields those done so far, turn by turn.

        stops: numbers of operations that a turn ends at.
        """
        load, bench = self.load, self.bench
        if bench is None:
            return
        work = start_load(bench, load.kind, load.pages)
        self.turn_pages = max(LEAST_TURN_PAGES, _room(bench) // TURNS_TO_FILL)
        most = min(load.most, load.pages // 512) if load.kind == "dense" else load.most
        while self.done < most and not self.out_of_memory:
            near = _room(bench) < 3 * max(self.turn_pages, work.cost)
            n = max(1, int((LEAST_TURN_PAGES if near else self.turn_pages) / work.cost))
            ahead = [stop - self.done for stop in (*stops, most) if stop > self.done]
            did, enough = work.do(min(n, *ahead))
            self.done += did
            self.out_of_memory = not enough
            yield self.done


def _room(bench: Bench) -> int:
    """Free pages that the zones open to page tables would still give."""
    highest = ZoneType.HIGHMEM if bench.spaces.high_tables else ZoneType.NORMAL
    return count_room(bench.spaces.mem, highest)


def _free(mem: PhysicalMemory) -> dict[ZoneType, int]:
    zones = mem.zones
    return {t: int(zones.free[zones.type == t].sum()) for t in ZoneType if t in zones.type}


def count_tables_told(s: AddressSpaces) -> int:
    """Count the tables of all processes that PageTables and the PGTABLE flag would tell of.

    A top table counts once, though it may have a second page: its flag is on the first.
    """
    told = s.mem.profile.counted_levels
    counted = [level.level in told for level in s.geometry.levels]
    # A top table on PAE is part of a slab.
    counted[-1] = TableLevel.PGD in told and s.geometry.top_pages > 0
    levels = s.spaces.levels[s.alive()].sum(axis=0)
    return int(levels[np.array(counted)].sum())
