"""Borrowing and claiming: the golden vector, the search order, and the oracle for the rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.fallback import FALLBACKS, fall_back, should_claim
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind
from tests.machines import NAMES, TYPES, fragment, make_machine, occupy
from tests.oracles import TURN_TO, Oracle, compare_machine

U, M, R = TYPES
slow = settings(deadline=None, derandomize=True, max_examples=40)


# Golden vector G11.


@pytest.mark.parametrize(
    ("free", "movable", "request_type", "block_type", "converted"),
    [
        (100, 300, U, M, False),
        (200, 200, U, M, True),
        (255, 0, R, U, False),
        (256, 0, R, U, True),
    ],
)
def test_g11_claim_rule(free, movable, request_type, block_type, converted):
    assert should_claim(free, movable, request_type, block_type) == converted


def test_claim_rule_counts_movable_pages_for_a_movable_request():
    assert should_claim(100, 156, M, U)
    assert not should_claim(100, 155, M, U)
    counts = should_claim(np.array([100, 100]), np.array([156, 155]), M, R)
    assert np.asarray(counts).tolist() == [True, False]


def borrow_one(free, movable):
    """Let an unmovable request fall back on a pageblock with so many free and movable pages."""
    mem = make_machine("plain")
    occupy(mem, np.arange(512, 4096), PageKind.ANON)
    occupy(mem, np.arange(movable), PageKind.ANON)
    occupy(mem, np.arange(movable + free, 512), PageKind.PAGE_TABLE)
    return mem, fall_back(mem, 0, U, 0, 1)


def test_g11_not_converted_one_page_stolen():
    mem, got = borrow_one(100, 300)
    mem.fill(got.frames, PageKind.SLAB, 0)
    assert (got.served, got.how, got.fragmented) == (1, "steal", True)
    assert mem.types[0] == M
    assert mem.free_blocks[:, U].sum() == 0
    validate_memory(mem)


def test_g11_converted():
    mem, got = borrow_one(200, 200)
    mem.fill(got.frames, PageKind.SLAB, 0)
    assert (got.served, got.how, got.fragmented) == (1, "claim", True)
    assert mem.types[0] == U
    assert mem.free_blocks[:, M].sum() == 0
    assert (mem.free_blocks[:, U].sum(axis=0) << np.arange(11)).sum() == 199
    validate_memory(mem)


# Search order.


def machine_with_blocks(blocks, held=PageKind.PAGE_TABLE):
    """The plain machine whose only free memory are blocks: {head: (order, type)}."""
    mem = make_machine("plain")
    free = np.zeros(4096, bool)
    for head, (order, kind) in blocks.items():
        free[head : head + (1 << order)] = True
        buddy.set_types(mem, np.array([head // 512]), kind)
    occupy(mem, np.flatnonzero(~free), held)
    return mem


def test_fallback_order_is_the_kernels():
    assert {k: tuple(v) for k, v in FALLBACKS.items()} == TURN_TO


@pytest.mark.parametrize(
    ("request_type", "blocks", "head"),
    [
        # The largest order first, whatever the type; of one order, the first type to turn to.
        (U, {0: (3, R), 512: (5, M)}, 512),
        (U, {0: (5, M), 512: (5, R)}, 512),
        (R, {0: (5, M), 512: (5, U)}, 512),
        (M, {0: (5, U), 512: (5, R)}, 512),
        (U, {1024: (5, M), 512: (5, M)}, 512),
        # A movable request takes the largest down to order 4, below that the smallest.
        (M, {0: (4, U), 512: (1, R)}, 0),
        (M, {0: (3, R), 512: (1, U)}, 512),
        (U, {0: (3, R), 512: (1, R)}, 0),
    ],
)
def test_search(request_type, blocks, head):
    mem = machine_with_blocks(blocks)
    got = fall_back(mem, 0, request_type, 0, 1)
    assert got.pfn == head
    assert got.source == blocks[head][1]
    assert got.frames.pfns().tolist() == [head]


def test_movable_request_may_not_claim_with_a_small_block():
    # 8 free frames in a pageblock that is otherwise movable: alike enough, but too small.
    mem = make_machine("plain")
    occupy(mem, np.arange(8, 4096), PageKind.ANON)
    buddy.set_types(mem, np.array([0]), U)
    assert fall_back(mem, 0, M, 0, 1).how == "steal"
    assert mem.types[0] == U


def test_smaller_blocks_are_no_help_for_a_larger_request():
    mem = machine_with_blocks({0: (3, R), 512: (4, M)})
    assert fall_back(mem, 0, U, 5, 1).served == 0
    assert fall_back(mem, 0, M, 5, 1).served == 0


@pytest.mark.parametrize("order", [0, 9, 10])
def test_whole_only_takes_pageblocks_large_enough_or_nothing(order):
    mem = machine_with_blocks({0: (8, R), 1024: (9, R)})
    got = fall_back(mem, 0, U, order, 1, whole_only=True)
    assert (got.served, got.fragmented) == (int(order < 10), False)
    assert mem.types[:3].tolist() == [R, M, U if order < 10 else R]


def test_whole_block_of_order_10_converts_both_pageblocks():
    mem = make_machine("plain")
    got = fall_back(mem, 0, U, 0, 3)
    mem.fill(got.frames, PageKind.SLAB, 0)
    assert (got.how, got.fragmented) == ("whole", False)
    assert mem.types.tolist() == [U, U] + [M] * 6
    assert got.frames.pfns().tolist() == [0, 1, 2]
    validate_memory(mem)


def test_as_many_whole_blocks_as_needed_are_converted():
    mem = make_machine("plain")
    got = fall_back(mem, 0, U, 0, 1025)
    assert got.served == 1025
    assert mem.types.tolist() == [U] * 4 + [M] * 4


# A step of many requests.


def test_a_stolen_block_goes_on_serving_the_call():
    mem = machine_with_blocks({0: (4, M), 512: (3, M)}, PageKind.ANON)
    got = fall_back(mem, 0, U, 1, 5)
    assert (got.served, got.how) == (5, "steal")
    assert got.frames.pfns().tolist() == list(range(10))
    # 10, 11 and 12..15 are the first pageblock's again, beside the block at 512.
    assert mem.free_blocks[:, M].sum(axis=0)[:5].tolist() == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(("allowed", "served"), [(100, 16), (3, 3), (0, 1)])
def test_single_stops_after_one_block_or_at_the_boosted_mark(allowed, served):
    mem = machine_with_blocks({0: (4, M), 512: (4, M)}, PageKind.ANON)
    got = fall_back(mem, 0, U, 0, 20, single=allowed)
    assert got.frames.pfns().tolist() == list(range(served))
    assert got.served == served


def test_single_claims_one_pageblock():
    mem = machine_with_blocks({0: (4, M), 512: (4, M)})
    assert fall_back(mem, 0, U, 0, 20, single=100).served == 16
    assert mem.types[:2].tolist() == [U, M]


def test_no_frame_is_chosen_twice_when_two_pageblocks_are_claimed():
    mem = machine_with_blocks({0: (8, M), 512: (8, M)})
    got = fall_back(mem, 0, U, 0, 300)
    assert got.how == "claim"
    assert len(got.frames) == got.served
    mem.fill(got.frames, PageKind.SLAB, 0)
    validate_memory(mem)
    more = borrow(mem, 0, U, 0, 300 - got.served)
    assert got.frames.pfns().tolist() + more == [*range(256), *range(512, 556)]
    validate_memory(mem)


def borrow(mem, zone, kind, order, count):
    """Serve requests from one zone step by step, as the allocator does; all pfns in order."""
    pfns = []
    while count:
        frames, served = buddy.take(mem, zone, kind, order, count)
        if not served:
            got = fall_back(mem, zone, kind, order, count)
            if not got.served:
                break
            frames, served = got.frames, got.served
        assert len(frames) == served << order
        mem.fill(frames, PageKind.SLAB, 0)
        pfns += frames.pfns().tolist()
        count -= served
    return pfns


@slow
@given(
    st.sampled_from(NAMES),
    st.integers(0, 10**6),
    st.lists(
        st.tuples(
            st.integers(0, 4), st.sampled_from(TYPES), st.integers(0, 10), st.integers(1, 900)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_steps_equal_single_requests(name, seed, calls):
    mem = make_machine(name)
    mem.zones.managed[:] = 0  # no zone is ever boosted
    fragment(mem, seed, runs=seed % 90)
    oracle = Oracle(mem)
    for place, kind, order, count in calls:
        zone = place % len(mem.zones)
        pfns = borrow(mem, zone, kind, order, count)
        assert sorted(pfns) == sorted(oracle.borrow(zone, kind, order, count, PageKind.SLAB))
        compare_machine(mem, oracle)
    validate_memory(mem)
