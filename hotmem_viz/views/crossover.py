"""A constant tax against rare stalls: where both cost the same, and a run as a point (S37).

Page-table migration at any time taxes every page fault; the mail's stop costs a pause at each
removal. Above the line stalls cost more, below it the tax does. All of it is by the formulas of
KERNEL.md 4.4 and 4.5 with the run's own parameters; nobody has measured either side.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.units import percent
from hotmem_viz.views.palette import Theme, check_theme, colour
from hotmem_viz.views.svg import make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Recording

TYPE, LARGE = 12, 17
"""Points; 11 would be 15 pixels at 100 dots an inch, and nothing is smaller."""

ROOM = 100.0
"""Times as few and as many faults as the run has, that the picture shows."""

COUNTERS = ("tax_day_ns", "stall_day_ns", "even_removals", "pause_ns")


class Crossing(NamedTuple):
    """A run as a point: faults a second, removals a day, those at which both cost the same.

    tax_day_ns, stall_day_ns: what each costs in a day; pause_ns: the pauses of the run so far.
    """

    faults: float
    removals: float
    even: float
    tax_day_ns: float
    stall_day_ns: float
    pause_ns: float


def find_crossing(recording: Recording, tick: int | None = None) -> Crossing:
    """Return where a run stands, at its end or at `tick`.

    Raises ParameterError for a recording that has no pause or tax, or has no such tick.
    """
    names = [c["name"] for c in recording.meta["counters"]]
    if not set(COUNTERS) <= set(names):
        scenario = recording.meta.get("scenario", "")
        raise ParameterError("scenario", scenario, "tax and stall are compared of stop_machine")
    tick = recording.n_ticks - 1 if tick is None else recording.check_tick(tick)
    row = recording.counters_array[tick]
    taxed, stalled, even, pause = (float(row[names.index(name)]) for name in COUNTERS)
    if not even:
        raise ParameterError("tick", tick, "one by which there was a pause, and a tax to compare")
    given = recording.meta["parameters"]
    return Crossing(given["faults"], given["removals"], even, taxed, stalled, pause)


def draw_crossover(recording: Recording, theme: Theme = "light", tick: int | None = None) -> Figure:
    """Return a figure of the line on which tax and stalls cost the same, with a run as a point.

    Raises ParameterError as `find_crossing` does, and for a theme that there is not.
    """
    check_theme(theme)
    at = find_crossing(recording, tick)
    figure = make_figure(9.0, 6.2)
    figure.set_facecolor(colour("panel", theme))
    axes = figure.add_axes((0.1, 0.13, 0.86, 0.63))
    faults = at.faults * np.array([1 / ROOM, ROOM])
    line = at.even / at.faults * faults
    axes.plot(faults, line, color=colour("accent", theme), lw=2.4, label="both cost the same")
    alarm, ink = colour("alarm", theme), colour("ink", theme)
    axes.plot(
        [at.faults],
        [at.removals],
        "o",
        ms=12,
        color=alarm,
        mec=ink,
        mew=1.5,
        label=f"this run: {at.removals:g} a day",
        zorder=5,
        clip_on=False,
    )
    _dress(axes, theme, at, faults, line)
    title = "A tax on every page fault, or a stall at every removal"
    figure.text(0.03, 0.94, title, fontsize=LARGE, weight="bold", color=ink)
    tax = recording.meta["parameters"]["tax"]
    words = (
        f"{percent(tax, 1)} of {at.faults:,.0f} faults a second cost {at.tax_day_ns / 1e9:,.2f} s a"
        f" day; so do {at.even:,.0f} pauses of {at.pause_ns / 1e6:.2f} ms."
    )
    muted = colour("muted", theme)
    figure.text(0.03, 0.89, words, fontsize=TYPE + 1, color=muted)
    note = "Every constant is an assumption or somebody's figure for something else."
    figure.text(0.03, 0.845, f"{note} Nobody has measured it.", fontsize=TYPE, color=muted)
    return figure


def _dress(axes: Axes, theme: Theme, at: Crossing, faults: np.ndarray, line: np.ndarray) -> None:
    ink, muted, rule = (colour(word, theme) for word in ("ink", "muted", "line"))
    axes.set_facecolor(colour("panel", theme))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*faults)
    axes.set_ylim(min(line[0], at.removals) / 3, max(line[1], at.removals) * 3)
    axes.tick_params(labelsize=TYPE, colors=muted)
    axes.set_xlabel("page faults a second", fontsize=TYPE + 1, color=ink)
    axes.set_ylabel("removals a day", fontsize=TYPE + 1, color=ink)
    axes.grid(color=rule, lw=0.8)
    for side in axes.spines.values():
        side.set_color(colour("frame", theme))
    axes.text(
        0.02, 0.96, "stalls cost more", transform=axes.transAxes, fontsize=TYPE + 1, color=muted,
        ha="left", va="top",
    )  # fmt: skip
    axes.text(
        0.98, 0.04, "the tax costs more", transform=axes.transAxes, fontsize=TYPE + 1,
        color=muted, ha="right", va="bottom",
    )  # fmt: skip
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=2,
        frameon=False,
        fontsize=TYPE,
        labelcolor=ink,
    )


def save_crossover(recording: Recording, path: str | Path, theme: Theme = "light") -> None:
    """Write `draw_crossover` in the format of the path's ending; raises OSError if it cannot be."""
    draw_crossover(recording, theme).savefig(Path(path), dpi=100)
