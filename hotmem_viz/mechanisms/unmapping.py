"""Giving memory back: munmap and exit free pages, and the tables that cover nothing any more.

A table goes when its whole span lies between the mappings that remain on either side, however few
of its entries were in use. Sources: mm/mmap.c `unmap_region`, `exit_mmap`, mm/memory.c
`free_pgtables`, `free_pgd_range` (6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.page_tables import remove_tables
from hotmem_viz.mechanisms.table_walk import Tables, tables_in, tables_of
from hotmem_viz.memory.address_spaces import NONE, AddressSpaces, PageList
from hotmem_viz.memory.frames import ALL_ONES, FrameSet, range_bits, union

if TYPE_CHECKING:
    from collections.abc import Iterable


def exit_process(s: AddressSpaces, space: int) -> FrameSet:
    """End a process: its pages, tables and mappings go. Returns the frames made free."""
    freed = [_free(s, _take_pages(s.pages, space)), _free_huge(s, _take_pages(s.huge_pages, space))]
    m = s.mappings
    mine = (m.space[: m.used] == space).nonzero()[0]
    freed.append(_leave_segments(s, m.segment[mine]))
    m.give(mine)
    freed.append(remove_tables(s, tables_of(s, space)))
    s.spaces.give(np.array([space]))
    return union(freed)


def unmap_region(s: AddressSpaces, space: int, start: int, pages: int) -> FrameSet:
    """Unmap a range of an address space, mapped or not. Returns the frames made free.

    Mappings that reach over its ends are cut. Raises ParameterError when the range leaves the user
    part, or cuts a huge page.
    """
    end = start + pages
    if not 0 <= start <= end <= s.geometry.user_pages:
        allowed = f"pages 0 to {s.geometry.user_pages - 1}"
        raise ParameterError("range", (start, end), allowed)
    _check_huge(s, space, start, end)
    floor, ceiling, left = _cut_mappings(s, space, start, end)
    freed = [
        _free(s, _take_pages(s.pages, space, start, end)),
        _free_huge(s, _take_pages(s.huge_pages, space, start, end)),
    ]
    freed.append(_clear_entries(s, space, start, end))
    freed += [_leave_segments(s, left), _free_tables(s, space, start, end, floor, ceiling)]
    return union(freed)


def _check_huge(s: AddressSpaces, space: int, start: int, end: int) -> None:
    m, used = s.mappings, s.mappings.used
    mine = (m.space[:used] == space) & (m.huge[:used] > 0)
    mask = (1 << s.geometry.huge_order) - 1
    for border in (start, end):
        inside = mine & (m.start[:used] < border) & (border < m.end[:used])
        if border & mask and inside.any():
            raise ParameterError("range", (start, end), "a huge page may not be cut")


def _cut_mappings(
    s: AddressSpaces, space: int, start: int, end: int
) -> tuple[int, int, np.ndarray]:
    """Cut a range out of the mappings.

    Returns where the mapping below ends and the one above starts, and the segments of those that
    are gone, as often as there were mappings.
    """
    m, used = s.mappings, s.mappings.used
    mine = m.space[:used] == space
    hit = np.flatnonzero(mine & (m.start[:used] < end) & (m.end[:used] > start))
    below, above = hit[m.start[hit] < start], hit[m.end[hit] > end]
    gone = hit[(m.start[hit] >= start) & (m.end[hit] <= end)]
    segments = m.segment[gone].copy()
    if len(above):
        part = int(above[0])
        ends = (int(m.start[part]), int(m.end[part]))
        row = part
        if part in below:
            row = int(s.mappings.take(1)[0])
            for name in ("space", "segment", "huge"):
                getattr(m, name)[row] = getattr(m, name)[part]
            shared = s.segments[m.segment[part]] if m.segment[part] >= 0 else None
            if shared:
                shared.users += 1
        m.offset[row] = m.offset[part] + end - ends[0]
        m.start[row], m.end[row] = end, ends[1]
    m.end[below] = start
    m.give(gone)
    mine = m.space[: m.used] == space
    lower, upper = mine & (m.end[: m.used] <= start), mine & (m.start[: m.used] >= end)
    floor = int(m.end[: m.used][lower].max(initial=0))
    return floor, int(m.start[: m.used][upper].min(initial=s.geometry.user_pages)), segments


def _take_pages(
    lists: dict[int, PageList], space: int, start: int = 0, end: int | None = None
) -> np.ndarray:
    """Take a range's pages out of a process's list; returns their frames: (n,) int64."""
    pieces = lists.pop(space, [])
    if end is None:
        return np.concatenate([np.empty(0, np.int64), *(pfn for _, pfn in pieces)])
    gone, kept = [np.empty(0, np.int64)], []
    for vpn, pfn in pieces:
        inside = (vpn >= start) & (vpn < end)
        gone.append(pfn[inside])
        if not inside.all():
            kept.append((vpn[~inside], pfn[~inside]))
    if kept:
        lists[space] = kept
    return np.concatenate(gone)


def _free(s: AddressSpaces, pfns: np.ndarray) -> FrameSet:
    frames = FrameSet.of_pfns(pfns)
    if len(pfns):
        free_pages(s.mem, frames)
    return frames


def _free_huge(s: AddressSpaces, heads: np.ndarray) -> FrameSet:
    """Free huge pages, given their first frames."""
    return _free(s, (heads[:, None] + np.arange(1 << s.geometry.huge_order)).ravel())


def _leave_segments(s: AddressSpaces, segments: Iterable[int] | np.ndarray) -> FrameSet:
    """Let mappings go of their segments; one that nobody maps or keeps is freed."""
    freed = []
    left = np.asarray(segments, np.int64)
    counts = np.bincount(left[left >= 0])
    for row in counts.nonzero()[0].tolist():
        shared = s.segments[row]
        if shared:
            shared.users -= int(counts[row])
            if not shared.users:
                freed.append(drop_segment(s, row))
    return union(freed)


def drop_segment(s: AddressSpaces, row: int) -> FrameSet:
    """Free shared memory that nobody maps. Raises ParameterError while somebody does."""
    shared = s.segments[row]
    if shared is None or shared.users:
        raise ParameterError("segment", row, "one that exists and that nobody maps")
    s.segments[row] = None
    return _free(s, shared.frames[shared.frames >= 0])


def _clear_entries(s: AddressSpaces, space: int, start: int, end: int) -> FrameSet:
    """Empty a range's entries; returns the frames of tables put aside for its huge pages."""
    found = tables_in(s, space, start, end)
    upper, lowest = found[s.geometry.top - 1], found[s.geometry.top]
    order, slots = s.geometry.levels[0].table_order, s.tables.slot[lowest.rows]
    wanted = np.full((len(slots), s.span_words), ALL_ONES)
    first = lowest.spans << order
    for i in np.flatnonzero((first < start) | (first + (1 << order) > end)):
        words, bits = range_bits(max(start - first[i], 0), min(end - first[i], 1 << order))
        wanted[i] = 0
        wanted[i, words] = bits
    p = s.present
    gone = p.present[slots] & ~p.zero[slots] & wanted
    p.present[slots] &= ~wanted
    p.zero[slots] &= ~wanted
    s.spaces.rss[space] -= np.bitwise_count(gone).sum(dtype=np.int64)
    return _clear_huge(s, space, upper, start, end)


def _clear_huge(s: AddressSpaces, space: int, upper: Tables, start: int, end: int) -> FrameSet:
    """Empty entries of huge pages in a range; tables put aside for their split go."""
    place, slots = s.geometry.levels[1], s.tables.slot[upper.rows]
    entries = s.entries.entries[slots, : place.entries]
    at, index = np.nonzero(entries < NONE)
    first = (upper.spans[at] * place.entries + index) << place.entry_order
    inside = (first >= start) & (first < end)
    at, index = at[inside], index[inside]
    aside = -3 - entries[at, index].astype(np.int64)
    s.entries.entries[slots[at], index] = NONE
    s.spaces.rss[space] -= len(at) << place.entry_order
    return remove_tables(s, aside[aside >= 0])


def _free_tables(
    s: AddressSpaces, space: int, start: int, end: int, floor: int, ceiling: int
) -> FrameSet:
    """Free the tables of a range that lie wholly between two mappings; the top one stays."""
    freed = []
    for level, rows, spans in reversed(tables_in(s, space, start, end)[1:]):
        order = s.geometry.levels[level].table_order
        idle = (spans << order >= floor) & (spans + 1 << order <= ceiling)
        freed.append(remove_tables(s, rows[idle]))
    return union(freed)
