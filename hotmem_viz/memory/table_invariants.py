"""What must hold of address spaces at any moment: tables, parents, counts and pages agree.

Recounts look at every table and every mapped page: for tests and for finding bugs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.address_spaces import HUGE, NONE
from hotmem_viz.memory.frames import WORD, unpack
from hotmem_viz.memory.invariants import InvariantError
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces


def validate_spaces(s: AddressSpaces) -> None:
    """Check everything that must hold of address spaces between two mechanisms.

    Every table is pointed at by the entry that it names, lies in a frame of its own that holds a
    page table of its process, covers a mapping (or came with the top table), and is counted; every
    mapped page has a frame of its process or segment. Raises InvariantError with one sentence
    about the first thing found wrong.
    """
    rows = np.flatnonzero(s.tables.level[: s.tables.used] >= 0)
    if len(rows) != len(s.tables):
        raise InvariantError(f"tables: {len(rows)} have a level, {len(s.tables)} rows are in use")
    _check_parents(s, rows)
    _check_frames(s, rows)
    _check_counts(s, rows)
    _check_spans(s, rows)
    _check_pages(s, rows)


def find_spans(s: AddressSpaces, rows: np.ndarray) -> np.ndarray:
    """Find the numbers of tables' spans by following their parents up: (n,) int64."""
    span, unit, at = np.zeros(len(rows), np.int64), np.ones(len(rows), np.int64), rows.copy()
    widths = np.array([level.entries for level in s.geometry.levels])
    for _ in range(s.geometry.top):
        up = s.tables.parent[at]
        inside = up >= 0
        span[inside] += s.tables.index[at[inside]] * unit[inside]
        unit[inside] *= widths[s.tables.level[up[inside]]]
        at = np.where(inside, up, at)
    return span


def _check_parents(s: AddressSpaces, rows: np.ndarray) -> None:
    t = s.tables
    for row in rows[(t.level[rows] == s.geometry.top) != (t.parent[rows] == NONE)][:1]:
        raise InvariantError(f"tables[{row}]: a table has a parent, or is a top table")
    below = rows[t.parent[rows] >= 0]
    parent = t.parent[below]
    wrong = (t.level[parent] != t.level[below] + 1) | (t.space[parent] != t.space[below])
    aside = t.slot[below] < 0
    entry = s.entries.entries[t.slot[parent], t.index[below]]
    wrong |= entry != np.where(aside, -3 - below, below)
    for row in below[wrong][:1]:
        raise InvariantError(f"tables[{row}]: its parent's entry points at something else")
    pointing = int((s.entries.entries >= 0).sum()) + int((s.entries.entries < HUGE).sum())
    if pointing != len(below):
        raise InvariantError(f"entries: {pointing} name a table, {len(below)} tables have parents")


def _check_frames(s: AddressSpaces, rows: np.ndarray) -> None:
    t, mem = s.tables, s.mem
    frames = t.frame[rows]
    tops = rows[t.level[rows] == s.geometry.top]
    more = [t.frame[tops] + i for i in range(1, s.geometry.top_pages)]
    every = np.concatenate([frames[frames >= 0], *more])
    if len(np.unique(every)) != len(every):
        raise InvariantError("tables: two of them lie in one frame")
    kinds, owners = mem.kind.reshape(-1)[every], mem.owner.reshape(-1)[every]
    space = np.concatenate([t.space[rows][frames >= 0], *([t.space[tops]] * len(more))])
    if (kinds != PageKind.PAGE_TABLE).any() or (owners != s.spaces.owner[space]).any():
        raise InvariantError("tables: one lies in a frame that holds no table of its process")


def _check_counts(s: AddressSpaces, rows: np.ndarray) -> None:
    counted = np.zeros_like(s.spaces.levels)
    np.add.at(counted, (s.tables.space[rows], s.tables.level[rows]), 1)
    if not np.array_equal(counted, s.spaces.levels):
        raise InvariantError("spaces.levels: not the tables that there are")
    alive = s.alive()
    if len(alive) != len(s.spaces) or (s.tables.space[s.spaces.top[alive]] != alive).any():
        raise InvariantError("spaces.top: not a table of the address space")


def _check_spans(s: AddressSpaces, rows: np.ndarray) -> None:
    """Refuse tables that cover no mapping, but for the top one and those that came with it."""
    t, m = s.tables, s.mappings
    orders = np.array([level.table_order for level in s.geometry.levels])
    with_top = s.geometry.top - bool(s.geometry.ready_made)
    rows = rows[t.level[rows] < with_top]
    spans, order = find_spans(s, rows), orders[t.level[rows]]
    first, end = spans << order, spans + 1 << order
    for space in np.unique(t.space[rows]).tolist():
        mine = t.space[rows] == space
        maps = np.flatnonzero(m.space[: m.used] == space)
        maps = maps[np.argsort(m.start[maps])]
        before = np.searchsorted(m.start[maps], end[mine], side="left") - 1
        idle = (before < 0) | (m.end[maps][np.maximum(before, 0)] <= first[mine])
        if idle.any():
            raise InvariantError(f"tables: {int(idle.sum())} of space {space} cover no mapping")


def _check_pages(s: AddressSpaces, rows: np.ndarray) -> None:
    """Compare the entries of the lowest tables with the frames of pages, process by process."""
    p, t = s.present, s.tables
    if (p.zero & ~p.present).any():
        raise InvariantError("present: an entry maps the zero page and is empty")
    lowest = rows[(t.level[rows] == 0) & (t.slot[rows] >= 0)]
    spans = find_spans(s, lowest)
    order = s.geometry.levels[0].table_order
    for space in s.alive().tolist():
        mine = t.space[lowest] == space
        slots = t.slot[lowest[mine]]
        at, page = np.nonzero(_bits(p.present[slots] & ~p.zero[slots]))
        mapped = np.sort((spans[mine][at] << order) + page)
        huge = sum(len(vpn) for vpn, _ in s.huge_pages.get(space, []))
        if len(mapped) + (huge << s.geometry.huge_order) != s.spaces.rss[space]:
            raise InvariantError(f"spaces.rss[{space}]: not the pages that are mapped")
        _check_private(s, space, mapped)


def _bits(words: np.ndarray) -> np.ndarray:
    """Spread words to one byte an entry: (n, J) uint64 -> (n, 64 J) uint8."""
    return unpack(words.ravel()).reshape(len(words), words.shape[1] * WORD)


def _check_private(s: AddressSpaces, space: int, mapped: np.ndarray) -> None:
    """Compare the private pages of a process with its list of them; shared ones with segments."""
    m = s.mappings
    mine = np.flatnonzero(m.space[: m.used] == space)
    shared = np.zeros(len(mapped), bool)
    for row in mine[m.segment[mine] >= 0].tolist():
        inside = (mapped >= m.start[row]) & (mapped < m.end[row])
        shared |= inside
        segment = s.segments[m.segment[row]]
        pages = mapped[inside] - m.start[row] + m.offset[row]
        if segment is None or (segment.frames[pages] < 0).any():
            raise InvariantError(f"mappings[{row}]: a page is mapped that its segment lacks")
    pieces = s.pages.get(space, [])
    vpn = np.concatenate([np.empty(0, np.int64), *(v for v, _ in pieces)])
    pfn = np.concatenate([np.empty(0, np.int64), *(f for _, f in pieces)])
    if not np.array_equal(np.sort(vpn), mapped[~shared]) or len(np.unique(pfn)) != len(pfn):
        raise InvariantError(f"pages[{space}]: not the private pages that are mapped")
    flat = s.mem.kind.reshape(-1)[pfn], s.mem.owner.reshape(-1)[pfn]
    if (flat[0] != PageKind.ANON).any() or (flat[1] != s.spaces.owner[space]).any():
        raise InvariantError(f"pages[{space}]: a frame holds something else, or is another's")
