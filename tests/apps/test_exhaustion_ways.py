"""What an exhaustion run goes on to, and what stands beside it, as controls."""

from __future__ import annotations

import pytest

from hotmem_viz.apps.exhaustion import exhaustion_app
from tests.apps.test_exhaustion_app import made, on_stage


@pytest.fixture
def app():
    return exhaustion_app()


def test_what_can_come_then_depends_on_the_machine(app):
    ways = dict.fromkeys(("classroom", "pae", "64bit"))
    for machine in ways:
        app.machine.value = machine
        ways[machine] = {value for _, value in app.then.options}
    assert ways == {
        "classroom": {"", "dimms", "huge_pages"},
        "pae": {"", "reboots", "huge_pages"},
        "64bit": {"", "huge_pages"},
    }


def test_a_way_on_runs_and_is_given_up_with_its_machine(app):
    app.then.value = "dimms"
    assert (app.errors.value, on_stage(app)["then"]) == ("", "dimms")
    assert made(app).event_list[-1].kind == "ADD_KILLS"
    app.machine.value = "pae"
    assert (app.errors.value, on_stage(app)["then"]) == ("", "")


def test_details_count_where_they_mean_something(app):
    held, fill, dimm = (app.declared[n] for n in ("held", "fill", "dimm"))
    assert (held.disabled, fill.disabled, dimm.disabled) == (True, True, True)
    app.workload.value = "disk"
    held.value = 0.5
    assert on_stage(app)["held"] == 0.5
    app.workload.value = "files"
    assert (held.disabled, app.errors.value, on_stage(app)["held"]) == (True, "", 0.0)
    app.then.value = "dimms"
    assert (fill.disabled, dimm.disabled) == (False, False)
    dimm.value = 64
    assert on_stage(app)["dimm"] == 64


def test_another_machine_can_stand_beside(app):
    app.beside.value = "movable=0"
    assert app.errors.value == ""
    assert app.shown.titles == ("75% movable", "0% movable")
    app.machine.value = "pae"
    assert app.beside.value == "alone"
    app.beside.value = "machine=64bit"
    assert app.errors.value == ""
    assert app.shown.titles[1] == "64-bit machine: 16 GiB"
