"""Parameters as data: what is declared is what is allowed, and an error names all three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.scenarios.controls import (
    check_parameters,
    choice,
    flag,
    list_controls,
    number,
    seed,
    share,
    text,
    whole,
)
from hotmem_viz.scenarios.parameters import build_parameters


@dataclass(frozen=True)
class Wishes:
    target: str = choice("page", {"one frame each": "page", "a whole section": "section"}, "target")
    residue: float = share(0.05, "residue", highest=0.5)
    copy_us: float = number(1.65, 0.1, 50, "copy", unit="µs", source="KERNEL.md 4.2")
    cpus: int = whole(4, 1, 64, "CPUs")
    callbacks: bool = flag(False, "callbacks")
    boot: str = text("", "boot options")
    seed: int = seed()

    def __post_init__(self) -> None:
        check_parameters(self)


def test_defaults_are_allowed_and_every_field_has_a_control():
    controls = list_controls(Wishes())
    assert list(controls) == [
        "target",
        "residue",
        "copy_us",
        "cpus",
        "callbacks",
        "boot",
        "seed",
    ]
    assert controls["target"].choices == {"one frame each": "page", "a whole section": "section"}
    assert (controls["copy_us"].unit, controls["copy_us"].source) == ("µs", "KERNEL.md 4.2")
    assert controls["residue"].highest == 0.5


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("target", "node", "page, section"),
        ("target", None, "page, section"),
        ("residue", 0.51, "0 to 0.5"),
        ("residue", -0.01, "0 to 0.5"),
        ("residue", float("nan"), "0 to 0.5"),
        ("residue", True, "0 to 0.5"),
        ("residue", "0.1", "0 to 0.5"),
        ("copy_us", 0, "0.1 to 50 µs"),
        ("copy_us", float("inf"), "0.1 to 50 µs"),
        ("cpus", 0, "1 to 64"),
        ("cpus", 65, "1 to 64"),
        ("cpus", 2.0, "1 to 64"),
        ("cpus", True, "1 to 64"),
        ("callbacks", 1, "true or false"),
        ("boot", 7, "a text"),
        ("seed", -1, "0 to 2147483648"),
    ],
)
def test_what_is_not_declared_is_refused_by_name_value_and_bounds(name, value, allowed):
    with pytest.raises(ParameterError) as caught:
        build_parameters(Wishes, {name: value})
    assert str(caught.value).startswith(f"{name}: {value!r} is not allowed; ")
    assert allowed in str(caught.value)


def test_numbers_become_plain_python_ones():
    wishes = Wishes(residue=np.float32(0.25), cpus=np.int16(7), copy_us=3)  # type: ignore[arg-type]
    assert (type(wishes.residue), wishes.residue) == (float, 0.25)
    assert (type(wishes.cpus), wishes.cpus) == (int, 7)
    assert (type(wishes.copy_us), wishes.copy_us) == (float, 3.0)
