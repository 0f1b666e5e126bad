"""A scenario's parameters as data: what each means, what it may be, and how a person sets it.

A parameters dataclass declares its fields with `choice`, `share`, `number`, `whole`, `flag` and
`text`; `check_parameters` refuses what they do not allow, and the apps make controls of them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from hotmem_viz.errors import ParameterError

KEY = "control"
"""Where a field's Control stands in its metadata."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


@dataclass(frozen=True)
class Control:
    """One parameter, as a person sets it.

    kind: "choice", "share", "number", "whole", "flag" or "text". choices: values by their titles.
    lowest, highest, step: of numbers, in `unit`. source: where a default comes from, for constants
    of a cost model. advanced: kept behind a fold.
    """

    kind: str
    label: str
    help: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    lowest: float = 0.0
    highest: float = 1.0
    step: float = 0.05
    unit: str = ""
    source: str = ""
    advanced: bool = False


def _declared(default: Any, control: Control) -> Any:
    return field(default=default, metadata={KEY: control})


def choice(
    default: str, choices: Mapping[str, str] | Sequence[str], label: str, text: str = "", **how: Any
) -> Any:
    """Declare a choice of words; `choices` are the words, or the words by their titles."""
    named = dict(choices) if isinstance(choices, Mapping) else {c: c for c in choices}
    return _declared(default, Control("choice", label, text, named, **how))


def share(default: float, label: str, text: str = "", highest: float = 1.0, **how: Any) -> Any:
    """Declare a share from 0 to `highest`, shown as percent."""
    return _declared(default, Control("share", label, text, highest=highest, **how))


def number(
    default: float, lowest: float, highest: float, label: str, text: str = "", **how: Any
) -> Any:
    """Declare a number between two bounds, both allowed."""
    return _declared(default, Control("number", label, text, {}, lowest, highest, **how))


def whole(
    default: int, lowest: int, highest: int, label: str, text: str = "", step: int = 1, **how: Any
) -> Any:
    """Declare a whole number between two bounds, both allowed."""
    return _declared(default, Control("whole", label, text, {}, lowest, highest, step, **how))


def flag(default: bool, label: str, text: str = "", **how: Any) -> Any:
    """Declare something that is so or not."""
    return _declared(default, Control("flag", label, text, **how))


def text(default: str, label: str, help_text: str = "", **how: Any) -> Any:
    """Declare a text that the scenario itself reads and checks."""
    return _declared(default, Control("text", label, help_text, **how))


def seed(default: int = 7) -> Any:
    """Declare the seed of everything that is drawn."""
    return whole(default, 0, 2**31, "seed", "another seed, another run")


def list_controls(parameters: Any) -> dict[str, Control]:
    """Return the controls of a parameters dataclass, or of one of its instances, by name."""
    declared = dataclasses.fields(parameters)
    return {f.name: f.metadata[KEY] for f in declared if KEY in f.metadata}


def check_parameters(parameters: Any) -> None:
    """Check every declared field, and make plain Python numbers of what numpy gave.

    For `__post_init__` of a frozen dataclass. Raises ParameterError naming parameter, value and
    what is allowed.
    """
    for name, control in list_controls(parameters).items():
        value = _CHECKS[control.kind](name, getattr(parameters, name), control)
        object.__setattr__(parameters, name, value)


def read_value(field: dataclasses.Field[Any], text: str) -> Any:
    """Turn the text of a parameter, as links have it, into the value of the field's type.

    What is no value of that type stays a text, so that the parameters' own check refuses it and
    says what is allowed. No NaN and no infinity is a number here.
    """
    kind, _, otherwise = str(field.type).partition(" | ")
    if otherwise == "None" and text == "none":
        return None
    if kind == "bool":
        return {"true": True, "false": False}.get(text, text)
    if kind == "int" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "float" and _NUMBER.fullmatch(text):
        return float(text)
    return text


def write_value(value: object) -> str:
    """Write a parameter's value as `read_value` reads it; numbers as JavaScript writes them."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return _write_number(value) if isinstance(value, float) else str(value)


def _write_number(value: float) -> str:
    shortest = repr(value)
    if value == 0:
        return "0"
    if abs(value) < 1e-6:
        digits, _, power = shortest.partition("e")
        return f"{digits}e{int(power)}"
    return format(Decimal(shortest), "f").removesuffix(".0")


def _check_choice(name: str, value: object, control: Control) -> str:
    allowed = tuple(control.choices.values())
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError(name, value, f"allowed are {', '.join(allowed)}")
    return value


def _check_number(name: str, value: Any, control: Control) -> float:
    fine = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not fine or not control.lowest <= float(value) <= control.highest:
        bounds = f"{control.lowest:g} to {control.highest:g}"
        raise ParameterError(name, value, f"a number from {bounds}{_unit(control)} is needed")
    return float(value)


def _check_whole(name: str, value: Any, control: Control) -> int:
    fine = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    if not fine or not control.lowest <= int(value) <= control.highest:
        bounds = f"{int(control.lowest)} to {int(control.highest)}"
        raise ParameterError(name, value, f"a whole number from {bounds}{_unit(control)} is needed")
    return int(value)


def _check_flag(name: str, value: object, _control: Control) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(name, value, "true or false is needed")
    return value


def _check_text(name: str, value: object, _control: Control) -> str:
    if not isinstance(value, str):
        raise ParameterError(name, value, "a text is needed")
    return value


def _unit(control: Control) -> str:
    return f" {control.unit}" if control.unit else ""


_CHECKS = {
    "choice": _check_choice,
    "share": _check_number,
    "number": _check_number,
    "whole": _check_whole,
    "flag": _check_flag,
    "text": _check_text,
}
