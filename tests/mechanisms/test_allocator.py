"""alloc_pages: the golden vector, the passes, the boost, and equality with single requests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages, boost_watermark, free_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.watermarks import requests_allowed, watermark_allows
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, MigrateType, PageKind, ZoneType
from tests.machines import NAMES, clone, fragment, held_frames, make_machine, occupy
from tests.oracles import Oracle, compare_machine

U, M, R = MigrateType.UNMOVABLE, MigrateType.MOVABLE, MigrateType.RECLAIMABLE
KERNEL, USER = GFP["KERNEL"], GFP["HIGHUSER_MOVABLE"]

UNRECLAIMABLE = (
    PageKind.ANON, PageKind.SLAB, PageKind.PAGE_TABLE, PageKind.RESERVED, PageKind.PINNED
)  # fmt: skip


def retype_all(mem, kind):
    """Make every pageblock of one type, so that nothing falls back."""
    there = np.flatnonzero(mem.kind.ravel() != PageKind.HOLE)
    buddy.set_types(mem, np.unique(there // 512), kind)


# Golden vector G14: DMA with protection (0, 2004, 2004, 2004), 1,355 free pages, mark 4.


def test_g14_watermark_test():
    assert not watermark_allows(1355, 4, 2004)
    assert requests_allowed(1355, 4, 2004) == 0
    assert requests_allowed(1355, 4, 0) == 1351


def test_g14_a_request_that_could_use_normal_is_refused():
    mem = make_machine("plain")
    retype_all(mem, U)
    mem.zones.type[0] = ZoneType.DMA
    build_all_zonelists(mem)
    mem.zones.protection[0] = [0, 2004, 2004, 2004, 2004]
    mem.zones.min[0] = mem.zones.low[0] = mem.zones.high[0] = 4
    occupy(mem, np.arange(1355, 4096), PageKind.ANON)
    assert mem.zones.free[0] == 1355
    refused = alloc_pages(mem, KERNEL, 1, PageKind.SLAB)
    assert (refused.granted, refused.refused) == (0, 1)
    granted = alloc_pages(mem, GFP["DMA"], 5000, PageKind.SLAB)
    assert (granted.granted, mem.zones.free[0]) == (1351, 4)


@pytest.mark.parametrize("order", [0, 1, 4, 9])
def test_requests_allowed_counts_what_the_test_lets_through(order):
    for free in range(0, 3000, 37):
        n, left = 0, free
        while left > 0 and left - ((1 << order) - 1) > 100 + 23:
            n, left = n + 1, left - (1 << order)
        assert requests_allowed(free, 100, 23, order) == n


# Where pages come from.


def test_zones_are_used_down_to_low_one_after_another_then_to_min():
    mem = make_machine("odd", tired=True)
    retype_all(mem, U)
    line = mem.zones.low + mem.zones.protection[:, ZoneType.NORMAL]
    room = np.maximum(mem.zones.free - line, 0)
    out = alloc_pages(mem, KERNEL, int(room[:4].sum()), PageKind.SLAB, owner=3)
    assert out.refused == 0
    assert out.by_zone == {z: int(room[z]) for z in (2, 1, 0, 3) if room[z]}
    assert not out.frames.pfns()[-1] >= mem.zones.start_pfn[4]
    more = alloc_pages(mem, KERNEL, 1, PageKind.SLAB)
    assert more.by_zone == {2: 1}


def test_user_pages_of_node_0_use_its_kernel_zones_before_node_1():
    mem = make_machine("odd", tired=True)
    out = alloc_pages(mem, USER, 4000, PageKind.ANON)
    assert out.by_zone == {2: 4000}
    far = alloc_pages(mem, USER, 4000, PageKind.ANON, nid=1)
    assert set(far.by_zone) == {4, 3}


def test_frames_carry_kind_and_owner():
    mem = make_machine("pae")
    out = alloc_pages(mem, KERNEL, 70, PageKind.PAGE_TABLE, order=1, owner=2)
    pfns = out.frames.pfns()
    assert len(pfns) == 140
    assert (mem.kind.ravel()[pfns] == PageKind.PAGE_TABLE).all()
    assert (mem.owner.ravel()[pfns] == 2).all()


def test_a_foreign_pageblock_is_spared_while_dma32_has_room():
    mem = make_machine("odd", marks=False)
    # Normal holds free blocks of order 8 in movable pageblocks only; DMA32 has unmovable ones.
    occupy(mem, np.r_[128:1024, 1536:1700, 1733:5000, 5100:7170], PageKind.ANON)
    buddy.give_back(mem, FrameSet.of_range(4096, 4352))
    buddy.set_types(mem, np.array([2]), U)
    out = alloc_pages(mem, KERNEL, 600, PageKind.SLAB)
    # 512 unmovable frames of DMA32, then what Normal has.
    assert list(out.by_zone.items())[:2] == [(1, 512), (2, 88)]
    # Boosting woke kswapd, which found nothing to reclaim and took the boost back.
    assert mem.kswapd_failures == {0: 1, 1: 0}
    assert mem.zones.boost[2] == 0
    assert next(r.zone for r in out.reports if r.kind is EventKind.FALLBACK) == 2


def test_without_dma32_beside_it_normal_is_fragmented_at_once():
    mem = make_machine("odd", marks=False)
    occupy(mem, np.arange(7170, 9000), PageKind.ANON)
    occupy(mem, np.arange(10240, 11264), PageKind.ANON)
    buddy.give_back(mem, FrameSet.of_range(8192, 8320))
    mem.zones.managed[3] = 2000  # too small for a boost
    out = alloc_pages(mem, KERNEL, 128, PageKind.SLAB, nid=1)
    assert out.by_zone == {3: 128}


# Boost.


def fragmented(managed):
    """The plain machine with one movable block of order 8 free in each second pageblock."""
    mem = make_machine("plain", tired=True)
    occupy(mem, np.arange(4096), PageKind.ANON)
    free = np.concatenate([np.arange(b, b + 128) for b in range(0, 4096, 1024)])
    buddy.give_back(mem, FrameSet.of_pfns(free))
    mem.zones.managed[0] = managed
    build_all_zonelists(mem)
    return mem


@pytest.mark.parametrize(("managed", "boost"), [(2047, 0), (2048, 512)])
def test_small_zones_are_never_boosted(managed, boost):
    mem = fragmented(managed)
    alloc_pages(mem, KERNEL, 1, PageKind.SLAB)
    assert mem.zones.boost[0] == boost


def test_boost_stops_a_bulk_request_where_it_would_stop_single_ones():
    mem = fragmented(4096)
    out = alloc_pages(mem, KERNEL, 100, PageKind.SLAB)
    # 512 free: the first request boosts the mark to 512, and none passes after it.
    assert (out.granted, mem.zones.free[0]) == (1, 511)


@pytest.mark.parametrize(("high", "cap"), [(100, 512), (341, 512), (400, 600), (1000, 1500)])
def test_boost_grows_by_a_pageblock_up_to_its_cap(high, cap):
    mem = make_machine("plain")
    mem.zones.high[0] = high
    seen = []
    for _ in range(4):
        boost_watermark(mem, 0)
        seen.append(int(mem.zones.boost[0]))
    assert seen == [min(512 * n, cap) for n in (1, 2, 3, 4)]


def test_whole_pageblocks_are_taken_without_boost():
    mem = make_machine("plain")
    out = alloc_pages(mem, KERNEL, 700, PageKind.SLAB)
    assert out.granted == 700
    assert mem.zones.boost[0] == 0
    assert [r.facts["how"] for r in out.reports] == ["whole"]


# Equality with requests made one at a time, page by page.

slow = settings(deadline=None, derandomize=True, max_examples=25)


def alloc_both(mem, oracle, gfp, count, kind, order, nid):
    out = alloc_pages(mem, gfp, count, kind, order=order, nid=nid)
    one = oracle.alloc(gfp, count, kind, order, nid)
    assert out.frames.pfns().tolist() == sorted(one.pfns)
    assert (out.granted, out.refused, out.by_zone) == (one.granted, one.refused, one.by_zone)
    assert not out.released
    compare_machine(mem, oracle)
    return one.borrowed


def free_both(mem, oracle, rng):
    held = held_frames(mem)
    low, high = sorted(rng.integers(0, len(held) + 1, 2).tolist())
    part = held[low:high][rng.random(high - low) < rng.choice([0.5, 1])]
    if len(part):
        free_pages(mem, FrameSet.of_pfns(part))
    for pfn in part:
        oracle.free_one(int(pfn))
    compare_machine(mem, oracle)


@pytest.mark.parametrize("name", NAMES)
def test_random_sequences_equal_the_oracle(name):
    seen = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        mem = make_machine(name, tired=True)
        fragment(mem, seed, runs=int(rng.integers(1, 90)), kinds=UNRECLAIMABLE)
        oracle = Oracle(mem)
        for _ in range(6):
            order = int(rng.integers(11) if rng.random() < 0.4 else rng.integers(3))
            count = 1 + (int(2 ** rng.uniform(0, 10)) >> order // 2)
            gfp = list(GFP.values())[int(rng.integers(len(GFP)))]
            kind = UNRECLAIMABLE[int(rng.integers(len(UNRECLAIMABLE)))]
            nid = int(rng.integers(len(mem.spec.nodes)))
            seen += alloc_both(mem, oracle, gfp, count, kind, order, nid)
            if rng.random() < 0.6:
                free_both(mem, oracle, rng)
        validate_memory(mem)
    assert {"whole", "claim", "steal"} <= set(seen)


REQUESTS = st.tuples(
    st.sampled_from(sorted(GFP)),
    st.integers(1, 700),
    st.sampled_from(UNRECLAIMABLE),
    st.integers(0, 10),
    st.integers(0, 2),
)


@slow
@given(st.sampled_from(NAMES), st.integers(0, 10**6), st.lists(REQUESTS, min_size=1, max_size=4))
def test_drawn_sequences_equal_the_oracle(name, seed, requests):
    mem = make_machine(name, tired=True)
    rng = np.random.default_rng(seed)
    fragment(mem, seed, runs=seed % 90, kinds=UNRECLAIMABLE)
    oracle = Oracle(mem)
    for gfp, count, kind, order, nid in requests:
        alloc_both(mem, oracle, GFP[gfp], count, kind, order, nid % len(mem.spec.nodes))
        free_both(mem, oracle, rng)
    validate_memory(mem)


@slow
@given(st.sampled_from(NAMES), st.integers(0, 10**6), REQUESTS)
def test_bulk_equals_single_calls_where_nothing_is_stolen(name, seed, request):
    gfp, count, kind, order, nid = request
    bulk = make_machine(name, tired=True)
    fragment(bulk, seed, runs=seed % 60, kinds=UNRECLAIMABLE)
    single, nid = clone(bulk), nid % len(bulk.spec.nodes)
    hows, granted, parts = set(), 0, []
    for _ in range(min(count, 200)):
        out = alloc_pages(single, GFP[gfp], 1, kind, order=order, nid=nid)
        hows |= {r.facts["how"] for r in out.reports if r.kind is EventKind.FALLBACK}
        granted += out.granted
        parts += out.frames.pfns().tolist()
    if "steal" in hows:
        return
    whole = alloc_pages(bulk, GFP[gfp], min(count, 200), kind, order=order, nid=nid)
    assert whole.granted == granted
    assert whole.frames.pfns().tolist() == sorted(parts)
    assert np.array_equal(bulk.kind, single.kind)
    assert np.array_equal(bulk.types, single.types)
    assert np.array_equal(bulk.free_blocks, single.free_blocks)
    assert bulk.zones.boost.tolist() == single.zones.boost.tolist()


# Misuse.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 11}, "order: 11 .* 0 to 10"),
        ({"order": -1}, "order: -1"),
        ({"nid": 3}, r"nid: 3 .* \[0, 1\]"),
        ({"count": -5}, "count: -5"),
        ({"kind": PageKind.FREE}, "kind: 'FREE'"),
        ({"kind": PageKind.HOLE}, "kind: 'HOLE'"),
    ],
)
def test_misuse_is_named(arguments, message):
    mem = make_machine("odd")
    asked = {"gfp": KERNEL, "count": 1, "kind": PageKind.SLAB, **arguments}
    with pytest.raises(ParameterError, match=message):
        alloc_pages(mem, **asked)
    validate_memory(mem)


def test_nothing_asked_nothing_done():
    mem = make_machine("odd")
    out = alloc_pages(mem, KERNEL, 0, PageKind.SLAB)
    assert (out.granted, out.refused, len(out.frames), out.reports) == (0, 0, 0, [])
