"""What a recording's counters say, by name; what must hold, from the recording alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording


def column(recording: Recording, name: str) -> np.ndarray:
    """Return one counter over time: (T,)."""
    names = [c["name"] for c in recording.meta["counters"]]
    return np.asarray(recording.counters_array[:, names.index(name)])


def per_zone(recording: Recording, name: str) -> np.ndarray:
    """Return one counter of every zone over time: (T, Z)."""
    zones = recording.meta["zones"]
    return np.stack([column(recording, f"zone{z['id']}.{name}") for z in zones], axis=1)


def ends_with(recording: Recording) -> str:
    """Return the kind of the last event."""
    return recording.event_list[-1].kind


def first_pfns(recording: Recording) -> np.ndarray:
    """Return the first page frame of every cell: (C,)."""
    meta = recording.meta
    sections = np.array(meta["sections"]) * meta["machine"]["section_pages"]
    inside = np.arange(meta["cells_per_section"]) * meta["pages_per_cell"]
    return np.asarray((sections[:, None] + inside).ravel())


def zone_of_cells(recording: Recording) -> np.ndarray:
    """Return the id of the zone of every one-page cell, -1 in a hole: (C,)."""
    pfns = first_pfns(recording)
    zones = np.full(len(pfns), -1)
    nid = np.full(len(pfns), -1)
    for node in recording.meta["machine"]["nodes"]:
        for start, end in node["ranges"]:
            nid[(pfns >= start) & (pfns < end)] = node["nid"]
    for zone in recording.meta["zones"]:
        inside = (pfns >= zone["start_pfn"]) & (pfns < zone["end_pfn"])
        zones[inside & (nid == zone["nid"])] = zone["id"]
    return zones
