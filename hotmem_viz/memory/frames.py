"""Sets of page frames as packed words: 64 frames a word, only the words that matter.

A set's cost is that of the words it touches, whatever the size of the machine. All set
arithmetic of the allocator, the recorder and the invariants is done on these words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WORD = 64
ALL_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

Words = np.ndarray
"""(W',) int64, ascending: numbers of 64-frame words."""

Bits = np.ndarray
"""(W',) uint64: bit i of entry j stands for frame 64 * words[j] + i."""


def unpack(bits: Bits) -> np.ndarray:
    """Spread packed words into bytes of 0 and 1: (W',) uint64 -> (W', 64) uint8."""
    as_bytes = bits.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(as_bytes, bitorder="little").reshape(-1, WORD)


def pack(mask: np.ndarray) -> Bits:
    """Pack a mask of whole words: (64 W',) bool or 0/1 uint8 -> (W',) uint64."""
    return np.packbits(mask, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def range_bits(start_pfn: int, end_pfn: int) -> tuple[Words, Bits]:
    """Words and bits of the frames [start_pfn, end_pfn); empty where end <= start."""
    if end_pfn <= start_pfn:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    words = np.arange(start_pfn // WORD, (end_pfn - 1) // WORD + 1)
    bits = np.full(len(words), ALL_ONES)
    bits[0] &= ALL_ONES << np.uint64(start_pfn % WORD)
    bits[-1] &= ALL_ONES >> np.uint64(-end_pfn % WORD)
    return words, bits


@dataclass(frozen=True)
class FrameSet:
    """A set of page frames; words ascend and are unique, no entry of bits is zero."""

    words: Words
    bits: Bits

    @classmethod
    def empty(cls) -> FrameSet:
        """Return the set of no frames."""
        return _EMPTY

    @classmethod
    def of_range(cls, start_pfn: int, end_pfn: int) -> FrameSet:
        """Return the frames [start_pfn, end_pfn)."""
        return cls(*range_bits(start_pfn, end_pfn))

    @classmethod
    def of_pfns(cls, pfns: np.ndarray) -> FrameSet:
        """Return the frames with the given pfns; (n,) int, any order, no doubles needed."""
        pfns = np.asarray(pfns, np.int64)
        if not len(pfns):
            return cls.empty()
        # Most callers have them in order, and millions of them take a while to sort.
        if not (pfns[1:] > pfns[:-1]).all():
            pfns = np.sort(pfns)
        words = pfns // WORD
        first = find_changes(words).nonzero()[0]
        ones = np.uint64(1) << (pfns % WORD).astype(np.uint64)
        return cls(words[first], np.bitwise_or.reduceat(ones, first))

    @classmethod
    def of_nonzero(cls, words: Words, bits: Bits) -> FrameSet:
        """Return the set of ascending words, entries without a bit left out."""
        keep = bits != 0
        return cls(words[keep], bits[keep])

    @classmethod
    def of_bits(cls, bits: Bits) -> FrameSet:
        """Return the set of a bitmap of all frames, from frame 0 on."""
        return cls.of_nonzero(np.arange(len(bits)), bits)

    def __len__(self) -> int:
        return int(np.bitwise_count(self.bits).sum())

    def pfns(self) -> np.ndarray:
        """Return the pfns, ascending: (n,) int64."""
        at = unpack(self.bits).reshape(-1).view(bool).nonzero()[0]
        return np.asarray(self.words[at // WORD] * WORD + at % WORD)

    def __or__(self, other: FrameSet) -> FrameSet:
        return union((self, other))

    def lowest(self, n: int) -> FrameSet:
        """Return the n lowest frames of the set, or all of it if there are fewer."""
        if n <= 0:
            return FrameSet.empty()
        until = np.cumsum(np.bitwise_count(self.bits), dtype=np.int64)
        last = int(np.searchsorted(until, n))
        if last >= len(until):
            return self
        bits = self.bits[: last + 1].copy()
        before = int(until[last - 1]) if last else 0
        bits[-1] = lowest_bits(bits[-1], n - before)
        return FrameSet(self.words[: last + 1], bits)


_EMPTY = FrameSet(np.empty(0, np.int64), np.empty(0, np.uint64))


def lowest_bits(word: np.uint64, n: int) -> np.uint64:
    """Return the n lowest set bits of one word."""
    at = np.flatnonzero(unpack(np.array([word])))[:n].astype(np.uint64)
    return np.uint64(np.bitwise_or.reduce(np.uint64(1) << at, initial=np.uint64(0)))


def find_changes(values: np.ndarray) -> np.ndarray:
    """Say where a series differs from what stands before it, at its beginning too: (n,) bool."""
    new = np.empty(len(values), bool)
    new[:1] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def union(sets: tuple[FrameSet, ...] | list[FrameSet]) -> FrameSet:
    """Return the union of frame sets; sets that follow one another are only joined."""
    sets = [s for s in sets if len(s.words)]
    if len(sets) <= 1:
        return sets[0] if sets else FrameSet.empty()
    words = np.concatenate([s.words for s in sets])
    bits = np.concatenate([s.bits for s in sets])
    if (words[1:] > words[:-1]).all():
        return FrameSet(words, bits)
    order = np.argsort(words, kind="stable")
    words, bits = words[order], bits[order]
    first = find_changes(words).nonzero()[0]
    return FrameSet(words[first], np.bitwise_or.reduceat(bits, first))
