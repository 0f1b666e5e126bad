"""How many free blocks there are, by extent, type and order: `free_blocks`, kept as an index.

Source: mm/page_alloc.c, 6.1: zone->free_area[order].nr_free, and the lists by migrate type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.orders import find_heads, long_heads
from hotmem_viz.memory.frames import WORD
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import N_ORDERS, PAGEBLOCK_PAGES, MigrateType

if TYPE_CHECKING:
    from hotmem_viz.memory.frames import Bits
    from hotmem_viz.memory.physical import PhysicalMemory

_UP = np.arange(N_ORDERS)
_N_TYPES = len(MigrateType)
_PAGEBLOCK_WORDS = PAGEBLOCK_PAGES // WORD
_LOWER_HALF = (1 << PAGEBLOCK_PAGES) - 1
IRREGULAR = -2
"""In `extents.of_group`: zones share the group."""

_FEW_COUNTED = 4
"""Up to here groups are counted one by one, in long integers, as in `orders`."""


def count_blocks(mem: PhysicalMemory, groups: np.ndarray, sign: int) -> None:
    """Add (or, with sign -1, take off) the blocks of some groups to `free_blocks`.

    Called before and after the free bits or the pageblock types of the groups change.
    groups: (G,) int64, unique.
    """
    extent = mem.extents.of_group[groups]
    bits = mem.free_bits.reshape(-1, GROUP_WORDS)[groups]
    if len(groups) > _FEW_COUNTED:
        shared = extent == IRREGULAR
        if not shared.any():
            _add_counts(mem, extent, groups, bits, sign)
            return
        _add_counts(mem, extent[~shared], groups[~shared], bits[~shared], sign)
        groups, extent, bits = groups[shared], extent[shared], bits[shared]
    for row in zip(groups.tolist(), extent.tolist(), bits, strict=True):
        _count_group(mem, *row, sign)


def _count_group(mem: PhysicalMemory, group: int, extent: int, bits: Bits, sign: int) -> None:
    """Add the blocks of one group, (16,) uint64; where zones share it, those of each of them."""
    if extent == IRREGULAR:
        for own, mask in mem.extents.irregular[group]:
            _count_group(mem, group, own, bits & mask, sign)
        return
    lower, upper = mem.types[2 * group : 2 * group + 2].tolist()
    counts = mem.free_blocks[extent]
    for order, heads in enumerate(long_heads(bits)):
        if heads:
            in_lower = (heads & _LOWER_HALF).bit_count()
            counts[lower, order] += sign * in_lower
            counts[upper, order] += sign * (heads.bit_count() - in_lower)


def _add_counts(
    mem: PhysicalMemory, extent: np.ndarray, groups: np.ndarray, bits: Bits, sign: int
) -> None:
    if not len(groups):
        return
    heads = find_heads(bits)
    halves = np.bitwise_count(heads).reshape(N_ORDERS, -1, _PAGEBLOCK_WORDS).sum(-1, dtype=np.int64)
    types = mem.types.reshape(-1, 2)[groups].reshape(-1)
    low, high = int(extent.min()), int(extent.max()) + 1
    row = (np.repeat(extent.astype(np.int64) - low, 2) * _N_TYPES + types) * N_ORDERS
    flat = (row + _UP[:, None]).ravel()
    size = (high - low) * _N_TYPES * N_ORDERS
    counts = np.bincount(flat, weights=halves.ravel(), minlength=size).astype(np.int32)
    mem.free_blocks[low:high] += np.int32(sign) * counts.reshape(-1, _N_TYPES, N_ORDERS)
