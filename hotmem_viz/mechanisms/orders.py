"""Buddy orders, read off packed words.

Buddies merge eagerly, so which blocks are free is a function of the free bitmap (checked on
real kernels: 393 of 393 zones). Nothing here knows a machine: bits in, bits out.

Source: mm/page_alloc.c, 6.1: __find_buddy_pfn, __free_one_page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.memory.frames import ALL_ONES, WORD, Bits, lowest_bits, range_bits
from hotmem_viz.vocabulary import MAX_ORDER, MAX_ORDER_PAGES, PAGEBLOCK_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WORD_ORDER = 6
"""A free word of 64 frames is a block of order 6."""

_ALIGNED = [
    np.uint64(sum(1 << i for i in range(0, WORD, 1 << order))) for order in range(_WORD_ORDER + 1)
]
"""Bits of a word at which a block of each order can begin."""

FEW_GROUPS = 8
"""Up to here one long integer beats arrays: what numpy costs for each call is most of the work."""

_GROUP_BYTES = MAX_ORDER_PAGES // 8

_LONG_ALIGNED = [
    [
        int.from_bytes(
            sum(1 << i for i in range(0, MAX_ORDER_PAGES, 2 << order)).to_bytes(
                _GROUP_BYTES, "little"
            )
            * n,
            "little",
        )
        for order in range(MAX_ORDER)
    ]
    for n in range(FEW_GROUPS + 1)
]
"""For n groups as one integer: bits at which a block larger than each order can begin."""


def find_heads(
    bits: Bits, highest: int = MAX_ORDER, wanted: Sequence[bool] | np.ndarray | None = None
) -> np.ndarray:
    """Find the heads of the free blocks of each order.

    bits: (G, 16) uint64, free frames of groups of 1,024. Returns (highest + 1, G, 16) uint64: a
    bit where a block of that order begins. Orders above `highest` are left out; where `wanted` is
    given, only the rows of the orders that it names are meaningful.
    """
    if len(bits) <= FEW_GROUPS:
        size = len(bits) * _GROUP_BYTES
        found = bytearray((highest + 1) * size)
        for k, heads in enumerate(long_heads(bits, highest)):
            if wanted is not None and not wanted[k]:
                continue
            found[k * size : (k + 1) * size] = heads.to_bytes(size, "little")
        return np.frombuffer(found, np.uint64).reshape(highest + 1, *bits.shape)
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


class Choice(NamedTuple):
    """Blocks chosen from a view of groups.

    taken: (G, 16) uint64, their frames. split: (G,) int, blocks of the last order among them.
    spare: first frame and end, counted from the view's first, of what the last block keeps; both 0
    where it is used up.
    """

    taken: Bits
    split: np.ndarray
    spare: tuple[int, int]


class Wish(NamedTuple):
    """What to choose.

    All blocks of the orders from `first` to below `last` that are `held`, then `blocks` of the
    last order, the highest of which keeps its last `spare` frames.
    """

    first: int
    last: int
    held: Sequence[bool]
    blocks: int
    spare: int


def choose_blocks(bits: Bits, usable: np.ndarray, wish: Wish) -> Choice:
    """Choose blocks, those with the lowest heads first.

    bits: (G, 16) uint64, free frames. usable: (G, 2) bool, whether blocks that begin in each half
    of a group may be taken. The view has to hold what is wished for.
    """
    if len(bits) <= FEW_GROUPS:
        return _choose_from_few(bits, usable, wish)
    heads = find_heads(bits, wish.last, wish.held)
    if not usable.all():
        heads *= np.repeat(usable, bits.shape[1] // 2, axis=1)
    split = _lowest_heads(heads[wish.last], wish.blocks)
    taken = _expand(split, wish.last)
    for k in range(wish.first, wish.last):
        if wish.held[k]:
            taken |= _expand(heads[k], k)
    spare = (0, 0)
    if wish.spare:
        at = int(np.flatnonzero(split.ravel())[-1])
        end = at * WORD + int(split.ravel()[at]).bit_length() - 1 + (1 << wish.last)
        spare = (end - wish.spare, end)
        words, rest = range_bits(*spare)
        taken.reshape(-1)[words] &= ~rest
    return Choice(taken, np.bitwise_count(split).sum(axis=1, dtype=np.int64), spare)


def _choose_from_few(bits: Bits, usable: np.ndarray, wish: Wish) -> Choice:
    """Choose from a few groups, all their frames in one long integer; see `choose_blocks`."""
    n = len(bits)
    taken, split, spare = choose_from_long(bits, usable.ravel().tolist(), wish)
    group = (1 << MAX_ORDER_PAGES) - 1
    counts = [(split >> i * MAX_ORDER_PAGES & group).bit_count() for i in range(n)]
    return Choice(words_of_long(taken, n).reshape(bits.shape), np.array(counts), spare)


def words_of_long(frames: int, n: int) -> Bits:
    """Return the frames of n groups, a long integer, as words: (16 n,) uint64."""
    return np.frombuffer(bytearray(frames.to_bytes(n * _GROUP_BYTES, "little")), np.uint64)


def choose_from_long(
    bits: Bits, usable: Sequence[bool], wish: Wish
) -> tuple[int, int, tuple[int, int]]:
    """Choose from a few groups; see `choose_blocks`.

    bits: (16 n,) uint64 of n groups, of any shape. usable: two for each of them. Returns `taken`
    and `split` of a Choice as long integers, the heads of the last order themselves, and `spare`.
    """
    half = (1 << PAGEBLOCK_PAGES) - 1
    allowed = sum(half << i * PAGEBLOCK_PAGES for i, ok in enumerate(usable) if ok)
    taken = split = 0
    for k, found in enumerate(long_heads(bits, wish.last)):
        if k == wish.last:
            heads = split = _lowest_of_long(found & allowed, wish.blocks)
        elif k >= wish.first and wish.held[k]:
            heads = found & allowed
        else:
            continue
        for step in range(k):
            heads |= heads << (1 << step)
        taken |= heads
    spare = (0, 0)
    if wish.spare:
        end = split.bit_length() - 1 + (1 << wish.last)
        spare = (end - wish.spare, end)
        taken &= ~(((1 << wish.spare) - 1) << spare[0])
    return taken, split, spare


def long_heads(bits: Bits, highest: int = MAX_ORDER) -> Iterator[int]:
    """Find the heads of a few groups, order by order, as long integers.

    The rule is that of `find_heads`; it does not even have to know words. Ends with the largest
    order of which there is a block.
    """
    aligned = _LONG_ALIGNED[bits.size * WORD // MAX_ORDER_PAGES]
    level = int.from_bytes(bits.tobytes(), "little")
    for k in range(highest + 1):
        if not level:
            return
        larger = level & (level >> (1 << k)) & aligned[k] if k < MAX_ORDER else 0
        yield level & ~(larger | larger << (1 << k))
        level = larger


def _lowest_of_long(heads: int, n: int) -> int:
    """Keep the n lowest bits of a long integer, by halving the part in which the n-th must lie."""
    if heads.bit_count() <= n:
        return heads
    if n == 1:
        return heads & -heads
    low, high = 0, heads.bit_length()
    while high - low > 1:
        middle = (low + high) // 2
        if (heads & ((1 << middle) - 1)).bit_count() >= n:
            high = middle
        else:
            low = middle
    return heads & ((1 << high) - 1)


def _expand(heads: Bits, order: int) -> Bits:
    """Spread heads of blocks of one order to all their frames: (G, 16) uint64 both."""
    if order < _WORD_ORDER:
        for k in range(order):
            heads = heads | (heads << np.uint64(1 << k))
        return heads
    step = 1 << (order - _WORD_ORDER)
    filled = np.where(heads[:, ::step] != 0, ALL_ONES, np.uint64(0))
    return np.repeat(filled, step, axis=1)


def _lowest_heads(heads: Bits, n: int) -> Bits:
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
