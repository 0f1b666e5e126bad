"""Page tables: looking them up, building what is missing, taking them down.

Tables are requested when a page is touched, top-down, one for each span that has none. All ask as
the kernel does (A5); where HIGHPTE lets the lowest level lie in high memory, it asks as HIGHUSER.

Sources: mm/memory.c `__handle_mm_fault`, `__pte_alloc`, `free_pgd_range`; arch/x86/mm/pgtable.c
`pte_alloc_one`, `___pte_free_tlb` (6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.address_spaces import NONE
from hotmem_viz.memory.frames import FrameSet, find_changes
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces

_SPACE_SHIFT = 45
"""Spans of one address space are numbered below this power of two: 2**56 bytes / 4 KiB."""


@dataclass
class Built:
    """Tables for some spans.

    rows: (n,) int64, the table of each span, NONE where there is none. served: how many of the
    spans, counted from the first, have their table. created: new tables in the order in which they
    were asked for, and for_span: for which span first.
    """

    rows: np.ndarray
    served: int
    outcome: Outcome = field(default_factory=Outcome)
    created: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    for_span: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


class _New(NamedTuple):
    """Tables that are asked for, higher levels first; frames: NONE where refused; all (n,)."""

    level: np.ndarray
    frames: np.ndarray
    space: np.ndarray
    span: np.ndarray


class _Lack(NamedTuple):
    """Tables that one level lacks: the first span that needs each.

    missing: (m,) the spans without one, and inverse: (m,) which of the tables each needs.
    """

    level: int
    missing: np.ndarray
    first: np.ndarray
    inverse: np.ndarray


def entry_index(s: AddressSpaces, span: np.ndarray, lowest: int, level: int) -> np.ndarray:
    """Return which entry of a level's tables leads to tables of the lowest level wanted."""
    place = s.geometry.levels[level]
    shift = place.entry_order - s.geometry.levels[lowest].table_order
    return (span >> shift) & (place.entries - 1)


def find_tables(
    s: AddressSpaces, space: np.ndarray, span: np.ndarray, lowest: int = 0
) -> np.ndarray:
    """Look up tables of one level by walking down from the top: (n,) int64, NONE or HUGE if none.

    space, span: (n,) address space, and number of the table's span from address 0.
    """
    return _walk(s, space, span, lowest)[lowest]


def _walk(
    s: AddressSpaces, space: np.ndarray, span: np.ndarray, lowest: int
) -> dict[int, np.ndarray]:
    """Return the tables on the way down, by level."""
    top = s.geometry.top
    rows = {top: s.spaces.top[space].astype(np.int64)}
    for level in range(top - 1, lowest - 1, -1):
        # Below NONE there is NONE: what row -1 stands for has no entry in use (memory.growing).
        slot, index = s.tables.slot[rows[level + 1]], entry_index(s, span, lowest, level + 1)
        rows[level] = s.entries.entries[slot, index].astype(np.int64)
    return rows


def build_tables(
    s: AddressSpaces, space: np.ndarray, span: np.ndarray, lowest: int = 0, *, nid: int = 0
) -> Built:
    """Make sure that spans have their tables, as far as memory goes.

    space, span: (n,) as in `find_tables`, in the order in which they are asked for; doubles do no
    harm. Tables are requested span by span, higher levels first. Where memory ends, the
    tables that the next span got until then stay, as in the kernel.
    """
    rows = _walk(s, space, span, lowest)
    lacks = _find_lacks(s, space, span, lowest, rows)
    if not lacks:
        return Built(rows[lowest], len(span))
    levels = np.array([x.level for x in lacks]).repeat([len(x.first) for x in lacks])
    first = np.concatenate([x.first for x in lacks])
    # Of one span the higher levels come first, as they stand here.
    order = first.argsort(kind="stable")
    frames, outcome = _ask(s, levels[order], nid)
    built = Built(rows[lowest], len(span), outcome)
    if outcome.refused:
        built.served = int(first[order[frames.argmin()]])
        frames = _give_surplus(s, frames, first[order], outcome)
    granted = np.empty(len(order), np.int64)
    granted[order] = frames
    new = _enter(s, lowest, rows, lacks, _New(levels, granted, space[first], span[first]))
    asked = order[frames >= 0]
    built.created, built.for_span = new[asked], first[asked]
    return built


def _find_lacks(
    s: AddressSpaces, space: np.ndarray, span: np.ndarray, lowest: int, rows: dict[int, np.ndarray]
) -> list[_Lack]:
    """Find the tables that each level lacks, in order of address, higher levels first."""
    keys = (space << _SPACE_SHIFT) + span
    by_key, lacks = keys.argsort(kind="stable"), []
    for level in range(s.geometry.top - 1, lowest - 1, -1):
        missing = by_key[rows[level][by_key] == NONE]
        if len(missing):
            shift = s.geometry.levels[level].table_order - s.geometry.levels[lowest].table_order
            new = find_changes(keys[missing] >> shift)
            first = np.minimum.reduceat(missing, new.nonzero()[0])
            lacks.append(_Lack(level, missing, first, new.cumsum() - 1))
    return lacks


def _ask(s: AddressSpaces, levels: np.ndarray, nid: int) -> tuple[np.ndarray, Outcome]:
    """Request a frame for each table: (n,) int64 pfns, NONE where refused, in the order given."""
    frames = np.full(len(levels), NONE, np.int64)
    if not s.high_tables:
        out = alloc_pages(s.mem, GFP["KERNEL"], len(levels), PageKind.PAGE_TABLE, nid=nid)
        frames[: out.granted] = out.frames.pfns()
        return frames, out
    outcomes = []
    for part, gfp in (levels > 0, "KERNEL"), (levels == 0, "HIGHUSER"):
        at = part.nonzero()[0]
        out = alloc_pages(s.mem, GFP[gfp], len(at), PageKind.PAGE_TABLE, nid=nid)
        frames[at[: out.granted]] = out.frames.pfns()
        outcomes.append(out)
    return frames, join_outcomes(outcomes)


def _give_surplus(
    s: AddressSpaces, frames: np.ndarray, first: np.ndarray, outcome: Outcome
) -> np.ndarray:
    """Take back frames of spans after the first that cannot have all its tables.

    frames, first: (n,) in the order of request. Returns the frames that are kept, else NONE.
    """
    late = (first > first[frames.argmin()]) & (frames >= 0)
    if late.any():
        outcome.released.append(FrameSet.of_pfns(frames[late]))
        free_pages(s.mem, outcome.released[-1])
    return np.where(late, NONE, frames)


def _enter(
    s: AddressSpaces, lowest: int, rows: dict[int, np.ndarray], lacks: list[_Lack], new: _New
) -> np.ndarray:
    """Enter new tables into the arrays: (n,) int64 rows, NONE for those that have no frame."""
    got = (new.frames >= 0).nonzero()[0]
    made = np.full(len(new.frames), NONE, np.int64)
    made[got] = s.tables.take(len(got))
    parents, indices, at = [], [], 0
    for lack in lacks:
        part = slice(at, at := at + len(lack.first))
        rows[lack.level][lack.missing] = made[part][lack.inverse]
        parents.append(rows[lack.level + 1][lack.first])
        indices.append(entry_index(s, new.span[part], lowest, lack.level + 1))
    parent, index = np.concatenate(parents)[got], np.concatenate(indices)[got]
    _write_tables(s, made[got], new.level[got], new.frames[got], parent, index, new.space[got])
    return made


def add_tables(
    s: AddressSpaces,
    level: int,
    frames: np.ndarray,
    parent: np.ndarray,
    index: np.ndarray,
    space: np.ndarray,
    *,
    aside: bool = False,
) -> np.ndarray:
    """Enter tables of one level, given their frames, and point their parents at them.

    All (n,). aside: they are only put aside for the split of a huge page, and nothing points at
    them. Returns their rows. The frames become their address spaces' owners'.
    """
    rows = s.tables.take(len(frames))
    levels = np.full(len(rows), level)
    _write_tables(s, rows, levels, frames, parent, index, space, aside=aside)
    return rows


def _write_tables(
    s: AddressSpaces,
    rows: np.ndarray,
    level: np.ndarray,
    frames: np.ndarray,
    parent: np.ndarray,
    index: np.ndarray,
    space: np.ndarray,
    *,
    aside: bool = False,
) -> None:
    """Write the rows of new tables, higher levels first; see `add_tables`."""
    t = s.tables
    t.frame[rows], t.level[rows], t.space[rows] = frames, level, space
    t.parent[rows], t.index[rows] = parent, index
    if not aside:
        upper = int(np.count_nonzero(level))
        t.slot[rows[:upper]] = s.entries.take(upper)
        t.slot[rows[upper:]] = s.present.take(len(rows) - upper)
        at = (parent >= 0).nonzero()[0]
        s.entries.entries[t.slot[parent[at]], index[at]] = rows[at]
    np.add.at(s.spaces.levels, (space, level), 1)
    held = (frames >= 0).nonzero()[0]
    s.mem.owner.reshape(-1)[frames[held]] = s.spaces.owner[space[held]]


def remove_tables(s: AddressSpaces, rows: np.ndarray) -> FrameSet:
    """Take tables down: no parent points at them, their frames are free. rows: (n,) unique."""
    t = s.tables
    level, slot, parent = t.level[rows], t.slot[rows], t.parent[rows]
    pointed = ((parent >= 0) & (slot >= 0)).nonzero()[0]
    s.entries.entries[t.slot[parent[pointed]], t.index[rows[pointed]]] = NONE
    np.subtract.at(s.spaces.levels, (t.space[rows], level), 1)
    frames = frames_of_tables(s, rows)
    s.entries.give(slot[(level > 0) & (slot >= 0)])
    s.present.give(slot[(level == 0) & (slot >= 0)])
    t.give(rows)
    if len(frames):
        free_pages(s.mem, frames)
    return frames


def frames_of_tables(s: AddressSpaces, rows: np.ndarray) -> FrameSet:
    """Return all frames of some tables; a top table can have several, or none of its own."""
    frames, pages = s.tables.frame[rows], s.geometry.top_pages
    if pages == 1:
        return FrameSet.of_pfns(frames)
    top = s.tables.level[rows] == s.geometry.top
    return FrameSet.of_pfns(
        np.concatenate([frames[~top], *(frames[top] + i for i in range(pages))])
    )
