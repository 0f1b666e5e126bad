"""Cells of the map and the page frames that they stand for; a frame as a picture.

C cells = sections with memory x cells_per_section; a cell stands for `pages_per_cell` pages
of one section and shows the least movable of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.palette import KINDS, Theme, colour

MAX_CELLS = 131_072
"""More cells than this would not find a pixel each on a projector."""


def choose_pages_per_cell(pages: int) -> int:
    """Return the smallest power of two that shows `pages` pages in at most MAX_CELLS cells."""
    return int(1 << max(0, math.ceil(math.log2(max(1, pages) / MAX_CELLS))))


def cell_pfns(meta: dict[str, Any]) -> np.ndarray:
    """Return the first pfn of each cell, (C,) int64."""
    sections = np.asarray(meta["sections"], dtype=np.int64)
    inside = np.arange(meta["cells_per_section"], dtype=np.int64) * meta["pages_per_cell"]
    first: np.ndarray = sections[:, None] * meta["machine"]["section_pages"] + inside
    return first.reshape(-1)


def cell_of_pfn(meta: dict[str, Any], pfn: int) -> int:
    """Return the cell that holds `pfn`; raises ParameterError if the map has no such page."""
    section, page = divmod(pfn, meta["machine"]["section_pages"])
    sections = np.asarray(meta["sections"])
    i = int(np.searchsorted(sections, section))
    if i == len(sections) or sections[i] != section:
        raise ParameterError("pfn", pfn, "a page of a section that has memory is needed")
    inside: int = page // meta["pages_per_cell"]
    return i * int(meta["cells_per_section"]) + inside


def colour_table(theme: Theme) -> np.ndarray:
    """Return the palette as (K, 3) uint8."""
    hexes = [style.light if theme == "light" else style.dark for style in KINDS.values()]
    return np.array([_rgb(h) for h in hexes], dtype=np.uint8)


def _rgb(text: str) -> list[int]:
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def section_shape(cells: int) -> tuple[int, int]:
    """Return (rows, columns) for a section's cells, near square, columns a power of two."""
    columns = 1 << math.ceil(math.log2(max(1, cells)) / 2)
    return -(-cells // columns), columns


def mosaic(
    meta: dict[str, Any], frame: np.ndarray, theme: Theme, per_row: int = 0, gap: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame as a picture of section blocks, and where each block stands.

    frame: (C,) uint8. Result: (H, W, 3) uint8, and (n sections, 2) int64 upper left corners
    as (row, column). `per_row` blocks stand side by side (0: twice as wide as high).
    """
    n, cells = len(meta["sections"]), int(meta["cells_per_section"])
    rows, columns = section_shape(cells)
    per_row = per_row or max(1, round(math.sqrt(2.4 * n)))
    gap = gap or max(1, columns // 10)
    lines = -(-n // per_row)
    shape = (lines * (rows + gap) + gap, per_row * (columns + gap) + gap, 3)
    image = np.full(shape, _rgb(colour("panel", theme)), dtype=np.uint8)
    padded = np.zeros((n, rows * columns), dtype=np.uint8)
    padded[:, :cells] = frame.reshape(n, cells)
    blocks = colour_table(theme)[padded].reshape(n, rows, columns, 3)
    index = np.arange(n)
    corners = np.stack(
        [index // per_row * (rows + gap) + gap, index % per_row * (columns + gap) + gap], axis=1
    )
    for (y, x), block in zip(corners, blocks, strict=True):
        image[y : y + rows, x : x + columns] = block
    return image, corners
