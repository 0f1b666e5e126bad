"""Where every section and cell of the map stands, in pixels: the stage's own arrangement.

The same rules and constants as `static/geometry.js` at one device pixel a pixel, so that a
picture and the stage show one map (tests/views/test_picture_layout.py runs both). Sections
flow like words: a node, or one of several boots, starts a line, a zone starts a group with its
label above.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hotmem_viz.views.picture.groups import Group, group_sections

NUMBER_LINE, GUTTER, NUMBERED_FROM = 18 / 14, 46 / 14, 34 / 14
SPACINGS = ((21 / 14, 7), (18 / 14, 2))
"""Heights of a label's line, and between lines; the close one where the roomy one does not fit."""

MARGIN, BELOW, HARDLY_HIGHER = 9, 7, 1.05
MAX_CELL, GRID_FROM, EVEN_BELOW, MOST_PER_LINE = 28, 7, 3, 160
SQUARE_CELL, SQUARE_BLOCK, FULL_LINES, NUMBERED_BONUS = 0.4, 0.2, 0.6, 1.15


@dataclass(frozen=True)
class Box:
    """The room there is: pixels, size of the labels in pixels, and how wide a label is."""

    width: int
    height: int
    text: int
    label_width: Callable[[str], float]


@dataclass(frozen=True)
class Flow:
    """Slots of all groups at so many a line: line and slot of each group's first and label."""

    starts: list[tuple[int, int]]
    lines: int
    labelled: frozenset[int]


@dataclass(frozen=True)
class Shape:
    """One way to arrange the map, and how good it is."""

    flow: Flow
    per_line: int
    columns: int
    rows: int
    gap: int
    left: int
    numbered: bool
    block_width: int
    block_height: int
    tops: list[int]
    height: int
    fits: bool
    score: float
    group_line: int


@dataclass(frozen=True)
class MapLayout:
    """A machine's map in pixels.

    x, y, line: (S,) int64, upper left corner and line of each section's block. shift: x of slot
    0; tops: y of each line's blocks. grid: pixels between cells. text: size of the labels.
    """

    shape: Shape
    groups: list[Group]
    x: np.ndarray
    y: np.ndarray
    line: np.ndarray
    shift: int
    tops: list[int]
    pitch: int
    grid: int
    text: int

    def corner(self, group: int, slot: int) -> tuple[int, int]:
        """Return x and y of a group's slot, whether a section or a hole stands there."""
        line, first = self.shape.flow.starts[group]
        down, across = divmod(first + slot, self.shape.per_line)
        return self.shift + across * self.pitch, self.tops[line + down]

    @property
    def number_line(self) -> int:
        """Pixels above a block that the sections' numbers take."""
        return _round(NUMBER_LINE * self.text) if self.shape.numbered else 0

    @property
    def group_line(self) -> int:
        """Pixels above those that the groups' labels take, on lines that have some."""
        return self.shape.group_line

    def moved(self, right: int, down: int) -> MapLayout:
        """Return the same map elsewhere."""
        tops = [top + down for top in self.tops]
        x, y, shift = self.x + right, self.y + down, self.shift + right
        return replace(self, x=x, y=y, shift=shift, tops=tops)


def part_edges(parts: int, size: int) -> np.ndarray:
    """Return the pixels before each of `parts` parts of `size`, (parts + 1,) int64."""
    return np.arange(parts + 1) * size // parts


def _gap(width: float) -> int:
    return 1 if width < 10 else 2 if width < 24 else 5 if width < 60 else 8


def _column_choices(cells: int) -> list[int]:
    side = math.sqrt(cells)
    powers = [1 << i for i in range(cells.bit_length())]
    return [c for c in powers if c <= cells and side / 2.1 <= c <= side * 6]


def _several_boots(groups: Sequence[Group]) -> bool:
    return groups[-1].boot > 0


def _flow(groups: Sequence[Group], widths: Sequence[float], per_line: int, pitch: int) -> Flow:
    starts, labelled = [], set()
    line, slot, free = -1, per_line, 0
    several = _several_boots(groups)
    for g, group in enumerate(groups):
        label_slots = math.ceil(widths[g] / pitch)
        slot = max(slot, free)
        before = groups[g - 1]
        begins = before.boot != group.boot if several else before.nid != group.nid
        if g == 0 or begins or slot + min(label_slots, per_line) > per_line:
            line, slot = line + 1, 0
        starts.append((line, slot))
        labelled.add(line)
        free = slot + label_slots
        down, across = divmod(slot + group.slots - 1, per_line)
        line, slot = line + down, across + 1
        free = 0 if down else free
    return Flow(starts, line + 1, frozenset(labelled))


def _tops(
    flow: Flow, block: int, group: int, numbers: int, between: int, tight: int
) -> tuple[list[int], int]:
    """Return the y of each line's blocks, and the height of all."""
    tops, y = [], 3
    for line in range(flow.lines):
        if line > 0:
            y += between if line in flow.labelled else tight
        if line in flow.labelled:
            y += group
        y += numbers
        tops.append(y)
        y += block
    return tops, y + BELOW


def _round(value: float) -> int:
    return math.floor(value + 0.5)  # As JavaScript rounds.


def _squareness(a: float, b: float) -> float:
    return min(a, b) / max(a, b)


def _measure(
    groups: Sequence[Group],
    box: Box,
    widths: Sequence[float],
    cells: int,
    columns: int,
    per_line: int,
    numbered: bool,
    spacing: tuple[float, int],
) -> Shape | None:
    rows = -(-cells // columns)
    left = MARGIN if numbered else _round(GUTTER * box.text)
    room = box.width - left - MARGIN
    gap = _gap(room / per_line)
    block_width = min((room - (per_line - 1) * gap) // per_line, columns * MAX_CELL)
    w = block_width / columns
    if w < 1 or (numbered and block_width < NUMBERED_FROM * box.text):
        return None
    flow = _flow(groups, widths, per_line, block_width + gap)
    numbers = _round(NUMBER_LINE * box.text) if numbered else 0
    tight = 3 if numbered else gap
    group, between = _round(spacing[0] * box.text), spacing[1]
    _, bare = _tops(flow, 0, group, numbers, between, tight)
    share = (box.height - bare) // flow.lines
    # Rows of a few pixels must be equally high, or single pages would look uneven.
    exact = share // rows
    tallest = int(rows * min(MAX_CELL, w * 1.6))
    fits = exact >= 1
    block_height = (share if exact >= EVEN_BELOW else exact * rows) if fits else rows
    if block_height > tallest:
        block_height = max(rows, int(w * 1.6) * rows if w * 1.6 < EVEN_BELOW else tallest)
    tops, total = _tops(flow, block_height, group, numbers, between, tight)
    h = block_height / rows
    slots = sum(group.slots for group in groups)
    score = (
        w
        * h
        * _squareness(w, h) ** SQUARE_CELL
        * _squareness(block_width, block_height) ** SQUARE_BLOCK
        * (slots / (flow.lines * per_line)) ** FULL_LINES
        * (NUMBERED_BONUS if numbered else 1)
    )
    return Shape(
        flow, per_line, columns, rows, gap, left, numbered, block_width, block_height, tops,
        total, fits, score, group,
    )  # fmt: skip


def _choose(groups: Sequence[Group], box: Box, cells: int) -> Shape | None:
    """Return the best arrangement that fits, else the best of those hardly higher than the lowest.

    None if none can be.
    """
    widths = [box.label_width(group.label) + box.text for group in groups]
    most = min(sum(group.slots for group in groups), MOST_PER_LINE)
    found: list[Shape] = []
    for spacing in SPACINGS:
        ways = itertools.product(_column_choices(cells), range(1, most + 1), (True, False))
        shapes = [_measure(groups, box, widths, cells, *way, spacing) for way in ways]
        found = [shape for shape in shapes if shape is not None]
        if any(shape.fits for shape in found):
            break
    lowest = min((shape.height for shape in found), default=0)
    fitting = [shape for shape in found if shape.fits]
    choice = fitting or [shape for shape in found if shape.height <= lowest * HARDLY_HIGHER]
    return max(choice, key=lambda shape: shape.score, default=None)


def lay_out_map(meta: dict[str, Any], cells: int, box: Box) -> MapLayout | None:
    """Arrange a machine's sections of `cells` cells each; None if no arrangement is as narrow.

    The result is higher than the box where nothing fits into it: `shape.fits` tells.
    """
    groups = group_sections(meta)
    shape = _choose(groups, box, cells)
    if shape is None:
        return None
    pitch = shape.block_width + shape.gap
    used = shape.per_line * pitch - shape.gap
    shift = shape.left + max(0, (box.width - shape.left - MARGIN - used) // 2)
    places = []
    for group, (line, first) in zip(groups, shape.flow.starts, strict=True):
        down, across = np.divmod(first + group.slot, shape.per_line)
        places.append(np.stack([shift + across * pitch, line + down]))
    x, line_of = np.concatenate(places, axis=1)
    w, h = shape.block_width / shape.columns, shape.block_height / shape.rows
    return MapLayout(
        shape=shape,
        groups=groups,
        x=x,
        y=np.asarray(shape.tops)[line_of],
        line=line_of,
        shift=shift,
        tops=shape.tops,
        pitch=pitch,
        grid=1 if min(w, h) >= GRID_FROM else 0,
        text=box.text,
    )
