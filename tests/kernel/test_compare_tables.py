"""Page-table loads: where the snapshot near the end was taken, hand counts, how loads end."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.compare_loads import is_table_load
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.compare_tables import late_mark_rows, near_sample, reach_mib, table_rows
from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.kernel.table_run import TableLoad, run_table_load
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.vocabulary import ZoneType

MIB = 256

NEAR = [
    # Operations that solve tables = 23 + n + PMDs and its like for the flags of that moment.
    ("c-curve-zero-00", 110000),
    ("c-curve-zero-50", 48000),
    ("c-curve-zero-80", 8000),
    ("c-dense-8G-low144M", 1216),
    ("c-procs-85", 150),
    ("c-procs-sparse-85", 21),
    ("c-shared-85", 21000),
    ("c-sparse-zero-85", 22000),
    ("b-procs-85", 1100),
    ("e-ptes-04G-nohighpte", 165),
    ("v612-c-procs-2G-80", 288),
    ("v612-c-zero-1G-60", 80000),
    ("v72-c-zero-1G-60", 77500),
]


@pytest.mark.parametrize(("name", "operations"), NEAR)
def test_near_is_the_first_sample_with_little_left(name, operations):
    sample = near_sample(open_capture(name))
    assert sample is not None
    assert sample.operations == operations


def test_a_capture_without_such_flags_has_no_near_sample():
    assert near_sample(open_capture("c-dense-8G-low160M")) is None
    assert near_sample(open_capture("a-none")) is None


def test_flags_before_the_load_are_the_profiles_idle_tables():
    # The load's own tables and its parent's come on top of those after boot.
    for name, profile, more in (
        ("b-files-85", "6.1", 9),
        ("e-sockets-01G", "6.1-pae", 7),
        ("v612-b-dirs-1536M-75", "6.12", 10),
        ("v72-b-sockets-1536M-40", "7.2", 11),
    ):
        idle = open_capture(name).page_runs("boot").count(PageFlag.PGTABLE)
        assert find_profile(profile).footprint.loaded_tables - idle == more


@pytest.mark.parametrize(
    ("name", "table_load", "mib"),
    [
        ("c-procs-85", True, 256),
        ("b-procs-85", False, 0),
        ("c-dense-85", True, 2),
        ("c-procs-sparse-85", True, 2048),
        ("b-files-85", False, 2),
    ],
)
def test_what_is_a_table_load_and_what_an_operation_adds(name, table_load, mib):
    capture = open_capture(name)
    assert is_table_load(capture) is table_load
    assert reach_mib(capture, str(capture.args["kind"])) == mib


def run(load: TableLoad, boot: str = "movablecore=50%", profile: str = "6.1", **more):
    options = parse_boot_options(boot, strict=True)
    return run_table_load(find_preset("classroom"), options, find_profile(profile), load, **more)


@pytest.mark.parametrize(
    ("kind", "pages", "operations", "told"),
    [
        # Regions begin 510 MiB into a GiB: 300 tables reach 90 MiB into the one after.
        ("sparse-zero", 0, 300, 300 + 2),
        ("sparse-zero", 0, 257, 257 + 1),
        ("sparse-write", 0, 258, 258 + 2),
        # From the middle of a GiB downwards; the first GiB has its PMD already.
        ("shared", 0, 256, 256),
        ("shared", 0, 257, 257 + 1),
        ("procs", 0, 30, 30 * 7),
        # The parent populates the segment, too; 64 MiB lie in a GiB that has its PMD.
        ("procs", 64 * MIB, 20, 20 * 7 + 21 * 32),
        # 128 MiB of each process's own, in a GiB of its own.
        ("procs-sparse", 128 * MIB, 9, 9 * (7 + 64 + 1)),
        # 96 MiB right below the middle of that GiB.
        ("dense", 96 * MIB, 40, 40),
    ],
)
def test_tables_by_hand(kind, pages, operations, told):
    done = run(TableLoad(kind, pages, most=operations), count_at=(operations,))
    assert (done.operations, done.out_of_memory) == (operations, False)
    assert done.counted[operations] == told


def test_newer_kernels_tell_of_more_of_the_same_tables():
    load = TableLoad("procs", most=30)
    told = [run(load, profile=name).counted[30] for name in ("6.1", "6.12", "7.2")]
    assert told == [30 * 7, 30 * 9, 30 * 10]


def test_a_dense_mapping_that_fits_comes_to_its_end():
    done = run(TableLoad("dense", 64 * MIB))
    assert (done.operations, done.out_of_memory) == (32, False)


def test_sparse_loads_end_with_most_memory_free_and_dense_ones_do_not():
    sparse = run(TableLoad("sparse-zero"))
    dense = run(TableLoad("dense", 1 << 20))
    assert sparse.out_of_memory
    assert dense.out_of_memory
    assert sparse.free[ZoneType.MOVABLE] > 10 * dense.free[ZoneType.MOVABLE]
    # Writing instead of reading costs movable pages, which there are plenty of.
    write = run(TableLoad("sparse-write"))
    assert abs(write.operations - sparse.operations) <= 2
    assert sparse.free[ZoneType.MOVABLE] - write.free[ZoneType.MOVABLE] >= write.operations


def test_free_memory_is_noted_where_it_is_asked_for():
    done = run(TableLoad("sparse-write"), count_at=(100, 200, 10**9))
    assert set(done.free_at) == {100, 200}
    first, second = (done.free_at[n][ZoneType.MOVABLE] for n in (100, 200))
    assert first - second == 100


def test_huge_pages_left_on_leave_less_for_tables():
    on = run(TableLoad("sparse-zero", huge_pages=True), boot="")
    off = run(TableLoad("sparse-zero"), boot="")
    assert on.operations < off.operations


def test_ballast_is_parked_first():
    assert run(TableLoad("shared", ballast=60)).operations < run(TableLoad("shared")).operations


def test_high_tables_reach_further_until_high_memory_is_used_up():
    nodes = (NodeSpec(0, (PfnRange(1, 159), PfnRange(256, 1 << 18))),)
    spec, profile = MachineSpec("1 GiB", nodes, Arch.PAE, 131072), find_profile("6.1-pae")
    load = TableLoad("procs-sparse", 128 * MIB)
    high, low = (
        run_table_load(spec, BootOptions(userpte_nohigh=off), profile, load)
        for off in (False, True)
    )
    assert high.out_of_memory
    assert low.out_of_memory
    # Lowmem is used up both times. What more of HighMem is used pays for more processes: 64 + 4
    # PTE tables, 3 PMDs, 4 pages, 2 of stack and 3.3 of objects each, but for boosts at the end.
    gone = low.free[ZoneType.HIGHMEM] - high.free[ZoneType.HIGHMEM]
    assert gone > 20_000
    assert (high.operations - low.operations) * 80.3 == pytest.approx(gone, rel=0.06)


def test_marks_after_huge_pages_are_off_are_exact():
    for name in ("c-sparse-zero-85", "e-ptes-04G-highpte", "v72-c-zero-1G-60"):
        rows = list(late_mark_rows(ComparedMachine(open_capture(name))))
        assert len(rows) == 16
        assert all(row.ok for row in rows)
        assert all(row.subject.endswith("huge pages off") for row in rows)
    assert not list(late_mark_rows(ComparedMachine(open_capture("b-files-85"))))


def test_an_argument_that_makes_no_sense_is_named(monkeypatch):
    capture = open_capture("c-procs-85")
    for value in (-1, "256M", 1 << 40):
        monkeypatch.setitem(capture.manifest["args"], "mb", value)
        rows = table_rows(ComparedMachine(capture))
        with pytest.raises(CaptureError, match="mb is no number"):
            next(rows)


def test_rows_of_one_capture():
    rows = {row.quantity: row for row in compare_capture("c-procs-sparse-85").rows}
    assert rows["steps-until-oom"].observed == 22
    assert (rows["steps-until-oom"].tolerance, rows["steps-until-oom"].relative) == (1, False)
    assert rows["address-space-reached"].observed == 22 * 2048
    assert rows["load-outcome"].observed == "OOM"
    assert rows["page-table-pages"].subject == "procs-sparse, 21 operations"
