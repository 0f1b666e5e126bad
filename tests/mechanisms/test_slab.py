"""Slabs: the usual order while there is one, then single small ones, then a refusal."""

from __future__ import annotations

import numpy as np

from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.slab import SlabCut, alloc_slabs
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.scenarios.workloads import cut_of
from hotmem_viz.vocabulary import EventKind, PageKind
from tests.machines import make_machine, occupy

KERNEL = GFP["KERNEL"]


def ragged_machine():
    """A machine whose free frames are all single: every other frame is held."""
    mem = make_machine("plain")
    free = np.flatnonzero(mem.kind.ravel() == PageKind.FREE)
    occupy(mem, free[free % 2 == 0], PageKind.ANON)
    return mem


def test_the_usual_order_is_used_while_there_is_one():
    mem = make_machine("plain")
    outcome, objects = alloc_slabs(mem, KERNEL, 3, PageKind.SLAB, SlabCut(3, 8))
    assert (outcome.granted, outcome.refused, objects) == (3, 0, 24)
    assert len(outcome.frames) == 24
    validate_memory(mem)


def test_without_large_blocks_small_slabs_hold_the_same_objects():
    mem = ragged_machine()
    outcome, objects = alloc_slabs(mem, KERNEL, 3, PageKind.SLAB, SlabCut(1, 19, 0, 4))
    assert outcome.refused == 0
    assert len(outcome.frames) == 15, "57 objects, four to a page"
    assert objects == 60
    assert all(r.kind is not EventKind.REFUSED for r in outcome.reports)
    validate_memory(mem)


def test_plain_requests_of_that_order_would_have_been_refused():
    mem = ragged_machine()
    assert alloc_pages(mem, KERNEL, 3, PageKind.SLAB, order=1).refused == 3


def test_what_may_not_reclaim_neither_reclaims_nor_reports():
    mem = ragged_machine()
    before = mem.kind.copy()
    outcome = alloc_pages(mem, KERNEL, 3, PageKind.SLAB, order=1, may_reclaim=False)
    assert (outcome.refused, outcome.reports, outcome.released) == (3, [], [])
    assert np.array_equal(mem.kind, before)


def test_the_end_is_a_refusal_of_small_slabs():
    mem = ragged_machine()
    outcome, objects = alloc_slabs(mem, KERNEL, 20_000, PageKind.SLAB, SlabCut(1, 8, 0, 4))
    assert outcome.refused > 0
    assert objects == outcome.granted * 4
    assert outcome.reports[-1].kind is EventKind.OOM


def test_cuts_of_real_caches():
    caches = find_profile("6.1").caches
    # 832 bytes: 19 objects in 4 pages, or 4 in one; 4096 bytes: 8 in 8, or 1 in one.
    assert cut_of(caches["sock_inode_cache"]) == SlabCut(2, 19, 0, 4)
    assert cut_of(caches["kmalloc-cg-4k"]) == SlabCut(3, 8, 0, 1)
    assert cut_of(caches["dentry"]) == SlabCut(0, 21, 0, 21)
