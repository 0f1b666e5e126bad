"""Walking page tables: those of one process, and those of all, to find who points at a table.

The mail's proposal moves page tables while the machine stands still and then has to "walk the
pagetables for all processes" (S35, A15). Only entries of tables above the lowest level point at
tables, so PTE pages are not read. Nothing here writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.memory.address_spaces import NONE

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces


class Tables(NamedTuple):
    """Tables of one level: rows and, counted from address 0, the spans they cover; (n,) int64."""

    level: int
    rows: np.ndarray
    spans: np.ndarray


def tables_in(s: AddressSpaces, space: int, start: int = 0, end: int | None = None) -> list[Tables]:
    """List the tables of an address space that cover any page of a range, the top one first.

    Tables put aside for huge pages come last, as a second entry of the lowest level. Work
    grows with the tables above the lowest level.
    """
    end = s.geometry.user_pages if end is None else end
    top = s.geometry.top
    found = [Tables(top, np.array([s.spaces.top[space]], np.int64), np.zeros(1, np.int64))]
    aside = Tables(0, np.empty(0, np.int64), np.empty(0, np.int64))
    for level in range(top, 0, -1):
        place = s.geometry.levels[level]
        above = found[-1]
        entries = s.entries.entries[s.tables.slot[above.rows], : place.entries].ravel()
        at = (entries != NONE).nonzero()[0]
        spans = above.spans[at // place.entries] * place.entries + at % place.entries
        inside = (spans << place.entry_order < end) & (spans + 1 << place.entry_order > start)
        children, spans = entries[at[inside]].astype(np.int64), spans[inside]
        tables = children >= 0
        found.append(Tables(level - 1, children[tables], spans[tables]))
        if level == 1:
            put = children <= -3
            aside = Tables(0, -3 - children[put], spans[put])
    return [*found, aside] if len(aside.rows) else found


def tables_of(s: AddressSpaces, space: int) -> np.ndarray:
    """Return the rows of all tables of an address space: (n,) int64."""
    return np.concatenate([found.rows for found in tables_in(s, space)])


def count_used(s: AddressSpaces, rows: np.ndarray) -> np.ndarray:
    """Count the entries in use of some tables: (n,) int64.

    rows: (n,). Of a top table this is the program's part; the kernel's own is not modelled.
    """
    t = s.tables
    used = np.zeros(len(rows), np.int64)
    lowest = t.level[rows] == 0
    slots = t.slot[rows]
    used[lowest] = np.bitwise_count(s.present.present[slots[lowest]]).sum(axis=1)
    used[~lowest] = (s.entries.entries[slots[~lowest]] != NONE).sum(axis=1)
    return used


class FrameMap(NamedTuple):
    """Which table lies in which frame: frames ascending and rows, (n,) int64."""

    frames: np.ndarray
    rows: np.ndarray

    def find(self, pfns: np.ndarray) -> np.ndarray:
        """Return the table in each frame, NONE where there is none: (n,) int64."""
        at = np.searchsorted(self.frames, pfns)
        at[at == len(self.frames)] = 0
        if not len(self.frames):
            return np.full(len(pfns), NONE, np.int64)
        return np.where(self.frames[at] == pfns, self.rows[at], NONE)


def map_frames(s: AddressSpaces) -> FrameMap:
    """Say which table lies in which frame; a top table of several frames in each of them."""
    t = s.tables
    rows = np.flatnonzero(t.frame[: t.used] >= 0)
    frames = t.frame[rows]
    if s.geometry.top_pages > 1:
        tops = np.flatnonzero(t.level[rows] == s.geometry.top)
        more = range(1, s.geometry.top_pages)
        frames = np.concatenate([frames, *(frames[tops] + i for i in more)])
        rows = np.concatenate([rows, *(rows[tops] for _ in more)])
    order = np.argsort(frames, kind="stable")
    return FrameMap(frames[order], rows[order])


class Pointers(NamedTuple):
    """Who points at some tables: rows of parents, entries in them; (n,) int64, NONE for none."""

    parents: np.ndarray
    entry: np.ndarray


def find_pointers(s: AddressSpaces, rows: np.ndarray) -> Pointers:
    """Say who points at tables: a gather, whatever the number of processes.

    rows: (n,) tables, NONE allowed. Nothing in memory points at a top table: a processor's CR3
    does, and the struct mm. A table put aside hangs on a list of its parent.
    """
    there = rows >= 0
    safe = np.where(there, rows, 0)
    parents = np.where(there, s.tables.parent[safe], NONE).astype(np.int64)
    return Pointers(parents, np.where(parents >= 0, s.tables.index[safe], NONE).astype(np.int64))


class Walk(NamedTuple):
    """What a walk over all processes' tables read and found.

    tables, entries: how many it read. parents, entry: (n,) the entries that point at a wanted
    frame, and frames: which. tops: top tables that lie in a wanted frame themselves: CR3 has to be
    reloaded for them.
    """

    tables: int
    entries: int
    parents: np.ndarray
    entry: np.ndarray
    frames: np.ndarray
    tops: np.ndarray


def walk_all(s: AddressSpaces, wanted: np.ndarray) -> Walk:
    """Read every entry of every process's upper tables, as the stopped machine would (A15).

    wanted: (n,) pfns. The answer is that of `find_pointers`, the cost is not. It is counted in
    entries as the kernel has them, its own half of a top table included. Left out: with page-table
    isolation the second page of a top table repeats the program's entries; they count once.
    """
    t = s.tables
    upper = np.flatnonzero(t.level[: t.used] > 0)
    widths = np.array([level.entries for level in s.geometry.levels])
    read = int(widths[t.level[upper]].sum())
    entries = s.entries.entries[t.slot[upper]]
    at, index = np.nonzero(entries >= 0)
    children = entries[at, index]
    hit = np.isin(t.frame[children], wanted)
    tops = upper[t.level[upper] == s.geometry.top]
    moved = np.zeros(len(tops), bool)
    for i in range(s.geometry.top_pages):
        moved |= np.isin(t.frame[tops] + i, wanted)
    return Walk(len(upper), read, upper[at[hit]], index[hit], t.frame[children[hit]], tops[moved])
