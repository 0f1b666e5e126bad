"""Buddy orders, read off packed words.

Buddies merge eagerly, so which blocks are free is a function of the free bitmap (checked on
real kernels: 393 of 393 zones). Nothing here knows a machine: bits in, bits out.

Source: mm/page_alloc.c, 6.1: __find_buddy_pfn, __free_one_page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.frames import ALL_ONES, WORD, Bits, lowest_bits
from hotmem_viz.vocabulary import MAX_ORDER

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD_ORDER = 6
"""A free word of 64 frames is a block of order 6."""

_ALIGNED = [
    np.uint64(sum(1 << i for i in range(0, WORD, 1 << order))) for order in range(_WORD_ORDER + 1)
]
"""Bits of a word at which a block of each order can begin."""


def find_heads(
    bits: Bits, highest: int = MAX_ORDER, wanted: Sequence[bool] | np.ndarray | None = None
) -> np.ndarray:
    """Find the heads of the free blocks of each order.

    bits: (G, 16) uint64, free frames of groups of 1,024. Returns (highest + 1, G, 16) uint64: a
    bit where a block of that order begins. Orders above `highest` are left out; where `wanted` is
    given, only the rows of the orders that it names are meaningful.
    """
    top = min(highest + 1, MAX_ORDER)
    level = np.empty((top + 1, *bits.shape), np.uint64)
    level[0] = bits
    for k in range(min(top, _WORD_ORDER)):
        np.right_shift(level[k], np.uint64(1 << k), out=level[k + 1])
        level[k + 1] &= level[k]
        level[k + 1] &= _ALIGNED[k + 1]
    for k in range(_WORD_ORDER, top):
        step = 1 << (k - _WORD_ORDER)
        level[k + 1] = 0
        level[k + 1][:, :: 2 * step] = level[k][:, :: 2 * step] & level[k][:, step :: 2 * step]
    for k in range(min(highest, top - 1) + 1):
        if wanted is not None and not wanted[k]:
            continue
        if k < _WORD_ORDER:
            level[k] &= ~(level[k + 1] | (level[k + 1] << np.uint64(1 << k)))
        else:
            step = 1 << (k - _WORD_ORDER)
            larger = level[k + 1][:, :: 2 * step]
            level[k][:, :: 2 * step] &= ~larger
            level[k][:, step :: 2 * step] &= ~larger
    return level[: highest + 1]


def expand(heads: Bits, order: int) -> Bits:
    """Spread heads of blocks of one order to all their frames: (G, 16) uint64 both."""
    if order < _WORD_ORDER:
        for k in range(order):
            heads = heads | (heads << np.uint64(1 << k))
        return heads
    step = 1 << (order - _WORD_ORDER)
    filled = np.where(heads[:, ::step] != 0, ALL_ONES, np.uint64(0))
    return np.repeat(filled, step, axis=1)


def lowest_heads(heads: Bits, n: int) -> Bits:
    """Keep the n lowest heads: (G, 16) uint64 both."""
    flat = heads.ravel()
    if n == 1:
        at = int(np.argmax(flat != 0))
        kept = np.zeros_like(flat)
        kept[at] = flat[at] & (~flat[at] + np.uint64(1))
        return kept.reshape(heads.shape)
    until = np.cumsum(np.bitwise_count(flat), dtype=np.int64)
    at = int(np.searchsorted(until, n))
    kept = flat.copy()
    kept[at + 1 :] = 0
    if at < len(flat) and until[at] > n:
        kept[at] = lowest_bits(flat[at], n - (int(until[at - 1]) if at else 0))
    return kept.reshape(heads.shape)
