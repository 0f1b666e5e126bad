"""Printed pages by matplotlib: one tick as a .png, the time chart as an .svg or .pdf.

The map of a page is the picture of `views.picture`, a pixel a pixel, so that it shows what the
stage shows; the chart is that of `views.figures` with words around it.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hotmem_viz.views.figures import LINES, draw_time_chart
from hotmem_viz.views.palette import Theme, check_theme, colour, event_colour
from hotmem_viz.views.picture.frame import draw_frame, make_plan
from hotmem_viz.views.picture.sheet import shorten
from hotmem_viz.views.svg import make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Event, Recording

DPI = 100
CHART_PIXELS = 250
"""Height of the chart beneath the picture of a tick."""

LARGE, SMALL = 17, 11
"""Points of type; 11 points are 14.7 pixels in a browser, and nothing is smaller."""

TYPE = 16
"""What SMALL is in pixels at 100 dots an inch, rounded up: to measure words by."""

_WIDTH, _HEAD, _PLOT, _ROW = 11.0, 1.55, 3.3, 0.24
"""Inches: the chart page's width, what stands above the plot, the plot, a row of the key."""


def draw_page(recording: Recording, tick: int, theme: Theme = "light") -> Figure:
    """Return a figure of one tick: the picture of the map and its words, and the time chart.

    Raises ParameterError if the recording has no such tick.
    """
    recording.check_tick(tick)
    plan = make_plan(recording, theme)
    width, height = plan.size
    figure = make_figure(width / DPI, (height + CHART_PIXELS) / DPI)
    figure.set_facecolor(colour("panel", theme))
    share = height / (height + CHART_PIXELS)
    top = figure.add_axes((0, 1 - share, 1, share))
    top.imshow(plan.sheet.inks.table()[draw_frame(plan, recording, tick)], interpolation="nearest")
    top.set_axis_off()
    chart = figure.add_axes((0.066, 0.068, 0.73, 0.924 - share))
    draw_time_chart(chart, recording, theme)
    _set_type(chart)
    ink = colour("ink", theme)
    chart.axvline(tick, color=ink, lw=1.8)
    _draw_legend(chart, theme, loc="upper left", bbox_to_anchor=(1.01, 1.04))
    return figure


def _set_type(chart: Axes) -> None:
    chart.tick_params(labelsize=SMALL + 1)
    chart.tick_params(axis="x", pad=8)  # Or the two zeros in the corner would touch.
    for label in (chart.xaxis.label, chart.yaxis.label):
        label.set_fontsize(SMALL + 1)


def _draw_legend(chart: Axes, theme: Theme, **place: Any) -> None:
    from matplotlib.patches import Patch

    handles, labels = chart.get_legend_handles_labels()
    tone = colour("useless", theme)
    if "kernel can have" in labels:
        handles.append(Patch(facecolor="none", edgecolor=tone, hatch="///", lw=0, alpha=0.55))
        labels.append("free, of no use to it")
    # Points are larger than pixels: 11 points at 100 dots an inch are 15 pixels.
    chart.legend(
        handles, labels, frameon=False, fontsize=SMALL, labelcolor=colour("ink", theme), **place
    )


def save_png(recording: Recording, tick: int, path: str | Path, theme: Theme = "light") -> None:
    """Write `draw_page` as a PNG; raises OSError if `path` cannot be written."""
    draw_page(recording, tick, theme).savefig(path, format="png", dpi=DPI)


def draw_chart_page(
    recording: Recording,
    theme: Theme = "light",
    first: int | None = None,
    last: int | None = None,
) -> Figure:
    """Return a figure of the time chart with its title, its legend and a key of its marks.

    first, last: the ticks that the chart spans, the whole run unless given. Raises ParameterError
    for others than the recording has, and for a theme that there is not.
    """
    from matplotlib.ticker import MaxNLocator

    check_theme(theme)
    start, end = recording.check_span(first, last)
    marks = [e for e in recording.event_list if e.mark and start <= e.tick <= end]
    rows = -(-len(marks) // 2)
    foot = 0.92 + _ROW * rows
    height = _HEAD + _PLOT + foot
    figure = make_figure(_WIDTH, height)
    figure.set_facecolor(colour("panel", theme))
    chart = figure.add_axes((0.075, foot / height, 0.9, _PLOT / height))
    draw_time_chart(chart, recording, theme)
    chart.set_xlim(start, max(start + 1, end))
    names = {label for _, label, *_ in LINES}
    curves = [line for line in chart.get_lines() if line.get_label() in names]
    tops = [float(np.max(np.asarray(c.get_ydata())[start : end + 1])) for c in curves]
    chart.set_ylim(0, 1.04 * max([*tops, 1e-9]))
    chart.xaxis.set_major_locator(MaxNLocator(integer=True))
    _set_type(chart)
    _draw_head(figure, recording, theme)
    place = {"loc": "lower left", "bbox_to_anchor": (-0.012, 1.09), "ncols": 4}
    _draw_legend(chart, theme, borderpad=0.0, columnspacing=2.0, **place)
    _draw_flags(chart, marks, theme)
    _draw_key(figure, marks, theme, height)
    return figure


def _write(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write a text as it stands: a recording's words are no formula, whatever signs they hold."""
    figure.text(x, y, text, parse_math=False, **style)


def _draw_head(figure: Figure, recording: Recording, theme: Theme) -> None:
    meta, height = recording.meta, figure.get_figheight()
    machine = meta["machine"]["title"] or meta["machine"]["name"]
    settings = [
        f"{name}={value}"
        for name, value in meta.get("parameters", {}).items()
        if value not in {None, ""}
    ]
    ink, muted = colour("ink", theme), colour("muted", theme)
    title = shorten(meta["title"], 0.94 * DPI * _WIDTH, TYPE + 8, bold=True)
    _write(figure, 0.03, 1 - 0.4 / height, title, fontsize=LARGE, weight="bold", color=ink)
    words = shorten(" · ".join([machine, ", ".join(settings)]), 0.94 * DPI * _WIDTH, TYPE)
    _write(figure, 0.03, 1 - 0.68 / height, words, fontsize=SMALL, color=muted)


def _draw_flags(chart: Axes, marks: list[Event], theme: Theme) -> None:
    """Put a number above the plot for each mark; those of neighbours are moved apart."""
    low, high = chart.get_xlim()
    at = [(mark.tick - low) / (high - low) for mark in marks]
    for number, (mark, x, place) in enumerate(zip(marks, at, spread(at, 0.022), strict=True), 1):
        tone = event_colour(mark.kind, theme)
        frame = chart.transAxes
        chart.plot([x, place], [1.0, 1.03], color=tone, lw=1.2, transform=frame, clip_on=False)
        chart.text(
            place,
            1.055,
            str(number),
            transform=frame,
            ha="center",
            va="center",
            fontsize=SMALL,
            weight="bold",
            color=colour("panel", theme),
            bbox={"boxstyle": "round,pad=0.18", "facecolor": tone, "edgecolor": "none"},
        )


def spread(places: list[float], apart: float) -> list[float]:
    """Return ascending places moved as little as need be to stand `apart` within 0 to 1."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + apart if moved else place))
    limit = 1.0
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - apart
    return moved


def _draw_key(figure: Figure, marks: list[Event], theme: Theme, height: float) -> None:
    """List the marks under the plot in two columns: number, tick, what happened."""
    rows = -(-len(marks) // 2)
    for i, mark in enumerate(marks):
        x = 0.03 + 0.49 * (i // rows)
        y = (0.22 + _ROW * (rows - 1 - i % rows)) / height
        tone = event_colour(mark.kind, theme)
        _write(figure, x, y, str(i + 1), fontsize=SMALL, weight="bold", color=tone)
        words = shorten(f"tick {mark.tick:,}: {mark.title}", 0.45 * DPI * _WIDTH, TYPE)
        _write(figure, x + 0.025, y, words, fontsize=SMALL, color=colour("ink", theme))


_FONTS: dict[Any, Any] = {
    # Outlines in an .svg: they look alike wherever it is opened. TrueType in a .pdf: its text can
    # be searched and copied. Names of parts are the same in every run.
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "svg.hashsalt": "hotmem_viz",
    "hatch.linewidth": 1.0,
}


def save_chart(
    recording: Recording,
    path: str | Path,
    kind: Literal["svg", "pdf"],
    theme: Theme = "light",
    first: int | None = None,
    last: int | None = None,
) -> None:
    """Write `draw_chart_page` as an .svg or a .pdf.

    Raises ParameterError for ticks that were not recorded, OSError if `path` cannot be written.
    """
    import matplotlib as mpl

    figure = draw_chart_page(recording, theme, first, last)
    title = f"{recording.meta['title']}: free memory over the ticks"
    out = io.BytesIO()
    metadata: dict[str, Any] = (
        {"Title": title, "Creator": "hotmem_viz", "CreationDate": None, "Producer": None}
        if kind == "pdf"
        else dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    with mpl.rc_context(_FONTS):
        figure.savefig(out, format=kind, facecolor=figure.get_facecolor(), metadata=metadata)
    drawn = out.getvalue()
    Path(path).write_bytes(_plain_svg(drawn.decode(), title).encode() if kind == "svg" else drawn)


def _plain_svg(text: str, title: str) -> str:
    """Return an .svg without what names other places, and with a title that can be read out."""
    import html

    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg role="img" ', 1)
    head = f"<title>{html.escape(title)}</title>"
    text = re.sub(r"(<svg[^>]*>)", lambda hit: f"{hit[1]}\n {head}", text, count=1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'
