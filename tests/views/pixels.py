"""What a picture must show at a cell: from the recording and the layout, not from the painter."""

from __future__ import annotations

import numpy as np

from hotmem_viz.recording.recording import Recording
from hotmem_viz.views.palette import KINDS, Theme
from hotmem_viz.views.picture.hatches import hatch_colour
from hotmem_viz.views.picture.inks import rgb_of
from hotmem_viz.views.picture.layout import MapLayout, part_edges
from hotmem_viz.vocabulary import PageKind


def middles_of_cells(layout: MapLayout, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of the pixel in the middle of every cell, (S, cells) each."""
    shape = layout.shape
    inside = np.arange(cells)
    x_edges = part_edges(shape.columns, shape.block_width)
    y_edges = part_edges(shape.rows, shape.block_height)
    right = ((x_edges[:-1] + x_edges[1:] - 1) // 2)[inside % shape.columns]
    down = ((y_edges[:-1] + y_edges[1:] - 1) // 2)[inside // shape.columns]
    return layout.y[:, None] + down, layout.x[:, None] + right


def away_from_borders(recording: Recording, layout: MapLayout, cells: int) -> np.ndarray:
    """Return the cells that no border of a zone crosses, (S, cells) bool."""
    meta = recording.meta
    clear = np.ones((len(meta["sections"]), cells), bool)
    per_cell = meta["machine"]["section_pages"] // cells
    for zone in meta["zones"]:
        section, page = divmod(zone["start_pfn"], meta["machine"]["section_pages"])
        if page and section in meta["sections"]:
            row = page // per_cell // layout.shape.columns
            rows = np.arange(cells) // layout.shape.columns
            clear[meta["sections"].index(section), abs(rows - row) <= 2] = False
    return clear


def wrong_cells(
    picture: np.ndarray,
    kinds: np.ndarray,
    recording: Recording,
    layout: MapLayout,
    theme: Theme,
    tolerance: int = 0,
) -> int:
    """Count cells, (S, cells), whose middle has neither the colour of its kind nor its hatch.

    picture: (H, W, 3) uint8; kinds: (S, cells) uint8.
    """
    rows, columns = middles_of_cells(layout, kinds.shape[1])
    seen = picture[rows, columns].astype(int)
    grounds = [rgb_of(getattr(KINDS[k], theme)) for k in PageKind]
    lines = [hatch_colour(rgb) for rgb in grounds]
    fits = [
        (abs(seen - np.array(table)[kinds]) <= tolerance).all(axis=2) for table in (grounds, lines)
    ]
    clear = away_from_borders(recording, layout, kinds.shape[1])
    assert clear.mean() > 0.8
    return int((clear & ~fits[0] & ~fits[1]).sum())
