"""The strategies lesson: six or two on the stage, six on the board, runs kept while they serve."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.apps import strategies as lesson
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.lineup import Lineup
from hotmem_viz.recording.pair import Pair


@pytest.fixture
def runs(monkeypatch):
    """The strategies that were run, in order."""
    made = []
    record = catalog.record_strategy

    def note(strategy, **parameters):
        made.append(strategy)
        return record(strategy, **parameters)

    monkeypatch.setattr(lesson, "record_strategy", note)
    return made


def test_all_six_are_on_the_stage_and_run_once_each(runs):
    app = hotmem_viz.app("strategies", seed=3)
    assert sorted(runs) == sorted(["none", "percent", "hot_add", "auto", "callbacks", "remap"])
    shown = app.shown
    assert isinstance(shown, Lineup)
    assert [r.meta["parameters"]["strategy"] for r in shown.recordings] == runs
    assert app.inputs["strategy"].layout.display == "none"
    assert app.recording is shown.recordings[0]
    assert app.board.value.count('<th scope="row">') == 6
    app.beside.value = "remap"
    assert app.inputs["strategy"].layout.display == ""
    assert len(runs) == 6
    assert not app.errors.value


def test_two_are_on_the_stage_and_all_six_on_the_board(runs):
    app = hotmem_viz.app("strategies", strategy="percent", beside="remap")
    assert isinstance(app.shown, Pair)
    assert [r.meta["parameters"]["strategy"] for r in app.shown.recordings] == ["percent", "remap"]
    assert sorted(runs) == sorted({"none", "percent", "hot_add", "auto", "callbacks", "remap"})
    assert app.board.value.count('<th scope="row">') == 6
    # A slider whose steps miss the default would ask for another run than `hotmem_viz.run`.
    assert app.parameters() == app.recording.meta["parameters"]
    assert app.parameters() == hotmem_viz.run("strategies", strategy="percent").meta["parameters"]
    assert not app.errors.value


def test_another_side_runs_nothing_again_and_another_seed_everything(runs):
    app = hotmem_viz.app("strategies")
    del runs[:]
    app.beside.value = "auto"
    app.inputs["strategy"].value = "hot_add"
    assert runs == []
    assert app.shown.titles == ("One node boots, the rest is added", "The auto-movable policy")
    app.inputs["seed"].value = 11
    assert len(runs) == 6
    assert "seed 11" in app.board.value


def test_one_alone_is_a_recording():
    app = hotmem_viz.app("strategies", beside="alone", strategy="callbacks")
    assert app.shown is app.recording
    assert app.recording.meta["parameters"]["strategy"] == "callbacks"


def test_a_link_leads_back_to_the_same_sides():
    app = hotmem_viz.app("strategies", strategy="auto", beside="callbacks", seed=5)
    app.stage.tick = 12
    again = hotmem_viz.app("strategies", state=app.state)
    assert again.state == app.state
    assert (again.stage.tick, again.shown.titles) == (12, app.shown.titles)
    alone = hotmem_viz.app("strategies", beside="alone", strategy="auto")
    assert hotmem_viz.app("strategies", state=alone.state).beside.value == "alone"


def test_a_wrong_value_is_one_line():
    with pytest.raises(ParameterError, match="beside"):
        hotmem_viz.app("strategies", beside="hope")
    app = hotmem_viz.app("strategies")
    app.beside.options = [*app.beside.options, ("hope", "hope")]
    app.beside.value = "hope"
    assert "strategy" in app.errors.value
