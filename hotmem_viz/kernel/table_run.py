"""Runs a captured page-table load on the model's own machine, until nothing is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.load_run import park
from hotmem_viz.kernel.table_loads import Bench, Load, start_load
from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.huge_pages import switch_off_huge_pages
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.scenarios.processes import lay_out_process, start_small
from hotmem_viz.vocabulary import TableLevel, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec

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
    mem = boot_machine(spec, options, profile)
    if not load.huge_pages:
        switch_off_huge_pages(mem)
    park(mem, load.ballast)
    high = spec.arch is Arch.PAE and not options.userpte_nohigh
    spaces = AddressSpaces(mem, find_geometry(profile), high)
    layout, owner = lay_out_process(spaces.geometry), mem.owners.add(load.kind)
    parent = start_small(spaces, layout, 1, owner)
    if not len(parent):
        return TableRun(0, True, _free(spaces))
    bench = Bench(spaces, layout, owner, int(parent[0]))
    before = count_tables_told(spaces)
    work = start_load(bench, load.kind, load.pages)
    run = _run(bench, work, load, sorted(count_at))
    return replace(run, counted={n: tables - before for n, tables in run.counted.items()})


def _run(bench: Bench, work: Load, load: TableLoad, stops: list[int]) -> TableRun:
    turn_pages = max(LEAST_TURN_PAGES, _room(bench) // TURNS_TO_FILL)
    most = min(load.most, load.pages // 512) if load.kind == "dense" else load.most
    done, enough = 0, True
    counted, free_at = {}, {}
    while done < most and enough:
        near = _room(bench) < 3 * max(turn_pages, work.cost)
        n = max(1, int((LEAST_TURN_PAGES if near else turn_pages) / work.cost))
        ahead = [stop - done for stop in (*stops, most) if stop > done]
        did, enough = work.do(min(n, *ahead))
        done += did
        if done in stops:
            counted[done] = count_tables_told(bench.spaces)
            free_at[done] = _free(bench.spaces)
    counted[done] = count_tables_told(bench.spaces)
    return TableRun(done, not enough, _free(bench.spaces), counted, free_at)


def _room(bench: Bench) -> int:
    """Free pages that the zones open to page tables would still give."""
    zones = bench.spaces.mem.zones
    highest = ZoneType.HIGHMEM if bench.spaces.high_tables else ZoneType.NORMAL
    line = zones.min + zones.boost + zones.protection[:, highest]
    return int(np.maximum(zones.free - line, 0)[zones.type <= highest].sum())


def _free(s: AddressSpaces) -> dict[ZoneType, int]:
    zones = s.mem.zones
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
