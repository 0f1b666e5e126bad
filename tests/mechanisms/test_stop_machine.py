"""The pause: KERNEL.md 4.5's worked figures from the formula, and the lanes add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.machine.page_geometry import GEOMETRIES, count_tables
from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.stop_machine import (
    COLD_SCAN_NS,
    StopCosts,
    exit_spans,
    rendezvous_spans,
    stop_spans,
    stop_time,
    work_spans,
)
from hotmem_viz.mechanisms.table_walk import walk_all
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.vocabulary import TableLevel
from tests.machines import make_machine

GIB = 1 << 18
FOUR = GEOMETRIES["4-level"]


def upper_tables(pages: int) -> int:
    counts = count_tables(FOUR, 0, pages)
    return sum(n for level, n in counts.items() if level is not TableLevel.PTE)


def test_a_thousand_processes_of_a_gib_by_the_formula():
    tables = 1000 * upper_tables(GIB)
    entries = 512 * tables
    assert (tables, entries) == (3000, 1_536_000)
    hot = stop_time(StopCosts(), 1, copied=0, entries=entries, fixed=0)
    cold = stop_time(StopCosts(scan_entry_ns=COLD_SCAN_NS), 1, copied=0, entries=entries, fixed=0)
    assert (round(hot.scan / 1e6, 1), round(cold.scan / 1e6, 1)) == (1.5, 19.2)


def test_a_thousand_processes_are_walked_in_as_many_entries():
    mem = make_machine("woven", marks=False)
    mem.owners.add("a process")
    s = AddressSpaces(mem, FOUR)
    rows, _ = start_processes(s, 1000, 4)
    maps = map_regions(s, rows, np.full(1000, 3 * GIB), GIB)
    touch(s, Access(maps, np.full(1000, 7), np.ones(1000, np.int64), 1, False))
    walk = walk_all(s, np.empty(0, np.int64))
    assert (walk.tables, walk.entries) == (3000, 1_536_000)


def test_one_process_of_a_tib():
    assert upper_tables(1024 * GIB) == 1 + 2 + 1024
    entries = 512 * upper_tables(1024 * GIB)
    assert entries == 525_824
    assert entries * StopCosts().scan_entry_ns == pytest.approx(0.53e6, abs=5e3)
    assert entries * COLD_SCAN_NS == pytest.approx(6.6e6, abs=5e4)


def test_five_percent_of_a_section_and_the_worked_total():
    copied = 32768 * 5 // 100
    assert copied == 1638
    entries = 100 * 512 * upper_tables(64 * GIB)
    pause = stop_time(StopCosts(), 64, copied=copied, entries=entries, fixed=0)
    parts = (pause.rendezvous, pause.copy, pause.scan)
    assert [round(ns / 1e6, 2) for ns in parts] == [0.16, 2.7, 3.38]
    assert round(sum(parts) / 1e6, 1) == 6.2
    assert pause.total == sum(parts) + 10_000
    assert copied * 4096 / 2.481 == pytest.approx(pause.copy, rel=1e-3)


def test_copiers_share_the_copy_but_not_more_than_there_are_cpus():
    def copy(copiers: int, cpus: int) -> float:
        return stop_time(StopCosts(copiers=copiers), cpus, copied=60, entries=0, fixed=0).copy

    assert copy(3, 8) * 3 == copy(1, 8)
    assert copy(30, 5) * 5 == copy(1, 8)


def test_every_lane_is_busy_from_the_first_to_the_last_moment():
    costs = replace(StopCosts(), rendezvous_ns=70_000, rendezvous_cpu_ns=900)
    spans = rendezvous_spans(costs, 5)
    end = stop_time(costs, 5, copied=0, entries=0, fixed=0).rendezvous
    for lane in range(5):
        at = np.flatnonzero(spans["lane"] == lane)
        assert spans["state"][at].tolist() == [0, 1, 2]
        assert spans["start_ns"][at[0]] == 0
        assert spans["end_ns"][at[:-1]].tolist() == spans["start_ns"][at[1:]].tolist()
        assert spans["end_ns"][at[-1]] == end
    assert len(np.unique(spans["end_ns"][spans["state"] == 0])) == 5


def test_a_whole_stop_in_one_tick_leaves_no_gap_and_takes_as_long_as_the_formula():
    costs = replace(StopCosts(), copiers=2, flush_ns=4_000)
    pause = stop_time(costs, 3, copied=7, entries=1_200, fixed=9)
    spans = stop_spans(costs, 3, pause)
    for lane, working in ((0, [3, 3]), (1, [3, 5]), (2, [5, 5])):
        at = np.flatnonzero(spans["lane"] == lane)
        assert spans["state"][at].tolist() == [0, 1, 2, *working, 4]
        assert spans["start_ns"][at[0]] == 0
        assert np.allclose(spans["end_ns"][at[:-1]], spans["start_ns"][at[1:]])
        assert spans["end_ns"][at[-1]] == pytest.approx(pause.total)


def test_those_who_do_not_work_wait():
    spans = work_spans(6, 2, 5000)
    assert spans["state"].tolist() == [3, 3, 5, 5, 5, 5]
    assert set(exit_spans(6, 700)["state"].tolist()) == {4}
