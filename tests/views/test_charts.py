"""The chart of a pair has both sides in it, each as far as it goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.recording.lineup import LETTERS, Lineup
from hotmem_viz.recording.pair import Pair
from hotmem_viz.views import figures
from hotmem_viz.views.charts import draw_chart, draw_lineup_chart
from hotmem_viz.views.palette import UI
from hotmem_viz.views.svg import make_figure
from tests.views.synthetic import TINY, make_recording

SHORT = replace(TINY, ticks=5)


@pytest.fixture(scope="module")
def pair():
    left, right = make_recording(TINY), make_recording(SHORT, seed=2)
    ticks = np.minimum.outer(np.arange(7), [6, 4])
    return Pair((left, right), ("one", "the other"), ticks)


@pytest.fixture(scope="module")
def payload(pair):
    return draw_chart(pair)


def test_every_side_is_named_and_has_its_colour(payload):
    rows = [(row["label"], row["light"], row["dark"]) for row in payload["lines"]]
    assert [label[0] for label, *_ in rows].count("A") == [r[0][0] for r in rows].count("B") > 0
    for label, light, dark in rows:
        assert (light, dark) == UI["side0" if label.startswith("A ") else "side1"]
    for side in ("side0", "side1"):
        for theme, tone in zip(("light", "dark"), UI[side], strict=True):
            assert tone in payload[theme]
    assert "one and the other" in payload["alt"]


def lines_of(pair):
    """Draw a pair; return what is drawn as (x, y) arrays."""
    ax = make_figure(4, 2).add_axes((0, 0, 1, 1))
    draw_lineup_chart(ax, pair)
    unit = figures.bytes_of(ax.get_ylabel())
    return unit, [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines]


def test_a_side_that_has_ended_is_drawn_no_further(pair):
    unit, lines = lines_of(pair)
    curves = [y for _, y in lines if len(y) > 2]
    assert sorted({len(y) for y in curves}) == [5, 7]
    for recording in pair.recordings:
        series = figures.series_of(recording, "kernel")
        assert series is not None
        assert [y for y in curves if len(y) == len(series) and np.allclose(y * unit, series)]


def test_marks_stand_in_the_half_of_their_side(pair):
    _, lines = lines_of(pair)
    found = {(float(x[0]), tuple(y)) for x, y in lines if len(y) == 2}
    halves = {0: (0.5, 1.0), 1: (0.0, 0.5)}
    assert found == {(position, halves[side]) for position, side, _ in pair.marks}


def test_labels_below_are_values_at_their_places(pair):
    rows = draw_chart(pair)["x_ticks"]
    last = pair.n_positions - 1
    for row in rows:
        assert pair.values[round(row["at"] * last)] == float(row["text"].replace(",", ""))


def test_of_many_sides_one_curve_each_is_drawn_in_both_themes():
    recordings = tuple(make_recording(TINY, seed=seed) for seed in range(1, 7))
    ticks = np.repeat(np.arange(7)[:, None], 6, axis=1)
    lineup = Lineup(recordings, tuple("uvwxyz"), ticks)
    payload = draw_chart(lineup)
    assert [row["label"] for row in payload["lines"]] == [f"{x} can have" for x in LETTERS]
    assert "MemAvailable" not in payload["alt"]
    for side in range(6):
        light, dark = UI[f"side{side}"]
        assert light in payload["light"]
        assert dark in payload["dark"]
        assert light not in payload["dark"]


def test_a_single_recording_keeps_its_chart():
    recording, before = make_recording(TINY), make_recording(SHORT)
    own, drawn = figures.chart_payload(recording, before), draw_chart(recording, before)
    for themed in ("light", "dark"):  # Names inside an SVG are drawn anew every time.
        assert len(own.pop(themed)) == len(drawn.pop(themed))
    assert drawn == own
    assert drawn["ghost"] is True


def test_there_is_a_letter_and_a_colour_for_each_side():
    assert {f"side{i}" for i in range(len(LETTERS))} <= set(UI)


@pytest.mark.parametrize("top", [6, 700, 59_999, 16_432_794])
def test_labels_below_never_touch(pair, top, monkeypatch):
    values = np.r_[0, np.linspace(top * 0.9, top, 6)].round()
    monkeypatch.setattr(Pair, "values", values)
    rows = draw_chart(pair)["x_ticks"]
    assert len(rows) >= 2
    assert all(len(row["text"]) <= 7 for row in rows)
    assert np.diff([row["at"] for row in rows]).min() >= 0.1
