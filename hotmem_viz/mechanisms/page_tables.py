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


class _Lack(NamedTuple):
    """Tables that one level lacks: first span that needs each, and which one each span needs."""

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
        above = rows[level + 1]
        here = np.full(len(span), NONE, np.int64)
        at = np.flatnonzero(above >= 0)
        index = entry_index(s, span[at], lowest, level + 1)
        here[at] = s.entries.entries[s.tables.slot[above[at]], index]
        rows[level] = here
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
    lacks = [
        _find_lack(s, space, span, lowest, level, rows)
        for level in range(lowest, s.geometry.top)
        if (rows[level] == NONE).any()
    ]
    if not lacks:
        return Built(rows[lowest], len(span))
    levels = np.concatenate([np.full(len(x.first), x.level) for x in lacks])
    first = np.concatenate([x.first for x in lacks])
    order = np.lexsort((-levels, first))
    frames, outcome = _ask(s, levels[order], nid)
    frames, surplus = _drop_surplus(frames, first[order])
    if len(surplus):
        outcome.released.append(FrameSet.of_pfns(surplus))
        free_pages(s.mem, outcome.released[-1])
    granted = np.full(len(order), NONE, np.int64)
    granted[order] = frames
    built = _enter(s, space, span, lowest, rows, lacks, granted)
    short = np.flatnonzero(frames < 0)
    built.served = int(first[order][short[0]]) if len(short) else len(span)
    asked_for = built.for_span
    sort = np.argsort(asked_for, kind="stable")
    built.created, built.for_span = built.created[sort], asked_for[sort]
    built.outcome = outcome
    return built


def _find_lack(
    s: AddressSpaces,
    space: np.ndarray,
    span: np.ndarray,
    lowest: int,
    level: int,
    rows: dict[int, np.ndarray],
) -> _Lack:
    """Find the tables that a level lacks; each is wanted by the first span that needs it."""
    missing = (rows[level] == NONE).nonzero()[0]
    shift = s.geometry.levels[level].table_order - s.geometry.levels[lowest].table_order
    keys = (space[missing].astype(np.int64) << _SPACE_SHIFT) + (span[missing] >> shift)
    first, inverse = _first_of_each(keys)
    return _Lack(level, missing, missing[first], inverse)


def _first_of_each(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the distinct keys: where each first occurs, and the number of every key's own."""
    if len(keys) and (keys[1:] >= keys[:-1]).all():
        new = find_changes(keys)
        return new.nonzero()[0], np.cumsum(new) - 1
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse


def _ask(s: AddressSpaces, levels: np.ndarray, nid: int) -> tuple[np.ndarray, Outcome]:
    """Request a frame for each table: (n,) int64 pfns, NONE where refused, in the order given."""
    frames = np.full(len(levels), NONE, np.int64)
    outcomes = []
    low = levels == 0
    parts = [(~low, "KERNEL"), (low, "HIGHUSER")] if s.high_tables else [(low | ~low, "KERNEL")]
    for part, gfp in parts:
        at = np.flatnonzero(part)
        out = alloc_pages(s.mem, GFP[gfp], len(at), PageKind.PAGE_TABLE, nid=nid)
        frames[at[: out.granted]] = out.frames.pfns()
        outcomes.append(out)
    return frames, join_outcomes(outcomes)


def _drop_surplus(frames: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take back frames of spans after the first that cannot have all its tables.

    frames, first: (n,) in the order of request. Returns frames, and those taken back.
    """
    short = np.flatnonzero(frames < 0)
    if not len(short):
        return frames, frames[:0]
    late = (first > first[short[0]]) & (frames >= 0)
    return np.where(late, NONE, frames), frames[late]


def _enter(
    s: AddressSpaces,
    space: np.ndarray,
    span: np.ndarray,
    lowest: int,
    rows: dict[int, np.ndarray],
    lacks: list[_Lack],
    granted: np.ndarray,
) -> Built:
    """Enter new tables into the arrays, higher levels first. granted: (n,) frames by lack."""
    created, for_span = [], []
    ends = np.cumsum([len(x.first) for x in lacks])
    for lack, end in zip(reversed(lacks), reversed(ends), strict=True):
        frames = granted[end - len(lack.first) : end]
        got = np.flatnonzero(frames >= 0)
        first = lack.first[got]
        parent = rows[lack.level + 1][first]
        index = entry_index(s, span[first], lowest, lack.level + 1)
        made = add_tables(s, lack.level, frames[got], parent, index, space[first])
        new = np.full(len(lack.first), NONE, np.int64)
        new[got] = made
        rows[lack.level][lack.missing] = new[lack.inverse]
        created.append(made)
        for_span.append(first)
    return Built(
        rows[lowest], len(span), created=np.concatenate(created), for_span=np.concatenate(for_span)
    )


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
    rows, t = s.tables.take(len(frames)), s.tables
    t.frame[rows], t.level[rows], t.space[rows] = frames, level, space
    t.parent[rows], t.index[rows] = parent, index
    if not aside:
        t.slot[rows] = (s.entries if level else s.present).take(len(rows))
        at = np.flatnonzero(parent >= 0)
        s.entries.entries[t.slot[parent[at]], index[at]] = rows[at]
    np.add.at(s.spaces.levels, (space, np.full(len(rows), level)), 1)
    held = frames >= 0
    s.mem.owner.reshape(-1)[frames[held]] = s.spaces.owner[space[held]]
    return rows


def remove_tables(s: AddressSpaces, rows: np.ndarray) -> FrameSet:
    """Take tables down: no parent points at them, their frames are free. rows: (n,) unique."""
    t = s.tables
    level, slot, parent = t.level[rows], t.slot[rows], t.parent[rows]
    pointed = np.flatnonzero((parent >= 0) & (slot >= 0))
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
    frames, top = s.tables.frame[rows], s.tables.level[rows] == s.geometry.top
    every = [frames[~top], *(frames[top] + i for i in range(s.geometry.top_pages))]
    return FrameSet.of_pfns(np.concatenate(every))
