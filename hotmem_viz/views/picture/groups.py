"""Sections of one node and zone, in the order of their pfns, as `static/cells.js` groups them.

S sections with memory, Z zones. A run of absent sections takes one slot before the section
that follows it. Where a map shows several boots, each has a band of pfns of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Group:
    """Consecutive sections whose largest part lies in one zone.

    boot: of several boots, the place of the one whose map this is, else 0. first, end: rows of
    meta["sections"]. slot: (end - first,) int64, the slot of each within the group; holes take
    the slots between. slots: how many the group takes in all.
    """

    nid: int
    boot: int
    label: str
    first: int
    end: int
    slot: np.ndarray
    slots: int


def zone_overlap(meta: dict[str, Any]) -> np.ndarray:
    """Return how many pages of each section lie in each zone's span, (S, Z) int64."""
    pages = meta["machine"]["section_pages"]
    start = np.asarray(meta["sections"], dtype=np.int64)[:, None] * pages
    spans = np.array([(z["start_pfn"], z["end_pfn"]) for z in meta["zones"]]).reshape(-1, 2)
    overlap = np.minimum(spans[:, 1], start + pages) - np.maximum(spans[:, 0], start)
    pages_in: np.ndarray = np.maximum(overlap, 0)
    return pages_in


def boot_of_sections(meta: dict[str, Any]) -> np.ndarray:
    """Return the boot in whose band each section lies, (S,) int64; all 0 for a single machine."""
    firsts = [boot["first_pfn"] for boot in meta.get("boots", ())] or [0]
    pfns = np.asarray(meta["sections"], dtype=np.int64) * meta["machine"]["section_pages"]
    boots: np.ndarray = np.searchsorted(firsts, pfns, side="right") - 1
    return boots


def own_sections(meta: dict[str, Any]) -> np.ndarray:
    """Return each section's number as the machine that booted numbers it, (S,) int64."""
    firsts = [boot["first_pfn"] for boot in meta.get("boots", ())] or [0]
    bands = np.asarray(firsts, dtype=np.int64) // meta["machine"]["section_pages"]
    own: np.ndarray = np.asarray(meta["sections"], dtype=np.int64) - bands[boot_of_sections(meta)]
    return own


def absent_before(meta: dict[str, Any]) -> np.ndarray:
    """Return how many absent sections lie right before each section, (S,) int64."""
    sections = np.asarray(meta["sections"], dtype=np.int64)
    absent: np.ndarray = np.minimum(np.diff(sections, prepend=-1) - 1, own_sections(meta))
    return absent


def group_sections(meta: dict[str, Any]) -> list[Group]:
    """Return the groups of a machine's sections, with their labels."""
    overlap = zone_overlap(meta)
    zones = meta["zones"]
    inside = overlap.any(axis=1)
    main = np.where(inside, overlap.argmax(axis=1), -1) if zones else np.full(len(overlap), -1)
    gaps = absent_before(meta) > 0
    firsts = np.flatnonzero(np.diff(main, prepend=-2))
    ends = [*firsts[1:], len(main)]
    boots = boot_of_sections(meta)
    groups: list[Group] = []
    for first, end in zip(firsts.tolist(), ends, strict=True):
        nid = zones[main[first]]["nid"] if main[first] >= 0 else 0
        slot = np.arange(end - first) + np.cumsum(gaps[first:end])
        boot = int(boots[first])
        begins = "boots" in meta and (not groups or groups[-1].boot != boot)
        title = f"{meta['boots'][boot]['title']}: " if begins else ""
        groups.append(
            Group(
                nid=nid,
                boot=boot,
                label=f"{title}node {nid} · {_names(zones, overlap[first:end])}",
                first=first,
                end=int(end),
                slot=slot,
                slots=int(slot[-1]) + 1,
            )
        )
    return groups


def _names(zones: list[dict[str, Any]], overlap: np.ndarray) -> str:
    """Return the names of the zones that some sections touch, in the order they are met."""
    touched = np.flatnonzero(overlap.any(axis=0))
    met = sorted(touched, key=lambda z: (int((overlap[:, z] > 0).argmax()), int(z)))
    return " + ".join(dict.fromkeys(zones[z]["zone"] for z in met))
