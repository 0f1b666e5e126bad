"""Touching huge pages: an entry of the second level maps 2 MiB, and no lowest table is in use.

A transparent huge page of a program's own puts one table aside, so that it can be split later
without asking for memory (pgtable_trans_huge_deposit); a page of hugetlbfs does not. Left out:
small pages where no huge one is to be had, the pool of hugetlbfs, which here is the free memory,
and shared huge pages.

Source: mm/huge_memory.c `do_huge_pmd_anonymous_page`, mm/hugetlb.c `hugetlb_no_page` (6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes
from hotmem_viz.mechanisms.page_tables import add_tables, build_tables, remove_tables
from hotmem_viz.mechanisms.requests import GFP, Gfp
from hotmem_viz.mechanisms.touching import PART, Access, Touched, serve_in_parts
from hotmem_viz.memory.address_spaces import HUGE, NONE, HugeUse
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces


class _Batch(NamedTuple):
    """Huge pages to touch: address space and number, (n,) int64; aside: put tables aside."""

    space: np.ndarray
    number: np.ndarray
    aside: bool
    nid: int

    def part(self, start: int, end: int) -> _Batch:
        return self._replace(space=self.space[start:end], number=self.number[start:end])


def touch_huge(s: AddressSpaces, access: Access) -> Touched:
    """Touch memory of mappings that use huge pages, a huge page wherever a page is touched.

    first, pages and step of the access are in huge pages. Raises ParameterError for pages outside
    their mapping, and for mappings that are not alike.
    """
    batch = _prepare(s, access)
    n, order = len(batch.number), s.geometry.huge_order
    parts = serve_in_parts(n, PART, lambda a, b: _serve(s, batch.part(a, b)))
    return Touched(
        n << order, parts.served << order, parts.refused, outcome=join_outcomes(parts.outcomes)
    )


def _prepare(s: AddressSpaces, access: Access) -> _Batch:
    m, order = s.mappings, s.geometry.huge_order
    rows = np.asarray(access.mapping, np.int64)
    uses = np.unique(m.huge[rows])
    nids = np.unique(s.spaces.nid[m.space[rows]])
    if len(uses) != 1 or uses[0] == HugeUse.NO or len(nids) != 1 or (m.segment[rows] >= 0).any():
        raise ParameterError("mapping", rows.tolist()[:4], "private, of one node and one huge use")
    count = np.asarray(access.pages, np.int64)
    source = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    number = (m.start[rows] >> order)[source] + np.asarray(access.first)[source] + nth * access.step
    if (number >= (m.end[rows] >> order)[source]).any() or (np.asarray(access.first) < 0).any():
        raise ParameterError("access", int(number.max()), "pages of the mapping alone")
    space = m.space[rows].astype(np.int64)[source]
    return _Batch(space, number, bool(uses[0] == HugeUse.TRANSPARENT), int(nids[0]))


def _serve(s: AddressSpaces, batch: _Batch) -> tuple[int, bool, Outcome]:
    """Serve huge pages from the first on; see `touching.serve_in_parts`."""
    above = s.geometry.levels[1].table_order - s.geometry.huge_order
    built = build_tables(s, batch.space, batch.number >> above, lowest=1, nid=batch.nid)
    rows = built.rows[: built.served]
    index = batch.number[: built.served] & (s.geometry.levels[1].entries - 1)
    lack = np.flatnonzero(s.entries.entries[s.tables.slot[rows], index] == NONE)
    outcomes = [built.outcome]
    put, heads, order = np.empty(0, np.int64), np.empty(0, np.int64), s.geometry.huge_order
    if batch.aside:
        out = alloc_pages(s.mem, _table_gfp(s), len(lack), PageKind.PAGE_TABLE, nid=batch.nid)
        outcomes.append(out)
        put = out.frames.pfns()
    wanted = len(put) if batch.aside else len(lack)
    out = alloc_pages(
        s.mem, GFP["HIGHUSER_MOVABLE"], wanted, PageKind.ANON, order=order, nid=batch.nid
    )
    outcomes.append(out)
    heads = out.frames.pfns().reshape(-1, 1 << order)[:, 0]
    got, fit = lack[: len(heads)], built.served
    if len(heads) < len(lack):
        fit = int(lack[len(heads)])
        if len(put) > len(heads):
            free_pages(s.mem, FrameSet.of_pfns(put[len(heads) :]))
    _enter(s, batch, rows[got], index[got], got, heads, put[: len(heads)])
    late = built.created[built.for_span > fit]
    if len(late):
        outcomes.append(Outcome(released=[remove_tables(s, late)]))
    return fit, False, join_outcomes(outcomes)


def _table_gfp(s: AddressSpaces) -> Gfp:
    return GFP["HIGHUSER" if s.high_tables else "KERNEL"]


def _enter(
    s: AddressSpaces,
    batch: _Batch,
    rows: np.ndarray,
    index: np.ndarray,
    at: np.ndarray,
    heads: np.ndarray,
    put: np.ndarray,
) -> None:
    """Map huge pages, given their first frames and the frames of tables put aside."""
    space = batch.space[at]
    entry = np.full(len(heads), HUGE)
    if batch.aside:
        entry = -3 - add_tables(s, 0, put, rows, index, space, aside=True)
    s.entries.entries[s.tables.slot[rows], index] = entry
    order = s.geometry.huge_order
    np.add.at(s.spaces.rss, space, 1 << order)
    frames = (heads[:, None] + np.arange(1 << order)).ravel()
    s.mem.owner.reshape(-1)[frames] = np.repeat(s.spaces.owner[space], 1 << order)
    for one in np.unique(space).tolist():
        mine = space == one
        vpn = batch.number[at[mine]] << order
        s.huge_pages.setdefault(one, []).append((vpn, heads[mine]))
