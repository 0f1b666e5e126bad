"""More than two recordings on one cursor, and recordings made coarse for small maps."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.errors import ParameterError, RecordingError
from hotmem_viz.recording.coarse import coarsen
from hotmem_viz.recording.lineup import Lineup, find_cursor, merge_ticks
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.scoreboard import LINEUP_CELLS
from hotmem_viz.recording.tracks import CellTrack
from tests.views.synthetic import TINY, make_recording

SHORT = replace(TINY, ticks=5)
series = st.lists(st.integers(0, 6), max_size=9).map(lambda values: sorted([0, *values]))


def merged_slowly(*columns: list[int]) -> list[list[int]]:
    """The same by walking: at each value, each side's ticks of it, the last one standing still."""
    rows: list[list[int]] = []
    for value in sorted(set().union(*columns)):
        own = [[t for t, v in enumerate(c) if v == value] for c in columns]
        waits = [max((t for t, v in enumerate(c) if v <= value), default=0) for c in columns]
        stops = [ticks or [wait] for ticks, wait in zip(own, waits, strict=True)]
        rows += [[s[min(k, len(s) - 1)] for s in stops] for k in range(max(map(len, own)))]
    return rows


@given(series, series, series)
def test_three_series_merge_as_a_walk_over_them_says(a, b, c):
    assert merge_ticks(*map(np.array, (a, b, c))).tolist() == merged_slowly(a, b, c)


def test_a_lineup_needs_a_title_and_a_column_for_each_of_two_to_six():
    one = make_recording(TINY)
    ticks = np.repeat(np.arange(7)[:, None], 3, axis=1)
    lineup = Lineup((one,) * 3, ("a", "b", "c"), ticks)
    assert repr(lineup) == "<Lineup of 'a' and 'b' and 'c': 7 positions, by tick>"
    assert lineup.values.tolist() == list(range(7))
    for recordings, titles, columns in (
        ((one,), ("a",), 1),
        ((one,) * 7, tuple("abcdefg"), 7),
        ((one,) * 3, ("a", "b"), 3),
    ):
        with pytest.raises(RecordingError, match="2 to 6 recordings, each with a title"):
            Lineup(recordings, titles, ticks[:, :1].repeat(columns, axis=1))
    with pytest.raises(RecordingError, match=r"\(positions, 3\) whole numbers"):
        Lineup((one,) * 3, ("a", "b", "c"), ticks[:, :2])
    late = ticks.copy()
    late[-1, 2] = 5
    with pytest.raises(RecordingError, match="does not lead from 0 to 6 on the C"):
        Lineup((one,) * 3, ("a", "b", "c"), late)


def test_lengths_that_differ_are_named_with_the_counters_that_serve():
    runs = [make_recording(shape) for shape in (TINY, SHORT, TINY)]
    with pytest.raises(ParameterError, match="7 and 5 and 7 ticks"):
        find_cursor(runs, "tick")


@pytest.fixture(scope="module")
def six():
    return hotmem_viz.strategies(seed=3, removals=4)


def test_all_strategies_stand_at_the_same_step_of_the_plan(six):
    lineup = six.lineup
    assert list(lineup.titles) == list(six.titles.values())
    assert lineup.ticks.shape == (lineup.n_positions, 6)
    steps = [
        recording.counters["step"].to_numpy()[ticks]
        for recording, ticks in zip(lineup.recordings, lineup.ticks.T, strict=True)
    ]
    for other in steps[1:]:
        np.testing.assert_array_equal(steps[0], other)
    np.testing.assert_array_equal(lineup.values, steps[0])
    marks = {
        (side, e.tick)
        for side, recording in enumerate(lineup.recordings)
        for e in recording.event_list
        if e.mark
    }
    assert {(side, tick) for _, side, tick in lineup.marks} == marks


@pytest.mark.parametrize("strategy", ["auto", "remap"])
def test_a_coarse_recording_is_what_the_recorder_makes_with_fewer_cells(six, strategy):
    run = catalog.build_run("strategies", strategy=strategy, seed=3, removals=4)
    wanted, got = record(run, LINEUP_CELLS), coarsen(six.recordings[strategy], LINEUP_CELLS)
    assert wanted.meta["pages_per_cell"] == got.meta["pages_per_cell"] == 4
    assert got.meta == wanted.meta
    assert len(got.details) == len(wanted.details) > 3
    for field in fields(Recording):
        mine, truth = getattr(got, field.name), getattr(wanted, field.name)
        if field.name in ("meta", "rows"):
            continue
        if isinstance(truth, CellTrack):
            assert_same(mine, truth)
        elif field.name == "details":
            for a, b in zip(mine, truth, strict=True):
                assert_same(a, b)
        else:
            np.testing.assert_array_equal(mine, truth)
    assert set(got.rows) == set(wanted.rows)


def assert_same(mine: object, truth: object) -> None:
    """Compare two dataclasses of arrays, types included."""
    assert type(mine) is type(truth)
    for field in fields(truth):  # type: ignore[arg-type]
        a, b = np.asarray(getattr(mine, field.name)), np.asarray(getattr(truth, field.name))
        assert a.dtype == b.dtype, field.name
        np.testing.assert_array_equal(a, b, field.name)


def test_cells_that_are_large_enough_stay_as_they_are(six):
    recording = six.recordings["none"]
    assert coarsen(recording, 1 << 20) is recording
    coarse = coarsen(recording, LINEUP_CELLS)
    assert coarsen(coarse, LINEUP_CELLS) is coarse


def test_walking_a_track_gives_its_frames(six):
    track = six.recordings["percent"].kind
    ticks = [0, 1, 1, 7, 20]
    for tick, state in zip(ticks, track.walk(ticks), strict=True):
        np.testing.assert_array_equal(state, track.frame(tick))
