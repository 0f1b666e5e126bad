"""What a user may set of a scenario, checked at the door."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from hotmem_viz.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)


def build_parameters(cls: type[P], given: Mapping[str, Any]) -> P:
    """Build a scenario's parameters; raises ParameterError for a name that it does not have."""
    names = [f.name for f in dataclasses.fields(cls)]
    for name, value in given.items():
        if name not in names:
            raise ParameterError(name, value, f"parameters are {', '.join(names)}")
    return cls(**given)


def require_share(name: str, value: object, highest: float = 1) -> float:
    """Return a number from 0 to `highest`, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise ParameterError(name, value, f"a number from 0 to {highest} is needed")
    return float(value)


def require_text(name: str, value: object) -> str:
    """Return a text, or raise ParameterError."""
    if not isinstance(value, str):
        raise ParameterError(name, value, "a text is needed")
    return value


def require_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return one of some words, or raise ParameterError."""
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(name, value, f"allowed are {', '.join(choices)}")
    return value


def require_whole(name: str, value: object) -> int:
    """Return a whole number from 0, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ParameterError(name, value, "a whole number from 0 is needed")
    return value
