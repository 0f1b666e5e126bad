"""Touching memory: the page fault, in bulk. Tables come first, then the page itself.

Many touches are served as if made one by one: tables for all of them are requested, then pages; if
memory ends, what was requested for touches that are never reached is given back, and the rest is
tried again in smaller parts. Left out: faults that read around a file's page, and pages that fork
shares until they are written to.

Sources: mm/memory.c `__handle_mm_fault`, `do_anonymous_page`, `do_fault`, mm/shmem.c
`shmem_fault` (6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes
from hotmem_viz.mechanisms.page_tables import Built, build_tables, find_tables, remove_tables
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.touches import (
    Touches,
    count_pages,
    list_pages,
    lowest_pages,
    touch_every,
)
from hotmem_viz.memory.frames import find_changes
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.memory.address_spaces import AddressSpaces

PART = 8192
"""Touches served at once: bounds the memory for what they want, page by page."""


class Access(NamedTuple):
    """What a program does: touches pages of mappings, one in every `step`, writing or not.

    mapping: (m,) rows, each of them once, all private or all shared, all of one node. first:
    (m,) page of the mapping that it begins with. pages: (m,) how many are touched.
    """

    mapping: np.ndarray
    first: np.ndarray
    pages: np.ndarray
    step: int = 1
    write: bool = True


@dataclass
class Touched:
    """How far it came.

    pages: touched, those that were there before too, of `wanted`. refused: whether memory ended
    before the end. killed: address spaces that the OOM killer ended. outcome: tables and
    pages requested, one by one.
    """

    wanted: int
    pages: int = 0
    refused: bool = False
    killed: list[int] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


class _Batch(NamedTuple):
    """Touches with what they refer to: space (n,); shift, vpn - page of the segment, by source."""

    touches: Touches
    space: np.ndarray
    segment: int
    shift: np.ndarray
    nid: int
    write: bool

    def part(self, start: int, end: int) -> _Batch:
        if not start and end == len(self.space):
            return self
        return self._replace(touches=self.touches.part(start, end), space=self.space[start:end])


def touch(s: AddressSpaces, access: Access) -> Touched:
    """Touch memory until it is done or memory ends; nobody is killed here.

    Raises ParameterError when a page lies outside its mapping.
    """
    batch = _prepare(s, access)
    n, wanted = len(batch.space), int(np.asarray(access.pages, np.int64).sum())
    parts = serve_in_parts(n, PART, lambda a, b: _serve(s, batch.part(a, b)))
    done = Touched(wanted, wanted, parts.refused, outcome=join_outcomes(parts.outcomes))
    if done.refused:
        done.pages = int(np.bitwise_count(batch.touches.bits[: parts.served]).sum(dtype=np.int64))
        done.pages += _present(s, batch.part(parts.served, parts.served + 1))
    return done


class Parts(NamedTuple):
    """What became of a number of touches, served in parts."""

    served: int
    refused: bool
    outcomes: list[Outcome]


def serve_in_parts(
    count: int, size: int, serve: Callable[[int, int], tuple[int, bool, Outcome]]
) -> Parts:
    """Serve touches in parts, ever smaller ones where memory ends.

    serve: takes the first touch and the end of a part; returns how many of them it served,
    whether no smaller part would do better, and the outcome.
    """
    outcomes, at = [], 0
    while at < count:
        end = min(at + size, count)
        served, final, outcome = serve(at, end)
        outcomes.append(outcome)
        at += served
        if at < end:
            if final or size == 1:
                return Parts(at, refused=True, outcomes=outcomes)
            size = max(1, min(size, end - at + served) // 2)
    return Parts(at, refused=False, outcomes=outcomes)


def _prepare(s: AddressSpaces, access: Access) -> _Batch:
    m = s.mappings
    rows = np.asarray(access.mapping, np.int64)
    first, count = np.asarray(access.first, np.int64), np.asarray(access.pages, np.int64)
    begin, spaces, segments = m.start[rows], m.space[rows].astype(np.int64), m.segment[rows]
    start, nids = begin + first, s.spaces.nid[spaces]
    beyond = (first < 0) | (start + (count - 1) * access.step >= m.end[rows])
    if ((beyond & (count > 0)) | (spaces < 0)).any():
        raise ParameterError("access", int(first.max(initial=0)), "pages of the mapping alone")
    if m.huge[rows].any():
        raise ParameterError("mapping", rows.tolist()[:4], "one without huge pages")
    if ((segments != segments[:1]) | (nids != nids[:1])).any():
        raise ParameterError("mapping", rows.tolist()[:4], "one node, and one segment or none")
    touches = touch_every(s.geometry, start, count, access.step)
    segment, nid = (int(segments[0]), int(nids[0])) if len(rows) else (-1, 0)
    shift = begin - m.offset[rows]
    return _Batch(touches, spaces[touches.source], segment, shift, nid, access.write)


def _serve(s: AddressSpaces, batch: _Batch) -> tuple[int, bool, Outcome]:
    """Serve touches from the first on. Returns how many, and whether no more could be had."""
    built = build_tables(s, batch.space, batch.touches.span, nid=batch.nid)
    fit, outcomes = built.served, [built.outcome]
    surplus = bool(built.outcome.refused and s.high_tables)
    slots = s.tables.slot[built.rows[:fit]]
    if batch.write or batch.segment >= 0:
        back = _back_segment if batch.segment >= 0 else _back_private
        reached, data = back(s, batch.part(0, fit), slots)
        surplus |= reached < fit
        fit = reached
        outcomes.append(data)
    else:
        _map(s, batch.part(0, fit), slots, batch.touches.bits[:fit])
    if fit < len(batch.space):
        _undo_late(s, built, fit, outcomes)
    return fit, not surplus, join_outcomes(outcomes)


def _undo_late(s: AddressSpaces, built: Built, fit: int, outcomes: list[Outcome]) -> None:
    """Take down tables that were built for touches which are not reached."""
    late = built.created[built.for_span > fit]
    if len(late):
        outcomes.append(Outcome(released=[remove_tables(s, late)]))


def _map(
    s: AddressSpaces,
    batch: _Batch,
    slots: np.ndarray,
    bits: np.ndarray,
    counts: np.ndarray | None = None,
) -> None:
    """Set entries to pages of their own, `counts` (n,) of them; or to the zero page, if None.

    The zero page goes where nothing is mapped yet.
    """
    p, zero = s.present, counts is None
    if zero:
        bits = bits & ~p.present[slots]
    if (slots[1:] > slots[:-1]).all():
        p.present[slots] |= bits
        p.zero[slots] = p.zero[slots] | bits if zero else p.zero[slots] & ~bits
    else:
        # Two mappings can end in one table.
        np.bitwise_or.at(p.present, slots, bits)
        np.bitwise_or.at(p.zero, slots, bits)
        if not zero:
            np.bitwise_and.at(p.zero, slots, ~bits)
    if counts is not None:
        np.add.at(s.spaces.rss, batch.space, counts)


def _lacking(s: AddressSpaces, batch: _Batch, slots: np.ndarray) -> np.ndarray:
    """Return the pages wanted that have no frame behind them yet: (n, J) uint64."""
    backed = s.present.present[slots] & ~s.present.zero[slots]
    return np.asarray(batch.touches.bits & ~backed)


def _present(s: AddressSpaces, batch: _Batch) -> int:
    """Count the pages of a touch that are there, though not all of them are."""
    row = find_tables(s, batch.space, batch.touches.span)
    if row[0] < 0:
        return 0
    lacking = _lacking(s, batch, s.tables.slot[row])
    return int(count_pages(batch.touches.bits & ~lacking)[0])


def _back_private(s: AddressSpaces, batch: _Batch, slots: np.ndarray) -> tuple[int, Outcome]:
    """Give private pages frames and map them; returns how many touches were served."""
    bits = _lacking(s, batch, slots)
    counts = count_pages(bits)
    total, served = int(counts.sum()), len(bits)
    out = alloc_pages(s.mem, GFP["HIGHUSER_MOVABLE"], total, PageKind.ANON, nid=batch.nid)
    if out.refused:
        until = counts.cumsum()
        served = int(until.searchsorted(out.granted, side="right"))
        left = out.granted - (int(until[served - 1]) if served else 0)
        bits, counts = bits[: served + 1], counts[: served + 1]
        bits[served], counts[served] = lowest_pages(bits[served], left), left
    used = len(bits)
    _map(s, batch.part(0, used), slots[:used], bits, counts)
    at, page = list_pages(bits)
    vpn = (batch.touches.span[at] << s.geometry.levels[0].table_order) + page
    _keep(s, batch.space[at], vpn, out.frames.pfns())
    return served, out


def _keep(s: AddressSpaces, space: np.ndarray, vpn: np.ndarray, pfn: np.ndarray) -> None:
    """Enter private pages into their processes' lists; (k,) each."""
    s.mem.owner.reshape(-1)[pfn] = s.spaces.owner[space]
    borders = (find_changes(space).nonzero()[0]).tolist()
    for start, end in pairwise([*borders, len(space)]):
        s.pages.setdefault(int(space[start]), []).append((vpn[start:end], pfn[start:end]))


def _back_segment(s: AddressSpaces, batch: _Batch, slots: np.ndarray) -> tuple[int, Outcome]:
    """Give the pages of a segment frames, once for all who touch them, and map them."""
    segment = s.segments[batch.segment]
    if segment is None:
        raise ParameterError("segment", batch.segment, "one that exists")
    bits = _lacking(s, batch, slots)
    order = s.geometry.levels[0].table_order
    start = (batch.touches.span << order) - batch.shift[batch.touches.source]
    low = max(int(start.min(initial=0)), 0)
    high = int(start.max(initial=0)) + (1 << order)
    if (segment.frames[low:high] >= 0).all():
        _map(s, batch, slots, bits, count_pages(bits))
        return len(bits), Outcome()
    first, inverse = np.unique(start, return_inverse=True)
    wanted = np.zeros((len(first), bits.shape[1]), np.uint64)
    np.bitwise_or.at(wanted, inverse, bits)
    at, page = list_pages(wanted)
    pages = first[at] + page
    lack = pages[segment.frames[pages] < 0]
    if (first[1:] - first[:-1] < 1 << order).any():
        # Mappings that lie differently to the tables name a page more than once.
        lack = np.unique(lack)
    gfp, owner = GFP["HIGHUSER_MOVABLE"], segment.owner
    out = alloc_pages(s.mem, gfp, len(lack), PageKind.ANON, owner=owner, nid=batch.nid)
    segment.frames[lack[: out.granted]] = out.frames.pfns()
    served = len(bits)
    if out.refused:
        short = np.zeros(len(first), bool)
        short[at[segment.frames[pages] < 0]] = True
        served = int(short[inverse].argmax()) if short[inverse].any() else served
    bits = bits[:served]
    _map(s, batch.part(0, served), slots[:served], bits, count_pages(bits))
    return served, out
