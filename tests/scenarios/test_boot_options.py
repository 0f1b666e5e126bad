"""The boot options' story: scores counted by hand, zones as planned, words complete."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.movable_map import parse_movable_map
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.recording.recorder import record
from hotmem_viz.scenarios.boards import (
    BOARDS,
    MONTHS,
    change_boards,
    count_decisions,
    hot_ranges,
    lay_out,
    score_plan,
    srat_rows,
)
from hotmem_viz.scenarios.boot_options import BESIDE, RANGES
from hotmem_viz.scenarios.boot_ranges import read_range
from hotmem_viz.vocabulary import ZoneType
from tests.scenarios.ledger import column

MIB = 256
DAY1 = lay_out(BOARDS)


@cache
def run(**parameters):
    return hotmem_viz.run("boot_options", **parameters)


def finished(**parameters):
    """Return a scenario that has run to its end, and its ticks."""
    built = catalog.build_run("boot_options", **parameters)
    return built, record(built)


def score(text, month):
    spec = lay_out(change_boards(BOARDS, month))
    options = parse_movable_map(text)
    return score_plan(spec, plan_zones(spec, options, PROFILES["2012"]), count_decisions(options))


# Day 1: node 0 to 144M; node 1 144 + 8 fixed, 152-176 marked; node 2 176 + 8, 184-200; node 3
# 200 + 8, 208-240.
RIGHT = "movablecore_map=24M@152M movablecore_map=16M@184M movablecore_map=32M@208M"


def test_the_table_lists_what_firmware_laid_out():
    rows = srat_rows(DAY1)
    assert [(r["domain"], r["base"] >> 20, r["length"] >> 20, r["flags"]) for r in rows] == [
        (0, 0, 32, 1),
        (0, 128, 16, 1),
        (1, 144, 8, 1),
        (1, 152, 24, 3),
        (2, 176, 8, 1),
        (2, 184, 16, 3),
        (3, 200, 8, 1),
        (3, 208, 32, 3),
    ]


@pytest.mark.parametrize(
    ("month", "movable", "kernel", "without"),
    [
        ("same", 0, 0, ()),
        # Node 4 is new, nothing names it: its 24 MiB stay kernel memory.
        ("added", 0, 24, ()),
        # Node 2 now 144-168, fixed to 152: lucky. Node 3 168-208: named from 168, its 8 fixed too.
        ("removed", 8, 0, (3,)),
        # Node 2 164-188 and node 3 188-228 are named from their first pages on.
        ("shrunk", 16, 0, (2, 3)),
        # Node 2 is the large one, 176-216, named from 184: right. Node 3 216-240: from 216.
        ("renumbered", 8, 0, (3,)),
    ],
)
def test_the_same_string_a_month_later_counted_by_hand(month, movable, kernel, without):
    result = score(RIGHT, month)
    assert (result.wrongly_movable, result.wrongly_kernel) == (movable * MIB, kernel * MIB)
    assert (result.without_kernel, result.decisions) == (without, 6)


def test_one_long_range_and_one_in_the_hole_counted_by_hand():
    long = score("movablecore_map=88M@152M", "same")
    assert (long.wrongly_movable, long.wrongly_kernel, long.without_kernel) == (
        16 * MIB,
        0,
        (2, 3),
    )
    hole = score("movablecore_map=24M@64M", "same")
    assert (hole.wrongly_movable, hole.wrongly_kernel, hole.without_kernel) == (0, 72 * MIB, ())
    assert long.decisions == hole.decisions == 2


def test_movable_node_follows_the_table_whatever_happens():
    options = parse_boot_options("movable_node", strict=True)
    for month in MONTHS.values():
        spec = lay_out(change_boards(BOARDS, month))
        result = score_plan(spec, plan_zones(spec, options, PROFILES["6.1"]), 1)
        assert (result.wrongly_movable, result.wrongly_kernel) == (0, 0)


def test_without_options_all_that_is_marked_is_kernel_memory():
    result = score_plan(DAY1, plan_zones(DAY1, BootOptions(), PROFILES["6.1"]), 0)
    assert (result.wrongly_movable, result.wrongly_kernel) == (0, 72 * MIB)


@pytest.mark.parametrize(
    ("text", "verdict", "nids", "hole"),
    [
        ("movablecore_map=24M@152M", "right", (1,), 0),
        ("movablecore_map=88M@152M", "swallows", (1, 2, 3), 0),
        ("movablecore_map=24M@64M", "hole", (), 24),
        ("movablecore_map=24M@120M", "misses", (0,), 8),
        ("movablecore_map=24M@156M", "swallows", (1, 2), 0),
        ("movablecore_map=16M@156M", "misses", (1,), 0),
    ],
)
def test_where_a_range_lands(text, verdict, nids, hole):
    options = parse_movable_map(text)
    plan = plan_zones(DAY1, options, PROFILES["2012"])
    landing = read_range(DAY1, plan, *options.movable_ranges[0])
    assert (landing.nids, landing.hole, landing.verdict) == (nids, hole * MIB, verdict)


@pytest.mark.parametrize("beside", BESIDE.values())
@pytest.mark.parametrize("month", MONTHS.values())
def test_every_boot_has_the_zones_of_its_plan(month, beside):
    built, _ = finished(month=month, beside=beside)
    for mem, plan in zip(built.machines, built.plans, strict=True):
        validate_memory(mem)
        here = {
            (int(n), ZoneType(int(t))): int(p)
            for n, t, p in zip(mem.zones.nid, mem.zones.type, mem.zones.present, strict=True)
            if p
        }
        assert here == {(z.nid, z.zone): z.present_pages for z in plan.zones}


def test_the_common_memory_shows_every_machine_as_it_is():
    built, recording = finished()
    boots, size = built.boots, built.memory.spec.section_pages
    last = recording.kind.frame(recording.n_ticks - 1).reshape(-1, size)
    at = {section: row for row, section in enumerate(recording.meta["sections"])}
    for band, mem in enumerate(built.machines):
        for section in range(mem.spec.n_sections):
            place = band * boots.band_pages // size + section
            if place in at:
                assert (last[at[place]] == mem.kind[section]).all()
            else:
                assert not mem.kind[section].any()


def test_scores_are_counted_tick_by_tick():
    r = run()
    at = {e.title: e.tick for e in r.event_list if e.mark}
    day1, later = (
        at["Score, day 1: 0 B in the wrong zone"],
        at["Score, a month later: 16 MiB in the wrong zone"],
    )
    names = ("boots", "wrongly_movable", "wrongly_kernel", "without_kernel", "decisions", "remote")
    table = np.stack([column(r, n) for n in names], axis=1)
    assert table[day1].tolist() == [1, 0, 0, 0, 6, 0]
    # Nodes 2 and 3 asked for 64 kernel pages each, and got them from another node.
    assert table[later].tolist() == [2, 16 * MIB, 0, 2, 6, 128]
    # 12 + 16 + 32 MiB marked and three times 8 fixed: 21 blocks of 4 MiB.
    assert table[-1].tolist() == [3, 0, 0, 0, 21, 0]


def test_each_block_is_a_tick_of_its_own():
    r = run()
    blocks = [e for e in r.event_list if e.kind == "BLOCK_ONLINED" and not e.mark]
    decisions = column(r, "decisions")
    assert len(blocks) == 21
    assert [decisions[e.tick] for e in blocks] == list(range(1, 22))


@pytest.mark.parametrize("ranges", RANGES.values())
@pytest.mark.parametrize("month", MONTHS.values())
def test_marks_have_words_and_ticks_of_their_own(ranges, month):
    r = run(ranges=ranges, month=month, beside="percent")
    marks = [e for e in r.event_list if e.mark]
    assert all(a.tick < b.tick for a, b in itertools.pairwise(marks))
    assert all(e.title and e.text and e.claims and e.function for e in marks)
    assert {c["tick"] for c in r.meta["captions"]} >= {e.tick for e in marks}
    kinds = [e.kind for e in marks if e.kind != "RANGE_READ"]
    boot = ["REMOTE_KERNEL", "SCORED"]
    again = ["MACHINE_CHANGED", "BOOTED_AGAIN", *boot, "BOOTED_AGAIN", *boot]
    assert kinds == ["BOOT", *boot, *again]
    # The option was written, merged and reverted: unproven is what nobody ever built.
    assert not any(e.unproven for e in r.event_list)
    typed = [e for e in marks if "movablecore_map=" in e.text]
    assert all("no released kernel has it" in e.text for e in typed)
    assert [e.kind for e in typed] == ["BOOT", "BOOTED_AGAIN"]


def test_a_month_in_which_nothing_changed_is_not_called_a_change():
    texts = {
        r: [e for e in run(ranges=r, month="same").event_list if e.mark] for r in ("right", "hole")
    }
    for marks in texts.values():
        assert not any("changed machine" in e.title for e in marks)
    scores = {
        r: next(e.text for e in m if e.title.startswith("Score, a month")) for r, m in texts.items()
    }
    assert "so the addresses fit" in scores["right"]
    assert "what was wrong stays wrong" in scores["hole"]
    changed = [e for e in run(month="shrunk").event_list if e.title.startswith("Score, a month")]
    assert "it has to be worked out again" in changed[0].text


def test_a_node_that_serves_several_is_named_once():
    told = [e.text for e in run(ranges="swallows").event_list if e.kind == "REMOTE_KERNEL"]
    assert "Node 0 serves nodes 2 and 3: 128 of 256 pages" in told[0]


def test_what_a_person_types_counts():
    r = run(boot="movablecore_map=8M@160M", month="same", beside="movable_node")
    texts = [b["options"] for b in r.meta["boots"]]
    assert texts == ["movablecore_map=8M@160M"] * 2 + ["movable_node"]
    title = next(e.title for e in r.event_list if e.kind == "RANGE_READ")
    assert title == "The range misses the mark on node 1"


def test_a_zone_asked_for_at_pfn_0_is_none_and_near_0_leaves_the_kernel_crumbs():
    # The kernel's own sign for "no ZONE_MOVABLE" is a start of 0 (zone_movable_pfn).
    assert score("movablecore_map=1G@0", "same").without_kernel == (1, 2, 3)
    r = run(boot="movablecore_map=1G@1M", month="same", beside="percent")
    assert column(r, "without_kernel").max() == 3
    assert column(r, "wrongly_movable")[0] == (28 + 16 + 3 * 8) * MIB


@pytest.mark.parametrize(
    "wrong",
    [
        {"ranges": "left"},
        {"month": "broken"},
        {"beside": "mirror"},
        {"seed": -1},
        {"boot": "movable_node"},
        {"boot": 3},
        {"machine": "classroom"},
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(wrong):
    with pytest.raises(ParameterError) as caught:
        catalog.build_run("boot_options", **wrong)
    assert "\n" not in str(caught.value)


def test_the_options_of_day_1_have_the_amounts_of_day_1():
    texts = {b: run(month="added", beside=b).meta["boots"][2]["options"] for b in BESIDE.values()}
    # 72 of 144 MiB are marked on day 1.
    assert texts["kernelcore"] == "kernelcore=72M"
    assert texts["movablecore"] == "movablecore=72M"
    assert texts["percent"] == "movablecore=50%"
    assert sum(b - a for a, b in hot_ranges(DAY1)) == 72 * MIB


def test_a_recording_is_small_and_the_same_again(tmp_path):
    one, two = (hotmem_viz.run("boot_options").save(tmp_path / f"{name}.npz") for name in "ab")
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size <= 300_000
    assert len(run().to_html()) <= 2_000_000
