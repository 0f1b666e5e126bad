"""An app's state: given, taken on, and never believed."""

from __future__ import annotations

import json
import re

import pytest

import hotmem_viz
from hotmem_viz.apps.page import tidy
from hotmem_viz.errors import ParameterError
from hotmem_viz.scenarios.controls import write_value
from hotmem_viz.scenarios.parameters import OTHERWISE
from hotmem_viz.views.bundle import read_module


def test_an_app_takes_on_the_state_that_another_gives():
    one = hotmem_viz.app("hot_remove", obstacle="slab", where="kernel", seed=3)
    one.stage.tick, one.stage.theme = 12, "light"
    assert one.state.endswith("&obstacle=slab&seed=3&tick=12&theme=light")
    for text in (one.state, f"#{one.state}", f"http://127.0.0.1:8866/#{one.state}"):
        for name in ("hot_remove", None):
            other = hotmem_viz.app(name, state=text)
            assert other.state == one.state
            assert other.parameters() == one.parameters()
            assert other.errors.value == ""


@pytest.mark.parametrize("value", [0.123, 1 / 3, 0.4567891])
def test_a_share_between_the_slider_s_steps_stays_what_it_is(value):
    text = f"scenario=exhaustion&movable={value}&seed=7&tick=0"
    lesson = hotmem_viz.app(state=text)
    assert lesson.state == text
    assert lesson.recording.meta["parameters"]["movable"] == value


def test_a_slider_s_own_noise_is_no_other_value():
    assert tidy(0.05 * 3) == 0.15 != 0.05 * 3
    assert [tidy(v) for v in (1 / 3, 0.0, 12.5)] == [1 / 3, 0.0, 12.5]


@pytest.mark.parametrize("name", ["starvation", "exhaustion"])
def test_a_slider_whose_browser_rounds_its_value_runs_nothing_again(name):
    lesson = hotmem_viz.app(name, movable=0.85)
    slider = lesson.movable if name == "exhaustion" else lesson.inputs["movable"]
    before = lesson.recording
    slider.value = 17 * 0.05
    assert slider.value != 0.85
    assert lesson.recording is before
    slider.value = 0.8
    assert lesson.recording is not before


def test_a_share_where_no_slider_sizes_the_zone_is_kept():
    text = "scenario=exhaustion&machine=pae&movable=0.25&seed=7&tick=0"
    assert hotmem_viz.app(state=text).state == text


def test_two_kernels_are_part_of_the_state():
    text = "scenario=exhaustion&movable=0.5&seed=7&beside=7.2&tick=30"
    lesson = hotmem_viz.app(state=text)
    assert (lesson.beside.value, lesson.stage.tick, lesson.state) == ("7.2", 30, text)


def test_the_state_follows_the_controls():
    lesson = hotmem_viz.app("hot_remove")
    lesson.inputs["obstacle"].value = "pin"
    assert lesson.state == "scenario=hot_remove&obstacle=pin&seed=7&tick=0"


def test_a_state_of_another_lesson_is_told_and_the_one_asked_for_is_shown():
    lesson = hotmem_viz.app("hot_remove", state="#scenario=exhaustion&seed=3&tick=2")
    assert "scenario: &#x27;exhaustion&#x27; is not allowed; this is the lesson hot_remove" in (
        lesson.errors.value
    )
    assert lesson.state == "scenario=hot_remove&seed=7&tick=0"


def test_a_state_that_cannot_be_read_is_told_too():
    lesson = hotmem_viz.app(state="#scenario=starvation&fill=NaN&tick=3")
    assert "fill: &#x27;NaN&#x27; is not allowed; a number from 0 to 1" in lesson.errors.value
    assert lesson.state == "scenario=starvation&seed=7&tick=0"


def test_parameters_and_a_state_exclude_each_other():
    with pytest.raises(ParameterError, match="it excludes seed; give one"):
        hotmem_viz.app("exhaustion", state="tick=3", seed=3)


def test_what_stands_beside_an_exhaustion_run_is_part_of_its_state():
    (in_browser,) = re.findall(r"SECOND_RUNS = (\[.*\]);", read_module("linkstate.js"))
    assert json.loads(in_browser) == list(OTHERWISE)
    written = [f"{name}={write_value(value)}" for name, value in OTHERWISE.values()]
    assert written == list(OTHERWISE)
    text = "scenario=exhaustion&seed=7&beside=movable=0&tick=4"
    assert hotmem_viz.app(state=text).state == text


def test_a_second_run_that_does_not_go_with_the_first_is_told():
    lesson = hotmem_viz.app(state="beside=held=1&seed=3")
    assert "beside: &#x27;held=1&#x27; is not allowed; beside such a run" in lesson.errors.value
    assert lesson.state == "scenario=exhaustion&seed=7&tick=0"


def test_strategies_stand_side_by_side_and_alone():
    for text in (
        "scenario=strategies&seed=11&beside=all&tick=12",
        "scenario=strategies&strategy=percent&seed=7&beside=remap&tick=3",
        "scenario=strategies&seed=7&tick=3",
    ):
        assert hotmem_viz.app(state=text).state == text
    assert "&beside=all&" in hotmem_viz.app("strategies").state
