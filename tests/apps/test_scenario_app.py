"""An app made of declared parameters: each has its control, and moving one runs again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType

import ipywidgets as widgets
import pytest

from hotmem_viz import app, catalog
from hotmem_viz.errors import ParameterError
from hotmem_viz.scenarios.controls import (
    check_parameters,
    choice,
    flag,
    number,
    seed,
    share,
    text,
    whole,
)
from tests.recording.runs import RandomRun


@dataclass(frozen=True)
class Wishes:
    machine: str = choice("odd", {"an odd one": "odd", "a woven one": "woven"}, "machine")
    residue: float = share(0.05, "residue", highest=0.5)
    copy_us: float = number(
        1.65, 0.1, 50, "copy", "of a page", step=0.05, unit="µs", source="measured", advanced=True
    )
    cpus: int = whole(4, 1, 64, "CPUs")
    callbacks: bool = flag(False, "callbacks")
    boot: str = text("", "boot options")
    seed: int = seed()
    hidden: int = field(default=3)

    def __post_init__(self) -> None:
        check_parameters(self)


class Random(RandomRun):
    title = "at random"
    parameters_type = Wishes

    def __init__(self, parameters, _setup):
        super().__init__(parameters.machine, ticks=5, seed=parameters.seed)
        self.meta |= {"title": self.title, "cpus": parameters.cpus}
        if parameters.boot:
            raise ParameterError("boot", parameters.boot, "nothing may be typed")

    @classmethod
    def prepare(cls, _parameters, _find_machine):
        return None


@pytest.fixture
def scenario(monkeypatch):
    module = ModuleType("hotmem_viz.scenarios.random")
    module.Random = Random  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(catalog.SCENARIOS, "random", "Random")


@pytest.mark.usefixtures("scenario")
class TestApp:
    def test_each_declared_parameter_has_its_control(self):
        lesson = app("random", cpus=7)
        kinds = {name: type(control) for name, control in lesson.inputs.items()}
        assert kinds == {
            "machine": widgets.Dropdown,
            "residue": widgets.FloatSlider,
            "copy_us": widgets.BoundedFloatText,
            "cpus": widgets.BoundedIntText,
            "callbacks": widgets.Checkbox,
            "boot": widgets.Text,
            "seed": widgets.BoundedIntText,
        }
        assert lesson.inputs["cpus"].value == 7
        assert lesson.inputs["copy_us"].description == "copy, µs"
        assert lesson.inputs["copy_us"].tooltip == "of a page (measured)"
        *plain, fold = lesson.children[1].children
        assert fold.children[0].children == (lesson.inputs["copy_us"],)
        assert plain == [c for n, c in lesson.inputs.items() if n != "copy_us"]

    def test_moving_a_control_runs_again(self):
        lesson = app("random")
        before = lesson.recording
        assert before.meta["cpus"] == 4
        lesson.inputs["cpus"].value = 9
        assert lesson.recording is not before
        assert lesson.recording.meta["cpus"] == 9
        assert lesson.parameters() == {
            "machine": "odd",
            "residue": 0.05,
            "copy_us": 1.65,
            "cpus": 9,
            "callbacks": False,
            "boot": "",
            "seed": 7,
            "hidden": 3,
        }
        assert lesson.stage.busy is False

    def test_what_has_no_control_stays_as_given(self):
        lesson = app("random", hidden=8)
        lesson.inputs["seed"].value = 11
        assert lesson.parameters()["hidden"] == 8

    def test_an_error_is_shown_and_the_stage_keeps_its_recording(self):
        lesson = app("random")
        before = lesson.recording
        lesson.inputs["boot"].value = "<b>quiet"
        assert "boot: &#x27;&lt;b&gt;quiet&#x27; is not allowed" in lesson.errors.value
        assert lesson.recording is before
        lesson.inputs["boot"].value = ""
        assert lesson.errors.value == ""

    def test_what_is_not_allowed_is_refused_at_the_door(self):
        with pytest.raises(ParameterError, match="cpus: 99 is not allowed"):
            app("random", cpus=99)
        with pytest.raises(ParameterError, match="parameters are machine, residue"):
            app("random", colour="red")


def test_an_unknown_scenario_is_refused():
    with pytest.raises(ParameterError, match="scenarios are boot_options, exhaustion"):
        app("tea")


def test_the_boundary_of_starvation_is_drawn_below_its_stage_in_both_themes():
    lesson = app("starvation", movable=0.5)
    before = lesson.figure.value
    assert before.count("data:image/svg+xml;base64,") == 2
    assert [before.count(f'class="hotmem-in-{theme}"') for theme in ("light", "dark")] == [1, 1]
    lesson.inputs["movable"].value = 0.6
    assert lesson.figure.value != before
    lesson.inputs["movable"].value = 0.0
    assert "needs some movable memory" in lesson.figure.value
    assert not lesson.errors.value


def test_a_lesson_without_a_figure_of_its_own_has_none():
    assert app("hot_remove").figure.value == ""
