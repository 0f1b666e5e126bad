"""Two recordings on one cursor: every tick and mark of both has a position, and none is skewed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotmem_viz.errors import ParameterError, RecordingError
from hotmem_viz.recording.lineup import merge_ticks
from hotmem_viz.recording.pair import Pair, pair_recordings
from hotmem_viz.recording.recording import Event, Recording
from tests.views.synthetic import TINY, make_recording

SHORT = replace(TINY, ticks=5)


def with_counter(
    recording: Recording, values: list[float], unit: str = "files", **meta: Any
) -> Recording:
    """Return a recording with one more counter, `made`."""
    column = {"name": "made", "unit": unit, "label": "made"}
    table = np.column_stack([recording.counters_array, values])
    counters = [*recording.meta["counters"], column]
    return replace(
        recording,
        meta={**recording.meta, **meta, "counters": counters},
        counters_array=table,
    )


@pytest.fixture
def left():
    return with_counter(make_recording(TINY), [0, 0, 2, 5, 5, 5, 9])


@pytest.fixture
def right():
    return with_counter(make_recording(SHORT, seed=2), [0, 2, 2, 3, 11])


def test_a_merge_counted_by_hand():
    left, right = np.array([0, 0, 2, 5, 5, 5]), np.array([0, 2, 2, 3, 7])
    assert merge_ticks(left, right).tolist() == [
        [0, 0],  # 0
        [1, 0],
        [2, 1],  # 2
        [2, 2],
        [2, 3],  # 3: the left has not got further than 2
        [3, 3],  # 5
        [4, 3],
        [5, 3],
        [5, 4],  # 7: the left has ended
    ]


def test_a_side_that_begins_later_waits_at_its_first_tick():
    assert merge_ticks(np.array([3, 4]), np.array([0, 4])).tolist() == [[0, 0], [0, 0], [1, 1]]


series = st.lists(st.integers(0, 6), max_size=9).map(lambda values: sorted([0, *values]))


@given(series, series)
def test_a_merge_has_every_tick_of_both_in_order_and_never_runs_ahead(a, b):
    merged = merge_ticks(np.array(a), np.array(b))
    values = np.maximum(np.array(a)[merged[:, 0]], np.array(b)[merged[:, 1]])
    assert (np.diff(values) >= 0).all()
    for values_of_side, column in zip((a, b), merged.T, strict=True):
        own = np.array(values_of_side)
        assert np.unique(column).tolist() == list(range(len(own)))
        assert (np.diff(column) >= 0).all()
        # Where the other sets the value, this side stands at the last tick that had reached it.
        waiting = (own[column] < values) & (column + 1 < len(own))
        assert (own[column[waiting] + 1] > values[waiting]).all()
    assert len(np.unique(merged, axis=0)) == len(merged)


def test_pairing_by_tick_keeps_step():
    left, right = make_recording(TINY), make_recording(TINY, seed=9)
    pair = pair_recordings(left, right)
    assert pair.ticks.tolist() == [[t, t] for t in range(7)]
    assert pair.values.tolist() == list(range(7))
    assert (pair.left, pair.right) == (left, right)
    assert pair.by == "tick"


def test_pairing_by_a_counter_gives_every_mark_its_position(left, right):
    pair = pair_recordings(left, right, by="made")
    assert pair.ticks.dtype == np.int32
    assert pair.values.tolist() == [0, 0, 2, 2, 3, 5, 5, 5, 9, 11]
    for position, side, tick in pair.marks:
        assert pair.ticks[position, side] == tick
        assert position == 0 or pair.ticks[position - 1, side] < tick
    marked = [e.tick for r in (left, right) for e in r.event_list if e.mark]
    assert sorted(tick for _, _, tick in pair.marks) == sorted(marked)
    assert pair.position_of(1, 4) == pair.n_positions - 1
    with pytest.raises(ParameterError, match="tick: 5 is not allowed; 0 to 4 are recorded"):
        pair.position_of(1, 5)


def test_runs_of_different_length_cannot_go_tick_by_tick(left, right):
    with pytest.raises(ParameterError, match=r"by: 'tick' .* 7 and 5 ticks; .*made"):
        pair_recordings(left, right)


@pytest.mark.parametrize("by", ["no such counter", "free"])
def test_a_counter_that_falls_or_is_missing_is_refused_with_those_that_serve(left, right, by):
    with pytest.raises(ParameterError) as caught:
        pair_recordings(left, right, by=by)
    assert caught.value.name == "by"
    assert "made" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [[0, 2, 2, 1, 11], [0, 2, 2, float("nan"), 11]])
def test_a_counter_must_be_whole_and_not_fall_on_either_side(left, values):
    other = with_counter(make_recording(SHORT), values)
    for a, b in ((left, other), (other, left)):
        with pytest.raises(ParameterError, match="'made' is not allowed"):
            pair_recordings(a, b, by="made")


def test_files_are_not_directories(left):
    other = with_counter(make_recording(SHORT), [0, 1, 2, 3, 4], unit="directories")
    with pytest.raises(ParameterError, match="'made' is not allowed"):
        pair_recordings(left, other, by="made")


def test_titles_say_what_differs(left, right):
    assert pair_recordings(left, right, "made", titles=("a", "b")).titles == ("a", "b")

    def titles(a, b):
        one, other = (with_counter(make_recording(TINY), list(range(7)), **m) for m in (a, b))
        return pair_recordings(one, other, by="made").titles

    assert titles({"profile": "6.1"}, {"profile": "7.2"}) == ("kernel 6.1", "kernel 7.2")
    assert titles({"title": "a"}, {"title": "b"}) == ("a", "b")
    assert titles({"parameters": {"seed": 1}}, {"parameters": {"seed": 2}}) == ("seed 1", "seed 2")
    unsaid = {"parameters": {"seed": 1, "movable": None}}
    said = {"parameters": {"seed": 1, "movable": 0.3}}
    assert titles(unsaid, said) == ("usual movable", "movable 0.3")
    assert titles({}, {}) == ("left", "right")


@pytest.mark.parametrize(
    ("ticks", "reason"),
    [
        (np.zeros((0, 2), int), "positions, 2"),
        (np.zeros((7, 3), int), "positions, 2"),
        (np.zeros(7, int), "positions, 2"),
        (np.zeros((7, 2)), "positions, 2"),
        ([[t, min(t, 5)] for t in range(7)], "does not lead from 0 to 6 on the right"),
        ([[max(t, 1), t] for t in range(7)], "does not lead from 0 to 6 on the left"),
        ([[t, t] for t in (0, 1, 2, 4, 3, 5, 6)], "does not lead"),
        ([[t, 3 if t == 2 else t] for t in range(7)], "misses the right's mark at tick 2"),
    ],
)
def test_a_cursor_that_loses_something_is_refused(ticks, reason):
    recording = make_recording(TINY)
    with pytest.raises(RecordingError, match=reason):
        Pair((recording, recording), ("a", "b"), np.array(ticks))


def test_what_is_no_mark_may_be_skipped():
    recording = replace(make_recording(TINY), event_list=(Event(3, "OOM", "", "", mark=True),))
    pair = Pair((recording, recording), ("a", "b"), np.array([[0, 0], [3, 3], [6, 6]]))
    assert pair.marks == [(1, 0, 3), (1, 1, 3)]


def test_repr_says_what_it_is(left, right):
    pair = pair_recordings(left, right, by="made", titles=("one", "other"))
    assert repr(pair) == "<Pair of 'one' and 'other': 10 positions, by made>"
