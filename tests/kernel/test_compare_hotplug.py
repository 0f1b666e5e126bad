"""Comparing what hot-plug did: the order of events, zones, marks, costs, and what fails a row."""

from __future__ import annotations

import json
import re

import pytest

from hotmem_viz.kernel.captured_pages import block_pages
from hotmem_viz.kernel.captures import capture_names, open_capture
from hotmem_viz.kernel.compare import compare_capture, exit_status
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.hot_events import BlockEvent, has_hotplug, read_stages
from hotmem_viz.kernel.hot_growth import paid_by_kernel_zones
from hotmem_viz.kernel.hot_run import start_run
from hotmem_viz.machine.memory_blocks import probe_memory_block_size
from tests.changed_captures import keep, make_capture

HOT = [n for n in capture_names() if "d-hot" in n or "d-grow" in n or "d-sweep" in n or "vir" in n]


def stages(name, default="offline"):
    return {s.name: list(s.events) for s in read_stages(open_capture(name), default)}


def rows_of(path, quantity, stage=""):
    compared = compare_capture(path)
    assert not compared.error
    return {
        r.subject: (r.predicted, r.observed)
        for r in compared.rows
        if r.quantity == quantity and r.subject.startswith(stage)
    }


@pytest.mark.parametrize(
    ("quantity", "count"), [("online-zone", 253), ("dimms-until-oom", 5), ("memmap-cost", 19)]
)
def test_every_capture_of_hotplug_is_compared(quantity, count):
    rows = [r for name in HOT for r in compare_capture(name).rows if r.quantity == quantity]
    assert len(rows) == count
    assert all(r.ok for r in rows)


def test_only_captures_of_hotplug_have_such_rows():
    assert len(HOT) == 28
    assert all(has_hotplug(open_capture(name)) for name in HOT)
    assert not has_hotplug(open_capture("a-none"))
    assert not rows_of("a-none", "memmap-cost")


def test_memory_blocks_have_the_size_that_kernels_say():
    """All captures are of guests that end below 64 GiB; 32-bit kernels say nothing."""
    sizes = {}
    for name in capture_names():
        capture = open_capture(name)
        if capture.has("block_size_bytes"):
            spec = ComparedMachine(capture).spec
            size = probe_memory_block_size(spec.end_pfn, spec.section_pages, hypervisor=True)
            sizes[name] = (size, block_pages(capture))
    assert len(sizes) > 70
    assert [name for name, (mine, theirs) in sizes.items() if mine != theirs] == []


def test_a_dimm_comes_and_goes_block_by_block():
    blocks = [32, 33, 34, 35]
    assert stages("d-hot-movable-pin") == {
        "added": [],
        "onlined": [BlockEvent(b, "online_movable") for b in blocks],
        "loaded": [],
        "removed": [],
        "removed2": [BlockEvent(b, "offline") for b in blocks],
    }


def test_a_dimm_that_comes_online_by_itself():
    events = stages("v612-d-hot-256-default", "online")
    assert events["added"] == [BlockEvent(32, "online"), BlockEvent(33, "online")]
    assert events["onlined"] == []


def test_a_sweep_takes_blocks_out_and_back_in_its_own_order():
    after = stages("d-sweep-movable50-pin")["after"]
    assert after[:4] == [
        BlockEvent(1, "offline"), BlockEvent(1, "online_kernel"),
        BlockEvent(2, "offline"), BlockEvent(2, "online_kernel"),
    ]  # fmt: skip
    # 33 and 34 never ended, 35 and 36 were busy.
    assert [e.block for e in after[4::2]] == [37, 38, 39, 40, 41, 42]
    assert {e.how for e in after[11::2]} == {"online_movable"}


def test_virtio_mem_gives_back_its_highest_block_first():
    events = stages("d-virtio-mem-online_kernel")
    assert [e.block for e in events["unplugged"]] == [39, 38, 37, 36, 35, 34, 33]


def test_a_refused_removal_has_set_offline_what_it_could():
    """Memory32 held a kernel page; 33 to 35 went and came back (the log dumps one page twice)."""
    events = stages("d-hot-kernel-empty")["removed"]
    went = [BlockEvent(b, "offline") for b in (33, 34, 35)]
    assert events == went + [BlockEvent(b, "online") for b in (33, 34, 35)]
    # With 600,000 files every block had a page to show.
    assert stages("d-hot-kernel-files")["removed"] == []


def test_zones_of_onlined_blocks_are_the_kernels_own():
    rows = rows_of("d-hot-online-policy-auto", "online-zone")
    assert rows["added: memory32, would be by online"] == ("Movable", "Movable")
    assert rows["onlined: memory35, online"] == ("Movable", "Movable")
    rows = rows_of("d-hot-online-default", "online-zone")
    assert rows["added: memory32, would be by online"] == ("Normal", "Normal")
    rows = rows_of("d-sweep-movable50-anon", "online-zone")
    assert rows["after: memory33, online_movable"] == ("Movable", "Movable")
    assert rows["after: memory37, online_kernel"] == ("Normal", "Normal")


def test_marks_after_four_blocks_by_hand():
    """KERNEL-CHECKED 5: min_free 67584 kB after four kernel blocks, 45056 after four movable."""
    for name, kb in (("d-hot-kernel-empty", 67584), ("d-hot-movable-empty", 45056)):
        rows = rows_of(name, "watermark-min", "onlined: ")
        total = sum(int(predicted) for predicted, _ in rows.values())
        assert kb // 4 - 4 < total <= kb // 4


def cost_of(name):
    cost = paid_by_kernel_zones(ComparedMachine(open_capture(name)))
    assert cost is not None
    return cost.first, cost.last, cost.pages


def test_costs_by_hand():
    """From zoneinfo and vmstat of d-hot-movable-empty: 2078 pages more in use, 29 of them slabs."""
    assert cost_of("d-hot-movable-empty") == (0, 1, 2078 - 29)
    # 3808 + 23960 after the first DIMM, 224 + 2898 after the seventh.
    assert cost_of("d-grow-256M") == (1, 7, 27768 - 3122)
    (row,) = rows_of("d-grow-256M", "memmap-cost").values()
    # 4096 + 12 + 1 a DIMM; the seventh, in single pages, needs a table for each lost piece.
    assert row[0] in (6 * 4109 + n for n in range(9))


def test_a_capture_that_says_otherwise_fails_its_row(tmp_path):
    def lie(files):
        table = files["frames/onlined/blocks"].decode()
        line = "memory34 00000022 online Normal"
        assert line in table
        changed = table.replace(line, line.replace("Normal", "Movable"))
        files["frames/onlined/blocks"] = changed.encode()

    compared = compare_capture(make_capture(tmp_path, "d-hot-online-default", lie))
    (miss,) = [r for r in compared.rows if r.ok is False]
    assert (miss.quantity, miss.subject) == ("online-zone", "onlined: memory34, online")
    assert (miss.predicted, miss.observed) == ("Normal", "Movable")
    assert exit_status([compared]) == 1


def test_a_mark_of_another_moment_fails_its_row(tmp_path):
    def swap(files):
        files["frames/removed/zoneinfo"] = files["frames/onlined/zoneinfo"]

    compared = compare_capture(make_capture(tmp_path, "d-hot-movable-empty", swap))
    missed = {r.quantity for r in compared.rows if r.ok is False}
    assert {"watermark-min", "protection", "zone-present", "zone-start"} <= missed
    assert all(r.subject.startswith("removed: ") for r in compared.rows if r.ok is False)


def test_a_smaller_machine_would_have_taken_fewer_dimms(tmp_path):
    def with_n(n):
        def change(files):
            manifest = json.loads(files["manifest.json"])
            manifest["args"]["n"] = n
            files["manifest.json"] = json.dumps(manifest).encode()

        return change

    path = make_capture(tmp_path, "d-grow-256M", with_n(5))
    assert list(rows_of(path, "dimms-until-oom").values()) == [(5, 7)]
    for bad in (0, "many", 10**9):
        compared = compare_capture(make_capture(tmp_path, "d-grow-256M", with_n(bad)))
        assert "n is no number of DIMMs" in compared.error
        assert exit_status([compared]) == 2


def test_a_first_dimm_that_kills_is_a_row_too(tmp_path):
    def no_dimm(files):
        for name in [n for n in files if n.startswith("frames/grow/")]:
            del files[name]

    path = make_capture(tmp_path, "d-grow-256M", no_dimm)
    assert list(rows_of(path, "dimms-until-oom").values()) == [(7, 0)]
    assert not rows_of(path, "memmap-cost")


def test_an_unknown_kernel_predicts_nothing_here(tmp_path):
    path = make_capture(tmp_path, "d-hot-online-default", keep, kernel="6.6.9-amd64")
    compared = compare_capture(path)
    assert not compared.error
    hot = [r for r in compared.rows if ": " in r.subject or r.quantity == "memmap-cost"]
    assert len(hot) > 100
    assert all(r.predicted is None and "no profile" in r.why for r in hot)


def test_an_empty_movable_zone_of_6_12_has_the_least_mark_of_highmem():
    run = start_run(ComparedMachine(open_capture("v612-d-hot-256-default")))
    assert run is not None
    assert run.mem.zones.min[run.mem.zones.row(0, 4)] == 32


def test_a_node_that_comes_with_its_memory_has_no_marks_before(tmp_path):
    def move(files):
        for stage in ("added", "onlined", "loaded", "removed"):
            lines = files[f"frames/{stage}/blocks"].decode().splitlines()
            moved = [re.sub(r"^(memory3\d .*)node0", r"\1node1", line) for line in lines]
            files[f"frames/{stage}/blocks"] = "\n".join(moved).encode()

    path = make_capture(tmp_path, "v612-d-hot-256-default", move)
    run = start_run(ComparedMachine(open_capture(path)))
    assert run is not None
    zones = run.mem.zones
    assert (zones.min[zones.row(0, 4)], zones.min[zones.row(1, 4)]) == (32, 0)
    run.apply([BlockEvent(32, "online")])
    assert zones.present[zones.row(1, 2)] == 32768
    assert zones.min[zones.row(1, 4)] == 32
