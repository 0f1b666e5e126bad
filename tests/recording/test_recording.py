"""What a Recording offers to Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.recording import Event
from tests.recording.runs import RandomRun


@pytest.fixture(scope="module")
def recording():
    return record(RandomRun("plain", ticks=30))


@pytest.mark.parametrize("tick", [-1, 30, 10**9])
def test_a_tick_that_was_not_recorded_is_refused(recording, tick):
    for use in (recording.frame, recording.check_tick, recording.plot):
        with pytest.raises(ParameterError, match=rf"tick: {tick} is not allowed; 0 to 29 are"):
            use(tick)


def test_counters_are_a_table_with_a_row_a_tick(recording):
    table = recording.counters
    assert table.shape == (30, 2)
    assert table.columns.tolist() == ["time_ns", "free"]
    assert table.index.name == "tick"
    assert table.index.tolist() == list(range(30))
    assert table["free"].tolist() == recording.counters_array[:, 0].tolist()


def test_events_are_a_table_with_a_row_an_event(recording):
    table = recording.events
    assert table.columns.tolist() == [
        "tick", "kind", "title", "text", "mark", "claims", "rule", "function", "zone", "pfn",
        "unproven", "questions",
    ]  # fmt: skip
    assert table["tick"].tolist() == [9, 18, 27]
    assert table["mark"].all()


def test_a_recording_without_events_has_an_empty_table(recording):
    table = replace(recording, event_list=()).events
    assert len(table) == 0
    assert "tick" in table.columns


def test_the_last_mark_is_a_marks_tick(recording):
    assert recording.last_mark == 27
    later = Event(29, "DONE", "no mark", "")
    assert replace(recording, event_list=(*recording.event_list, later)).last_mark == 27
    assert replace(recording, event_list=(later,)).last_mark == 29
    assert replace(recording, event_list=()).last_mark == 29


def test_repr_says_what_it_is(recording):
    assert repr(recording) == "<Recording of plain: 30 ticks, 3 events>"


def test_numpy_numbers_are_ticks_too(recording):
    assert np.array_equal(recording.frame(np.int64(7)), recording.frame(7))
