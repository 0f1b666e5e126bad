"""The stage's chart of whatever it shows: one recording's, or a lineup's with all sides in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.recording.lineup import LETTERS, SIDES, Lineup
from hotmem_viz.views import figures
from hotmem_viz.views.palette import colour, event_colour
from hotmem_viz.views.svg import bare_svg, in_dark, make_figure, strip_words, tick_rows, tones_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hotmem_viz.recording.recording import Recording

LINES = (("kernel", "can have", "-", 2.2), ("mem_available", "MemAvailable", "--", 1.5))
"""Curves of each side: series, label, line style, line width; of many sides the first alone."""

_SIZE_INCHES = (11.0, 2.2)
_LEAST_APART = 0.1
"""Of the chart's width: labels of six figures would touch in a notebook's narrow cell."""


def draw_chart(shown: Recording | Lineup, ghost: Recording | None = None) -> dict[str, Any]:
    """Return the `chart` trait of what a stage shows; `ghost` is for a single recording.

    Its keys are those of `figures.chart_payload`.
    """
    if isinstance(shown, Lineup):
        return lineup_chart_payload(shown)
    return figures.chart_payload(shown, ghost)


def _lines_of(lineup: Lineup) -> tuple[tuple[str, str, str, float], ...]:
    """Return which of LINES are drawn of each side."""
    return LINES if len(lineup.recordings) <= len(SIDES) else LINES[:1]


def draw_lineup_chart(ax: Axes, lineup: Lineup) -> None:
    """Draw all sides over their cursor: what the kernel can have; of two, what is claimed as well.

    A side's curves end where it ends. Its marks are lines in the part of the chart's height that
    the transport bar gives it: the first side's above, the last one's below.
    """
    word, size, top = figures.axis_unit(*lineup.recordings)
    sides = len(lineup.recordings)
    for side, recording in enumerate(lineup.recordings):
        ticks = lineup.ticks[:, side]
        end = lineup.position_of(side, recording.n_ticks - 1)
        tone = colour(f"side{side}", "light")
        for name, _, style, width in _lines_of(lineup):
            series = figures.series_of(recording, name)
            if series is not None:
                ax.plot(series[ticks[: end + 1]] / size, style, color=tone, lw=width)
        part = (1 - (side + 1) / sides, 1 - side / sides)
        for event in recording.event_list:
            if event.mark:
                line = event_colour(event.kind, "light")
                ax.axvline(
                    lineup.position_of(side, event.tick), *part, color=line, lw=1.2, zorder=1
                )
    ax.set_xlim(0, max(1, lineup.n_positions - 1))
    ax.set_ylim(0, top / size)
    ax.set_ylabel(word)
    figures.dress_axes(ax, "light")


def lineup_chart_payload(lineup: Lineup) -> dict[str, Any]:
    """Return the `chart` trait of a lineup, with the keys of `figures.chart_payload`.

    The labels below the plot are values of what the sides go along.
    """
    figure = make_figure(*_SIZE_INCHES)
    ax = figure.add_axes((0, 0, 1, 1))
    draw_lineup_chart(ax, lineup)
    ax.locator_params(axis="y", nbins=4)
    around = {
        "left": 0.0,
        "right": (lineup.n_positions - 1) / float(ax.get_xlim()[1]),
        "x_ticks": _value_rows(lineup),
        "y_ticks": tick_rows(ax, "y"),
        "lines": _line_rows(lineup, ax),
        "ghost": False,
        "alt": f"{' and '.join(lineup.titles)}: {_described(lineup)}, over the common cursor.",
    }
    strip_words(ax)
    svg = bare_svg(figure)
    return {"light": svg, "dark": in_dark(svg), **around}


def _described(lineup: Lineup) -> str:
    both = len(_lines_of(lineup)) > 1
    claimed = ", and what MemAvailable claims" if both else ""
    return f"free memory that the kernel can have{claimed}"


def _value_rows(lineup: Lineup) -> list[dict[str, Any]]:
    """Return labels at round values of what the sides go along, where those are reached."""
    from matplotlib.ticker import MaxNLocator

    values, last = lineup.values, max(1, lineup.n_positions - 1)
    rows: list[dict[str, Any]] = []
    for value in MaxNLocator(6, integer=True).tick_values(values[0], values[-1]):
        at = round(float(np.searchsorted(values, value)) / last, 5)
        apart = not rows or at - rows[-1]["at"] >= _LEAST_APART
        if values[0] <= value <= values[-1] and apart:
            text = f"{value / 1e6:g} M" if value >= 1e6 else f"{value:,.0f}"
            rows.append({"at": at, "text": text})
    return rows


def _line_rows(lineup: Lineup, ax: Axes) -> list[dict[str, Any]]:
    size, top = figures.bytes_of(ax.get_ylabel()), ax.get_ylim()[1]
    rows: list[dict[str, Any]] = []
    for name, label, *_ in _lines_of(lineup):
        for side, recording in enumerate(lineup.recordings):
            series = figures.series_of(recording, name)
            if series is not None:
                at = round(float(series[-1]) / size / top, 5)
                rows.append(
                    {"label": f"{LETTERS[side]} {label}", "at": at} | tones_of(f"side{side}")
                )
    return rows
