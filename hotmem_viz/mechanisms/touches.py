"""Which pages a program touches: sets of pages, gathered by the table of the lowest level.

A dense range is whole tables but for its ends; touching a page here and there is a table with one
bit each. Pure functions: nothing here knows memory.
"""

from __future__ import annotations

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
        return Touches(self.source[start:end], self.span[start:end], self.bits[start:end])


def touch_ranges(geometry: PageGeometry, start: np.ndarray, pages: np.ndarray) -> Touches:
    """Touch every page of some ranges. start, pages: (m,) int64, first vpn and length."""
    order, words = _shape(geometry)
    end = start + pages
    first, last = start >> order, end - 1 >> order
    n = np.where(pages > 0, last - first + 1, 0)
    source = np.repeat(np.arange(len(start)), n)
    until = np.cumsum(n)
    span = np.arange(int(n.sum())) - np.repeat(until - n - first, n)
    bits = np.full((len(span), words), ALL_ONES)
    some = np.flatnonzero(n)
    head, tail = (until - n)[some], until[some] - 1
    before, until_end = start[some] - (first[some] << order), end[some] - (last[some] << order)
    if before.any():
        bits[head] &= ~_below(before, words)
    if (until_end != 1 << order).any():
        bits[tail] &= _below(until_end, words)
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
    return np.asarray(np.add.reduce(np.bitwise_count(bits), axis=1, dtype=np.int64))


def list_pages(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List pages one by one: of which touch, and which page of its span; (k,) int64 each."""
    at = np.flatnonzero(unpack(bits.ravel()))
    width = bits.shape[1] * WORD
    return at // width, at % width


def lowest_pages(bits: np.ndarray, n: int) -> np.ndarray:
    """Keep the n lowest pages of one touch: (J,) uint64 both."""
    _, at = list_pages(bits[None])
    keep = np.zeros(len(bits) * WORD, np.uint8)
    keep[at[:n]] = 1
    return np.packbits(keep, bitorder="little").view("<u8").astype(np.uint64)


def _shape(geometry: PageGeometry) -> tuple[int, int]:
    lowest = geometry.levels[0]
    return lowest.table_order, lowest.entries // WORD


def _below(limit: np.ndarray, words: int) -> np.ndarray:
    """Return the pages below a limit inside each span: (m,) int64 -> (m, J) uint64."""
    left = np.clip(limit[:, None] - WORD * np.arange(words), 0, WORD)
    # A shift by the width of a word is undefined: whole words are made apart.
    some = ~(ALL_ONES << np.minimum(left, WORD - 1).astype(np.uint64))
    return np.where(left == WORD, ALL_ONES, some)
