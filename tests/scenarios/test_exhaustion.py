"""The exhaustion lesson: nothing is lost or made up, and it ends as the kernel's rules say.

Expected values are recounted from the map, from the zones' own numbers, or from the sizes that
/proc/slabinfo prints; the scenario's helpers are not used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import CLASSROOM_SCALE, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.recording.recorder import record
from hotmem_viz.scenarios.exhaustion import Exhaustion, ExhaustionParameters
from hotmem_viz.scenarios.setup import Setup
from hotmem_viz.vocabulary import PageKind, ZoneType
from tests.scenarios.ledger import column, ends_with, per_zone, zone_of_cells

LESSONS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "classroom, no movable": {"movable": 0.0, "user": 0.3},
    "classroom, mostly user": {"movable": 0.2, "user": 0.9},
    "sockets": {"movable": 0.85, "workload": "sockets", "seed": 3},
    "pipes": {"workload": "pipes", "user": 0.2},
    "cache": {"workload": "cache"},
    "mail": {"machine": "mail"},
    "pae": {"machine": "pae"},
}
REMAP_ONLY = (
    PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_STACK, PageKind.KERNEL_BUFFER,
    PageKind.PAGE_TABLE,
)  # fmt: skip


@pytest.fixture(params=list(LESSONS))
def any_lesson(request, lesson):
    return lesson(**LESSONS[request.param])


@pytest.fixture(params=[n for n in LESSONS if n not in ("pae", "cache")])
def page_by_page(request, lesson):
    """Return a lesson whose cells are single pages."""
    recording = lesson(**LESSONS[request.param])
    assert recording.meta["pages_per_cell"] == 1
    return recording


# --- nothing is lost -----------------------------------------------------------------------


def test_kinds_sum_to_the_machines_memory_in_every_tick(any_lesson):
    meta = any_lesson.meta
    kinds = [c["name"] for c in meta["counters"] if c["name"].startswith("kind.")]
    assert len(kinds) == len(PageKind)
    held = [column(any_lesson, name) for name in kinds if name != "kind.hole"]
    total = np.sum(held, axis=0)
    in_ranges = sum(b - a for node in meta["machine"]["nodes"] for a, b in node["ranges"])
    assert set(total.tolist()) == {in_ranges} == {meta["machine"]["present_pages"]}
    assert sum(z["present"] for z in meta["zones"]) == in_ranges


def test_counters_equal_a_recount_of_the_map(page_by_page):
    zones = zone_of_cells(page_by_page)
    n_zones = len(page_by_page.meta["zones"])
    free = per_zone(page_by_page, "free")
    kinds = np.stack([column(page_by_page, f"kind.{k.name.lower()}") for k in PageKind], axis=1)
    for tick in range(page_by_page.n_ticks):
        cells = page_by_page.frame(tick)
        counted = np.bincount(zones[cells == PageKind.FREE], minlength=n_zones)
        assert counted.tolist() == free[tick].tolist(), f"tick {tick}"
        held = np.bincount(cells, minlength=len(PageKind))
        assert held[1:].tolist() == kinds[tick, 1:].tolist(), f"tick {tick}"
    assert column(page_by_page, "free").tolist() == free.sum(axis=1).tolist()


def test_pageblocks_equal_a_recount_of_the_track(page_by_page):
    counted = [column(page_by_page, f"pageblocks.{t}") for t in ("unmovable", "movable")]
    there = page_by_page.frame(0).reshape(-1, 512).any(axis=1)
    for tick in range(0, page_by_page.n_ticks, 7):
        types = page_by_page.migratetype.frame(tick)[there]
        assert [int((types == t).sum()) for t in (0, 1)] == [int(c[tick]) for c in counted]


def test_the_memory_is_sound_all_the_way():
    run = build_run("exhaustion", movable=0.4, user=0.7, seed=2)
    for number, _ in enumerate(run.ticks()):
        if number % 10 == 0:
            validate_memory(run.memory)
    validate_memory(run.memory)


def test_owners_hold_what_the_counters_say(page_by_page):
    names = {o["id"]: o["name"] for o in page_by_page.meta["owners"]}
    last = page_by_page.n_ticks - 1
    kinds, owners = page_by_page.frame(last), page_by_page.owner.frame(last)
    assert not owners[kinds <= PageKind.FREE].any()
    grown = (kinds != page_by_page.frame(0)) & (kinds > PageKind.BUFFER)
    assert {names[i] for i in np.unique(owners[grown])} == {
        n for n in names.values() if n.startswith("metadata: ")
    }


# --- what is confined stays confined -------------------------------------------------------


def test_kernel_pages_never_lie_in_zone_movable(page_by_page):
    zones = {z["id"]: z["zone"] for z in page_by_page.meta["zones"]}
    movable = np.isin(zone_of_cells(page_by_page), [i for i, z in zones.items() if z == "Movable"])
    seen = set()
    for tick in range(page_by_page.n_ticks):
        cells = page_by_page.frame(tick)
        assert not np.isin(cells[movable], (*REMAP_ONLY, PageKind.BUFFER)).any(), f"tick {tick}"
        seen |= set(np.unique(cells[~movable]))
    assert PageKind.SLAB in seen, "the run has kernel pages at all"


@pytest.mark.parametrize("machine", ["pae", "server"])
def test_kernel_pages_never_lie_in_the_other_zones_of_large_machines(machine):
    run = build_run("exhaustion", machine=machine, user=0.6)
    zones = run.memory.zones
    confined = zones.type > ZoneType.NORMAL
    kinds = [PageKind.BUFFER, PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_STACK]
    at_boot = run.memory.zone_kinds[confined].copy()
    for tick in run.ticks():
        assert len(tick.counters)
        assert not run.memory.zone_kinds[confined][:, kinds].any()
        grown = run.memory.zone_kinds[confined] - at_boot
        assert not grown[:, [PageKind.KERNEL_BUFFER, PageKind.PAGE_TABLE]].any()
    assert run.memory.zone_kinds[confined, PageKind.ANON].any(), "user memory may go there"


# --- time, marks and counters --------------------------------------------------------------


def test_ticks_are_few_enough_to_watch(any_lesson):
    assert 50 <= any_lesson.n_ticks <= 500


def test_time_and_objects_never_fall(any_lesson):
    assert (np.diff(any_lesson.time_ns) >= 0).all()
    for name in ("objects", "user_pages", "remote"):
        assert (np.diff(column(any_lesson, name)) >= 0).all(), name
    assert column(any_lesson, "objects")[0] == 0
    assert column(any_lesson, "objects")[-1] > 100


def test_events_ascend_and_no_two_marks_share_a_tick(any_lesson):
    ticks = [e.tick for e in any_lesson.event_list]
    assert ticks == sorted(ticks)
    assert ticks[0] == 0
    assert ticks[-1] < any_lesson.n_ticks
    marks = [e.tick for e in any_lesson.event_list if e.mark]
    assert len(marks) == len(set(marks)) >= 3
    assert any_lesson.last_mark == any_lesson.n_ticks - 1


def test_each_kind_of_mark_stands_once_at_its_first_occurrence(any_lesson):
    events = any_lesson.event_list
    marked = [e.kind for e in events if e.mark]
    assert len(marked) == len(set(marked))
    for kind in {e.kind for e in events} - {"BOOT"}:
        assert next(e for e in events if e.kind == kind).mark, kind


def test_marks_come_in_the_order_in_which_the_kernel_gets_there(any_lesson):
    tick = {e.kind: e.tick for e in reversed(any_lesson.event_list)}
    assert tick["BOOT"] == 0 < tick["FALLBACK"]
    if "KSWAPD_WAKE" in tick and "RECLAIM" in tick:
        assert tick["KSWAPD_WAKE"] < tick["RECLAIM"]
    if "OOM" in tick:
        assert tick["KSWAPD_WAKE"] < tick["REFUSED"] < tick["OOM"] == any_lesson.n_ticks - 1


def test_marks_are_captioned_in_words_at_their_tick(any_lesson):
    captions = {c["tick"]: c for c in any_lesson.meta["captions"]}
    assert [c["tick"] for c in any_lesson.meta["captions"]] == sorted(captions)
    for event in any_lesson.event_list:
        if event.mark or event.kind == "BOOT":
            caption = captions[event.tick]
            assert caption["title"] == event.title
            assert caption["text"] == event.text
            assert len(event.text) > 60
            assert event.rule
            assert event.function.endswith("()")


def test_a_reclaim_mark_frees_pages_at_its_tick(lesson):
    recording = lesson(movable=0.2, user=0.9)
    tick = next(e.tick for e in recording.event_list if e.kind == "KSWAPD_WAKE")
    cache = column(recording, "kind.page_cache")
    assert cache[tick] < cache[tick - 1]


def test_counters_of_marks_are_ordered(any_lesson):
    low, boost = per_zone(any_lesson, "low"), per_zone(any_lesson, "boost")
    assert (per_zone(any_lesson, "min") <= low).all()
    assert (low <= per_zone(any_lesson, "high")).all()
    assert (boost <= per_zone(any_lesson, "min")).all(), "marks include the boost"


def test_useless_is_what_the_zones_say(any_lesson):
    free, low_line = per_zone(any_lesson, "free"), per_zone(any_lesson, "min")
    for zone in any_lesson.meta["zones"]:
        wanted = free[:, zone["id"]]
        if zone["kernel"]:
            wanted = np.minimum(wanted, low_line[:, zone["id"]] + zone["reserve"])
        assert column(any_lesson, f"zone{zone['id']}.useless").tolist() == wanted.tolist()
    total = per_zone(any_lesson, "useless").sum(axis=1)
    assert column(any_lesson, "useless").tolist() == total.tolist()
    assert {z["zone"] for z in any_lesson.meta["zones"] if not z["kernel"]} <= {
        "Movable",
        "HighMem",
    }


# --- the end -------------------------------------------------------------------------------

ORDER_SLACK = {"files": 2, "dirs": 2, "pipes": 2, "sockets": 8}
"""Pages of the largest slab, from slabinfo: a request for 2**n pages fails with 2**n - 1 to go."""


@pytest.mark.parametrize(
    "parameters",
    [p for p in LESSONS.values() if p.get("workload") != "cache" and p.get("user", 0.5) < 0.9],
)
def test_out_of_memory_means_that_no_zone_can_serve(lesson, parameters):
    recording = lesson(**parameters)
    assert ends_with(recording) == "OOM"
    slack = ORDER_SLACK[parameters.get("workload", "files")] - 1
    free, low_line = per_zone(recording, "free")[-1], per_zone(recording, "min")[-1]
    kernel = [z for z in recording.meta["zones"] if z["kernel"]]
    for zone in kernel:
        line = low_line[zone["id"]] + zone["reserve"]
        assert free[zone["id"]] <= line + slack, f"zone {zone['id']}"
    left = column(recording, "free")[-1] - column(recording, "useless")[-1]
    assert 0 <= left <= slack * len(kernel)
    # Nothing is left to reclaim there either: neither page cache nor buffers.
    if recording.meta["pages_per_cell"] == 1:
        inside = np.isin(zone_of_cells(recording), [z["id"] for z in kernel])
        last = recording.frame(recording.n_ticks - 1)[inside]
        assert not np.isin(last, (PageKind.PAGE_CACHE, PageKind.BUFFER)).any()


def test_the_zones_are_not_empty_when_memory_is_out(lesson):
    """The watermark and the reserve stay: "free" is not zero in what ran dry."""
    recording = lesson()
    for zone in recording.meta["zones"]:
        if zone["kernel"]:
            assert per_zone(recording, "free")[-1, zone["id"]] > 0


def test_user_memory_that_runs_out_is_told_as_such(lesson):
    recording = lesson(movable=0.75, user=0.95)
    assert ends_with(recording) == "OOM"
    oom = recording.event_list[-1]
    free = int(column(recording, "free")[-1])
    assert "HIGHUSER_MOVABLE" in oom.text
    # Such a request may use every zone, so all that is left is what the zones keep back.
    assert f"{free:,} pages" in oom.title
    assert oom.text.count(f"{free:,} pages") == 2
    refused = next(e for e in recording.event_list if e.kind == "REFUSED")
    who = "user" if "anonymous" in refused.text or "page cache" in refused.text else "kernel"
    assert refused.title == f"A {who} allocation is refused"


def test_memory_lies_free_beside_it(lesson):
    for parameters in ({}, {"machine": "mail"}, {"machine": "pae"}, {"movable": 0.85}):
        recording = lesson(**parameters)
        free = column(recording, "free")[-1]
        assert free > 0.4 * recording.meta["machine"]["present_pages"]
        assert column(recording, "mem_available")[-1] > 0.9 * free, "and MemAvailable is wrong"


def test_names_that_can_be_shrunk_never_end_in_oom(lesson):
    # Programs' memory cannot be shrunk; where it has a zone of its own, it does no harm here.
    for parameters in ({}, {"movable": 0.0, "user": 0.0}, {"machine": "mail"}, {"movable": 0.9}):
        recording = lesson(workload="cache", **parameters)
        assert ends_with(recording) == "DONE"
        assert "OOM" not in {e.kind for e in recording.event_list}
        assert recording.n_ticks < 500
    kinds = {e.kind for e in recording.event_list}
    assert {"KSWAPD_WAKE", "RECLAIM"} <= kinds, "it did come under pressure"


# --- cause and effect ----------------------------------------------------------------------


@pytest.mark.parametrize("workload", ["files", "dirs", "sockets", "pipes"])
def test_more_kernel_memory_holds_more_objects(lesson, workload):
    counts = [
        column(lesson(workload=workload, movable=m, user=0.0), "objects")[-1]
        for m in (0.85, 0.5, 0.0)
    ]
    assert counts == sorted(counts)
    assert counts[2] > 3 * counts[0]


@pytest.mark.parametrize(
    ("workload", "pages"),
    [
        # /proc/slabinfo of 6.1.0-56-cloud-amd64: pages per slab over objects per slab, summed.
        ("files", 2 / 10 + 1 / 21 + 1 / 128),
        ("pipes", 4 + 2 / 8 + 2 / 12 + 2 / 16 + 2 / 21 + 2 / 170 + 1 / 128),
        (
            "sockets",
            10 * 8 / 8 + 10 / 16 + 2 * 2 / 8 + 2 * 4 / 19 + 2 / 16
            + 2 / 21 + 2 / 128 + 2 / 170 + 2 / 256,
        ),
    ],
)  # fmt: skip
def test_an_object_costs_what_slabinfo_says(lesson, workload, pages):
    recording = lesson(workload=workload, movable=0.0, user=0.0)
    names = ("slab", "reclaimable_slab", "kernel_buffer")
    grown = sum(
        column(recording, f"kind.{n}")[-1] - column(recording, f"kind.{n}")[0] for n in names
    )
    objects = column(recording, "objects")[-1]
    # The last operation is refused halfway, and each cache's last slab is not full.
    assert grown / objects == pytest.approx(pages, rel=0.01)


@pytest.mark.parametrize("user", [0.2, 0.5, 0.8])
def test_the_user_share_is_that_of_the_pages_asked_for(lesson, user):
    recording = lesson(user=user)
    mid = recording.n_ticks // 2
    users = column(recording, "user_pages")[mid]
    kinds = ("slab", "reclaimable_slab")
    kernel = sum(
        column(recording, f"kind.{k}")[mid] - column(recording, f"kind.{k}")[0] for k in kinds
    )
    assert users / (users + kernel) == pytest.approx(user, abs=0.06)


def classroom_with(movable_mib):
    """Build a one-node classroom machine: the same kernel zones, ZONE_MOVABLE of any size."""
    mib = 1 << 8
    node = NodeSpec(0, (PfnRange(0, 32 * mib), PfnRange(128 * mib, (160 + movable_mib) * mib)))
    spec = MachineSpec("one", (node,), section_pages=1024, scale=CLASSROOM_SCALE, cpus=4)
    options = parse_boot_options("kernelcore=64M", strict=True)
    setup = Setup(spec, options, find_profile("6.1"))
    return record(Exhaustion(ExhaustionParameters(user=0.0), setup))


def test_files_depend_on_the_kernels_zones_and_not_on_total_memory():
    """The real kernel's: the same number of files whatever the size of ZONE_MOVABLE."""
    small, large = classroom_with(128), classroom_with(256)
    zones = [
        {z["zone"]: z["present"] for z in recording.meta["zones"]} for recording in (small, large)
    ]
    assert zones[1].pop("Movable") == 2 * zones[0].pop("Movable")
    assert zones[0] == zones[1]
    objects = [column(r, "objects")[-1] for r in (small, large)]
    assert objects[1] == pytest.approx(objects[0], rel=0.05)
    free = [per_zone(r, "free")[-1, -1] for r in (small, large)]
    assert free[1] > 1.9 * free[0]


def test_pae_has_the_same_trouble(lesson):
    """Lowmem runs dry and HighMem lies free, as Normal and Movable do: one problem (S11)."""
    recording = lesson(machine="pae")
    assert ends_with(recording) == "OOM"
    zones = recording.meta["zones"]
    assert [z["zone"] for z in zones if not z["kernel"]] == ["HighMem"]
    free = per_zone(recording, "free")[-1]
    high = next(z["id"] for z in zones if z["zone"] == "HighMem")
    assert free[high] > 0.85 * zones[high]["managed"]
    assert free[high] > 0.99 * free.sum()


def test_the_server_runs(lesson):
    recording = lesson(machine="server")
    assert ends_with(recording) == "OOM"
    assert recording.meta["machine"]["present_pages"] > 60 << 18
    assert recording.meta["pages_per_cell"] > 1
    assert recording.kind.keys.shape[1] <= 1 << 17
    named = {d.section for d in recording.details}
    assert named <= set(recording.meta["sections"])
    assert named


def test_remote_pages_are_counted(lesson):
    assert column(lesson(machine="mail"), "remote")[-1] > 0, "node 0 serves the others"
    assert column(lesson(machine="pae"), "remote")[-1] == 0, "there is one node"


def test_ballast_is_held_before_the_first_tick(lesson):
    plain, parked = lesson(user=0.0), lesson(user=0.0, ballast=100)
    taken = column(plain, "free")[0] - column(parked, "free")[0]
    assert taken == pytest.approx(100 * 11.8, rel=0.05)
    assert column(parked, "objects")[0] == 0
    assert column(parked, "objects")[-1] < column(plain, "objects")[-1]


# --- the same again ------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    made = [
        hotmem_viz.run("exhaustion", movable=0.6, seed=11).save(tmp_path / f"{i}.npz")
        for i in range(2)
    ]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_another_seed_gives_another_run(lesson):
    a, b = lesson(seed=1), lesson(seed=2)
    assert a.counters_array.shape != b.counters_array.shape or not np.array_equal(
        a.counters_array, b.counters_array
    )
    assert np.array_equal(a.frame(0), b.frame(0)), "but the same machine"
