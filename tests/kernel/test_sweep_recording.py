"""The model's attempts beside the captured ones: one for one, and the same as compare's."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.kernel.capture_show import load_capture
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.offline_run import OfflineRun
from hotmem_viz.kernel.sweep_recording import RecordedSweep
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recorder import record
from hotmem_viz.vocabulary import SectionState

DUMPED = {
    "d-sweep-fresh": {32: 0x100000, 35: 0x11FFD1, 36: 0x120000, 43: 0x15FF0A},
    "d-sweep-normal-files-anon": {2: 0x13800, 33: 0x108000, 35: 0x11FFD1, 43: 0x15FF0A},
}
"""The page that each kernel dumped as unmovable, by block, from the consoles of full captures."""

SWEEPS = ["d-sweep-fresh", "d-sweep-movable50-pin", "v612-d-sweep-movable40-anon"]


def column(recording, name):
    names = [c["name"] for c in recording.meta["counters"]]
    return recording.counters_array[:, names.index(name)]


@pytest.mark.parametrize("name", SWEEPS)
def test_a_tick_for_each_attempt_with_the_verdict_that_compare_has(name):
    shown = load_capture(name)
    rows = [r for r in compare_capture(name).rows if r.quantity == "offline-verdict"]
    assert shown.model is not None
    assert shown.model.n_ticks == 2 + len(rows) > 10
    told = [e.title for e in shown.model.event_list if e.tick]
    assert told == [*(f"{r.subject}: {r.predicted}" for r in rows), "The attempts are over"]
    assert [c["title"] for c in shown.model.meta["captions"]][1:] == told


@pytest.mark.parametrize("name", SWEEPS)
def test_both_sides_stand_at_the_same_attempt(name):
    shown = load_capture(name)
    pair = shown.pair
    assert isinstance(pair, Pair)
    assert pair.titles[1] == "model, from the captured state"
    made = [column(r, "attempts")[t] for r, t in zip(pair.recordings, pair.ticks.T, strict=True)]
    assert (made[0] == made[1]).all()
    assert made[0][-1] == len(shown.source.sweep())
    captured = {e.tick: e.title for e in shown.capture.event_list}
    for event in pair.right.event_list[1:-1]:
        beside = pair.ticks[pair.position_of(1, event.tick), 0]
        assert captured[int(beside)].split()[0] == event.title.partition(":")[0]
    assert captured[int(pair.ticks[-1, 0])] == pair.right.event_list[-1].title


@pytest.mark.parametrize("name", DUMPED)
def test_the_caption_names_the_page_that_the_kernel_dumped(name):
    shown = load_capture(name)
    assert shown.model is not None
    events = {e.title.partition(":")[0]: e for e in shown.model.event_list}
    for block, pfn in DUMPED[name].items():
        event = events[f"memory{block}"]
        assert event.pfn == pfn
        assert f"Guilty is pfn {pfn:,}, " in event.text
        assert event.function == "has_unmovable_pages()"


def test_a_block_that_left_is_away_for_one_tick_with_its_managed_pages():
    shown = load_capture("d-sweep-movable50-pin")
    model = shown.model
    assert model is not None
    assert model.sections is not None
    sections = model.meta["sections"]
    for event in model.event_list[1:-1]:
        states = model.sections.frame(event.tick)
        block = int(event.title.partition(":")[0].removeprefix("memory"))
        verdict = event.title.partition(": ")[2]
        expected = {
            "ok": SectionState.OFFLINE,
            "never ends": SectionState.GOING_OFFLINE,
        }.get(verdict, SectionState.ONLINE)
        assert states[sections.index(block)] == expected
        others = np.delete(states, sections.index(block))
        assert (others[others != SectionState.ABSENT] == SectionState.ONLINE).all()
    # Every block is 32,768 pages, and the one before it is back in its zone.
    texts = {e.title: e.text for e in model.event_list}
    assert "manages 98,304 pages instead of 131,072" in texts["memory38: ok"]


def test_the_map_is_that_of_the_models_memory_at_the_end():
    machine = ComparedMachine(open_capture("d-sweep-movable50-anon"))
    assert machine.profile
    run = RecordedSweep(machine, machine.profile, OfflineRun(machine.capture))
    recording = record(run)
    meta, last = recording.meta, recording.n_ticks - 1
    kinds = run.memory.kind[meta["sections"]].reshape(-1, meta["pages_per_cell"])
    assert recording.event_list[-1].title == "The attempts are over"
    assert (recording.frame(last) == kinds.max(axis=1)).all()
    assert (recording.frame(last) != recording.frame(0)).any()
