"""The scoreboard: what the recordings' own counters say, and which ends are best and worst."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.measures import MEASURES
from hotmem_viz.recording.scoreboard import (
    find_ends,
    read_measure,
    write_title,
    write_value,
)

NAMES = ["none", "percent", "hot_add", "auto", "callbacks", "remap"]


@pytest.fixture(scope="module")
def six():
    return hotmem_viz.strategies(seed=7)


def value(recording, name, tick):
    table = recording.counters
    return float(table[name].iloc[tick])


def test_the_table_is_what_the_counters_say_at_their_ticks(six):
    table = six.scoreboard
    assert list(table.index) == list(six.recordings) == NAMES
    assert list(table.columns) == [m.name for m in MEASURES]
    for name, recording in six.recordings.items():
        at = next(e.tick for e in recording.event_list if e.kind == "CAPACITY")
        row = table.loc[name]
        assert row["usable"] == value(recording, "metadata_usable", at)
        assert row["mappable"] == value(recording, "mappable", at)
        assert row["usable_after"] == value(recording, "metadata_usable", -1)
        assert row["removed"] == value(recording, "sections_removed", -1)
        assert row["tax"] == value(recording, "tax_ns", -1)
    assert table.attrs["units"]["pause"] == "ns"
    assert table.attrs["unproven"] == {"callbacks": [], "remap": ["Q11", "Q12", "Q13", "Q15"]}


def test_one_strategy_is_counted_by_hand_from_its_last_frames(six):
    """hot_add: every answer was yes, 4 nodes of 12 blocks were written, nothing stood still."""
    recording = six.recordings["hot_add"]
    row = six.scoreboard.loc["hot_add"]
    answers = [e for e in recording.event_list if e.kind.startswith("OFFLIN")]
    assert [e.kind for e in answers] == ["OFFLINED"] * 18
    assert row["removed"] == 18
    assert row["decisions"] == 4 * 12
    assert (row["pause"], row["loads"], row["table_held"], row["broken_left"]) == (0, 1, 0, 0)
    before = recording.frame(next(e.tick for e in recording.event_list if e.kind == "CAPACITY"))
    loaded = recording.frame(next(e.tick for e in recording.event_list if e.kind == "LOADED"))
    grown = [int((f == k).sum()) for f in (loaded, before) for k in (6, 7, 8)]
    assert row["given"] == sum(grown[:3]) - sum(grown[3:])


def test_best_and_worst_are_the_ends_unless_most_are_alike():
    assert find_ends([3, 1, 2], "high") == ({0}, {1})
    assert find_ends([3, 1, 2], "low") == ({1}, {0})
    assert find_ends([0, 0, 0, 5], "low") == (set(), {3})
    assert find_ends([4, 4, 1, 2], "high") == ({0, 1}, {2})
    assert find_ends([2, 2, 2], "high") == (set(), set())
    assert find_ends([3, 1, 2], "") == (set(), set())


def test_values_are_written_with_their_units(six):
    assert write_value(191_856_640, "bytes") == "183 MiB"
    assert write_value(10_812, "pages") == "42.2 MiB"
    assert write_value(1_815_685, "ns") == "1.816 ms"
    assert write_value(0, "ns") == "0"
    assert write_value(48, "decisions") == "48"
    assert write_value(1.24866, "loads") == "1.249"
    removed = next(m for m in MEASURES if m.name == "removed")
    assert write_title(six.recordings["none"], removed) == "sections removed, of 18"


def test_any_two_stand_on_one_cursor_step_by_step(six):
    pair = six.pair("hot_add", "remap")
    assert pair.by == "step"
    assert pair.titles == ("One node boots, the rest is added", "stop_machine remap")
    steps = [r.counters["step"].to_numpy()[pair.ticks[:, i]] for i, r in enumerate(pair.recordings)]
    assert np.array_equal(*steps)
    with pytest.raises(ParameterError, match="right: 'hope'"):
        six.pair("none", "hope")


def test_what_is_no_strategy_is_refused():
    with pytest.raises(ParameterError, match="made of strategies"):
        read_measure(hotmem_viz.run("hot_remove"), MEASURES[0])
    with pytest.raises(ParameterError, match="all of them are run"):
        hotmem_viz.strategies(strategy="none")
    with pytest.raises(ParameterError, match="seed"):
        hotmem_viz.strategies(seed=-1)
