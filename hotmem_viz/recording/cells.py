"""From page frames to the map's cells: which sections are shown, how many pages a cell holds.

A cell shows the largest PageKind of its pages, the least movable one, so that one pinned page
among many is seen. Whatever a pinned page holds, it shows as PINNED: it will not move. Sections
without memory have no cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.frames import WORD, FrameSet
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

MAX_CELLS = 1 << 17
"""More cells than a screen can show are of no use: 131,072."""


def choose_cells(section_pages: int, n_sections: int, max_cells: int = MAX_CELLS) -> int:
    """Return pages per cell, a power of two, for so many sections to have at most max_cells."""
    per_section = max(1, max_cells // n_sections)
    pages = -(-section_pages // per_section)
    pages_per_cell = 1 << max(0, (pages - 1).bit_length())
    while section_pages % pages_per_cell:
        pages_per_cell >>= 1
    return pages_per_cell


class CellGrid:
    """The cells of one machine: C = sections shown * cells per section."""

    def __init__(self, mem: PhysicalMemory, max_cells: int = MAX_CELLS) -> None:
        self.section_pages = mem.spec.section_pages
        self.sections = np.unique(mem.extents.section)
        self.pages_per_cell = choose_cells(self.section_pages, len(self.sections), max_cells)
        self.cells_per_section = self.section_pages // self.pages_per_cell
        self._first_cell = np.full(mem.spec.n_sections, -1, np.int64)
        self._first_cell[self.sections] = np.arange(len(self.sections)) * self.cells_per_section

    def __len__(self) -> int:
        return len(self.sections) * self.cells_per_section

    def read_all(self, mem: PhysicalMemory) -> np.ndarray:
        """Return every cell's kind: (C,) uint8."""
        rows = self.sections[:, None] * self.cells_per_section + np.arange(self.cells_per_section)
        return self.read(mem, rows.ravel())

    def touched(self, frames: FrameSet) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells that hold some frames, and where their pages are.

        Frames of sections without memory have no cell and are left out. Returns cells (n,) int64,
        ascending, and rows (n,) int64 into the page fields seen as
        (N / pages_per_cell, pages_per_cell).
        """
        if self.pages_per_cell >= WORD:
            rows = np.unique(frames.words // (self.pages_per_cell // WORD))
        else:
            per_word = WORD // self.pages_per_cell
            rows = (frames.words[:, None] * per_word + np.arange(per_word)).ravel()
        first = self._first_cell[rows // self.cells_per_section]
        if len(first) and first.min() < 0:
            rows, first = rows[first >= 0], first[first >= 0]
        return first + rows % self.cells_per_section, rows

    def read(self, mem: PhysicalMemory, rows: np.ndarray) -> np.ndarray:
        """Return the kinds of some cells: (n,) uint8."""
        pages = mem.kind.reshape(-1, self.pages_per_cell)[rows]
        cells = np.asarray(pages.max(axis=1) if self.pages_per_cell > 1 else pages[:, 0])
        cells[self._is_pinned(mem, rows)] = PageKind.PINNED
        return cells

    def _is_pinned(self, mem: PhysicalMemory, rows: np.ndarray) -> np.ndarray:
        """Say in which of some cells a page is pinned: (n,) bool."""
        if self.pages_per_cell >= WORD:
            words = mem.pinned_bits.reshape(-1, self.pages_per_cell // WORD)[rows]
            return np.asarray(words.any(axis=1))
        first = rows * self.pages_per_cell
        bits = mem.pinned_bits[first // WORD]
        if not bits.any():
            return np.zeros(len(rows), bool)
        mask = np.uint64((1 << self.pages_per_cell) - 1)
        return np.asarray((bits >> (first % WORD).astype(np.uint64) & mask) != 0)

    def read_owner(self, mem: PhysicalMemory, rows: np.ndarray) -> np.ndarray:
        """Return the owners of some one-page cells: (n,) uint16."""
        return np.asarray(mem.owner.reshape(-1)[rows])

    def describe(self) -> dict[str, object]:
        """Return the keys of a recording's meta that say where a cell lies."""
        return {
            "pages_per_cell": self.pages_per_cell,
            "cells_per_section": self.cells_per_section,
            "sections": self.sections.tolist(),
        }
