"""What the meters and trees show, against counts that take nothing from the code that made them."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.recording.tracks import TableChange
from hotmem_viz.scenarios.locality import Locality
from hotmem_viz.vocabulary import EventKind, PageKind, SectionState
from tests.scenarios.ledger import column

MOVABLE_USE = {PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER, PageKind.HUGETLB}


def tick_of(recording, kind):
    return next(e.tick for e in recording.event_list if e.kind == kind)


# ---- the corner ---------------------------------------------------------------------------


def count_corner(recording, tick):
    """Count sections page by page: movable, used, movable held, kernel, kernel held."""
    meta = recording.meta
    size = meta["machine"]["section_pages"]
    cells = recording.frame(tick).reshape(-1, size)
    states = recording.sections.frame(tick) if recording.sections else None
    counts = [0, 0, 0, 0, 0]
    for at, section in enumerate(meta["sections"]):
        zones = [
            z
            for z in meta["zones"]
            if z["start_pfn"] <= section * size
            and (section + 1) * size <= z["end_pfn"]
            and z["present"]
        ]
        offline = states is not None and states[at] != SectionState.ONLINE
        if len(zones) != 1 or offline or (cells[at] == PageKind.HOLE).any():
            continue
        kinds = {PageKind(k) for k in np.unique(cells[at])} - {PageKind.FREE}
        used = int((cells[at] != PageKind.FREE).sum())
        if zones[0]["zone"] == "Movable":
            held = bool(kinds - MOVABLE_USE - {PageKind.PINNED})
            counts[2 if held else 0] += 1
            counts[1] += 0 if held else used
        else:
            counts[4 if kinds - MOVABLE_USE else 3] += 1
    return counts


@pytest.mark.parametrize("where", ["both", "movable"])
def test_the_corner_is_what_a_count_of_the_map_says(where):
    recording = hotmem_viz.run("hot_remove", where=where, obstacle="nothing")
    names = ("movable", "movable_used", "movable_held", "kernel", "kernel_held")
    seen = set()
    for tick in range(recording.n_ticks):
        told = tuple(int(column(recording, f"corner.{name}")[tick]) for name in names)
        assert list(told) == count_corner(recording, tick), tick
        seen.add(told)
    assert len(seen) > 5


# ---- devices ------------------------------------------------------------------------------


def test_devices_pages_are_those_of_the_map():
    recording = hotmem_viz.run("stop_machine", devices=0.03, device=0.02, seed=5)
    size = recording.meta["machine"]["section_pages"]
    last = recording.n_ticks - 1
    pages = recording.frame(last).reshape(-1, size) == PageKind.PINNED
    by_section = pages.sum(axis=1)
    held, spilled = (int(column(recording, f"device.{n}")[last]) for n in ("held", "spilled"))
    # 2 % of 65,536 pages make one section of 1,024; 3 % are 1,966 pages.
    assert (column(recording, "device.region") == 1024).all()
    assert (int(by_section.max()), int(by_section.sum())) == (1024, 1966)
    assert (held, spilled) == (1024, 1966 - 1024)
    spills = [e for e in recording.event_list if e.title == "The region spills"]
    assert len(spills) == 1
    at = spills[0].tick
    # A sixth in each of six turns: 1,310 pages after the fourth.
    assert column(recording, "device.spilled")[at - 1 : at + 1].tolist() == [0, 1310 - 1024]
    assert (np.diff(column(recording, "device.spilled")) >= 0).all()


def test_a_region_that_is_large_enough_never_spills():
    recording = hotmem_viz.run("stop_machine", device=0.1, devices=0.05)
    assert (column(recording, "device.spilled") == 0).all()
    assert column(recording, "device.held")[-1] == 3276
    assert not [e for e in recording.event_list if e.title == "The region spills"]


def test_a_section_that_is_set_aside_cannot_be_asked_for():
    run = build_run("stop_machine")
    (section,) = run.devices.region.sections.tolist()
    with pytest.raises(ParameterError, match="set aside for devices"):
        hotmem_viz.run("stop_machine", section=section)


# ---- the parts it touches -----------------------------------------------------------------


def test_every_part_that_takes_part_is_reached_by_some_run():
    reached = set()
    for given in ({}, {"failure": "corrupt"}):
        recording = hotmem_viz.run("stop_machine", **given)
        told = {e.kind for e in recording.event_list}
        functions = {e.function for e in recording.event_list}
        for part in recording.meta["subsystems"]:
            assert set(part["events"]) <= set(EventKind.__members__)
            assert all(q.startswith("Q") for q in part["questions"])
            if told & set(part["events"]) or functions & set(part["functions"]):
                reached.add(part["name"])
    parts = recording.meta["subsystems"]
    asked = {part["name"] for part in parts if part["events"] or part["functions"]}
    assert reached == asked
    assert {"IOMMU, SVA", "KVM", "kexec, hibernation", "memory failure"} == {
        part["name"] for part in parts
    } - asked


# ---- distance -----------------------------------------------------------------------------


def four_nodes(distances):
    nodes = tuple(NodeSpec(n, (PfnRange(n * 4096, (n + 1) * 4096),)) for n in (0, 1, 2, 5))
    return MachineSpec("four", nodes, section_pages=2048, distances=distances)


SLIT = ((10, 16, 28, 22), (16, 10, 22, 28), (28, 22, 10, 16), (22, 28, 16, 10))


def test_distances_are_those_of_the_table_or_the_kernels_two():
    spec = four_nodes(SLIT)
    assert [spec.distance(1, n) for n in (0, 1, 2, 5)] == [16, 10, 22, 28]
    plain = four_nodes(())
    assert [plain.distance(1, n) for n in (0, 1, 2, 5)] == [20, 10, 20, 20]


@pytest.mark.parametrize(
    "distances",
    [SLIT[:3], ((10, 16), (16, 10)), ((11, 16, 28, 22), *SLIT[1:]), ((10, 10, 28, 22), *SLIT[1:])],
)
def test_a_table_that_the_kernel_would_refuse_is_refused(distances):
    with pytest.raises(ParameterError, match="distances"):
        four_nodes(distances)


def test_pages_are_counted_by_who_served_them():
    locality = Locality(four_nodes(SLIT))
    assert locality.distances == [10, 16, 22, 28]
    locality.note(0, {0: 30, 5: 4})
    locality.note(2, {1: 6})
    assert locality.read() == [30, 0, 10, 0, (30 * 10 + 10 * 22) / 40]
    assert locality.remote == 10
    locality.begin()
    assert locality.read() == [0, 0, 0, 0, 10]


def test_boot_options_say_how_far_kernel_pages_are():
    recording = hotmem_viz.run("boot_options", ranges="swallows", month="added", beside="percent")
    near, far, mean = (column(recording, f"distance.{n}") for n in ("10", "20", "mean"))
    assert (far == column(recording, "remote")).all()
    told = [e.tick for e in recording.event_list if e.kind == "REMOTE_KERNEL"]
    # Day 1 has four nodes, the machine of a month later five; each asks for 64 pages.
    assert [int((near + far)[t]) for t in told] == [4 * 64, 5 * 64, 5 * 64]
    for tick in told:
        assert mean[tick] == pytest.approx((10 * near[tick] + 20 * far[tick]) / (near + far)[tick])
    assert far[told[0]] > 0
    assert recording.meta["distances"]["table"][0][:2] == [10, 20]
    assert not recording.meta["distances"]["slit"]
    assert find_preset("server").distance(0, 3) == 20


# ---- page tables --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home():
    return hotmem_viz.run("stop_machine", after="home", target="page", seed=2)


def test_the_walk_lights_what_it_reads_and_moves_when_pages_come_home_too(home):
    names = ("entries_scanned", "entries_fixed")
    for kind in ("TABLES_WALKED", "COPIED_HOME"):
        tick = tick_of(home, kind)
        rows = home.rows["tables"].at(tick)
        visited = rows["change"] == TableChange.VISITED
        moved = (rows["change"] == TableChange.MOVED) & (rows["parent"] >= 0)
        scanned = np.diff(column(home, names[0]))[tick - 1]
        fixed = np.diff(column(home, names[1]))[tick - 1]
        assert visited.sum() * 512 == scanned
        assert moved.any()
        map_entries = 0 if kind == "COPIED_HOME" else 2 * column(home, "copied")[tick]
        assert moved.sum() + map_entries == fixed


def test_frames_of_tables_are_page_tables_on_the_map(home):
    """Follow the rows up to every tick: each living table lies in a frame that shows one."""
    rows, meta = home.rows["tables"], home.meta
    alive: dict[int, int] = {}
    for tick in range(home.n_ticks):
        now = rows.at(tick)
        for table, change, pfn in zip(now["table"], now["change"], now["pfn"], strict=True):
            if change == TableChange.GONE:
                del alive[int(table)]
            else:
                alive[int(table)] = int(pfn)
        kinds = home.frame(tick)
        assert meta["pages_per_cell"] == 1
        places = {s: i for i, s in enumerate(meta["sections"])}
        size = meta["machine"]["section_pages"]
        for pfn in alive.values():
            assert kinds[places[pfn // size] * size + pfn % size] == PageKind.PAGE_TABLE
        counted = sum(
            column(home, f"tables.{level['name'].lower()}")[tick] / level["frames"]
            for level in meta["page_tables"]["levels"]
        )
        assert len(alive) == counted, tick
    assert len(alive) > 100


@pytest.mark.parametrize(
    "given",
    [{}, {"use": "dense"}, {"use": "sparse", "movable": 0.5}, {"machine": "pae", "processes": 3}],
)
def test_entries_in_use_are_those_of_the_run(given):
    """Recount every watched table, entry by entry, while the run goes on."""
    run = build_run("starvation", **given)
    spaces, last, seen = run.spaces, {}, 0
    for i, tick in enumerate(run.ticks()):
        for track, rows in tick.rows:
            assert track == "tables"
            for table, change, used in zip(
                rows["table"], rows["change"], rows["used"], strict=True
            ):
                last[int(table)] = int(used)
                if change == TableChange.GONE:
                    del last[int(table)]
        if i % 7:
            continue
        for table, used in last.items():
            t = spaces.tables
            slot = int(t.slot[table])
            if t.level[table] == 0:
                words = [int(w) for w in spaces.present.present[slot]]
                count = sum(word.bit_count() for word in words)
            else:
                count = sum(1 for entry in spaces.entries.entries[slot].tolist() if entry != -1)
            assert used == count
            seen += 1
    assert seen > 10


def test_a_row_of_another_process_is_not_taken_for_a_watched_one():
    run = build_run("starvation")
    started: dict[int, int] = {}
    for tick in run.ticks():
        for _, rows in tick.rows:
            new = (rows["change"] == TableChange.NEW) & (rows["parent"] < 0)
            for space in rows["space"][new].tolist():
                started[len(started) + 1] = run.use.alive[space]
    assert run.use.killed > 3
    # The tree's number is the process's: the first three, and nobody after them.
    assert started == {1: 1, 2: 2, 3: 3}
