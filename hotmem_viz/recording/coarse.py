"""A recording with fewer cells on its map: for small maps, where many runs share a screen.

What comes out is what the recorder itself makes when it is told to use fewer cells.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hotmem_viz.recording.cells import choose_cells
from hotmem_viz.recording.recorder import TrackWriter
from hotmem_viz.recording.recording import Recording, SectionDetail
from hotmem_viz.recording.tracks import CellTrack


def coarsen(recording: Recording, max_cells: int) -> Recording:
    """Return a recording of the same run whose map has at most `max_cells` cells.

    A larger cell shows the largest, least movable kind of those that it is made of, as in
    `cells.CellGrid`. Owners and pageblock types travel by cell no longer; sections that an event
    names keep theirs as details. A recording whose cells are as large already is returned itself.
    """
    meta = recording.meta
    sections, size = meta["sections"], int(meta["machine"]["section_pages"])
    pages = choose_cells(size, len(sections), max_cells)
    factor = pages // int(meta["pages_per_cell"])
    if recording.kind is None or factor <= 1:
        return recording
    return replace(
        recording,
        meta={**meta, "pages_per_cell": pages, "cells_per_section": size // pages},
        kind=_join_cells(recording.kind, factor, recording.n_ticks),
        owner=None,
        migratetype=None,
        details=recording.details or _read_details(recording),
    )


def _join_cells(track: CellTrack, factor: int, n_ticks: int) -> CellTrack:
    """Return a track whose cells are the maxima of `factor` cells each."""
    state = track.frame(0)
    groups = state.reshape(-1, factor)
    writer = TrackWriter(groups.max(axis=1))
    for tick in range(1, n_ticks):
        cells, flips = track.changes(tick)
        state[cells] ^= flips
        joined = np.unique(cells // factor)
        writer.write(tick, joined, groups[joined].max(axis=1))
    return writer.finish()


def _read_details(recording: Recording) -> tuple[SectionDetail, ...]:
    """Read every page of the sections that events name, at their ticks; none without owners."""
    kind, owner, types = recording.kind, recording.owner, recording.migratetype
    if kind is None or owner is None or types is None:
        return ()
    sections, size = recording.meta["sections"], recording.meta["machine"]["section_pages"]
    named = sorted({(e.tick, e.pfn // size) for e in recording.event_list if e.mark and e.pfn >= 0})
    ticks = [tick for tick, _ in named]
    details = []
    walks = (track.walk(ticks) for track in (kind, owner, types))
    for (tick, section), *whole in zip(named, *walks, strict=True):
        row = sections.index(section)
        pages = (state.reshape(len(sections), -1)[row].copy() for state in whole)
        details.append(SectionDetail(section, tick, *pages))
    return tuple(details)
