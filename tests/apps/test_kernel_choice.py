"""The lesson's kernels: those of the machine are offered, one runs, and two stand side by side."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz.apps import exhaustion as module
from hotmem_viz.apps.exhaustion import exhaustion_app
from hotmem_viz.apps.page import ALONE
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.pair import Pair
from hotmem_viz.views.wire import decode_lineup, decode_recording


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


def on_stage(app):
    """Return the meta of the one recording that the browser would show."""
    return decode_recording(app.stage.recording).meta


def labels(control):
    """Return what a choice offers, in words."""
    return [label for label, _ in control.options]


def test_the_kernels_offered_are_those_of_the_machine(app):
    x86 = ["Linux 6.1", "Linux 6.12", "Linux 7.2", "Linux 3.7"]
    assert labels(app.profile) == x86
    assert labels(app.beside) == ["none", *x86, "without ZONE_MOVABLE"]
    app.machine.value = "pae"
    assert labels(app.profile) == ["Linux 6.1", "Linux 3.7"]
    assert labels(app.beside) == ["none", "Linux 6.1", "Linux 3.7", "64-bit, same sizes"]


def test_a_machine_change_keeps_the_kernel_it_can_boot_and_runs_once(runs):
    app = exhaustion_app(profile="7.2")
    app.machine.value = "mail"
    assert app.profile.value == "7.2"
    app.machine.value = "pae"
    assert app.profile.value == ""
    assert app.errors.value == ""
    assert [(p["machine"], p["profile"]) for p in runs] == [
        ("classroom", "7.2"),
        ("mail", "7.2"),
        ("pae", ""),
    ]


def test_a_capture_offers_its_own_kernel_first():
    app = exhaustion_app(machine="v72-b-sockets-1536M-40", workload="sockets")
    assert labels(app.profile)[0] == "Linux 7.2"
    assert on_stage(app)["profile"] == "7.2"
    app.profile.value = "6.1"
    assert on_stage(app)["profile"] == "6.1"


def test_the_machines_own_kernel_is_one_choice_whatever_it_is_called():
    assert exhaustion_app(profile="6.1").profile.value == ""
    assert exhaustion_app(machine="pae", profile="2012").profile.value == "2012-pae"


def test_a_second_kernel_puts_both_on_the_stage_and_goes_again(app):
    app.beside.value = "7.2"
    pair = decode_lineup(app.stage.recording)
    assert [r.meta["profile"] for r in pair.recordings] == ["6.1", "7.2"]
    assert isinstance(app.shown, Pair)
    assert app.recording is app.shown.left
    assert app.errors.value == ""
    app.profile.value = "6.12"
    assert decode_lineup(app.stage.recording).titles == ("Linux 6.12", "Linux 7.2")
    app.seed.value = 8
    assert decode_lineup(app.stage.recording).recordings[1].meta["parameters"]["seed"] == 8
    app.beside.value = ALONE
    assert on_stage(app)["parameters"]["profile"] == "6.12"
    assert not isinstance(app.shown, Pair)


def test_a_machine_that_cannot_boot_the_second_kernel_stands_alone():
    app = exhaustion_app(beside="6.12")
    assert decode_lineup(app.stage.recording).recordings[1].meta["profile"] == "6.12"
    app.machine.value = "pae"
    assert app.beside.value == ALONE
    assert on_stage(app)["parameters"]["machine"] == "pae"
    with pytest.raises(ParameterError, match=r"profile: '6\.0'"):
        exhaustion_app(beside="6.0")


def test_a_pair_leaves_no_ghost(app, monkeypatch):
    shown = []
    monkeypatch.setattr(app.stage, "show", lambda *recordings: shown.append(recordings))
    app.beside.value = "7.2"
    app.seed.value = 1
    app.beside.value = ALONE
    assert [ghost for _, ghost in shown[1:]] == [None, None]
