"""What stands around the map: title, totals, legend, transport and caption.

Everything is laid out once, for the longest text of the recording, so that nothing jumps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.units import format_bytes
from hotmem_viz.views.palette import KINDS, event_colour
from hotmem_viz.views.picture.section_frames import draw_state_swatch, states_used
from hotmem_viz.views.picture.sheet import LARGE, MIDDLE, SMALL, shorten, text_width
from hotmem_viz.views.section_looks import SECTIONS
from hotmem_viz.vocabulary import PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Event, Recording
    from hotmem_viz.views.picture.sheet import Sheet

MARGIN = 24
LINE = 23
ROW = 24
LEGEND_GAP = 22


def counter(recording: Recording, name: str) -> np.ndarray | None:
    """Return a counter over the ticks, (T,), or None if the recording has none of that name."""
    names = [c["name"] for c in recording.meta["counters"]]
    column: np.ndarray | None = None
    if name in names:
        column = recording.counters_array[:, names.index(name)]
    return column


def caption_at(recording: Recording, tick: int) -> dict[str, Any]:
    """Return the last caption up to a tick; empty if there is none."""
    return max((c for c in recording.meta["captions"] if c["tick"] <= tick),
               key=lambda c: int(c["tick"]), default={})  # fmt: skip


def event_of(recording: Recording, caption: dict[str, Any]) -> Event | None:
    """Return the event that a caption tells of."""
    same = (
        e
        for e in recording.event_list
        if e.tick == caption.get("tick") and e.title == caption.get("title")
    )
    return next(same, None)


@dataclass(frozen=True)
class Legend:
    """Kinds and section states that the recording ever has, in rows: (row, x, which) each."""

    places: list[tuple[int, int, PageKind]]
    rows: int
    states: list[tuple[int, int, SectionState]]


def kinds_present(recording: Recording) -> list[PageKind]:
    """Return the kinds that any tick has, users first, free and no memory last."""
    counts = {k: counter(recording, f"kind.{k.name.lower()}") for k in PageKind}
    if any(column is None for column in counts.values()):
        seen = set(np.unique(recording.kind.keys).tolist()) if recording.kind else set()
        present = [k for k in PageKind if k in seen]
    else:
        present = [k for k, column in counts.items() if column is not None and column.any()]
    quiet = (PageKind.FREE, PageKind.HOLE)
    return [k for k in present if k not in quiet] + [k for k in quiet if k in present]


def _most_pages(recording: Recording, kind: PageKind) -> str:
    column = counter(recording, f"kind.{kind.name.lower()}")
    return "" if column is None else f"{int(column.max()):,}"


def scale_of_cells(recording: Recording, fold: int) -> str:
    """Say what a cell stands for, where `fold` cells of the recording make one that is shown."""
    pages = recording.meta["pages_per_cell"] * fold
    size = format_bytes(pages * recording.meta["page_size"])
    if pages == 1:
        return f"1 cell = 1 page, {size}"
    return f"1 cell = {pages:,} pages, {size}; it shows the least movable"


def lay_out_legend(recording: Recording, width: int) -> Legend:
    """Arrange the legend's entries in columns of one width, so that counts stand still."""
    present = kinds_present(recording)
    widths = [
        30 + text_width(f"{KINDS[k].label} {_most_pages(recording, k)}", SMALL) + LEGEND_GAP
        for k in present
    ]
    columns = max(1, int((width + LEGEND_GAP) / max(widths)))
    rows = -(-len(present) // columns)
    columns = -(-len(present) // rows)
    pitch = (width + LEGEND_GAP) // columns
    places = [(i // columns, MARGIN + i % columns * pitch, k) for i, k in enumerate(present)]
    states = _place_states(recording, width, rows)
    return Legend(places, max([rows, *(row + 1 for row, _, _ in states)]), states)


def _place_states(
    recording: Recording, width: int, row: int
) -> list[tuple[int, int, SectionState]]:
    """Arrange the states of sections in rows of their own, from `row` on."""
    states, x = [], MARGIN
    for state in states_used(recording):
        size = 30 + round(text_width(SECTIONS[state].label, SMALL)) + LEGEND_GAP
        if x + size - LEGEND_GAP > MARGIN + width:
            row, x = row + 1, MARGIN
        states.append((row, x, state))
        x += size
    return states


def draw_legend(sheet: Sheet, legend: Legend, top: int) -> None:
    """Draw swatches and labels of kinds and of states."""
    for row, x, kind in legend.places:
        style, y = KINDS[kind], top + row * ROW
        sheet.outline(x, y + 2, 22, 16, "frame")
        sheet.swatch(x, y + 2, 22, 16, getattr(style, sheet.theme), style.hatch)
        sheet.write(x + 30, y + SMALL + 1, style.label)
    for row, x, state in legend.states:
        draw_state_swatch(sheet, SECTIONS[state], x, top + row * ROW + 2)
        sheet.write(x + 30, top + row * ROW + SMALL + 1, SECTIONS[state].label)


def draw_counts(sheet: Sheet, legend: Legend, recording: Recording, tick: int, top: int) -> None:
    """Write the pages of each kind at a tick behind its label."""
    for row, x, kind in legend.places:
        column = counter(recording, f"kind.{kind.name.lower()}")
        if column is not None:
            at = x + 30 + text_width(f"{KINDS[kind].label} ", SMALL) + 3
            sheet.write(at, top + row * ROW + SMALL + 1, f"{int(column[tick]):,}", "muted")


def draw_title(sheet: Sheet, recording: Recording, scale: str, width: int) -> None:
    """Write what this is: the scenario, its machine, and what a cell stands for."""
    meta = recording.meta
    machine = meta["machine"]["title"] or meta["machine"]["name"]
    room = width - 2 * MARGIN - text_width(_tick_words(recording, recording.n_ticks - 1), MIDDLE)
    title = shorten(meta["title"], room / 2, LARGE, bold=True)
    end = sheet.write(MARGIN, 40, title, size=LARGE, bold=True) + LEGEND_GAP
    sheet.write(end, 40, shorten(machine, room - end - LEGEND_GAP, MIDDLE), "muted", size=MIDDLE)
    sheet.write(width - MARGIN - text_width(scale, SMALL), 68, scale, "muted")


def _tick_words(recording: Recording, tick: int) -> str:
    return f"tick {tick:,} of {recording.n_ticks - 1:,}"


@dataclass(frozen=True)
class Total:
    """A sum over the zones: its colour word, label, pages at every tick, (T,), and where it is."""

    word: str
    label: str
    pages: np.ndarray
    x: float


def lay_out_totals(recording: Recording) -> list[Total]:
    """Arrange what MemAvailable claims, what is free and what the kernel can have, if recorded."""
    free, useless = counter(recording, "free"), counter(recording, "useless")
    rows = [
        ("claim", "MemAvailable claims", counter(recording, "mem_available")),
        ("useless", "free", free),
        ("usable", "the kernel can have", _difference(free, useless)),
    ]
    totals, x = [], float(MARGIN)
    for word, label, pages in rows:
        if pages is not None:
            totals.append(Total(word, label, pages, x))
            # Room for the longest value, or the next would move from tick to tick.
            values = {format_bytes(int(v) * recording.meta["page_size"]) for v in pages}
            widest = max(text_width(value, SMALL, bold=True) for value in values)
            x += 22 + text_width(label, SMALL) + 8 + widest + LEGEND_GAP
    return totals


def _difference(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    return None if a is None or b is None else a - b


def draw_moment(
    sheet: Sheet, totals: list[Total], recording: Recording, tick: int, width: int
) -> None:
    """Write the tick, and how much is free, claimed and of use."""
    last = text_width(_tick_words(recording, recording.n_ticks - 1), MIDDLE, bold=True)
    sheet.write(width - MARGIN - last, 40, _tick_words(recording, tick), size=MIDDLE, bold=True)
    for total in totals:
        value = format_bytes(int(total.pages[tick]) * recording.meta["page_size"])
        sheet.fill(round(total.x), 68 - 13, 14, 14, total.word)
        end = sheet.write(total.x + 22, 68, total.label)
        sheet.write(end + 8, 68, value, bold=True)


def draw_rail(sheet: Sheet, recording: Recording, tick: int, top: int, width: int) -> None:
    """Draw where the tick lies in the run, and the marks of events."""
    last = max(1, recording.n_ticks - 1)
    room = width - 2 * MARGIN

    def place(at: int) -> int:
        return MARGIN + 5 + round((room - 10) * at / last)

    sheet.fill(MARGIN, top + 6, room, 6, "line")
    sheet.fill(MARGIN, top + 6, place(tick) - MARGIN, 6, "accent")
    for event in recording.event_list:
        if event.mark:
            sheet.fill(place(event.tick) - 3, top, 6, 18, "panel")
            sheet.fill(place(event.tick) - 2, top, 4, 18, event_colour(event.kind, sheet.theme))
    sheet.fill(place(tick) - 5, top + 2, 10, 14, "panel")
    sheet.fill(place(tick) - 3, top + 2, 6, 14, "ink")


def _wrapped(caption: dict[str, Any], width: float) -> Iterator[tuple[int, float, str, bool]]:
    """Yield line, x, word and boldness of a caption's words, title first."""
    line, x = 0, 0.0
    words = [(w, True) for w in caption.get("title", "").split()]
    words += [(w, False) for w in caption.get("text", "").split()]
    for i, (word, bold) in enumerate(words):
        if i and words[i - 1][1] and not bold:
            x += 8  # Between the title and the text.
        size = text_width(word, MIDDLE, bold)
        if x + size > width and x > 0:
            line, x = line + 1, 0.0
        yield line, x, word, bold
        x += size + text_width(" ", MIDDLE, bold)


def caption_lines(recording: Recording, width: int) -> int:
    """Return how many lines the longest caption takes."""
    room = width - 2 * MARGIN - 34
    longest = (max((p[0] + 1 for p in _wrapped(c, room)), default=0)
               for c in recording.meta["captions"])  # fmt: skip
    return max(longest, default=0)


def caption_height(lines: int) -> int:
    """Return the height of the caption's box for so many lines and the line of sources."""
    return 12 + lines * LINE + 24 + 8 if lines else 0


def draw_caption(
    sheet: Sheet, recording: Recording, tick: int, top: int, width: int, lines: int
) -> None:
    """Write why: the caption of a tick, its claims, rule and kernel function."""
    if not lines:
        return
    caption = caption_at(recording, tick)
    event = event_of(recording, caption)
    hue = event_colour(event.kind, sheet.theme) if event else "accent"
    sheet.fill(MARGIN, top, width - 2 * MARGIN, caption_height(lines), "sunken")
    sheet.fill(MARGIN, top, 6, caption_height(lines), hue)
    left, baseline = MARGIN + 20, top + 12 + MIDDLE - 2
    below = baseline
    for line, x, word, bold in _wrapped(caption, width - 2 * MARGIN - 34):
        at = baseline + line * LINE
        sheet.write(left + x, at, word, ground="sunken", size=MIDDLE, bold=bold)
        below = at + LINE + 2
    x = float(left)
    for word, ink, bold in _sources(caption):
        x = sheet.write(x, below, word, ink, "sunken", bold=bold) + 14


def _sources(caption: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for claim in caption.get("claims", []):
        yield claim, "accent", True
    if caption.get("unproven"):
        yield "unproven: nobody has built this", "alarm", True
    if caption.get("rule"):
        yield caption["rule"], "muted", False
    if name := caption.get("function"):
        yield name if "(" in name else f"{name}()", "muted", False
