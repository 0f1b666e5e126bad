"""A scenario's parameters as widgets: what needs Python. Controls of time belong to the stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

Change = Callable[[], None]

_LABEL = {"description_width": "initial"}


def choice(label: str, options: dict[str, str], value: str) -> widgets.Dropdown:
    """Return a choice of values by their titles."""
    if value not in options.values():
        options = {**options, value: value}
    return widgets.Dropdown(
        options=list(options.items()),
        value=value,
        description=label,
        style=_LABEL,
    )


def share(label: str, value: float, highest: float, tooltip: str = "") -> widgets.FloatSlider:
    """Return a slider for a share, in steps of five percent, shown as percent."""
    return widgets.FloatSlider(
        value=value,
        min=0.0,
        max=highest,
        step=0.05,
        readout_format=".0%",
        description=label,
        style=_LABEL,
        tooltip=tooltip,
    )


def seed(value: int) -> widgets.BoundedIntText:
    """Return a field for a seed."""
    return widgets.BoundedIntText(value=value, min=0, max=2**31, description="seed", style=_LABEL)


def text(label: str, value: str, placeholder: str) -> widgets.Text:
    """Return a field for text that counts once it is complete (Enter, or leaving the field)."""
    return widgets.Text(
        value=value,
        placeholder=placeholder,
        continuous_update=False,
        description=label,
        style=_LABEL,
    )


def bar(children: list[Any]) -> widgets.Box:
    """Put controls in a row that breaks where there is no room."""
    box = widgets.Box(
        children,
        layout={"display": "flex", "flex_flow": "row wrap", "align_items": "center"},
    )
    box.add_class("hotmem-controls")
    return box
