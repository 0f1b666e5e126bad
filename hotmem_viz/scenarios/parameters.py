"""What a user may set of a scenario, checked at the door."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from hotmem_viz.errors import ParameterError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)


def build_parameters(cls: type[P], given: Mapping[str, Any]) -> P:
    """Build a scenario's parameters; raises ParameterError for a name that it does not have."""
    names = [f.name for f in dataclasses.fields(cls)]
    for name, value in given.items():
        if name not in names:
            raise ParameterError(name, value, f"parameters are {', '.join(names)}")
    return cls(**given)


def require_share(name: str, value: object) -> float:
    """Return a number from 0 to 1, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ParameterError(name, value, "a number from 0 to 1 is needed")
    return float(value)


def require_whole(name: str, value: object) -> int:
    """Return a whole number from 0, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ParameterError(name, value, "a whole number from 0 is needed")
    return value


def parse_value(cls: type[P], name: str, text: str) -> Any:
    """Read a parameter typed as text (`--set name=text`) as the type that it has."""
    fields = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    if name not in fields:
        raise ParameterError(name, text, f"parameters are {', '.join(fields)}")
    kind = fields[name]
    try:
        if text.lower() in ("none", "") and "None" in kind:
            return None
        if "float" in kind:
            return float(text)
        if "int" in kind:
            return int(text)
    except ValueError:
        raise ParameterError(name, text, f"a value of type {kind} is needed") from None
    return text
