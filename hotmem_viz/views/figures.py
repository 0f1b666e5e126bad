"""Charts and printed pages by matplotlib, drawn once per recording and never per frame.

The browser's chart is an SVG without words that is stretched over its panel; its labels
travel beside it as fractions, so that text keeps its size and shape at any width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.views.palette import EVENTS, KINDS, THEMES, Theme, colour
from hotmem_viz.views.raster import mosaic
from hotmem_viz.views.svg import bare_svg, in_dark, make_figure, strip_words, tick_rows, tones_of
from hotmem_viz.vocabulary import EventKind, PageKind

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Recording

LINES = (
    ("mem_available", "MemAvailable", "claim", "--"),
    ("free", "free", "useless", "-"),
    ("kernel", "kernel can have", "usable", "-"),
)
"""Curves of the time chart: series, label, colour word, line style."""

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))
_SIZE_INCHES = (11.0, 2.2)


def series_of(recording: Recording, name: str) -> np.ndarray | None:
    """Return a counter over time in bytes, (T,); "kernel" is free less useless."""
    names = [c["name"] for c in recording.meta["counters"]]
    if name == "kernel":
        free, useless = series_of(recording, "free"), series_of(recording, "useless")
        return None if free is None or useless is None else free - useless
    if name not in names:
        return None
    column: np.ndarray = recording.counters_array[:, names.index(name)]
    return column * float(recording.meta["page_size"])


def axis_unit(*runs: Recording | None) -> tuple[str, int, float]:
    """Return the unit of an axis for some runs, its bytes, and the axis' top in bytes."""
    tops = [
        float(series.max())
        for run in runs
        if run is not None
        for name, *_ in LINES
        if (series := series_of(run, name)) is not None and len(series)
    ]
    top = max([*tops, 1.0]) * 1.04
    word, size = next((u for u in _UNITS if top >= 2 * u[1]), _UNITS[-1])
    return word, size, top


def bytes_of(unit: str) -> int:
    """Return the bytes of an axis' unit."""
    return dict(_UNITS)[unit]


def draw_time_chart(
    ax: Axes, recording: Recording, theme: Theme = "light", ghost: Recording | None = None
) -> None:
    """Draw free memory over the ticks: what the kernel can have, and what is of no use to it.

    The hatched band between the curves is free memory that a kernel request cannot have;
    `ghost` is an earlier run, drawn faintly. Event marks are vertical lines.
    """
    word, size, top = axis_unit(recording, ghost)
    ticks = np.arange(recording.n_ticks)
    free, kernel = series_of(recording, "free"), series_of(recording, "kernel")
    if free is not None and kernel is not None:
        ax.fill_between(ticks, 0, kernel / size, color=colour("usable", theme), alpha=0.16, lw=0)
        tone = colour("useless", theme)
        ax.fill_between(ticks, kernel / size, free / size, color=tone, alpha=0.1, lw=0)
        # Hatch and ground apart: in one patch the SVG writer gives both the same opacity.
        band = ax.fill_between(ticks, kernel / size, free / size, lw=0, alpha=0.55)
        band.set(facecolor="none", edgecolor=tone, hatch="///")
    if ghost is not None:
        _draw_ghost(ax, ghost, size, theme)
    for name, label, word_of_colour, style in LINES:
        series = series_of(recording, name)
        if series is not None:
            tone = colour(word_of_colour, theme)
            ax.plot(ticks, series / size, style, color=tone, lw=2, label=label)
    for event in recording.event_list:
        if event.mark:
            ax.axvline(event.tick, color=event_colour(event.kind, theme), lw=1.2, zorder=1)
    last = max(recording.n_ticks, ghost.n_ticks if ghost is not None else 0) - 1
    ax.set_xlim(0, max(1, last))
    ax.set_ylim(0, top / size)
    ax.set_xlabel("tick")
    ax.set_ylabel(word)
    dress_axes(ax, theme)


def _draw_ghost(ax: Axes, ghost: Recording, size: int, theme: Theme) -> None:
    for name, _, _, style in LINES:
        series = series_of(ghost, name)
        if series is not None:
            tone = colour("ghost", theme)
            ax.plot(np.arange(ghost.n_ticks), series / size, style, color=tone, lw=1.3, zorder=1.5)
    ax.axvline(ghost.n_ticks - 1, color=colour("ghost", theme), lw=1.3, ls=":", zorder=1)


def event_colour(kind: str, theme: Theme) -> str:
    """Return the colour of an event's mark, by the name of its kind in either case."""
    known = {k.name.lower(): pair for k, (_, *pair) in EVENTS.items()}
    fallback = EVENTS[EventKind.DONE][1:]
    return known.get(kind.lower(), list(fallback))[THEMES.index(theme)]


def dress_axes(ax: Axes, theme: Theme) -> None:
    """Give a chart's axes the look that all charts have."""
    ax.set_facecolor("none")
    ax.grid(axis="y", color=colour("line", theme), lw=1)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(colour("frame", theme))
    ax.tick_params(colors=colour("muted", theme), labelsize=14, length=0)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_color(colour("muted", theme))
        label.set_fontsize(14)


def _line_rows(recording: Recording, ax: Axes, ghost: Recording | None) -> list[dict[str, Any]]:
    size, top = bytes_of(ax.get_ylabel()), ax.get_ylim()[1]
    rows: list[dict[str, Any]] = []
    for name, label, word, _ in LINES:
        series = series_of(recording, name)
        if series is not None:
            at = round(float(series[-1]) / size / top, 5)
            rows.append({"label": label, "at": at} | tones_of(word))
    if ghost is not None:
        rows.append({"label": "run before", "at": 0.9} | tones_of("muted"))
    return rows


def chart_payload(recording: Recording, ghost: Recording | None = None) -> dict[str, Any]:
    """Return the `chart` trait: the time chart in both themes and what stands around it.

    light, dark: SVG texts whose plot fills the picture. left, right: fractions of the width
    where tick 0 and tick T - 1 lie. x_ticks, y_ticks: [{at, text}], lines: [{label, light,
    dark, at}] with `at` a fraction of the plot, from the left or the bottom; alt: one
    sentence for screen readers.
    """
    figure = make_figure(*_SIZE_INCHES)
    ax = figure.add_axes((0, 0, 1, 1))
    draw_time_chart(ax, recording, "light", ghost)
    ax.locator_params(axis="y", nbins=4)
    around = {
        "left": 0.0,
        "right": (recording.n_ticks - 1) / float(ax.get_xlim()[1]),
        "x_ticks": tick_rows(ax, "x"),
        "y_ticks": tick_rows(ax, "y"),
        "lines": _line_rows(recording, ax, ghost),
        "ghost": ghost is not None,
        "alt": "Free memory over the ticks: what the kernel can have, what is of no use to it, "
        "and what MemAvailable claims.",
    }
    strip_words(ax)
    svg = bare_svg(figure)
    return {"light": svg, "dark": in_dark(svg), **around}


def draw_map(ax: Axes, recording: Recording, tick: int, theme: Theme = "light") -> None:
    """Draw the memory map at a tick: blocks of sections, cells coloured by page kind.

    Raises ParameterError if the recording has no such tick.
    """
    if recording.kind is None:
        _say_no_map(ax, theme)
        return
    image, corners = mosaic(recording.meta, recording.frame(tick), theme)
    ax.imshow(image, interpolation="nearest", aspect="equal")
    sections = recording.meta["sections"]
    starts = [i for i in range(len(corners)) if i == 0 or corners[i, 0] > corners[i - 1, 0]]
    rows = corners[1, 1] - corners[0, 1] if len(corners) > 1 else image.shape[0]
    ax.set_yticks([int(corners[i, 0]) + rows / 2 for i in starts])
    ax.set_yticklabels([f"§{sections[i]}" for i in starts])
    ax.set_xticks([])
    ax.tick_params(colors=colour("muted", theme), labelsize=12, length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _say_no_map(ax: Axes, theme: Theme) -> None:
    ax.text(0.5, 0.5, "No page flags were captured: this run has no map.", ha="center", fontsize=14)
    ax.texts[0].set_color(colour("muted", theme))
    ax.set_axis_off()


def _draw_legend(ax: Axes, recording: Recording, tick: int, theme: Theme) -> None:
    from matplotlib.patches import Patch

    if recording.kind is None:
        return
    frame = recording.frame(tick)
    present = [k for k in PageKind if (frame == k).any() and k is not PageKind.HOLE]
    handles = [
        Patch(
            facecolor=getattr(KINDS[k], theme),
            edgecolor=colour("frame", theme),
            label=KINDS[k].label,
        )
        for k in present
    ]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=12,
        labelcolor=colour("ink", theme),
    )


def draw_page(recording: Recording, tick: int, theme: Theme = "light") -> Figure:
    """Return a figure of one tick: the map, its legend, the caption and the time chart.

    Raises ParameterError if the recording has no such tick.
    """
    recording.check_tick(tick)
    figure = make_figure(14.4, 9.6)
    figure.set_facecolor(colour("panel", theme))
    top, bottom = figure.subplots(2, 1, height_ratios=(3.2, 1))
    figure.subplots_adjust(left=0.07, right=0.82, top=0.87, bottom=0.08, hspace=0.14)
    draw_map(top, recording, tick, theme)
    _draw_legend(top, recording, tick, theme)
    meta = recording.meta
    machine = meta["machine"]["title"] or meta["machine"]["name"]
    ink = colour("ink", theme)
    figure.text(0.07, 0.955, f"{meta['title']} · {machine}", fontsize=18, weight="bold", color=ink)
    captions = [c for c in meta["captions"] if c["tick"] <= tick]
    words = f"tick {tick} of {recording.n_ticks - 1}"
    if captions:
        words += f" · {captions[-1]['title']}"
    figure.text(0.07, 0.918, words, fontsize=14, color=colour("muted", theme))
    draw_time_chart(bottom, recording, theme)
    bottom.axvline(tick, color=ink, lw=1.8)
    legend = bottom.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=12, labelcolor=ink
    )
    legend.set_title("")
    return figure


def save_png(recording: Recording, tick: int, path: str | Path, theme: Theme = "light") -> None:
    """Write `draw_page` as a PNG; raises OSError if `path` cannot be written."""
    draw_page(recording, tick, theme).savefig(path, format="png", dpi=100)
