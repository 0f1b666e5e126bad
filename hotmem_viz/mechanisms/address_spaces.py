"""Processes start with a top table, and map memory.

mmap asks for nothing but a row: tables and pages come when the memory is touched (`touching`), and
go when it is unmapped (`unmapping`). Sources: kernel/fork.c `mm_init`, arch/x86/mm/pgtable.c
`pgd_alloc`, mm/mmap.c `mmap_region` (6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes
from hotmem_viz.mechanisms.page_tables import add_tables
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.address_spaces import AddressSpaces, HugeUse, Segment
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Sequence


def start_processes(
    s: AddressSpaces, count: int, owner: int, *, nid: int = 0, score_adj: int = 0
) -> tuple[np.ndarray, Outcome]:
    """Give new processes their top tables, and what the geometry makes with them.

    owner: row of the owner table for all of them. Returns the rows of those that could be had, and
    the outcome, in which a table is a request: a process is refused with ENOMEM, as fork is.
    """
    g = s.geometry
    order = max(g.top_pages - 1, 0).bit_length()
    wanted = count if g.top_pages else 0
    top = alloc_pages(s.mem, GFP["KERNEL"], wanted, PageKind.PAGE_TABLE, order=order, nid=nid)
    heads = top.frames.pfns().reshape(-1, 1 << order)[:, 0]
    fit = len(heads) if g.top_pages else count
    more = alloc_pages(s.mem, GFP["KERNEL"], fit * g.ready_made, PageKind.PAGE_TABLE, nid=nid)
    ready = more.frames.pfns()
    made = len(ready) // g.ready_made if g.ready_made else fit
    outcome = join_outcomes([top, more])
    _give_surplus(s, outcome, [heads[made:], *(heads[made:] + i for i in range(1, 1 << order))])
    _give_surplus(s, outcome, [ready[made * g.ready_made :]])
    rows = s.spaces.take(made)
    s.spaces.owner[rows], s.spaces.nid[rows], s.spaces.score_adj[rows] = owner, nid, score_adj
    none = np.full(made, -1, np.int64)
    frames = heads[:made] if g.top_pages else none
    tops = add_tables(s, g.top, frames, none, np.zeros(made, np.int64), rows)
    for i in range(1, g.top_pages):
        s.mem.owner.reshape(-1)[frames + i] = owner
    s.spaces.top[rows] = tops
    if g.ready_made and made:
        parent, index = np.repeat(tops, g.ready_made), np.tile(np.arange(g.ready_made), made)
        used = ready[: made * g.ready_made]
        add_tables(s, g.top - 1, used, parent, index, np.repeat(rows, g.ready_made))
    return rows, outcome


def _give_surplus(s: AddressSpaces, outcome: Outcome, parts: list[np.ndarray]) -> None:
    """Free frames that were granted to processes which lack another."""
    frames = FrameSet.of_pfns(np.concatenate(parts))
    if len(frames):
        free_pages(s.mem, frames)
        outcome.released.append(frames)


def add_segment(s: AddressSpaces, pages: int, owner: int) -> int:
    """Make shared memory of some pages, none of which has a frame yet; returns its row."""
    s.segments.append(Segment(np.full(pages, -1, np.int64), owner))
    return len(s.segments) - 1


def map_regions(
    s: AddressSpaces,
    space: np.ndarray | Sequence[int],
    start: np.ndarray | Sequence[int],
    pages: np.ndarray | int,
    *,
    segment: int = -1,
    offset: int = 0,
    huge: HugeUse = HugeUse.NO,
) -> np.ndarray:
    """Map memory; never refused for lack of memory. Returns the rows of the mappings.

    space, start: (n,) address space and first vpn. pages: their length, (n,) or one for all.
    segment: what they share, from its page `offset` on; -1 for private memory.

    Raises
    ------
    ParameterError
        When a region leaves the user part of the address space, or its segment, or meets another
        mapping of its address space, or is to use huge pages but is not made of whole ones.
    """
    space, start = np.asarray(space, np.int64), np.asarray(start, np.int64)
    end = start + pages
    if ((start < 0) | (end > s.geometry.user_pages) | (end <= start)).any():
        allowed = f"pages 0 to {s.geometry.user_pages - 1}, at least one"
        raise ParameterError("region", (int(start.min()), int(end.max())), allowed)
    if huge and ((start | end) & ((1 << s.geometry.huge_order) - 1)).any():
        raise ParameterError("region", int(start[0]), "whole huge pages are needed")
    _check_overlap(s, space, start, end)
    shared = s.segments[segment] if segment >= 0 else None
    if shared and offset + int((end - start).max()) > len(shared.frames):
        raise ParameterError("offset", offset, f"the segment has {len(shared.frames)} pages")
    rows, m = s.mappings.take(len(space)), s.mappings
    m.space[rows], m.start[rows], m.end[rows] = space, start, end
    m.segment[rows], m.offset[rows], m.huge[rows] = segment, offset, huge
    if shared:
        shared.users += len(rows)
    return rows


def _check_overlap(s: AddressSpaces, space: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Refuse regions that meet a mapping of their address space, or one another."""
    m, used = s.mappings, s.mappings.used
    mapped = np.zeros(s.spaces.used + 1, bool)
    # A row without mapping names space -1, which is the one too many.
    mapped[space] = True
    old = mapped[m.space[:used]].nonzero()[0]
    where = np.concatenate([m.space[old].astype(np.int64), space])
    first, last = np.concatenate([m.start[old], start]), np.concatenate([m.end[old], end])
    order = np.lexsort((first, where))
    where, first, last = where[order], first[order], last[order]
    meet = ((where[1:] == where[:-1]) & (first[1:] < last[:-1])).nonzero()[0]
    if len(meet):
        raise ParameterError("region", int(first[meet[0] + 1]), "mappings may not overlap")
