"""Charts say what they show; the browser's chart stretches and its labels travel along."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from hotmem_viz.views import figures
from hotmem_viz.views.palette import THEMES, Theme, colour
from tests.views.synthetic import TINY, Size, make_recording


@pytest.fixture(scope="module")
def recording():
    return make_recording(TINY)


@pytest.fixture(scope="module")
def longer():
    return make_recording(Size(**{**TINY.__dict__, "ticks": 13}), seed=3)


@pytest.mark.parametrize("theme", THEMES)
def test_curves_are_the_counters_in_bytes(recording, theme: Theme):
    ax = Figure().add_subplot()
    figures.draw_time_chart(ax, recording, theme)
    lines = {line.get_label(): line for line in ax.get_lines()}
    counters = recording.counters
    free = np.asarray(lines["free"].get_ydata()) * {"MiB": 2**20}[ax.get_ylabel()]
    np.testing.assert_allclose(free, counters["free"] * 4096)
    kernel = np.asarray(lines["kernel can have"].get_ydata()) * 2**20
    np.testing.assert_allclose(kernel, (counters["free"] - counters["useless"]) * 4096)
    assert lines["MemAvailable"].get_color() == colour("claim", theme)
    assert ax.get_xlabel() == "tick"


def test_every_mark_is_a_line_at_its_tick(recording):
    ax = Figure().add_subplot()
    figures.draw_time_chart(ax, recording)
    upright = sorted(
        float(np.asarray(line.get_xdata())[0])
        for line in ax.get_lines()
        if np.size(line.get_xdata()) == 2
    )
    assert upright == sorted(e.tick for e in recording.event_list if e.mark)


def test_a_longer_ghost_moves_the_last_tick_inwards(recording, longer):
    assert figures.chart_payload(recording)["right"] == 1.0
    with_ghost = figures.chart_payload(recording, longer)
    assert with_ghost["right"] == pytest.approx(6 / 12)
    assert with_ghost["lines"][-1]["label"] == "run before"


def test_the_payload_has_a_wordless_stretching_picture_for_each_theme(recording):
    payload = figures.chart_payload(recording)
    for theme in THEMES:
        svg = payload[theme]
        assert svg.startswith('<svg preserveAspectRatio="none"')
        assert "<text" not in svg
        assert "<style" not in svg
        assert colour("usable", theme) in svg
        assert colour("useless", theme) in svg
    assert colour("useless", "light") not in payload["dark"]
    assert payload["x_ticks"][0] == {"at": 0.0, "text": "0"}
    assert payload["y_ticks"][0]["text"].endswith("iB")
    assert all(0 <= row["at"] <= 1 for row in payload["lines"])
