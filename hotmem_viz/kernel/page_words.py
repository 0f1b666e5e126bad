"""Reads what a capture's own reader found in each page struct: zone, node, free blocks, held.

A word: zone number of the kernel (bits 0-2), held (bit 7, set where the reference count is not
0), node (bits 8-23), and from bit 24 on the order + 1 of the free block that begins there.
Zone number 7, which no kernel has, marks pages without a struct page, and those that the reader
could not reach: on 6.1 the first pageblock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.vocabulary import MAX_ORDER, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.page_flags import PageRuns

KERNEL_ZONES = (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE)
"""The zones of an x86-64 kernel by its own numbers (enum zone_type, include/linux/mmzone.h)."""

NO_ZONE = 7
MAX_HEADS = 1 << 24
HELD = np.uint64(1 << 7)


class FreeBlocks(NamedTuple):
    """Free blocks by address. pfns: (n,) int64, their heads. orders: (n,) int64."""

    pfns: np.ndarray
    orders: np.ndarray


def zone_numbers(runs: PageRuns) -> np.ndarray:
    """Return the kernel's zone number of each run: (R,) uint64; NO_ZONE where there is none."""
    return runs.words & np.uint64(7)


def nids(runs: PageRuns) -> np.ndarray:
    """Return the node of each run: (R,) uint64, without meaning where there is no zone."""
    return (runs.words >> np.uint64(8)) & np.uint64(0xFFFF)


def held(runs: PageRuns) -> np.ndarray:
    """Tell which runs somebody holds a reference to: (R,) bool.

    Only captures whose manifest says format 2 or more have that bit. Slab pages of 7.2 are held
    by nobody, though they are in use.
    """
    found: np.ndarray = (runs.words & HELD) != 0
    return found


def free_blocks(runs: PageRuns) -> FreeBlocks:
    """List the heads of free blocks. Heads with one word (single pages) can share a run.

    Raises
    ------
    ParameterError
        When there are more than 16 million, which no free map that somebody recorded has.
    """
    order = (runs.words >> np.uint64(24)).astype(np.int64) - 1
    is_head = (zone_numbers(runs) != NO_ZONE) & (order >= 0) & (order <= MAX_ORDER)
    pages = runs.pages[is_head]
    if pages.sum() > MAX_HEADS:
        raise ParameterError("free blocks", int(pages.sum()), f"at most {MAX_HEADS} are listed")
    first = np.cumsum(pages) - pages
    within = np.arange(int(pages.sum()), dtype=np.int64) - np.repeat(first, pages)
    return FreeBlocks(
        np.repeat(runs.starts[is_head], pages) + within, np.repeat(order[is_head], pages)
    )
