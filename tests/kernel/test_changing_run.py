"""The model beside a captured machine whose memory comes and goes: step by step, as compare."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from hotmem_viz.kernel.capture_show import load_capture
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.changing_run import STEPS
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.growth_recording import RecordedGrowth
from hotmem_viz.kernel.hot_recording import RecordedHotplug
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recorder import record
from hotmem_viz.vocabulary import SectionState
from tests.changed_captures import make_capture

HOT = [
    "d-hot-auto-ratio100",
    "d-hot-kernel-empty",
    "d-hot-memmap-128M",
    "d-hot-movable-anon",
    "d-hot-movable-pin",
    "v612-d-hot-256-default",
    "v612-d-hot-768M-movable",
    "v72-d-hot-256-default",
]
GROWTH = ["d-grow-256M", "d-grow-320M-768M", "v612-d-grow-384M-512M-memmap"]
VIRTIO = "d-virtio-mem-online_kernel"

ONLINE, OFFLINE = SectionState.ONLINE, SectionState.OFFLINE
ENDS = {"removed": "is out", "refused": "stays"}


def model_of(name):
    model = load_capture(name).model
    assert model is not None
    return model


def states_at(model, tick):
    """States of the sections by number, of which each is a block here."""
    assert model.sections is not None
    return dict(zip(model.meta["sections"], model.sections.frame(tick).tolist(), strict=True))


def rows_of(name, quantity):
    return [r for r in compare_capture(name).rows if r.quantity == quantity]


def steps_at(recording, ticks):
    names = [c["name"] for c in recording.meta["counters"]]
    return recording.counters_array[ticks, names.index(STEPS)]


@pytest.mark.parametrize("name", [*HOT, *GROWTH, VIRTIO])
def test_both_sides_go_through_the_same_steps(name):
    shown = load_capture(name)
    pair = shown.pair
    assert isinstance(pair, Pair)
    assert pair.by == STEPS
    assert shown.why == ""
    made = [steps_at(r, t) for r, t in zip(pair.recordings, pair.ticks.T, strict=True)]
    assert made[0][-1] > 2
    # Nothing but memory comes and goes, so each step is there on both sides.
    missing = set(made[0]) ^ set(made[1])
    assert missing <= {0.0}
    assert (made[0] == made[1]).all()


@pytest.mark.parametrize("name", HOT)
def test_the_zone_of_each_block_is_the_one_that_compare_predicts_and_the_kernel_chose(name):
    events = model_of(name).events
    rows = [r for r in rows_of(name, "online-zone") if "would be" not in r.subject]
    told = {}
    for _, event in events[events.kind == "ONLINED"].iterrows():
        told[event.title.split()[0]] = re.findall(r"comes into (\w+) of node", event.text)
    added = events[events.kind == "PLUGGED"]
    online = [t for t in added.text if "online by itself" in t]
    by_itself = {z for t in online for z in re.findall(r"online by itself, into (\w+) of", t)}
    assert rows
    for row in rows:
        block = row.subject.split(": ")[1].split(",")[0]
        assert row.predicted == row.observed
        assert told.get(block) == [row.observed] or row.observed in by_itself


@pytest.mark.parametrize("name", [n for n in HOT if n != "d-hot-movable-pin"])
def test_each_removal_ends_as_compare_predicts_and_as_it_did(name):
    events = model_of(name).event_list
    ends = [e.title for e in events if e.kind == "UNPLUGGED"]
    rows = rows_of(name, "dimm-removal")
    assert len(ends) == len(rows) > 0
    for title, row in zip(ends, rows, strict=True):
        assert row.predicted == row.observed
        assert title.endswith(ENDS[row.observed])


def test_a_removal_that_never_ends_goes_on_when_the_load_ends():
    events = model_of("d-hot-movable-pin").event_list
    (row,) = rows_of("d-hot-movable-pin", "dimm-removal")
    assert row.observed == "never ends"
    titles = [e.title for e in events]
    at = titles.index("memory32: never ends")
    assert titles[at + 1 : at + 3] == ["The load is gone", "memory32: ok"]
    assert titles[-1] == "The DIMM is out"
    # 900 MiB were pinned, by the scenario's arguments.
    assert "230,400 pages (900 MiB) of them were pinned" in events[at + 1].text
    # On the real machine the DIMM was gone when it was asked again.
    assert open_capture("d-hot-movable-pin").text("del2").startswith("err Device")


def test_blocks_that_left_come_back_when_the_removal_is_refused():
    name = "d-hot-kernel-empty"
    model = model_of(name)
    assert model.event_list[-1].title == "The DIMM stays"
    after, before = (states_at(model, model.n_ticks - back) for back in (1, 2))
    assert [before[b] for b in range(32, 36)] == [ONLINE, OFFLINE, OFFLINE, OFFLINE]
    assert [after[b] for b in range(32, 36)] == [ONLINE] * 4
    observed = {b.phys_index: b.state for b in open_capture(name).blocks("removed")}
    assert [observed[b] for b in range(32, 36)] == ["online"] * 4


def without_flags(files):
    del files["frames/kpf/loaded"]


def pins(files):
    manifest = json.loads(files["manifest.json"])
    manifest["args"]["load"] = "pin900"
    files["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (without_flags, "the capture has no kpf/loaded"),
        (pins, "the load pins pages, but none of them shows"),
    ],
)
def test_what_is_not_known_of_the_load_is_left_out_and_the_model_goes_on(tmp_path, change, why):
    path = make_capture(tmp_path, "d-hot-kernel-empty", change)
    events = model_of(path).event_list
    texts = [e.text for e in events]
    assert f"The load is not in the model: {why}. What comes next starts" in "\n".join(texts)
    # Captured, the kernel held a page of memory32; in the model's own boot nobody does.
    ends = [f"memory{block}: ok" for block in range(32, 36)]
    assert [e.title for e in events][-5:] == [*ends, "The DIMM is out"]
    (row,) = rows_of(path, "dimm-removal")
    assert (row.predicted, row.ok, row.why) == (None, None, why)


@pytest.mark.parametrize("name", GROWTH)
def test_dimms_fit_as_often_as_compare_predicts(name):
    (row,) = rows_of(name, "dimms-until-oom")
    events = model_of(name).event_list
    assert sum(e.kind == "PLUGGED" for e in events) == row.predicted == row.observed
    died = row.observed < open_capture(name).args["n"]
    assert any(e.kind == "OOM" for e in events) == died
    assert events[-1].title == (
        f"DIMM {row.observed + 1} cannot be added" if died else f"All {row.observed} DIMMs fit"
    )


def test_virtio_mem_gives_back_all_but_the_block_that_the_kernel_holds():
    model = model_of(VIRTIO)
    capture = open_capture(VIRTIO)
    left = {b.phys_index for b in capture.blocks("gone")} - {b.phys_index for b in capture.blocks()}
    states = states_at(model, model.n_ticks - 1)
    online = {s for s in range(32, 40) if states[s] == ONLINE}
    assert online == left == {32}


@pytest.mark.parametrize(
    ("name", "run"),
    [("d-hot-auto-ratio100", RecordedHotplug), ("d-grow-320M-768M", RecordedGrowth)],
)
def test_memory_is_sound_at_the_end_and_the_map_is_its_own(name, run):
    machine = ComparedMachine(open_capture(name))
    made = run(machine, machine.profile)
    recording = record(made)
    validate_memory(made.memory)
    meta = recording.meta
    kinds = made.memory.kind[meta["sections"]].reshape(-1, meta["pages_per_cell"])
    assert (recording.frame(recording.n_ticks - 1) == kinds.max(axis=1)).all()
    assert (np.diff(recording.time_ns) >= 0).all()
