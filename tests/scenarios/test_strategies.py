"""The six strategies: one plan for all, memory sound at every mark, measures recounted by hand."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.map_invariants import validate_map
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.scenarios.strategy_parameters import STRATEGIES
from hotmem_viz.vocabulary import PageKind
from tests.scenarios.ledger import column

NAMES = tuple(STRATEGIES.values())
INSIDE_A_STOP = {"RESERVED", "STOPPED", "COPIED", "TABLE_WRITTEN", "TABLES_WALKED", "RESUMED"}
STOP = ["RESIDUE", "RESERVED", "STOPPED", *["COPIED", "TABLE_WRITTEN", "TABLES_WALKED", "RESUMED"]]
LOAD = ["LOADED", "BURST_OVER"]
ANSWERS = {"OFFLINED", "OFFLINE_REFUSED", "NEVER_ENDS", "OFFLINE_MIGRATED", "REMAP_FAILED"}


@pytest.fixture(scope="module")
def recordings():
    return {name: hotmem_viz.run("strategies", strategy=name) for name in NAMES}


def kinds(recording):
    return [e.kind for e in recording.event_list if e.mark]


def tick_of(recording, kind):
    return next(e.tick for e in recording.event_list if e.kind == kind)


@pytest.mark.parametrize("machine", ["nodes", "mail"])
def test_every_strategy_is_asked_for_the_same(machine):
    plans = [build_run("strategies", strategy=s, machine=machine, seed=5).plan for s in NAMES]
    first = plans[0]
    assert len(first.requests) > 50
    for plan in plans[1:]:
        assert plan.requests.tobytes() == first.requests.tobytes()
        assert [f.tobytes() for f in plan.fates] == [f.tobytes() for f in first.fates]
        assert plan.blocks.tolist() == first.blocks.tolist()
        assert (plan.broken, plan.added) == (first.broken, first.added)


def test_another_seed_asks_for_something_else_and_the_first_node_never_breaks():
    plans = [build_run("strategies", seed=seed).plan for seed in range(20)]
    assert len({plan.requests.tobytes() for plan in plans}) == 20
    assert {plan.broken.nid for plan in plans} == {1, 2, 3}
    for plan in plans:
        assert not {b * 1024 for b in plan.blocks.tolist()} & set(
            range(plan.broken.start_pfn, plan.broken.end_pfn)
        )


@pytest.mark.parametrize("strategy", NAMES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"machine": "mail", "seed": 3},
        {"target": "page", "residue": 0.4, "seed": 11},
        {"metadata": 0.6, "user": 0.3, "seed": 5},
        {"device": 0.1, "processes": 60, "seed": 1, "numa_aware": True},
        {"mapped": 4096, "processes": 100, "movable": 0.0, "reserve": 0.0, "seed": 8},
    ],
    ids=str,
)
def test_the_memory_is_sound_at_every_mark(strategy, more):
    run, seen = build_run("strategies", strategy=strategy, **more), 0
    for tick in run.ticks():
        told = {e.kind for e in tick.events if e.mark}
        seen += bool(told)
        if told:
            validate_memory(run.memory)
            validate_spaces(run.spaces)
        if told and not {e.kind for e in tick.events} & INSIDE_A_STOP:
            validate_map(run.map)
    assert seen >= 15


@pytest.mark.parametrize("strategy", NAMES)
def test_steps_are_those_of_every_other_strategy(recordings, strategy):
    steps, asked = (column(recordings[strategy], n) for n in ("step", "sections_asked"))
    others = column(recordings["none"], "step")
    assert set(steps) == set(others) == set(range(int(others[-1]) + 1))
    assert (np.diff(steps) >= 0).all()
    assert asked[-1] == 6 + 12
    assert column(recordings[strategy], "metadata_asked")[-1] == 10812


@pytest.mark.parametrize("strategy", NAMES)
def test_marks_come_in_order(recordings, strategy):
    found = [k for k in kinds(recordings[strategy]) if k not in {*STOP, "CALLBACK", "REFUSED"}]
    adds = ["NODE_ADDED"] * 3 if strategy in ("hot_add", "auto") else []
    reserve = ["DEVICE_REGION"] if strategy == "remap" else []
    start = ["BOOT", *adds, *reserve, "CAPACITY", *LOAD]
    assert found[: len(start)] == start
    rest = found[len(start) :]
    assert set(rest[:6]) <= ANSWERS
    assert rest[6:8] == ["NODE_ADDED", "NODE_BREAKS"]
    assert set(rest[8:20]) <= ANSWERS
    assert rest[20:] == ["NODE_LEFT", "COMPARED"]
    stop = [k for k in kinds(recordings[strategy]) if k in STOP]
    assert stop == (STOP if strategy == "remap" else [])


@pytest.mark.parametrize("strategy", NAMES)
def test_captions_are_complete_and_the_unproven_is_marked(recordings, strategy):
    for event in recordings[strategy].event_list:
        assert event.title, event
        assert event.text.endswith((".", ")")), event
        assert event.claims, event
        assert event.rule or event.function, event
    told = {e.kind: e for e in recordings[strategy].event_list}
    unproven = strategy in ("callbacks", "remap")
    assert told["BOOT"].unproven == told["COMPARED"].unproven == unproven
    assert bool(told["COMPARED"].questions) == (strategy == "remap")


def test_devices_pages_stay_inside_the_reserve_until_it_is_full():
    for share, spilt in ((0.01, 0), (0.05, 2457 - 1024)):
        recording = hotmem_viz.run("strategies", strategy="remap", device=share, reserve=0.02)
        pinned = recording.frame(tick_of(recording, "LOADED")) == PageKind.PINNED
        sections = np.array(recording.meta["sections"]).repeat(1024)[pinned]
        region = next(e.pfn for e in recording.event_list if e.kind == "DEVICE_REGION") // 1024
        assert column(recording, "spilt")[-1] == spilt
        assert int(pinned.sum()) == int(49152 * share)
        assert int((sections == region).sum()) == int(49152 * share) - spilt


def test_a_recording_is_small_and_the_same_twice(recordings, tmp_path):
    for name, recording in recordings.items():
        path = recording.save(tmp_path / f"{name}.npz")
        assert path.stat().st_size <= 300_000
        assert recording.n_ticks <= 100
    again = hotmem_viz.run("strategies", strategy="remap")
    assert again.save(tmp_path / "again.npz").read_bytes() == (tmp_path / "remap.npz").read_bytes()


def test_a_node_that_the_kernel_cannot_map_is_not_added():
    recording = hotmem_viz.run("strategies", strategy="hot_add", mapped=4096, processes=100, seed=8)
    assert recording.event_list[-1].kind == "COMPARED"
    added = [e for e in recording.event_list if e.kind == "NODE_ADDED"]
    assert added[-1].title == "Node 4 cannot be added"
    assert column(recording, "decisions")[-1] == 36


@pytest.mark.parametrize(
    ("name", "value"),
    [("strategy", "hope"), ("removals", 19), ("reserve", 0.5), ("machine", "server")],
)
def test_what_is_not_allowed_is_refused_in_one_line(name, value):
    with pytest.raises(ParameterError, match=f"{name}: ") as error:
        hotmem_viz.run("strategies", **{name: value})
    assert "\n" not in str(error.value)
