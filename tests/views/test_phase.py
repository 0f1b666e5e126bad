"""The phase diagram: a run as a point under the curves of the closed form."""

from __future__ import annotations

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

import hotmem_viz
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boundary import find_boundary
from hotmem_viz.views.phase import DEMANDS, draw_phase, find_point, save_phase
from tests.views.legible import check_legible


@pytest.fixture(scope="module")
def starved():
    return hotmem_viz.run("starvation")


def test_the_point_is_the_run_where_memory_first_ended(starved):
    ratio, other, demand = find_point(starved)
    tick = next(e.tick for e in starved.event_list if e.kind == "REFUSED")
    assert find_point(starved, tick) == (ratio, other, demand)
    assert find_point(starved, 0)[2] < demand
    # The machine has more movable memory than fits, but for marks and reserves.
    assert find_boundary(other, demand) == pytest.approx(ratio, rel=0.02)


def test_curves_are_the_closed_form_and_the_point_lies_on_its_own(starved):
    axes = draw_phase(starved).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for p in DEMANDS:
        shares, ratios = (np.asarray(x) for x in lines[f"p = {p}"].get_data())
        assert ratios[40] == pytest.approx(find_boundary(shares[40] / 100, p))
    ratio, other, _ = find_point(starved)
    point = lines[f"this run, r = {ratio:.2f}"]
    at = [float(np.asarray(x)[0]) for x in point.get_data()]
    assert at == pytest.approx([100 * other, ratio])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_is_smaller_than_14_pixels_or_outside_the_figure(starved, theme):
    check_legible(draw_phase(starved, theme))


def test_it_is_saved_by_its_ending(starved, tmp_path):
    for ending, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = tmp_path / f"phase.{ending}"
        save_phase(starved, path)
        assert path.read_bytes().startswith(begin)


def test_a_notebook_shows_it(starved):
    shown, _ = DisplayFormatter().format(draw_phase(starved))
    assert shown["image/png"].startswith(b"\x89PNG")


def test_what_has_no_boundary_is_refused(starved):
    with pytest.raises(ParameterError, match="drawn of starvation"):
        draw_phase(hotmem_viz.run("exhaustion"))
    with pytest.raises(ParameterError, match="some movable memory"):
        draw_phase(hotmem_viz.run("starvation", use="dense", movable=0.0))
    with pytest.raises(ParameterError):
        draw_phase(starved, "sepia")  # type: ignore[arg-type]
    with pytest.raises(ParameterError):
        draw_phase(starved, tick=10_000)
