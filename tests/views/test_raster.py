"""Cells and page frames find each other; a frame becomes a picture."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.views import raster
from hotmem_viz.vocabulary import PageKind
from tests.views.synthetic import OVERVIEW, TINY, make_recording


@pytest.mark.parametrize(
    ("pages", "chosen"), [(1, 1), (131_072, 1), (131_073, 2), (2**24, 128), (2**28, 2048)]
)
def test_a_cell_holds_as_few_pages_as_the_map_can_show(pages: int, chosen: int):
    assert raster.choose_pages_per_cell(pages) == chosen


@pytest.mark.parametrize("size", [TINY, OVERVIEW], ids=["tiny", "overview"])
def test_every_cell_is_found_by_its_first_pfn(size):
    meta = make_recording(size).meta
    pfns = raster.cell_pfns(meta)
    for cell in (0, 1, len(pfns) // 2, len(pfns) - 1):
        assert raster.cell_of_pfn(meta, int(pfns[cell])) == cell


def test_a_page_in_a_hole_is_refused():
    meta = make_recording(TINY).meta
    with pytest.raises(ParameterError, match="pfn"):
        raster.cell_of_pfn(meta, 3 * 3072)


def test_a_mosaic_shows_every_cell_once():
    meta = make_recording(TINY).meta
    frame = np.full(5 * 3072, PageKind.FREE, np.uint8)
    frame[3072 + 7] = PageKind.PINNED
    image, corners = raster.mosaic(meta, frame, "light")
    black = np.argwhere((image == raster.colour_table("light")[PageKind.PINNED]).all(axis=2))
    rows, columns = raster.section_shape(3072)
    assert rows * columns >= 3072
    assert black.tolist() == [(corners[1] + [7 // columns, 7 % columns]).tolist()]
