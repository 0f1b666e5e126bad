"""Cells of the map and the page frames that they stand for.

C cells = sections with memory x cells_per_section; a cell stands for `pages_per_cell` pages
of one section and shows the least movable of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hotmem_viz.errors import ParameterError

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
