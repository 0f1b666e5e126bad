"""The stage's chart of whatever it shows: one recording's, or a pair's with both in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.recording.pair import Pair
from hotmem_viz.views import figures
from hotmem_viz.views.palette import colour
from hotmem_viz.views.svg import bare_svg, in_dark, make_figure, strip_words, tick_rows, tones_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hotmem_viz.recording.recording import Recording

LETTERS = "AB"
"""What the stage calls the sides of a pair, left first."""

LINES = (("kernel", "can have", "-", 2.2), ("mem_available", "MemAvailable", "--", 1.5))
"""Curves of each side: series, label, line style, line width."""

_SIZE_INCHES = (11.0, 2.2)
_LEAST_APART = 0.1
"""Of the chart's width: labels of six figures would touch in a notebook's narrow cell."""


def draw_chart(shown: Recording | Pair, ghost: Recording | None = None) -> dict[str, Any]:
    """Return the `chart` trait of what a stage shows; `ghost` is for a single recording.

    Its keys are those of `figures.chart_payload`.
    """
    if isinstance(shown, Pair):
        return pair_chart_payload(shown)
    return figures.chart_payload(shown, ghost)


def draw_pair_chart(ax: Axes, pair: Pair) -> None:
    """Draw both sides of a pair over its cursor: what the kernel can have, and what is claimed.

    A side's curves end where it ends. Its marks are lines in the half of the chart that the
    transport bar gives it: the left side's above, the right side's below.
    """
    word, size, top = figures.axis_unit(*pair.recordings)
    for side, recording in enumerate(pair.recordings):
        ticks = pair.ticks[:, side]
        end = pair.position_of(side, recording.n_ticks - 1)
        tone = colour(f"side{side}", "light")
        for name, _, style, width in LINES:
            series = figures.series_of(recording, name)
            if series is not None:
                ax.plot(series[ticks[: end + 1]] / size, style, color=tone, lw=width)
        half = (0.5, 1.0) if side == 0 else (0.0, 0.5)
        for event in recording.event_list:
            if event.mark:
                line = figures.event_colour(event.kind, "light")
                ax.axvline(pair.position_of(side, event.tick), *half, color=line, lw=1.2, zorder=1)
    ax.set_xlim(0, max(1, pair.n_positions - 1))
    ax.set_ylim(0, top / size)
    ax.set_ylabel(word)
    figures.dress_axes(ax, "light")


def pair_chart_payload(pair: Pair) -> dict[str, Any]:
    """Return the `chart` trait of a pair, with the keys of `figures.chart_payload`.

    The labels below the plot are values of what the pair goes along.
    """
    figure = make_figure(*_SIZE_INCHES)
    ax = figure.add_axes((0, 0, 1, 1))
    draw_pair_chart(ax, pair)
    ax.locator_params(axis="y", nbins=4)
    around = {
        "left": 0.0,
        "right": (pair.n_positions - 1) / float(ax.get_xlim()[1]),
        "x_ticks": _value_rows(pair),
        "y_ticks": tick_rows(ax, "y"),
        "lines": _line_rows(pair, ax),
        "ghost": False,
        "alt": f"{pair.titles[0]} and {pair.titles[1]}: free memory that the kernel can have, and "
        "what MemAvailable claims, over the common cursor.",
    }
    strip_words(ax)
    svg = bare_svg(figure)
    return {"light": svg, "dark": in_dark(svg), **around}


def _value_rows(pair: Pair) -> list[dict[str, Any]]:
    """Return labels at round values of what the pair goes along, where those are reached."""
    from matplotlib.ticker import MaxNLocator

    values, last = pair.values, max(1, pair.n_positions - 1)
    rows: list[dict[str, Any]] = []
    for value in MaxNLocator(6, integer=True).tick_values(values[0], values[-1]):
        at = round(float(np.searchsorted(values, value)) / last, 5)
        apart = not rows or at - rows[-1]["at"] >= _LEAST_APART
        if values[0] <= value <= values[-1] and apart:
            text = f"{value / 1e6:g} M" if value >= 1e6 else f"{value:,.0f}"
            rows.append({"at": at, "text": text})
    return rows


def _line_rows(pair: Pair, ax: Axes) -> list[dict[str, Any]]:
    size, top = figures.bytes_of(ax.get_ylabel()), ax.get_ylim()[1]
    rows: list[dict[str, Any]] = []
    for name, label, *_ in LINES:
        for side, recording in enumerate(pair.recordings):
            series = figures.series_of(recording, name)
            if series is not None:
                at = round(float(series[-1]) / size / top, 5)
                rows.append(
                    {"label": f"{LETTERS[side]} {label}", "at": at} | tones_of(f"side{side}")
                )
    return rows
