"""The kernel's virtual-to-physical map as the mail would have it: section by section, not 1:1.

A virtual page is numbered by the frame that the 1:1 map gives it, so that a page keeps its number
when it moves. A section that was never moved is found by subtraction; a moved one is *slow*: it
is looked up in a table of sections, or page by page where its pages went to several places.

Nobody built this (S21 to S31). Of the mail's open questions: Q1, a target for the section or for
each page, is offered both ways; Q2, from frame back to name, is `names_of`; Q3 is left open: a
struct page has no row here. Contents are tags, kept only of pages that a remap is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.fields import ADDRESS_FIELDS
from hotmem_viz.memory.frames import FrameSet

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

SCATTERED = -1
"""In `found_in`: the section's pages lie in several places."""

NOWHERE = -1
"""In `pages`: nothing lives at this virtual page any more."""


class Contents:
    """What frames contain, as tags: pfns (n,) int64 ascending, tags (n,) int64; 0 is untagged.

    A copy leaves the old frame as it was: who knows it by its physical address reads the old tag.
    """

    def __init__(self) -> None:
        self.pfns, self.tags = np.empty(0, np.int64), np.empty(0, np.int64)
        self.last = 0

    def read(self, pfns: np.ndarray) -> np.ndarray:
        """Return the tags of frames: (n,) int64."""
        at = np.searchsorted(self.pfns, pfns)
        found = np.zeros(len(pfns), np.int64)
        inside = np.flatnonzero(at < len(self.pfns))
        hit = inside[self.pfns[at[inside]] == np.asarray(pfns)[inside]]
        found[hit] = self.tags[at[hit]]
        return found

    def write(self, pfns: np.ndarray, tags: np.ndarray) -> None:
        """Write into frames, unique; (n,) each."""
        keep = ~np.isin(self.pfns, pfns)
        every = np.concatenate([self.pfns[keep], pfns])
        order = np.argsort(every, kind="stable")
        self.tags = np.concatenate([self.tags[keep], tags])[order]
        self.pfns = every[order]

    def write_new(self, pfns: np.ndarray) -> None:
        """Write something into frames that is nowhere else."""
        self.write(pfns, self.last + 1 + np.arange(len(pfns)))
        self.last += len(pfns)

    def drop(self, start_pfn: int, end_pfn: int) -> None:
        """Forget a range of frames: the hardware is gone."""
        keep = (self.pfns < start_pfn) | (self.pfns >= end_pfn)
        self.pfns, self.tags = self.pfns[keep], self.tags[keep]


@dataclass
class Style:
    """How the map is laid out in memory, which decides the loads of a lookup (A14).

    kaslr: the base of the 1:1 map is a global, one load that is always hot. extreme: the table of
    sections has two levels, as SPARSEMEM_EXTREME has.
    """

    kaslr: bool = True
    extreme: bool = False


@dataclass
class AddressMap:
    """Where the kernel's virtual sections lie: `found_in` (S,) int32 of `memory.fields`.

    pages: of each slow section the frame of every page, (P,) int64, NOWHERE where nothing lives.
    targets: sections that were reserved whole, with what their pageblocks were, (B,) uint8.
    splits: of each slow section the page tables that its broken 2 MiB mappings took.
    """

    mem: PhysicalMemory
    style: Style = field(default_factory=Style)
    pages: dict[int, np.ndarray] = field(default_factory=dict)
    targets: dict[int, np.ndarray] = field(default_factory=dict)
    splits: dict[int, FrameSet] = field(default_factory=dict)
    contents: Contents = field(default_factory=Contents)

    def __post_init__(self) -> None:
        (declared,) = ADDRESS_FIELDS
        self.found_in = np.arange(self.mem.spec.n_sections, dtype=declared.dtype)

    def translate(self, vpfns: np.ndarray) -> np.ndarray:
        """Return the frames of kernel pages, NOWHERE where nothing lives: (n,) int64."""
        vpfns = np.asarray(vpfns, np.int64)
        size = self.mem.spec.section_pages
        section = vpfns // size
        found: np.ndarray = self.found_in[section].astype(np.int64) * size + vpfns % size
        for slow, frames in self.pages.items():
            mine = section == slow
            if mine.any():
                found[mine] = frames[vpfns[mine] % size]
        return found

    def names_of(self, pfns: np.ndarray) -> np.ndarray:
        """Return the virtual pages of frames, the inverse of `translate` (Q2): (n,) int64."""
        names = np.array(pfns, np.int64)
        size = self.mem.spec.section_pages
        for slow, frames in self.pages.items():
            at = np.flatnonzero(frames >= 0)
            order = at[np.argsort(frames[at])]
            place = np.searchsorted(frames[order], pfns)
            inside = np.flatnonzero(place < len(order))
            hit = inside[frames[order[place[inside]]] == np.asarray(pfns)[inside]]
            names[hit] = slow * size + order[place[hit]]
        return names

    def read(self, vpfns: np.ndarray) -> np.ndarray:
        """Return the tags that the kernel reads at virtual pages: (n,) int64, 0 for none."""
        return self.contents.read(self.translate(vpfns))

    def count_loads(self, section: int) -> int:
        """Count the dependent loads of one lookup in a virtual section (A14).

        Fast: none, or the one hot global under KASLR. Slow: that too, then the table of sections,
        its root where it has two levels, and the table of pages where they are scattered.
        """
        base = int(self.style.kaslr)
        if section not in self.pages:
            return base
        return base + 1 + self.style.extreme + int(self.found_in[section] == SCATTERED)

    @property
    def slow(self) -> list[int]:
        """Virtual sections whose lookups are slow, ascending."""
        return sorted(self.pages)
