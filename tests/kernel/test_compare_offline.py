"""Verdicts of offlining on captured machines, held against what their kernels answered and said."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_memory import load_memory
from hotmem_viz.kernel.captured_pages import page_stages
from hotmem_viz.kernel.captured_pins import pages_to_pin
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare import Compared, compare_capture, exit_status
from hotmem_viz.kernel.compare_rows import Row
from hotmem_viz.kernel.offline_run import OfflineRun, predict_removal
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.offline import Verdict, offline_block
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind, SectionState, ZoneType
from tests.changed_captures import make_capture
from tests.vetoes import veto_of

DUMPED = {
    "d-sweep-fresh": {32: 0x100000, 35: 0x11FFD1, 36: 0x120000, 43: 0x15FF0A},
    "d-sweep-movable50-anon": {35: 0x11FFD1, 36: 0x120000, 43: 0x15FF0A},
    "d-sweep-normal-files-anon": {
        2: 0x13800,
        32: 0x100000,
        33: 0x108000,
        35: 0x11FFD1,
        36: 0x120000,
        43: 0x15FF0A,
    },
}
"""The page that each kernel dumped as unmovable, by block, from the consoles of full captures."""


def verdicts(result: Compared, quantity: str) -> list[tuple[str, object, object]]:
    return [(r.subject, r.predicted, r.observed) for r in result.rows if r.quantity == quantity]


@pytest.mark.parametrize(
    ("name", "refused", "endless"),
    [
        ("d-sweep-fresh", 6, 0),
        ("d-sweep-movable50-anon", 6, 0),
        ("d-sweep-movable50-full", 6, 10),
        ("d-sweep-movable50-pin", 6, 2),
        ("d-sweep-normal-files-anon", 8, 0),
    ],
)
def test_every_block_of_a_sweep(name, refused, endless):
    rows = verdicts(compare_capture(name), "offline-verdict")
    assert len(rows) == 16
    assert [r for r in rows if r[1] != r[2]] == []
    observed = [str(r[2]) for r in rows]
    assert sum(v in ("EBUSY", "EINVAL") for v in observed) == refused
    assert observed.count("never ends") == endless


@pytest.mark.parametrize("name", DUMPED)
def test_the_guilty_page_is_the_one_that_the_kernel_dumped(name):
    run = OfflineRun(open_capture(name))
    found = {}
    for block in DUMPED[name]:
        run.look_again(f"sweep/memory{block}")
        out = offline_block(run.memory, block)
        assert out.verdict is Verdict.EBUSY
        found[block] = veto_of(out).pfn
    assert found == DUMPED[name]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("d-hot-kernel-empty", "refused"),
        ("d-hot-kernel-files", "refused"),
        ("d-hot-memmap-on-memory", "removed"),
        ("d-hot-movable-anon", "removed"),
        ("d-hot-movable-empty", "removed"),
        ("d-hot-movable-pin", "never ends"),
        ("d-hot-online-default", "refused"),
        ("d-hot-online-policy-auto", "removed"),
        ("v612-d-hot-256-default", "refused"),
        ("v72-d-hot-256-default", "refused"),
    ],
)
def test_removal_of_a_dimm(name, answer):
    assert verdicts(compare_capture(name), "dimm-removal") == [("DIMM", answer, answer)]


def test_a_dimm_without_room_is_neither_refused_nor_endless_because_the_hog_dies():
    run = OfflineRun(open_capture("d-hot-movable-anon"))
    mem = run.memory
    alloc_pages(mem, GFP["KERNEL"], 140_000, PageKind.SLAB)
    room = mem.zones.free - mem.zones.min - mem.zones.protection[:, ZoneType.MOVABLE]
    to_move = int((mem.kind[32:36] == PageKind.ANON).sum())
    assert room.clip(0).sum() < to_move
    assert predict_removal(run, [32, 33, 34, 35]) == "removed"
    left = mem.kind == PageKind.ANON
    assert 0 < left.sum() < 2000
    assert (mem.owner[left] == mem.owners.names.index("tmpfs")).all()
    validate_memory(mem)


@pytest.mark.parametrize(
    ("name", "pages"), [("d-sweep-movable50-pin", 65536), ("d-hot-movable-pin", 230400)]
)
def test_pins_are_as_many_as_the_load_made(name, pages):
    capture = open_capture(name)
    assert pages_to_pin(capture) == pages
    pinned = OfflineRun(capture).memory.pinned_bits
    assert np.bitwise_count(pinned).sum() == pages


@pytest.mark.parametrize(
    "name",
    [
        "a-four-kernelcore-25pct",
        "a-movable_node-srat1",
        "d-hot-movable-pin",
        "d-sweep-movable50-full",
        "e-files-04G-panic",
        "v612-a-12G-movable_node-12",
        "v72-d-hot-256-default",
    ],
)
def test_a_captured_machine_adds_up(name):
    capture = open_capture(name)
    for stage in page_stages(capture):
        if not capture.has(f"{stage}/zoneinfo"):
            continue
        mem = load_memory(capture, stage)
        validate_memory(mem)
        told = {(z.nid, z.zone): z for z in capture.zoneinfo(stage)}
        for row in range(len(mem.zones)):
            zone = told[int(mem.zones.nid[row]), ZoneType(int(mem.zones.type[row]))]
            assert mem.zones.present[row] == zone.present
            assert mem.zones.managed[row] == zone.managed
            # Flags are read a second after zoneinfo, and per-CPU lists, which are free here, fill
            # and drain by up to 10 MiB meanwhile.
            assert abs(mem.zones.free[row] - zone.free - zone.pcp_pages) < 2560
            assert mem.zones.low[row] + mem.zones.boost[row] == zone.low


def test_a_block_that_is_going_offline_is_isolated():
    mem = load_memory(open_capture("d-hot-movable-pin"), "removed")
    assert mem.section_state[32:36].tolist() == [SectionState.GOING_OFFLINE] + [2] * 3
    assert (mem.types[32 * 64 : 33 * 64] == MigrateType.ISOLATE).all()
    movable = mem.zones.row(0, ZoneType.MOVABLE)
    assert mem.zones.type[mem.zone[32, 0]] == ZoneType.MOVABLE
    assert mem.zones.free[movable] < mem.zone_kinds[movable, PageKind.FREE]


def test_a_block_that_was_not_added_yet_is_absent():
    mem = load_memory(open_capture("d-hot-movable-pin"), "boot")
    assert mem.spec.n_sections == 8


def test_an_unknown_kernel_needs_no_profile_for_its_verdicts(tmp_path):
    path = make_capture(tmp_path, "d-sweep-fresh", lambda _: None, kernel="6.6.9-amd64")
    rows = [r for r in compare_capture(path).rows if r.quantity == "offline-verdict"]
    assert [r.ok for r in rows] == [True] * 16


def without(*paths):
    def change(files):
        for path in paths:
            del files[f"frames/{path}"]

    return change


def test_without_flags_nothing_is_predicted_and_the_row_says_so(tmp_path):
    path = make_capture(tmp_path, "d-sweep-fresh", without("kpf/loaded", "kpf/boot"))
    rows = [r for r in compare_capture(path).rows if r.quantity == "offline-verdict"]
    assert len(rows) == 16
    assert {(r.predicted, r.ok, r.why) for r in rows} == {
        (None, None, "the capture has no kpf/boot")
    }


def test_an_attempt_on_a_block_that_is_offline_is_not_predicted(tmp_path):
    def change(files):
        text = files["frames/sweep/sweep"]
        files["frames/sweep/sweep"] = text.replace(
            b"memory34 before=online", b"memory34 before=offline"
        )

    path = make_capture(tmp_path, "d-sweep-fresh", change)
    rows = [r for r in compare_capture(path).rows if r.quantity == "offline-verdict"]
    assert [(r.subject, r.why) for r in rows if r.ok is None] == [
        ("memory34", "the block is not online")
    ]
    assert sum(r.ok is True for r in rows) == 15


def test_a_kernel_that_does_not_mark_pinned_pages_leaves_them_unpredicted(tmp_path):
    def change(files):
        pairs = np.frombuffer(files["frames/kpf/loaded"], "<u8").reshape(-1, 2).copy()
        pairs[:, 0] &= ~np.uint64(4)
        files["frames/kpf/loaded"] = pairs.tobytes()

    path = make_capture(tmp_path, "d-sweep-movable50-pin", change)
    why = {r.why for r in compare_capture(path).rows if r.quantity == "offline-verdict"}
    assert why == {"the load pins pages, but none of them shows"}


def test_blocks_that_no_zone_can_hold_are_an_error(tmp_path):
    def change(files):
        text = files["frames/loaded/blocks"].replace(b"Movable 1 node0", b"Device 1 node0")
        files["frames/loaded/blocks"] = text
        del files["frames/pages/loaded"]

    path = make_capture(tmp_path, "d-hot-movable-empty", change)
    with pytest.raises(CaptureError):
        load_memory(open_capture(path), "loaded")


@pytest.mark.parametrize(("wrong", "status"), [(0, 0), (1, 0), (2, 1)])
def test_exit_status_wants_95_percent_of_blocks_over_all_captures(wrong, status):
    def rows(start):
        return tuple(
            Row(
                "c",
                "offline-verdict",
                "word",
                f"memory{i}",
                "ok" if i >= wrong else "EBUSY",
                "ok",
                0,
            )
            for i in range(start, start + 10)
        )

    results = [Compared(name, "6.1", "6.1", rows(start)) for name, start in (("a", 0), ("b", 10))]
    assert exit_status(results) == status
    other = Row("c", "dimm-removal", "word", "DIMM", "refused", "removed", 0)
    assert exit_status([*results, Compared("d", "6.1", "6.1", (other,))]) == 1
