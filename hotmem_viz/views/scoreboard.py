"""The scoreboard of strategies: a picture, and a table for notebooks and pages.

Best and worst are said by a sign, not by colour alone; what nobody has built or
measured stands in the footnotes.
"""

from __future__ import annotations

import html
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.measures import MEASURES, Measure
from hotmem_viz.recording.scoreboard import (
    find_ends,
    read_measure,
    unit_of,
    write_title,
    write_value,
)
from hotmem_viz.views.palette import Theme, check_theme, colour
from hotmem_viz.views.svg import make_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hotmem_viz.recording.scoreboard import Strategies

BEST, WORST, UNPROVEN = "★", "▽", "†"
TYPE, LARGE = 11, 17
"""Points; 11 are 15 pixels at 100 dots an inch, and nothing is smaller."""

WIDTH, ROW, HEAD, FOOT, LABEL = 12.8, 0.62, 1.45, 1.5, 2.3
"""Inches: of the figure, of a row, above the rows, below them, and of the rows' names."""

BESIDE = sum(not m.better for m in MEASURES)
"""Columns that stand beside the strategies: page tables that migrate at any time."""


def _columns(strategies: Strategies) -> list[tuple[Measure, list[float], list[str]]]:
    """Return each measure with its values and how they are written, strategy by strategy."""
    every = list(strategies.recordings.values())
    columns = []
    for m in MEASURES:
        values = [read_measure(r, m) for r in every]
        columns.append((m, values, [write_value(v, unit_of(every[0], m)) for v in values]))
    return columns


def write_notes(strategies: Strategies) -> list[str]:
    """Return what has to be said below a scoreboard."""
    titles = strategies.titles
    first = next(iter(strategies.recordings.values()))
    open_ones = [
        f"{titles[name]}{': ' + ', '.join(asked) if asked else ', hearsay'}"
        for name, asked in strategies.unproven.items()
    ]
    notes = "; ".join(f"“{m.title}”, {m.note}" for m in MEASURES if m.note)
    machine, seed = first.meta["machine"]["title"], first.meta["seed"]
    alike = f"Machine, load and removal requests are the same: {machine}, seed {seed}."
    parts = [f"{BEST} best, {WORST} worst of a column, neither where most are alike. {alike}"]
    if open_ones:
        parts.append(f"{UNPROVEN} Unproven, nobody built it for Linux: {'; '.join(open_ones)}.")
    return [*parts, f"Read with care: {notes}."]


def draw_scoreboard(strategies: Strategies, theme: Theme = "light") -> Figure:
    """Return a figure of strategies by measures. Raises ParameterError for an unknown theme."""
    check_theme(theme)
    columns, titles = _columns(strategies), list(strategies.titles.items())
    height = HEAD + ROW * len(titles) + FOOT
    figure = make_figure(WIDTH, height)
    figure.set_facecolor(colour("panel", theme))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    ink, muted = colour("ink", theme), colour("muted", theme)
    axes.text(0.2, 0.38, "Six strategies, one load", fontsize=LARGE, weight="bold", color=ink)
    _draw_names(axes, strategies, theme)
    step = (WIDTH - LABEL - 0.35) / len(columns)
    first = next(iter(strategies.recordings.values()))
    for i, (measure, values, texts) in enumerate(columns):
        left = LABEL + step * i + (0.2 if not measure.better else 0)
        words = "\n".join(textwrap.wrap(write_title(first, measure), 11))
        axes.text(
            left + step / 2, HEAD - 0.12, words, fontsize=TYPE, color=muted, ha="center",
            va="bottom", linespacing=1.05,
        )  # fmt: skip
        _draw_column(axes, (left, step), values, texts, measure, theme)
    edge = LABEL + step * (len(columns) - BESIDE) + 0.1
    axes.plot([edge, edge], [0.5, HEAD + ROW * len(titles)], color=colour("frame", theme), lw=1)
    axes.text(edge + 0.1, 0.38, "beside them", fontsize=TYPE, color=muted, style="italic")
    notes = "\n".join(line for note in write_notes(strategies) for line in _wrap(note))
    foot = HEAD + ROW * len(titles) + 0.2
    axes.text(0.2, foot, notes, fontsize=TYPE, color=muted, va="top", linespacing=1.25)
    return figure


def _wrap(note: str) -> list[str]:
    return textwrap.wrap(note, 158)


def _draw_names(axes: Axes, strategies: Strategies, theme: Theme) -> None:
    """Write the strategies' names, and lines between the rows."""
    unproven = strategies.unproven
    for i, (name, title) in enumerate(strategies.titles.items()):
        top = HEAD + ROW * i
        axes.plot([0.2, WIDTH - 0.15], [top, top], color=colour("line", theme), lw=1)
        sign = f" {UNPROVEN}" if name in unproven else ""
        words = "\n".join(textwrap.wrap(title + sign, 25))
        place: dict[str, Any] = {"fontsize": TYPE, "va": "center", "linespacing": 1.05}
        axes.text(0.2, top + ROW / 2, words, color=colour("ink", theme), **place)


def _draw_column(
    axes: Axes,
    place: tuple[float, float],
    values: list[float],
    texts: list[str],
    measure: Measure,
    theme: Theme,
) -> None:
    """Write a column's values, with a bar below each, and say which are best and worst."""
    left, width = place
    best, worst = find_ends(values, measure.better)
    most = max(values) or 1.0
    for i, (value, text) in enumerate(zip(values, texts, strict=True)):
        top, tone, sign = HEAD + ROW * i, "ink", ""
        if i in best:
            tone, sign = "usable", f"{BEST} "
        elif i in worst:
            tone, sign = "useless", f"{WORST} "
        axes.text(
            left + width / 2, top + 0.26, sign + text, fontsize=TYPE,
            color=colour(tone, theme), ha="center", va="center",
        )  # fmt: skip
        room = 0.8 * width
        base = left + 0.1 * width
        axes.plot([base, base + room], [top + 0.47] * 2, color=colour("line", theme), lw=4,
                  solid_capstyle="butt")  # fmt: skip
        if value:
            end = base + room * value / most
            axes.plot([base, end], [top + 0.47] * 2, color=colour(tone, theme), lw=4,
                      solid_capstyle="butt")  # fmt: skip


def check_ending(path: Path) -> str:
    """Return the ending of a path that a scoreboard can be written to; raises ParameterError."""
    ending = path.suffix.lower()
    if ending not in (".svg", ".pdf", ".png", ".csv"):
        allowed = "a file that ends in .svg, .pdf, .png or .csv"
        raise ParameterError("path", path.name, allowed)
    return ending


def save_scoreboard(strategies: Strategies, path: str | Path, theme: Theme = "light") -> None:
    """Write the scoreboard by the path's ending; raises ParameterError for an unknown one."""
    if check_ending(Path(path)) == ".csv":
        strategies.scoreboard.to_csv(path)
    else:
        draw_scoreboard(strategies, theme).savefig(path, dpi=100)


def write_table(strategies: Strategies) -> str:
    """Return the scoreboard as an HTML table, with its footnotes."""
    first = next(iter(strategies.recordings.values()))
    unproven = strategies.unproven
    columns = _columns(strategies)
    head = "".join(
        f'<th scope="col">{html.escape(write_title(first, m))}</th>' for m, _, _ in columns
    )
    rows = []
    for i, (name, title) in enumerate(strategies.titles.items()):
        cells = "".join(_cell(i, *column) for column in columns)
        sign = f" {UNPROVEN}" if name in unproven else ""
        rows.append(f'<tr><th scope="row">{html.escape(title)}{sign}</th>{cells}</tr>')
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in write_notes(strategies))
    return (
        '<div class="hotmem-scoreboard"><table aria-label="Scoreboard of the strategies">'
        '<thead><tr><th scope="col">strategy</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{notes}</div>"
    )


def _cell(i: int, measure: Measure, values: list[float], texts: list[str]) -> str:
    best, worst = find_ends(values, measure.better)
    if i in best:
        return f'<td class="best"><b title="best">{BEST} {html.escape(texts[i])}</b></td>'
    if i in worst:
        return f'<td class="worst" title="worst">{WORST} {html.escape(texts[i])}</td>'
    return f"<td>{html.escape(texts[i])}</td>"
