"""Which pages a program touches: sets of pages, gathered by the table of the lowest level.

A dense range is whole tables but for its ends; touching a page here and there is a table with one
bit each. Pure functions: nothing here knows memory.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.memory.frames import ALL_ONES, WORD, unpack

if TYPE_CHECKING:
    from hotmem_viz.machine.page_geometry import PageGeometry


class Touches(NamedTuple):
    """Pages in the order in which they are touched.

    source: (n,) int64, which of the ranges asked for. span: (n,) int64, number of the table's
    span, counted from address 0. bits: (n, J) uint64, the pages of the span.
    """

    source: np.ndarray
    span: np.ndarray
    bits: np.ndarray

    def part(self, start: int, end: int) -> Touches:
        """Return touches start to end, exclusive."""
        if not start and end == len(self.span):
            return self
        return Touches(self.source[start:end], self.span[start:end], self.bits[start:end])


def touch_ranges(geometry: PageGeometry, start: np.ndarray, pages: np.ndarray) -> Touches:
    """Touch every page of some ranges. start, pages: (m,) int64, first vpn and length."""
    order, words = _shape(geometry)
    end, some = start + pages, pages > 0
    first, last = start >> order, end - 1 >> order
    n = (last - first + 1) * some
    until = n.cumsum()
    source = np.arange(len(start)).repeat(n)
    span = np.arange(len(source)) + (first + n - until)[source]
    bits = np.full((len(span), words), ALL_ONES)
    before, after = start - (first << order), (last + 1 << order) - end
    cut = (some & (before > 0)).nonzero()[0]
    bits[(until - n)[cut]] &= ~_below(before[cut], words)
    cut = (some & (after > 0)).nonzero()[0]
    bits[until[cut] - 1] &= _below((1 << order) - after[cut], words)
    return Touches(source, span, bits)


def touch_every(geometry: PageGeometry, start: np.ndarray, count: np.ndarray, step: int) -> Touches:
    """Touch one page in every `step`. start, count: (m,) int64, first vpn and pages touched."""
    if step == 1:
        return touch_ranges(geometry, start, count)
    order, words = _shape(geometry)
    source = np.repeat(np.arange(len(start)), count)
    nth = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    vpn = start[source] + nth * step
    span, at = vpn >> order, vpn & ((1 << order) - 1)
    bits = np.zeros((len(vpn), words), np.uint64)
    bits[np.arange(len(vpn)), at // WORD] = np.uint64(1) << (at % WORD).astype(np.uint64)
    if step >= 1 << order or not len(vpn):
        return Touches(source, span, bits)
    new = np.flatnonzero(np.r_[True, (np.diff(span) != 0) | (np.diff(source) != 0)])
    return Touches(source[new], span[new], np.bitwise_or.reduceat(bits, new, axis=0))


def count_pages(bits: np.ndarray) -> np.ndarray:
    """Count the pages of each touch: (n, J) uint64 -> (n,) int64."""
    return np.asarray(np.bitwise_count(bits) @ np.ones(bits.shape[1], np.int64))


def list_pages(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List pages one by one: of which touch, and which page of its span; (k,) int64 each."""
    flat = bits.ravel()
    words = flat.nonzero()[0]
    # Of a sparse touch nearly all words are empty.
    at = unpack(flat[words]).reshape(-1).view(bool).nonzero()[0]
    page = words[at // WORD] * WORD + at % WORD
    width = bits.shape[1] * WORD
    return page // width, page % width


def lowest_pages(bits: np.ndarray, n: int) -> np.ndarray:
    """Keep the n lowest pages of one touch: (J,) uint64 both."""
    _, at = list_pages(bits[None])
    keep = np.zeros(len(bits) * WORD, np.uint8)
    keep[at[:n]] = 1
    return np.packbits(keep, bitorder="little").view("<u8").astype(np.uint64)


def _shape(geometry: PageGeometry) -> tuple[int, int]:
    lowest = geometry.levels[0]
    return lowest.table_order, lowest.entries // WORD


@cache
def _limits(words: int) -> np.ndarray:
    """Return the pages below every limit of a span: (64 J + 1, J) uint64."""
    pages = np.tri(words * WORD + 1, words * WORD, -1, np.uint8)
    return np.packbits(pages, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def _below(limit: np.ndarray, words: int) -> np.ndarray:
    """Return the pages below a limit inside each span: (m,) int64 -> (m, J) uint64."""
    return np.asarray(_limits(words)[limit])
