"""The map of a captured kernel: which sections it shows, and what page flags make of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_pages import present_ranges
from hotmem_viz.kernel.captures import SECTION_PAGES
from hotmem_viz.kernel.lines import MAX_PFN
from hotmem_viz.kernel.page_flags import PageRuns
from hotmem_viz.recording.cells import MAX_CELLS, choose_cells
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, PageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.pageblocks import PageblockTypes


@dataclass(frozen=True, eq=False)
class CaptureGrid:
    """Sections with memory at any stage, and how many pages a cell of theirs stands for.

    sections: (S,) int64, ascending. ranges: the pfns that exist, (start, end) pairs.
    """

    section_pages: int
    sections: np.ndarray
    pages_per_cell: int
    ranges: tuple[tuple[int, int], ...]

    @property
    def cells_per_section(self) -> int:
        """Cells of a section."""
        return self.section_pages // self.pages_per_cell

    @property
    def cell_starts(self) -> np.ndarray:
        """First pfn of each cell: (C,) int64, ascending."""
        inside = np.arange(self.cells_per_section) * self.pages_per_cell
        starts: np.ndarray = (self.sections[:, None] * self.section_pages + inside).reshape(-1)
        return starts

    def describe(self) -> dict[str, object]:
        """Return the keys of a recording's meta that say where a cell lies."""
        return {
            "pages_per_cell": self.pages_per_cell,
            "cells_per_section": self.cells_per_section,
            "sections": self.sections.tolist(),
        }

    def cells_of(self, kinds: PageRuns) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells that lie wholly or partly in some runs, and their kinds.

        kinds: runs whose words are PageKinds. Returns cells (n,) int64, ascending, and their
        largest, least movable kind (n,) uint8. Work grows with runs and cells, not with pages.
        """
        starts = self.cell_starts
        met = (starts + self.pages_per_cell > kinds.start_pfn) & (starts < kinds.end_pfn)
        cells = np.flatnonzero(met)
        if not len(cells):
            return cells, np.empty(0, np.uint8)
        first = np.maximum(starts[cells], kinds.start_pfn)
        last = np.minimum(starts[cells] + self.pages_per_cell, kinds.end_pfn)
        # Every run, cell and end of a cell begins a piece; those between cells are passed over.
        edges = np.unique(np.concatenate((kinds.starts, first, last[last < kinds.end_pfn])))
        values = kinds.at(edges).astype(np.uint8)
        bounds = np.stack((first, last), axis=1).reshape(-1)
        at = np.searchsorted(edges, bounds)
        # The end of the last cell may be the end of all runs: one more piece to stop at.
        reduced = np.maximum.reduceat(np.append(values, np.uint8(0)), at)
        return cells, reduced[::2]

    def types_of(self, types: PageblockTypes) -> np.ndarray:
        """Return the migrate type of every pageblock of the sections shown: (S * B,) uint8."""
        per_section = self.section_pages // PAGEBLOCK_PAGES
        table = np.full((len(self.sections), per_section), MigrateType.MOVABLE, np.uint8)
        _, mine, theirs = np.intersect1d(self.sections, types.sections, return_indices=True)
        table[mine] = types.types[theirs]
        return table.reshape(-1)


def within(kinds: PageRuns, ranges: Sequence[tuple[int, int]]) -> PageRuns:
    """Return kinds with a hole wherever no memory is: 32-bit kernels call those pages reserved.

    ranges: the pfns that exist, ascending.
    """
    bounds = np.array(ranges, np.int64).reshape(-1)
    inner = bounds[(bounds > kinds.start_pfn) & (bounds < kinds.end_pfn)]
    starts = np.unique(np.concatenate((kinds.starts, inner)))
    # Between a start and its end, an odd number of bounds lies at or before a pfn.
    inside = np.searchsorted(bounds, starts, side="right") % 2 == 1
    words = np.where(inside, kinds.at(starts), np.uint8(PageKind.HOLE)).astype(np.uint8)
    pages = np.diff(starts, append=kinds.end_pfn)
    return PageRuns(words, pages, kinds.start_pfn).merged()


def count_kinds(kinds: PageRuns) -> np.ndarray:
    """Count the pages of each kind: (K,) int64."""
    counts = np.bincount(kinds.words.astype(np.int64), weights=kinds.pages, minlength=len(PageKind))
    return counts.astype(np.int64)


def lay_out_map(capture: Capture, stages: Iterable[str], max_cells: int = MAX_CELLS) -> CaptureGrid:
    """Find the sections of a captured machine.

    stages: those whose memory counts, for blocks come and go. Raises CaptureError where nothing
    says which memory there is.
    """
    ranges = _joined(r for stage in stages for r in present_ranges(capture, stage))
    if not ranges:
        raise CaptureError(capture.path, "neither the boot log nor memory blocks say what there is")
    if ranges[-1][1] > MAX_PFN:
        raise CaptureError(capture.path, "it lists memory above 64 TiB: damaged")
    size = SECTION_PAGES[capture.arch]
    sections = np.unique(
        np.concatenate([np.arange(start // size, -(-end // size)) for start, end in ranges])
    )
    pages_per_cell = choose_cells(size, len(sections), max_cells)
    return CaptureGrid(size, sections, pages_per_cell, tuple(ranges))


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, those that touch or overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(set(ranges)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
