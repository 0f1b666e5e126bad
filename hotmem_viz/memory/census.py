"""Counting, by kind, zone and section: answers from the kept counts, without a look at frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.memory.frames import WORD, unpack
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


class Holdout(NamedTuple):
    """The least movable thing in a section: what it is, how much of it, and its first frame."""

    kind: PageKind
    pages: int
    pfn: int
    owner: str


def count_kinds(mem: PhysicalMemory) -> np.ndarray:
    """Count the machine's frames by kind: (K,) int64 pages; holes are not counted."""
    return np.asarray(mem.zone_kinds.sum(axis=0))


def count_by_zone(mem: PhysicalMemory) -> np.ndarray:
    """Count each zone's frames by kind: (Z, K) int64 pages; holes are not counted."""
    return mem.zone_kinds.copy()


def count_by_section(mem: PhysicalMemory) -> np.ndarray:
    """Count each section's frames by kind: (S, K) int64 pages; holes are not counted.

    A section that lies in two zones is counted as one.
    """
    counts = np.zeros((mem.spec.n_sections, len(PageKind)), np.int64)
    np.add.at(counts, mem.extents.section, mem.extent_kinds)
    return counts


def seen_kinds(mem: PhysicalMemory, section: int) -> np.ndarray:
    """Return what a section's frames are to whoever wants to move them: (P,) uint8.

    That is what they hold, but PINNED where somebody has pinned them.
    """
    words = mem.spec.section_pages // WORD
    pinned = unpack(mem.pinned_bits[section * words : (section + 1) * words]).reshape(-1)
    return np.where(pinned.view(bool), np.uint8(PageKind.PINNED), mem.kind[section])


def least_movable(mem: PhysicalMemory, section: int) -> Holdout | None:
    """Find what keeps a section from being given back: its least movable kind of page.

    None where the section holds nothing. The kind's `movability` says whether it could leave
    (S16 to S18 of the mail). Raises ParameterError for a section that the machine lacks.
    """
    if not 0 <= section < mem.spec.n_sections:
        raise ParameterError("section", section, f"0 to {mem.spec.n_sections - 1}")
    kinds = seen_kinds(mem, section)
    kind = PageKind(int(kinds.max()))
    if kind <= PageKind.FREE:
        return None
    at = np.flatnonzero(kinds == kind)
    owner = mem.owners.names[int(mem.owner[section, at[0]])]
    return Holdout(kind, len(at), section * mem.spec.section_pages + int(at[0]), owner)
