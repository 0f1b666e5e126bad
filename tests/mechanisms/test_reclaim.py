"""kswapd, direct reclaim, and what may be reclaimed at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.reclaim import (
    MAX_RECLAIM_RETRIES,
    find_reclaimable,
    reclaim_directly,
    run_kswapd,
)
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType
from tests.machines import NAMES, fragment, make_machine, occupy

CACHE, SHRINKABLE, STUBBORN = 1, 2, 3
NORMAL, MOVABLE = ZoneType.NORMAL, ZoneType.MOVABLE


def reclaimable(mem, zone):
    """Pfns that reclaim may touch, read frame by frame: caches, and slabs of a shrinkable owner."""
    kind, owner, tag = mem.kind.ravel(), mem.owner.ravel(), mem.zone.ravel()
    caches = (kind == PageKind.PAGE_CACHE) | (kind == PageKind.BUFFER)
    slabs = (kind == PageKind.RECLAIMABLE_SLAB) & (owner == SHRINKABLE)
    there = (tag == zone) & (kind != PageKind.HOLE)
    return set(np.flatnonzero(caches & there)), set(np.flatnonzero(slabs & there))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.sampled_from(NAMES), st.integers(0, 10**6), st.integers(0, 4), st.integers(-5, 6000))
def test_finds_what_may_go_and_as_much_as_there_is(name, seed, zone, pages):
    mem = make_machine(name)
    fragment(mem, seed)
    zone %= len(mem.zones)
    mem.reclaim_hand[zone] = seed % (
        mem.extents.zone_slices[zone].stop - mem.extents.zone_slices[zone].start
    )
    caches, slabs = reclaimable(mem, zone)
    found = set(find_reclaimable(mem, zone, pages).pfns())
    assert found <= caches | slabs
    assert len(found) == min(max(pages, 0), len(caches) + len(slabs))
    # Slabs only once the caches are gone.
    assert found >= caches or not found & slabs


def test_shrinkable_slab_is_found_among_stubborn_slab():
    mem = make_machine("plain")
    occupy(mem, np.arange(3000), PageKind.RECLAIMABLE_SLAB, STUBBORN)
    occupy(mem, np.arange(3000, 3010), PageKind.RECLAIMABLE_SLAB, SHRINKABLE)
    assert find_reclaimable(mem, 0, 32).pfns().tolist() == list(range(3000, 3010))


def test_the_hand_goes_round():
    mem = make_machine("plain")
    occupy(mem, np.arange(4096), PageKind.PAGE_CACHE, CACHE)
    mem.reclaim_hand[0] = 2
    first = find_reclaimable(mem, 0, 1500).pfns()
    assert first.tolist() == list(range(2048, 3548))
    assert mem.reclaim_hand[0] == 3
    rest = find_reclaimable(mem, 0, 1500).pfns()
    assert rest.tolist() == [*range(476), *range(3072, 4096)]
    assert mem.reclaim_hand[0] == 0


# kswapd.


def busy(low_by=10, kind=PageKind.PAGE_CACHE, owner=CACHE):
    """Node 1 of the odd machine, a few frames below the low mark in both zones."""
    mem = make_machine("odd")
    for zone, start, end in ((3, 7170, 9000), (4, 11264, 14999)):
        occupy(mem, np.arange(10240, 11264), PageKind.ANON, CACHE)
        spare = int(mem.zones.low[zone]) - low_by
        occupy(mem, np.arange(start, end - spare), kind, owner)
        assert mem.zones.free[zone] == spare
    return mem


def test_kswapd_reclaims_up_to_the_high_marks_of_its_node():
    mem = busy()
    far = mem.zones.free[:3].copy()
    frames, reports = run_kswapd(mem, 1, MOVABLE)
    assert mem.zones.free[3:].tolist() == mem.zones.high[3:].tolist()
    assert mem.zones.free[:3].tolist() == far.tolist()
    assert len(frames) == int((mem.zones.high - mem.zones.low)[3:].sum()) + 20
    assert [r.kind for r in reports] == [EventKind.KSWAPD_WAKE, EventKind.RECLAIM]
    validate_memory(mem)


def test_kswapd_looks_only_at_zones_that_the_request_may_use():
    mem = busy()
    run_kswapd(mem, 1, NORMAL)
    assert mem.zones.free[3] == mem.zones.high[3]
    assert mem.zones.free[4] == mem.zones.low[4] - 10


def test_kswapd_sleeps_while_a_zone_is_above_high():
    mem = make_machine("odd")
    frames, reports = run_kswapd(mem, 1, MOVABLE)
    assert (len(frames), reports, mem.kswapd_failures[1]) == (0, [], 0)


def test_kswapd_takes_boosts_back():
    mem = make_machine("odd")
    occupy(mem, np.arange(7170, 9000), PageKind.PAGE_CACHE, CACHE)
    mem.zones.boost[[2, 3]] = 512
    frames, _ = run_kswapd(mem, 1, MOVABLE)
    assert mem.zones.boost.tolist() == [0, 0, 512, 0, 0]
    assert len(frames) == max(0, mem.zones.high[3] + 512 - 1024)


def test_kswapd_gives_up_at_once_below_low_and_leaves_what_is_boosted_later():
    mem = busy(kind=PageKind.ANON)
    mem.zones.boost[3] = 512
    frames, reports = run_kswapd(mem, 1, MOVABLE)
    assert not len(frames)
    assert mem.kswapd_failures == {0: 0, 1: MAX_RECLAIM_RETRIES}
    assert [r.kind for r in reports] == [EventKind.KSWAPD_WAKE, EventKind.KSWAPD_GIVES_UP]
    assert mem.zones.boost[3] == 0
    mem.zones.boost[3] = 512
    assert run_kswapd(mem, 1, MOVABLE)[1] == []
    assert mem.zones.boost[3] == 512


def test_kswapd_gives_up_after_sixteen_fruitless_runs_above_low():
    mem = busy(low_by=-1, kind=PageKind.ANON)
    runs = [run_kswapd(mem, 1, MOVABLE)[1][-1].kind for _ in range(16)]
    assert runs == [EventKind.KSWAPD_WAKE] * 15 + [EventKind.KSWAPD_GIVES_UP]
    assert run_kswapd(mem, 1, MOVABLE)[1] == []


def test_success_forgives_failures():
    mem = busy()
    mem.kswapd_failures[1] = 15
    run_kswapd(mem, 1, MOVABLE)
    assert mem.kswapd_failures[1] == 0


def test_zones_without_managed_pages_are_skipped():
    mem = busy()
    mem.zones.managed[4] = 0
    run_kswapd(mem, 1, MOVABLE)
    assert mem.zones.free[4] == mem.zones.low[4] - 10
    assert mem.zones.free[3] == mem.zones.high[3]


# Direct reclaim.


@pytest.mark.parametrize(("asked", "freed"), [(1, 32), (32, 32), (100, 100)])
def test_direct_reclaim_frees_at_least_a_cluster(asked, freed):
    mem = busy()
    assert len(reclaim_directly(mem, [4, 3], asked)) == freed
    validate_memory(mem)


def test_direct_reclaim_wakes_the_kswapd_of_the_nodes_it_helped():
    mem = busy()
    mem.kswapd_failures.update({0: 16, 1: 16})
    reclaim_directly(mem, [3, 2], 10)
    assert mem.kswapd_failures == {0: 16, 1: 0}


def test_direct_reclaim_goes_on_as_long_as_it_frees_anything():
    mem = make_machine("plain", tired=True)
    occupy(mem, np.arange(4000), PageKind.PAGE_CACHE, CACHE)
    mem.zones.min[0] = mem.zones.low[0] = mem.zones.high[0] = 2000
    out = alloc_pages(mem, GFP["KERNEL"], 1, PageKind.SLAB)
    # 96 are free and 2,001 needed: sixty rounds of 32 help before one request passes.
    assert (out.granted, out.refused) == (1, 0)
    kinds = [r.kind for r in out.reports if r.kind is not EventKind.FALLBACK]
    assert kinds == [EventKind.REFUSED, EventKind.RECLAIM]
    assert sum(len(f) for f in out.released) == 60 * 32


def test_reading_more_than_memory_holds_recycles_the_cache():
    mem = make_machine("odd")
    out = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 40_000, PageKind.PAGE_CACHE, owner=CACHE)
    assert (out.granted, out.refused) == (40_000, 0)
    assert sum(len(f) for f in out.released) >= 40_000 - mem.spec.present_pages
    validate_memory(mem)


def test_anonymous_memory_is_never_reclaimed():
    mem = make_machine("odd")
    first = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 20_000, PageKind.ANON, owner=CACHE)
    assert first.refused
    assert not first.released
    pfns = first.frames.pfns()
    alloc_pages(mem, GFP["KERNEL"], 20_000, PageKind.SLAB)
    assert (mem.kind.ravel()[pfns] == PageKind.ANON).all()
