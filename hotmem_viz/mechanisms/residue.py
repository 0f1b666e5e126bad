"""What is left in a section once all that can migrate has left, and what a remap makes of it.

The mail names three classes: pages that are only reached by their virtual address (S33), page
tables, whose parents have to be found (S35), and pages that a device or a pin holds (S38). Of
stacks, vmalloc, the kernel image and memory maps it says nothing; here stacks and buffers go with
the first class, image and maps with what stays (KERNEL.md 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.census import seen_kinds
from hotmem_viz.vocabulary import Movability, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.memory.physical import PhysicalMemory


@unique
class Handling(IntEnum):
    """What the proposal does with a page that stayed."""

    NOTHING = 0
    REMAP = 1
    WALK = 2
    NO_ROOM = 3
    DEVICE = 4
    BOOT = 5


@dataclass(frozen=True)
class Residue:
    """The pages of a section that did not leave: pfns (n,) int64, kinds and handling (n,) uint8.

    Pinned pages have the kind PINNED, whatever they hold.
    """

    pfns: np.ndarray
    kinds: np.ndarray
    handling: np.ndarray

    @classmethod
    def empty(cls) -> Residue:
        """Return the residue of nothing."""
        none = np.empty(0, np.uint8)
        return cls(np.empty(0, np.int64), none, none)

    def __len__(self) -> int:
        return len(self.pfns)

    def only(self, *handling: Handling) -> np.ndarray:
        """Return the pfns of some classes: (n,) int64, ascending."""
        return self.pfns[np.isin(self.handling, handling)]

    @property
    def stuck(self) -> np.ndarray:
        """Pages that no remap can take along: (n,) int64."""
        return self.only(Handling.NO_ROOM, Handling.DEVICE, Handling.BOOT)


def _by_kind() -> np.ndarray:
    """Return the handling of each kind: (K,) uint8."""
    table = np.full(len(PageKind), Handling.BOOT, np.uint8)
    for kind in PageKind:
        if kind.movability is Movability.MOVES:
            table[kind] = Handling.NO_ROOM
        elif kind.movability is Movability.REMAP_ONLY:
            table[kind] = Handling.REMAP
    table[[PageKind.HOLE, PageKind.FREE]] = Handling.NOTHING
    table[PageKind.PAGE_TABLE] = Handling.WALK
    table[PageKind.PINNED] = Handling.DEVICE
    return table


HANDLING = _by_kind()
"""Handling by kind of page, pinned ones as PINNED."""


def classify(mem: PhysicalMemory, section: int) -> Residue:
    """Classify what a section holds."""
    kinds = seen_kinds(mem, section)
    at = np.flatnonzero(kinds > PageKind.FREE)
    return Residue(at + section * mem.spec.section_pages, kinds[at], HANDLING[kinds[at]])


def hold_for_device(mem: PhysicalMemory, frames: FrameSet) -> None:
    """Let a driver map held pages for DMA, whatever they hold: from now on they are a device's.

    Any slab object may be passed to dma_map_*; nothing marks the page beforehand (Q9, Q13).
    """
    mem.pinned_bits[frames.words] |= frames.bits
