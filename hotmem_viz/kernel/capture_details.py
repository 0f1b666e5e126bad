"""Single pages of a captured machine's sections, for maps whose cells stand for many pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.recording.recording import SectionDetail
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, PageKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotmem_viz.kernel.capture_map import CaptureGrid
    from hotmem_viz.kernel.page_flags import PageRuns

MOST_PAGES = 1 << 20
"""Pages that details hold at most in one recording, so that its page stays small."""


def section_details(
    grid: CaptureGrid, maps: Sequence[tuple[int, PageRuns, np.ndarray | None]]
) -> Iterator[SectionDetail]:
    """Yield sections page by page, those with the most runs first, as many as may be.

    maps: for each tick at which all pages were read, their kinds, and the types of pageblocks or
    None. Owners are unknown: nobody's, 0.
    """
    if grid.pages_per_cell == 1:
        return
    wanted = [
        (-_changes(grid, runs, int(section)), tick, i, at)
        for at, (tick, runs, _) in enumerate(maps)
        for i, section in enumerate(grid.sections)
    ]
    most = MOST_PAGES // grid.section_pages
    for changes, tick, i, at in sorted(wanted)[:most]:
        if changes < -1:
            yield _detail(grid, maps[at][1], maps[at][2], tick, i)


def _changes(grid: CaptureGrid, runs: PageRuns, section: int) -> int:
    first = section * grid.section_pages
    return len(runs.part(first, first + grid.section_pages).words)


def _detail(
    grid: CaptureGrid, runs: PageRuns, types: np.ndarray | None, tick: int, i: int
) -> SectionDetail:
    size, section = grid.section_pages, int(grid.sections[i])
    part = runs.part(section * size, (section + 1) * size)
    kinds = np.full(size, PageKind.HOLE, np.uint8)
    kinds[: part.total] = part.expand()
    blocks = size // PAGEBLOCK_PAGES
    mine = np.empty(0, np.uint8) if types is None else types[i * blocks : (i + 1) * blocks]
    return SectionDetail(section, tick, kinds, np.zeros(size, np.uint16), mine)
