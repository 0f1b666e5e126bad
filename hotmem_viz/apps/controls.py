"""A scenario's parameters as widgets: what needs Python. Controls of time belong to the stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

Change = Callable[[], None]

_LABEL = {"description_width": "initial"}


def choice(label: str, options: dict[str, str], value: str, tooltip: str = "") -> widgets.Dropdown:
    """Return a choice of values by their titles."""
    if value not in options.values():
        options = {**options, value: value}
    return widgets.Dropdown(
        options=list(options.items()),
        value=value,
        description=label,
        style=_LABEL,
        tooltip=tooltip,
    )


def share(
    label: str, value: float, highest: float, tooltip: str = "", step: float = 0.05
) -> widgets.FloatSlider:
    """Return a slider for a share, shown as percent; finer where the value lies between steps."""
    step = next((s for s in (step, 0.01, 0.001) if abs(value / s - round(value / s)) < 1e-6), 1e-4)
    return widgets.FloatSlider(
        value=value,
        min=0.0,
        max=highest,
        step=step,
        readout_format=".0%" if step >= 0.01 else ".1%" if step >= 0.001 else ".2%",
        description=label,
        style=_LABEL,
        tooltip=tooltip,
    )


def whole(
    label: str, value: int, bounds: tuple[float, float, float], tooltip: str = ""
) -> widgets.BoundedIntText:
    """Return a field for a whole number; bounds are lowest, highest and step."""
    lowest, highest, step = map(int, bounds)
    return widgets.BoundedIntText(
        value=value,
        min=lowest,
        max=highest,
        step=step,
        description=label,
        style=_LABEL,
        tooltip=tooltip,
    )


def number(
    label: str, value: float, bounds: tuple[float, float, float], tooltip: str = ""
) -> widgets.BoundedFloatText:
    """Return a field for a number; bounds are lowest, highest and step."""
    lowest, highest, step = bounds
    return widgets.BoundedFloatText(
        value=value,
        min=lowest,
        max=highest,
        step=step,
        description=label,
        style=_LABEL,
        tooltip=tooltip,
    )


def flag(label: str, value: bool, tooltip: str = "") -> widgets.Checkbox:
    """Return a box to tick."""
    return widgets.Checkbox(value=value, description=label, indent=False, tooltip=tooltip)


def seed(value: int) -> widgets.BoundedIntText:
    """Return a field for a seed."""
    return whole("seed", value, (0, 2**31, 1))


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


def fold(title: str, children: list[Any]) -> widgets.Accordion:
    """Put controls behind a title that opens."""
    folded = widgets.Accordion([bar(children)], titles=(title,), selected_index=None)
    folded.add_class("hotmem-fold")
    return folded
