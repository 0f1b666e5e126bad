"""Cells and page frames find each other; a frame becomes a picture."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.views import raster
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
