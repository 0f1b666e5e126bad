"""The phase diagram of starvation: the boundary r*(u, p), and a run as a point on it.

Below a curve page tables fit, above it they starve. The curves are the closed form of
`machine.boundary`; the run's own curve is drawn at the p where memory first ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boundary import find_boundary
from hotmem_viz.units import percent
from hotmem_viz.views.palette import Theme, check_theme, colour
from hotmem_viz.views.svg import make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Recording

DEMANDS = (1, 10, 50, 100)
"""p of the curves (KERNEL.md 7.3)."""

TONES = ("usable", "claim", "side0", "side1")
STYLES = ("-", "--", "-.", ":")

MOST_OTHER = 25.0
"""Percent: how far u goes; documentation's 3:1 corresponds to 23.3 %."""

TYPE, LARGE = 11, 17
"""Points; 11 are 15 pixels at 100 dots an inch, and nothing is smaller."""

COUNTERS = ("ratio", "other", "demand")


def find_point(recording: Recording, tick: int | None = None) -> tuple[float, float, float]:
    """Return r, u and p of a run: at the first refusal, at its end if there was none, or at `tick`.

    Raises ParameterError for a recording without them, or without such a tick.
    """
    names = [c["name"] for c in recording.meta["counters"]]
    if not set(COUNTERS) <= set(names):
        scenario = recording.meta.get("scenario", "")
        raise ParameterError("scenario", scenario, "a phase diagram is drawn of starvation")
    if tick is None:
        refused = [e.tick for e in recording.event_list if e.kind == "REFUSED"]
        tick = refused[0] if refused else recording.n_ticks - 1
    recording.check_tick(tick)
    row = recording.counters_array[tick]
    ratio, other, demand = (float(row[names.index(name)]) for name in COUNTERS)
    if not ratio:
        raise ParameterError("movable", 0, "a phase diagram needs some movable memory")
    return ratio, other, demand


def draw_phase(recording: Recording, theme: Theme = "light", tick: int | None = None) -> Figure:
    """Return a figure of the boundary for several p, with a run as a point.

    tick: where the run is looked at; usually where memory first ended. Raises ParameterError as
    `find_point` does, and for a theme that there is not.
    """
    check_theme(theme)
    ratio, other, demand = find_point(recording, tick)
    figure = make_figure(9.0, 6.2)
    figure.set_facecolor(colour("panel", theme))
    axes = figure.add_axes((0.09, 0.12, 0.635, 0.72))
    least = min(0.0, float(np.floor(100 * other)))
    shares = np.linspace(least, MOST_OTHER, 261)
    for p, tone, style in zip(DEMANDS, TONES, STYLES, strict=True):
        _draw_curve(axes, shares, p, f"p = {p}", colour(tone, theme), style)
    own = "p < 0.1" if demand < 0.1 else f"p = {demand:,.1f}"
    _draw_curve(
        axes,
        shares,
        demand,
        f"this run, {own}",
        colour("alarm", theme),
        "-",
        lw=6,
        alpha=0.5,
        zorder=1,
    )
    alarm, ink = colour("alarm", theme), colour("ink", theme)
    axes.plot(
        [min(100 * other, MOST_OTHER)],
        [ratio],
        "o",
        ms=12,
        color=alarm,
        mec=ink,
        mew=1.5,
        label=f"this run, r = {ratio:.2f}",
        clip_on=False,
        zorder=5,
    )
    _dress(axes, theme, ratio, least)
    title = "How much memory may be movable before page tables starve"
    figure.text(0.03, 0.94, title, fontsize=LARGE, weight="bold", color=ink)
    allowed = find_boundary(other, demand)
    words = f"u = {percent(other, 1)}, {own}: up to r* = {allowed:.2f}; the machine has {ratio:.2f}"
    figure.text(0.03, 0.89, words, fontsize=TYPE + 1, color=colour("muted", theme))
    return figure


def _draw_curve(
    axes: Axes, shares: np.ndarray, p: float, label: str, tone: str, style: str, **how: Any
) -> None:
    boundary = [find_boundary(share / 100, p) for share in shares]
    axes.plot(shares, boundary, style, label=label, **{"color": tone, "lw": 2.4, **how})


def _dress(axes: Axes, theme: Theme, ratio: float, least: float) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    ink, muted, line = (colour(word, theme) for word in ("ink", "muted", "line"))
    axes.set_facecolor(colour("panel", theme))
    axes.set_yscale("log", base=2)
    top, bottom = max(64.0, 1.2 * ratio), min(1.0, ratio / 1.2)
    axes.set_ylim(bottom, top)
    axes.set_xlim(least, MOST_OTHER)
    axes.yaxis.set_major_locator(FixedLocator([1, 2, 3, 4, 7, 15, 31, 63]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(lambda value, _at: f"{value:g}:1")
    axes.tick_params(labelsize=TYPE + 1, colors=muted)
    axes.set_xlabel("u: all else in kernel zones, % of memory", fontsize=TYPE + 1, color=ink)
    axes.set_ylabel("r: movable to kernel memory", fontsize=TYPE + 1, color=ink)
    axes.grid(color=line, lw=0.8)
    for side in axes.spines.values():
        side.set_color(colour("frame", theme))
    place: dict[str, Any] = {"transform": axes.transAxes, "fontsize": TYPE + 1, "color": muted}
    axes.text(0.98, 0.96, "above its curve: starves", ha="right", va="top", **place)
    axes.text(0.02, 0.03, "below its curve: fits", ha="left", va="bottom", **place)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        frameon=False,
        fontsize=TYPE,
        labelcolor=ink,
        handlelength=2.6,
    )


def save_phase(recording: Recording, path: str | Path, theme: Theme = "light") -> None:
    """Write `draw_phase` in the format of the path's ending; raises OSError if it cannot be."""
    draw_phase(recording, theme).savefig(Path(path), dpi=100)
