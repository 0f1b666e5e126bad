"""The address spaces of a machine's processes: mappings, page tables, and the pages behind them.

Sparse: there is a row for each table, not for each page of an address space. Tables point at one
another as real ones do, so a look-up is a walk from the top and "who points at this table" is a
gather. Only mechanisms write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.fields import (
    ENTRY_FIELDS,
    MAPPING_FIELDS,
    PRESENT_FIELDS,
    SPACE_FIELDS,
    TABLE_FIELDS,
)
from hotmem_viz.memory.frames import WORD
from hotmem_viz.memory.growing import Growing

if TYPE_CHECKING:
    from hotmem_viz.machine.page_geometry import PageGeometry
    from hotmem_viz.memory.physical import PhysicalMemory

NONE, HUGE = -1, -2
"""Entries that point at no table: an empty one, and one that maps a huge page. -3 - row is a huge
page, too, for whose split the table of that row has been put aside."""


@unique
class HugeUse(IntEnum):
    """Whether a mapping uses huge pages, and whose: transparent ones, or hugetlbfs's."""

    NO = 0
    TRANSPARENT = 1
    HUGETLB = 2


@dataclass
class Segment:
    """Memory that mappings share: the frame of each page, (n,) int64, -1 before its first use."""

    frames: np.ndarray
    owner: int
    users: int = 0


PageList = list[tuple[np.ndarray, np.ndarray]]
"""Private pages of an address space, in pieces: vpn and pfn, (n,) int64 each; of a huge page the
first frame."""


@dataclass
class AddressSpaces:
    """All address spaces of a machine.

    Attributes
    ----------
    tables, spaces, mappings
        Arrays (R,), (A,) and (V,) of `memory.fields`.
    entries, present
        What tables hold: (U, I) int32 and (L, J) uint64, by the `slot` of a table.
    pages, huge_pages
        The private pages of each address space.
    segments
        Shared memory; `None` where one is gone.
    high_tables
        Whether tables of the lowest level may lie in high memory (HIGHPTE).
    """

    mem: PhysicalMemory
    geometry: PageGeometry
    high_tables: bool = False
    pages: dict[int, PageList] = field(default_factory=dict)
    huge_pages: dict[int, PageList] = field(default_factory=dict)
    segments: list[Segment | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        widest = max(level.entries for level in self.geometry.levels[1:])
        words = self.geometry.levels[0].entries // WORD
        self.tables = Growing(TABLE_FIELDS)
        self.entries = Growing(ENTRY_FIELDS, {"I": widest})
        self.present = Growing(PRESENT_FIELDS, {"J": words})
        self.spaces = Growing(SPACE_FIELDS, {"D": len(self.geometry.levels)})
        self.mappings = Growing(MAPPING_FIELDS)

    @property
    def span_words(self) -> int:
        """Words of 64 entries in a table of the lowest level."""
        return self.geometry.levels[0].entries // WORD

    def alive(self) -> np.ndarray:
        """Return the rows of the address spaces that exist: (n,) int64, ascending."""
        return np.asarray((self.spaces.top[: self.spaces.used] >= 0).nonzero()[0])

    def table_pages(self, space: int) -> int:
        """Return the frames that the tables of an address space lie in."""
        return int(frames_of_levels(self.geometry) @ self.spaces.levels[space])

    def find_mapping(self, space: int, vpn: int) -> int:
        """Return the mapping that covers a page of an address space, -1 if none does."""
        m = self.mappings
        hit = (m.space[: m.used] == space) & (m.start[: m.used] <= vpn) & (vpn < m.end[: m.used])
        return int(hit.argmax()) if hit.any() else NONE


def frames_of_levels(geometry: PageGeometry) -> np.ndarray:
    """Return the frames of one table of each level: (D,) int64."""
    frames = np.ones(len(geometry.levels), np.int64)
    frames[-1] = geometry.top_pages
    return frames
