"""The memory map on a sheet: bands, labels and frames once, the cells at every tick.

S sections with memory, C cells of the recording, V cells that are shown, K page kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.views.palette import KINDS, Theme
from hotmem_viz.views.picture.groups import absent_before, own_sections, zone_overlap
from hotmem_viz.views.picture.hatches import TILE, hatch_colour, hatch_tile
from hotmem_viz.views.picture.inks import Inks, rgb_of
from hotmem_viz.views.picture.layout import Box, MapLayout, lay_out_map, part_edges
from hotmem_viz.views.picture.sheet import SMALL, text_width
from hotmem_viz.views.raster import choose_pages_per_cell

if TYPE_CHECKING:
    from hotmem_viz.views.picture.sheet import Sheet

HOLE_STRIPE = 5


@dataclass(frozen=True)
class CellPixels:
    """Which pixels of a sheet show which cells.

    rows, columns: (n,) pixels; cell: (n,) int32 into the V cells shown; texture: (n,) uint8 into
    a hatch tile. fold: cells of the recording that one cell shown stands for; it shows the least
    movable. table: (K, 64) uint8, palette index of a kind at each place of its tile.
    """

    rows: np.ndarray
    columns: np.ndarray
    cell: np.ndarray
    texture: np.ndarray
    fold: int
    table: np.ndarray

    def beside(self, covered: np.ndarray) -> CellPixels:
        """Return these pixels without those that something else covers, a bool a pixel."""
        keep = ~covered[self.rows, self.columns]
        kept = {n: getattr(self, n)[keep] for n in ("rows", "columns", "cell", "texture")}
        return replace(self, **kept)

    def paint(self, pixels: np.ndarray, kinds: np.ndarray) -> None:
        """Paint the kinds of the recording's cells, (C,) uint8, onto a sheet's pixels."""
        shown = kinds.reshape(-1, self.fold).max(axis=1) if self.fold > 1 else kinds
        pixels[self.rows, self.columns] = self.table[shown[self.cell], self.texture]


def fit_map(meta: dict[str, Any], width: int, height: int) -> tuple[MapLayout, int]:
    """Return the layout of a machine's map in a box, and how many cells one shown stands for.

    Cells are put together by two while there are more than a projector has pixels for
    (`raster.MAX_CELLS`), or more than the box shows.
    """
    cells = int(meta["cells_per_section"])
    fold = choose_pages_per_cell(len(meta["sections"]) * cells)
    while cells % fold:
        fold //= 2
    box = Box(width, height, SMALL, lambda label: text_width(label, SMALL, bold=True))
    while True:
        layout = lay_out_map(meta, cells // fold, box)
        if layout is not None and layout.shape.fits:
            return layout, fold
        if cells // fold % 2:
            break
        fold *= 2
    if layout is None:  # More sections than pixels across: half of them a line, whatever it takes.
        raise ValueError("a map this narrow shows nothing")
    return layout, fold


def kind_table(theme: Theme, inks: Inks) -> np.ndarray:
    """Return the palette index of each kind at each place of its hatch tile, (K, 64) uint8."""
    table = np.zeros((len(KINDS), TILE * TILE), np.uint8)
    for kind, style in KINDS.items():
        rgb = rgb_of(getattr(style, theme))
        lines, ground = inks.index(hatch_colour(rgb)), inks.index(rgb)
        table[kind] = np.where(hatch_tile(style.hatch).ravel(), lines, ground)
    return table


def place_cells(
    layout: MapLayout, meta: dict[str, Any], fold: int, theme: Theme, inks: Inks
) -> CellPixels:
    """Return the pixels of all cells of a map."""
    shape = layout.shape
    shown = meta["cells_per_section"] // fold
    x_edges = part_edges(shape.columns, shape.block_width)
    y_edges = part_edges(shape.rows, shape.block_height)
    across = np.repeat(np.arange(shape.columns), np.diff(x_edges))
    down = np.repeat(np.arange(shape.rows), np.diff(y_edges))
    inside = down[:, None] * shape.columns + across
    keep = inside < shown
    if layout.grid:
        keep[:, x_edges[1:] - 1] = False
        keep[y_edges[1:] - 1, :] = False
    dy, dx = np.nonzero(keep)
    rows = (layout.y[:, None] + dy).ravel()
    columns = (layout.x[:, None] + dx).ravel()
    cell = np.arange(len(layout.x))[:, None] * shown + inside[dy, dx]
    return CellPixels(
        rows=rows,
        columns=columns,
        cell=cell.ravel().astype(np.int32),
        texture=(rows % TILE * TILE + columns % TILE).astype(np.uint8),
        fold=fold,
        table=kind_table(theme, inks),
    )


def draw_furniture(sheet: Sheet, layout: MapLayout, meta: dict[str, Any]) -> None:
    """Draw what does not change: tinted bands, labels, section numbers, frames, holes."""
    _draw_bands(sheet, layout)
    for g, group in enumerate(layout.groups):
        x, y = layout.corner(g, 0)
        baseline = y - layout.number_line - 6
        sheet.write(x, baseline, group.label, "ink", f"tint{group.nid % 4}", bold=True)
    _draw_numbers(sheet, layout, meta)
    size = layout.shape.block_width, layout.shape.block_height
    for x, y in zip(layout.x.tolist(), layout.y.tolist(), strict=True):
        sheet.outline(x, y, *size, "frame")
    _draw_holes(sheet, layout, meta)


def _draw_bands(sheet: Sheet, layout: MapLayout) -> None:
    """Tint the ground of every group's lines, to the start of the next group on the line."""
    shape = layout.shape
    pad = max(1, min(4, shape.gap // 2))
    for g, group in enumerate(layout.groups):
        line, first = shape.flow.starts[g]
        for k in range((first + group.slots - 1) // shape.per_line + 1):
            left = first if k == 0 else 0
            right = min(first + group.slots, (k + 1) * shape.per_line) - k * shape.per_line
            labelled = line + k in shape.flow.labelled
            y = layout.tops[line + k]
            head = layout.number_line + (layout.group_line if labelled else 0)
            x = layout.shift + left * layout.pitch - pad
            width = (right - left) * layout.pitch - shape.gap + 2 * pad
            label = text_width(group.label, SMALL, bold=True) + 2 * pad if k == 0 else 0
            area = (x, y - head, max(width, int(label)), head + shape.block_height + pad)
            sheet.fill(*area, f"tint{group.nid % 4}")


def _draw_numbers(sheet: Sheet, layout: MapLayout, meta: dict[str, Any]) -> None:
    sections, shape = own_sections(meta).tolist(), layout.shape
    group_of = np.repeat(np.arange(len(layout.groups)), [g.end - g.first for g in layout.groups])
    if shape.numbered:
        widest = max(text_width(f"§{s}", SMALL) for s in sections)
        every = 2 if widest > layout.pitch - 4 else 1
        for i in range(0, len(sections), every):
            tint = f"tint{layout.groups[group_of[i]].nid % 4}"
            at = (int(layout.x[i]), int(layout.y[i]) - 5)
            sheet.write(*at, f"§{sections[i]}", "muted", tint)
        return
    lowest = -SMALL
    for i in np.unique(layout.line, return_index=True)[1].tolist():
        baseline = int(layout.y[i]) + int(min(shape.block_height / 2 + 5, SMALL))
        if baseline - lowest >= SMALL + 1:
            lowest, text = baseline, f"§{sections[i]}"
            right = min(int(layout.x[i]), layout.shift) - 7
            sheet.write(right - text_width(text, SMALL), baseline, text, "muted")


def _draw_holes(sheet: Sheet, layout: MapLayout, meta: dict[str, Any]) -> None:
    width, height = layout.shape.block_width, layout.shape.block_height
    gaps = absent_before(meta) > 0
    stripes = (np.indices((height, width)).sum(axis=0) % HOLE_STRIPE) == 0
    for g, group in enumerate(layout.groups):
        for slot in group.slot[gaps[group.first : group.end]] - 1:
            x, y = layout.corner(g, int(slot))
            area = sheet.pixels[y : y + height, x : x + width]
            area[stripes] = sheet.ink("line")
            edge = np.ones((height, width), bool)
            edge[1:-1, 1:-1] = False
            dashed = np.indices((height, width)).sum(axis=0) % 7 < 4
            area[edge & dashed] = sheet.ink("frame")


def draw_borders(sheet: Sheet, layout: MapLayout, meta: dict[str, Any], fold: int) -> np.ndarray:
    """Draw where a zone begins inside a section: ink on a halo, along the cells' edges.

    Returns which pixels that covers, (height, width) bool.
    """
    pages = meta["machine"]["section_pages"]
    strokes: list[tuple[int, int, int, int]] = []
    for i, z in zip(*np.nonzero(zone_overlap(meta)), strict=True):
        offset = meta["zones"][z]["start_pfn"] - meta["sections"][i] * pages
        if offset > 0:
            cell = int(offset / (meta["pages_per_cell"] * fold) + 0.5)
            at = (int(layout.x[i]), int(layout.y[i]))
            strokes += _border_before(layout, cell, *at)
    covered = np.zeros(sheet.pixels.shape, bool)
    for grow, name in ((1, "panel"), (0, "ink")):
        for x, y, width, height in strokes:
            sheet.fill(x - grow, y - grow, width + 2 * grow, height + 2 * grow, name)
            covered[y - grow : y + height + grow, x - grow : x + width + grow] = True
    return covered


def _border_before(layout: MapLayout, cell: int, x: int, y: int) -> list[tuple[int, int, int, int]]:
    """Return x, y, width and height of the strokes between a cell and the one before it."""
    shape = layout.shape
    x_edges = part_edges(shape.columns, shape.block_width)
    y_edges = part_edges(shape.rows, shape.block_height)
    row, column = divmod(cell, shape.columns)
    above = y + int(y_edges[row])
    step = x + int(x_edges[column])
    strokes = [(step, above - 1, x + shape.block_width - step, 2)]
    if column:
        below = y + int(y_edges[row + 1])
        strokes += [(x, below - 1, step - x, 2), (step - 1, above - 1, 2, below - above + 2)]
    return strokes
