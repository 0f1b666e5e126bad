"""The lesson as a widget, without a browser: controls move, the stage gets another recording."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest

import hotmem_viz
from hotmem_viz.apps import exhaustion as module
from hotmem_viz.apps.exhaustion import ExhaustionApp, exhaustion_app
from hotmem_viz.apps.page import ErrorPanel, Later
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.views.wire import decode_recording

MOVES = {
    "machine": "mail",
    "movable": 0.9,
    "boot": "kernelcore=64M",
    "workload": "sockets",
    "user": 0.1,
    "seed": 8,
}


@pytest.fixture
def app():
    return exhaustion_app()


@pytest.fixture
def runs(monkeypatch):
    """Count the runs: a list of the parameters of each."""
    seen = []

    def run(name, **parameters):
        seen.append(parameters)
        return hotmem_viz.run(name, **parameters)

    monkeypatch.setattr(module, "run", run)
    return seen


def made(app):
    """Return the recording that the app has made."""
    assert app.recording is not None
    return app.recording


def on_stage(app):
    """Return the parameters of the recording that the browser would show."""
    return decode_recording(app.stage.recording).meta["parameters"]


async def until(condition, seconds=20):
    """Wait for a state; fail if it never comes."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the state is a widget's, there is no event
            await asyncio.sleep(0.002)


def test_it_opens_with_a_recording_on_the_stage(app):
    assert isinstance(app, ExhaustionApp)
    assert "hotmem-app" in app._dom_classes
    assert app.errors.value == ""
    assert app.stage.busy is False
    assert made(app).n_ticks > 50
    assert (app.movable.value, on_stage(app)["movable"]) == (0.75, None)
    assert app.stage.tick == 0


def test_all_controls_are_on_the_page_above_the_stage(app):
    bar = next(child for child in app.children if "hotmem-controls" in child._dom_classes)
    assert {getattr(app, name) for name in MOVES} <= set(bar.children)
    places = [app.children.index(child) for child in (bar, app.errors, app.stage)]
    assert places == sorted(places)


def test_the_front_door_gives_the_same_app():
    app = hotmem_viz.app("exhaustion", seed=5, workload="pipes", user=0.0)
    assert on_stage(app)["workload"] == "pipes"
    assert (app.seed.value, app.user.value) == (5, 0.0)
    with pytest.raises(ParameterError, match="scenario: 'tea' is not allowed"):
        hotmem_viz.app("tea")


@pytest.mark.parametrize("control", MOVES)
def test_each_control_changes_what_is_on_the_stage(app, control):
    before, shown = app.stage.recording, app.recording
    getattr(app, control).value = MOVES[control]
    # No event loop runs here, so that the change is there at once.
    assert app.errors.value == ""
    assert app.stage.recording != before
    assert app.recording is not shown
    assert on_stage(app)[control] == MOVES[control]
    assert app.stage.busy is False


def test_every_choice_runs(app):
    for machine in PRESETS:
        if machine != "server":
            app.machine.value = machine
            assert (app.errors.value, on_stage(app)["machine"]) == ("", machine)
    app.machine.value = "classroom"
    for _, workload in app.workload.options:
        app.workload.value = workload
        assert (app.errors.value, on_stage(app)["workload"]) == ("", workload)
    app.workload.value = "files"
    for share in (app.movable.min, app.movable.max):
        app.movable.value = share
        assert (app.errors.value, on_stage(app)["movable"]) == ("", share)
    for share in (app.user.min, app.user.max):
        app.user.value = share
        assert (app.errors.value, on_stage(app)["user"]) == ("", share)
    app.seed.value = app.seed.max
    assert (app.errors.value, on_stage(app)["seed"]) == ("", app.seed.max)


def test_the_run_before_stays_as_a_ghost(app, monkeypatch):
    shown = []
    monkeypatch.setattr(app.stage, "show", lambda *recordings: shown.append(recordings))
    first = app.recording
    app.seed.value = 1
    app.seed.value = 2
    assert shown[0] == (shown[0][0], first)
    assert shown[1] == (app.recording, shown[0][0])


# --- the movable slider and the boot options -----------------------------------------------


def test_boot_options_take_the_slider_out_of_the_game(app):
    for boot, movable in (("kernelcore=64M", None), ("   ", 0.6)):
        app.movable.value, app.boot.value = 0.6, boot
        assert app.movable.disabled is (movable is None)
        assert (on_stage(app)["movable"], on_stage(app)["boot"]) == (movable, boot.strip())


@pytest.mark.parametrize(("machine", "disabled"), [("classroom", False), ("pae", True)])
def test_the_slider_counts_where_movable_is_the_machines_own_split(app, machine, disabled):
    app.movable.value, app.machine.value = 0.6, machine
    assert app.movable.disabled is disabled
    assert (on_stage(app)["movable"] is None) is disabled


@pytest.mark.parametrize("given", [{"machine": "mail"}, {"boot": "movablecore=50%"}])
def test_the_slider_is_out_of_the_game_from_the_start(given):
    assert exhaustion_app(**given).movable.disabled is True


def test_what_has_no_control_is_kept():
    app = exhaustion_app(ballast=50, user=0.0)
    before = made(app).counters_array[0]
    assert on_stage(app)["ballast"] == 50
    app.seed.value = 99
    assert on_stage(app)["ballast"] == 50
    assert (made(app).counters_array[0] == before).all()


@pytest.mark.parametrize("share", [0.0, 0.33, 0.97])
def test_any_share_can_be_given_from_python(share):
    assert on_stage(exhaustion_app(movable=share))["movable"] == share


def test_a_captured_machine_can_be_given_by_name():
    app = exhaustion_app(machine="b-files-85", user=0.0)
    assert app.errors.value == ""
    assert on_stage(app)["machine"] == "b-files-85"
    assert app.movable.disabled is True


# --- errors --------------------------------------------------------------------------------


def test_an_error_is_shown_and_the_old_recording_stays(app):
    before, shown = app.stage.recording, app.recording
    app.boot.value = "kernelcoer=64M"
    assert 'class="hotmem-error"' in app.errors.value
    assert "did you mean kernelcore?" in app.errors.value
    assert app.stage.recording == before
    assert app.recording is shown
    assert app.stage.busy is False
    app.boot.value = "kernelcore=64M"
    assert app.errors.value == ""
    assert app.stage.recording != before


def test_an_error_of_the_program_is_shown_with_its_place(app, monkeypatch):
    def fail(*_args, **_parameters):
        raise ZeroDivisionError("<b>oh</b>")

    monkeypatch.setattr(module, "run", fail)
    app.seed.value = 3
    assert 'class="hotmem-error"' in app.errors.value
    assert "ZeroDivisionError" in app.errors.value
    assert "test_exhaustion_app.py" in app.errors.value
    assert "<b>" not in app.errors.value
    assert app.stage.busy is False


def test_what_a_person_typed_cannot_become_markup(app):
    app.boot.value = "<img src=x onerror=alert(1)>"
    assert "hotmem-error" in app.errors.value
    assert "<img" not in app.errors.value


def test_a_wrong_parameter_at_the_start_is_the_callers_error():
    with pytest.raises(ParameterError, match="user: 2 is not allowed"):
        exhaustion_app(user=2)


# --- the newest wish wins ------------------------------------------------------------------


def test_only_the_newest_of_many_wishes_runs(runs):
    async def drag():
        app = exhaustion_app()
        assert len(runs) == 1
        for value in range(20):
            app.seed.value = 100 + value
        assert app.stage.busy is True
        assert len(runs) == 1, "nothing runs while wishes arrive"
        await until(lambda: not app.stage.busy)
        return app

    app = asyncio.run(drag())
    assert [p["seed"] for p in runs] == [7, 119]
    assert on_stage(app)["seed"] == 119


def test_a_later_wish_runs_after_an_earlier_run(runs):
    async def drag():
        app = exhaustion_app()
        for seed in (1, 2):
            app.seed.value = seed
            await until(lambda: not app.stage.busy)
        return app

    app = asyncio.run(drag())
    assert [p["seed"] for p in runs] == [7, 1, 2]
    assert on_stage(app)["seed"] == 2


def test_an_error_inside_an_event_loop_shows_too():
    async def mistype():
        app = exhaustion_app()
        before = app.stage.recording
        app.boot.value = "kernelcore=never"
        await until(lambda: not app.stage.busy)
        assert "hotmem-error" in app.errors.value
        assert app.stage.recording == before

    asyncio.run(mistype())


def test_the_chart_follows_by_itself():
    async def wait():
        app = exhaustion_app()
        assert app.stage.chart == {}
        await until(lambda: app.stage.chart or app.stage.error)
        return app.stage.chart, app.stage.error

    chart, error = asyncio.run(wait())
    assert error == ""
    assert "<svg" in chart["light"]
    assert "<svg" in chart["dark"]


def test_later_runs_once_however_often_it_is_asked():
    async def ask():
        done = []
        later = Later(lambda: done.append(1), ErrorPanel(), delay=0)
        for _ in range(5):
            later.ask()
        assert later.is_waiting
        assert not done
        await until(lambda: not later.is_waiting)
        return done

    assert asyncio.run(ask()) == [1]


def test_later_runs_at_once_without_an_event_loop():
    done = []
    later = Later(lambda: done.append(1), ErrorPanel(), delay=60)
    later.ask()
    assert done == [1]
    assert not later.is_waiting


def test_nothing_is_left_over(app):
    """No task or handle of a lost app complains when it goes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.close()
        del app
        gc.collect()
