"""A wrong parameter is answered with its name, its value and what is allowed, in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

import hotmem_viz
from hotmem_viz.errors import BootOptionError, ParameterError
from hotmem_viz.scenarios.parameters import ExhaustionParameters, build_parameters

WRONG = [
    ({"colour": "red"}, "colour", "parameters are machine, movable, boot, workload, user, seed"),
    ({"Movable": 0.5}, "Movable", "parameters are machine, movable"),
    ({"movable": -0.01}, "movable", "from 0 to 1"),
    ({"movable": 1.01}, "movable", "from 0 to 1"),
    ({"movable": 75}, "movable", "from 0 to 1"),
    ({"movable": "0.5"}, "movable", "number from 0 to 1"),
    ({"movable": True}, "movable", "number from 0 to 1"),
    ({"movable": math.nan}, "movable", "from 0 to 1"),
    ({"movable": [0.5]}, "movable", "number"),
    ({"user": -0.1}, "user", "from 0 to 0.95"),
    ({"user": 0.96}, "user", "from 0 to 0.95"),
    ({"user": math.inf}, "user", "from 0 to 0.95"),
    ({"user": None}, "user", "number"),
    ({"user": "half"}, "user", "number"),
    ({"seed": -1}, "seed", "whole number from 0"),
    ({"seed": 1.5}, "seed", "whole number"),
    ({"seed": "7"}, "seed", "whole number"),
    ({"seed": True}, "seed", "whole number"),
    ({"seed": None}, "seed", "whole number"),
    ({"ballast": -1}, "ballast", "whole number from 0"),
    ({"workload": "tea"}, "workload", "files, dirs, sockets, pipes, cache"),
    ({"workload": "ballast"}, "workload", "files, dirs, sockets, pipes, cache"),
    ({"workload": ["files"]}, "workload", "files, dirs"),
    ({"workload": 3}, "workload", "files, dirs"),
    ({"machine": "toaster"}, "machine", "classroom, server, pae, mail"),
    ({"machine": ""}, "machine", "classroom, server, pae, mail"),
    ({"machine": 3}, "machine", "text"),
    ({"machine": None}, "machine", "text"),
    ({"boot": 3}, "boot", "text"),
    ({"boot": None}, "boot", "text"),
    ({"boot": "kernelcore=64M", "movable": 0.5}, "movable", "exclude"),
    ({"profile": "6.0"}, "profile", "allowed are 6.1, 6.1-pae, 6.12, 7.2, 2012, 2012-pae"),
    ({"profile": 6.12}, "profile", "allowed are 6.1"),
    ({"profile": None}, "profile", "allowed are 6.1"),
    ({"profile": "6.12", "machine": "pae"}, "profile", "no such kernel for pae"),
    ({"boot": "movable_node", "movable": 0.0}, "movable", "exclude"),
]


@pytest.mark.parametrize(("given", "name", "allowed"), WRONG, ids=lambda v: str(v)[:40])
def test_a_wrong_parameter_names_itself(given, name, allowed):
    with pytest.raises(ParameterError) as caught:
        hotmem_viz.run("exhaustion", **given)
    error = caught.value
    assert error.name == name
    value = given.get(name)
    assert error.value is value or error.value == value
    text = str(error)
    assert text.startswith(f"{name}: ")
    assert repr(value) in text
    assert allowed in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("boot", "words"),
    [
        ("kernelcore=64Q", ("kernelcore", "64Q", "512M")),
        ("kernelcore=", ("kernelcore",)),
        ("movablecore=150%", ("movablecore", "150%")),
        ("kernelcoer=64M", ("kernelcoer=64M", "did you mean kernelcore")),
        ("movablenode", ("movablenode", "movable_node")),
        ("quiet", ("quiet", "allowed are")),
    ],
)
def test_a_malformed_boot_option_says_what_is_allowed(boot, words):
    with pytest.raises(BootOptionError) as caught:
        hotmem_viz.run("exhaustion", boot=boot)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"movable": 0},
        {"movable": 1},
        {"user": 0},
        {"user": 0.95},
        {"seed": 0},
        {"seed": 2**70},
        {"boot": "  "},
        {"boot": "  ", "movable": 0.5},
        {"workload": "cache"},
    ],
)
def test_the_ends_of_what_is_allowed_are_allowed(given):
    built = build_parameters(ExhaustionParameters, given)
    for name, value in given.items():
        assert getattr(built, name) == value


def test_parameters_travel_in_the_recording():
    given = {"movable": 0.9, "user": 0.25, "seed": 4, "workload": "dirs"}
    meta = hotmem_viz.run("exhaustion", **given).meta
    usual = {"machine": "classroom", "boot": "", "ballast": 0, "profile": ""}
    usual |= {"held": 0.0, "then": "", "fill": 0.1, "dimm": 0}
    assert meta["parameters"] == {**usual, **given}
    assert meta["seed"] == 4


def test_a_share_means_movablecore_of_that_percent():
    by_share = hotmem_viz.run("exhaustion", movable=0.4)
    by_option = hotmem_viz.run("exhaustion", boot="movablecore=40%")
    assert by_share.meta["zones"] == by_option.meta["zones"]
    assert by_share.counters.equals(by_option.counters)


def test_a_whole_number_is_a_share_too():
    assert hotmem_viz.run("exhaustion", movable=0).meta["zones"][-1]["zone"] == "Normal"


def test_other_dataclasses_can_be_parameters():
    @dataclass(frozen=True)
    class Cooking:
        heat: int = 3

    assert build_parameters(Cooking, {"heat": 5}).heat == 5
    with pytest.raises(ParameterError, match="salt: 1 is not allowed; parameters are heat"):
        build_parameters(Cooking, {"salt": 1})
