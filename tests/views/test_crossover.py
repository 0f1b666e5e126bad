"""Tax against stalls: the line and the point are recounted by hand from the parameters."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.errors import ParameterError
from hotmem_viz.views.crossover import draw_crossover, find_crossing, save_crossover
from tests.views.legible import check_legible

GIVEN = {"tax": 0.03, "fault_ns": 700, "faults": 25_000, "removals": 12, "seed": 3}


@pytest.fixture(scope="module")
def stopped():
    return hotmem_viz.run("stop_machine", **GIVEN)


def test_the_numbers_are_those_of_a_hand_count(stopped):
    at = find_crossing(stopped)
    # 3 % of 700 ns, 25,000 times a second, 86,400 seconds.
    assert at.tax_day_ns == pytest.approx(21 * 25_000 * 86_400)
    copied, scanned, fixed = (
        stopped.counters[name].iloc[-1] for name in ("copied", "entries_scanned", "entries_fixed")
    )
    pause = 100_000 + 8 * 1000 + copied * 1651 + scanned + fixed * 10 + 10_000
    assert at.pause_ns == pytest.approx(pause)
    assert at.stall_day_ns == pytest.approx(12 * pause)
    assert at.even * pause == pytest.approx(at.tax_day_ns)
    assert (at.faults, at.removals) == (25_000, 12)


def test_on_the_line_both_cost_the_same_and_the_run_is_a_point(stopped):
    axes = stopped.plot_crossover().axes[0]
    line, point = axes.get_lines()
    faults, removals = (np.asarray(x, float) for x in line.get_data())
    tax = 0.03 * 700 * faults * 86_400
    assert tax == pytest.approx(removals * find_crossing(stopped).pause_ns)
    assert [float(np.asarray(x)[0]) for x in point.get_data()] == [25_000, 12]
    (low, high), (left, right) = axes.get_ylim(), axes.get_xlim()
    assert low < removals.min() <= removals.max() < high
    assert low < 12 < high
    assert left < 25_000 < right


def test_it_follows_the_tick(stopped):
    resumed = next(e.tick for e in stopped.event_list if e.kind == "RESUMED")
    assert find_crossing(stopped, resumed) == find_crossing(stopped)
    with pytest.raises(ParameterError, match="tick"):
        find_crossing(stopped, resumed - 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_is_smaller_than_14_pixels_or_outside_the_figure(stopped, theme):
    check_legible(draw_crossover(stopped, theme))


def test_it_is_saved_by_its_ending(stopped, tmp_path):
    for ending, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = tmp_path / f"crossover.{ending}"
        save_crossover(stopped, path)
        assert path.read_bytes().startswith(begin)


def test_what_has_nothing_to_compare_is_refused():
    with pytest.raises(ParameterError, match="compared of stop_machine"):
        hotmem_viz.run("starvation").plot_crossover()
    with pytest.raises(ParameterError, match="a tax to compare"):
        hotmem_viz.run("stop_machine", tax=0).plot_crossover()
    with pytest.raises(ParameterError):
        hotmem_viz.run("stop_machine").plot_crossover(theme="sepia")  # type: ignore[arg-type]


def test_a_recording_draws_its_phase_diagram_too():
    starved = hotmem_viz.run("starvation")
    assert starved.plot_phase(theme="dark").axes[0].get_lines()
    with pytest.raises(ParameterError, match="drawn of starvation"):
        hotmem_viz.run("stop_machine").plot_phase()
