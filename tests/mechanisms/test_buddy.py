"""Blocks of free frames: the golden vector, and everything else against the slow oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.mechanisms import buddy, orders
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import N_ORDERS, MigrateType, PageKind
from tests.machines import (
    NAMES,
    TYPES,
    fragment,
    held_frames,
    make_machine,
    match_types,
    occupy,
)
from tests.oracles import Oracle, compare_machine

slow = settings(deadline=None, derandomize=True, max_examples=25)


def free_lists(mem, kind):
    """Blocks of one type by order, over the whole machine."""
    return mem.free_blocks[:, kind].sum(axis=0).tolist()


def one_free_block(start=0, pages=1024):
    """The plain machine with nothing free but one run."""
    mem = make_machine("plain")
    occupy(mem, np.r_[0:start, start + pages : 4096], PageKind.ANON)
    return mem


# Golden vector G10.


def test_g10_splitting_an_order_10_block():
    mem = one_free_block()
    assert free_lists(mem, MigrateType.MOVABLE) == [0] * 10 + [1]
    frames, served = buddy.take(mem, 0, MigrateType.MOVABLE, 0, 1)
    mem.fill(frames, PageKind.ANON, 0)
    assert (served, frames.pfns().tolist()) == (1, [0])
    assert free_lists(mem, MigrateType.MOVABLE) == [1] * 10 + [0]
    heads = orders.find_heads(mem.free_bits.reshape(-1, 16))
    at = [FrameSet.of_nonzero(np.arange(64), heads[k].ravel()).pfns().tolist() for k in range(11)]
    assert at == [[1 << k] for k in range(10)] + [[]]
    validate_memory(mem)


def test_g10_freeing_restores_the_block():
    mem = one_free_block()
    frames, _ = buddy.take(mem, 0, MigrateType.MOVABLE, 0, 1)
    mem.fill(frames, PageKind.ANON, 0)
    buddy.give_back(mem, frames)
    assert free_lists(mem, MigrateType.MOVABLE) == [0] * 10 + [1]
    validate_memory(mem)


# Heads.


def eager_heads(free):
    """Merge the free frames of one group of 1,024 by pairs: {head: order}."""
    blocks: dict[int, int] = {}
    for pfn in range(1024):
        if free[pfn]:
            head, order = pfn, 0
            while order < 10 and blocks.get(head ^ (1 << order)) == order:
                del blocks[head ^ (1 << order)]
                head &= ~(1 << order)
                order += 1
            blocks[head] = order
    return blocks


def bitmaps(rng):
    """Random groups of all textures: dust, runs, nearly full, full, empty."""
    dust = rng.random((3, 1024)) < np.array([[0.03], [0.5], [0.99]])
    runs = np.zeros((3, 1024), bool)
    for row in runs:
        for _ in range(6):
            start, length = rng.integers(1024), 1 << int(rng.integers(11))
            row[start - start % length : start - start % length + length] = True
            row[rng.integers(1024)] = False
    return np.concatenate([dust, runs, np.ones((1, 1024), bool), np.zeros((1, 1024), bool)])


@pytest.mark.parametrize("seed", range(6))
def test_heads_of_random_bitmaps(seed):
    free = bitmaps(np.random.default_rng(seed))
    bits = np.packbits(free, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    heads = orders.find_heads(bits)
    spread = np.unpackbits(heads.astype("<u8").view(np.uint8), axis=2, bitorder="little")
    for group, row in enumerate(free):
        found = {int(pfn): int(order) for order, pfn in np.argwhere(spread[:, group])}
        assert found == eager_heads(row)
    for highest in range(N_ORDERS):
        assert np.array_equal(orders.find_heads(bits, highest), heads[: highest + 1])


@pytest.mark.parametrize("order", range(N_ORDERS))
def test_expand_covers_the_block_and_nothing_else(order):
    bits = np.zeros((1, 16), np.uint64)
    head = 1024 - (1 << order)
    bits[0, head // 64] = np.uint64(1) << np.uint64(head % 64)
    covered = orders._expand(bits, order)
    pfns = FrameSet.of_nonzero(np.arange(16), covered.ravel()).pfns()
    assert pfns.tolist() == list(range(head, 1024))


# Taking and giving back.


def take_and_compare(mem, oracle, zone, kind, order, count):
    frames, served = buddy.take(mem, zone, kind, order, count)
    mem.fill(frames, PageKind.SLAB, 0)
    pfns: list[int] = []
    for _ in range(count):
        head = oracle.take_one(zone, kind, order, PageKind.SLAB)
        if head is None:
            break
        pfns.extend(range(head, head + (1 << order)))
    assert len(pfns) == served << order
    assert frames.pfns().tolist() == sorted(pfns)
    compare_machine(mem, oracle)


@slow
@given(
    st.sampled_from(NAMES),
    st.integers(0, 10**6),
    st.lists(
        st.tuples(
            st.integers(0, 4), st.sampled_from(TYPES), st.integers(0, 10), st.integers(1, 600)
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_bulk_take_equals_single_takes(name, seed, calls):
    mem = make_machine(name)
    fragment(mem, seed, runs=seed % 90)
    oracle = Oracle(mem)
    compare_machine(mem, oracle)
    for zone, kind, order, count in calls:
        take_and_compare(mem, oracle, zone % len(mem.zones), kind, order, count)
    validate_memory(mem)


@slow
@given(st.sampled_from(NAMES), st.integers(0, 10**6), st.floats(0.02, 1))
def test_bulk_free_equals_single_frees(name, seed, share):
    mem = make_machine(name)
    fragment(mem, seed)
    oracle, rng = Oracle(mem), np.random.default_rng(seed)
    for _ in range(3):
        held = held_frames(mem)
        part = held[rng.random(len(held)) < share]
        if len(part):
            buddy.give_back(mem, FrameSet.of_pfns(part))
        for pfn in part:
            oracle.free_one(int(pfn))
        compare_machine(mem, oracle)
    validate_memory(mem)


@pytest.mark.parametrize("name", NAMES)
def test_freeing_everything_leaves_the_largest_blocks(name):
    mem = make_machine(name)
    fresh = mem.free_blocks.sum(axis=1)
    fragment(mem, 21)
    buddy.give_back(mem, FrameSet.of_pfns(held_frames(mem)))
    assert np.array_equal(mem.free_blocks.sum(axis=1), fresh)
    assert mem.zones.free.tolist() == mem.zones.present.tolist()
    validate_memory(mem)


def test_buddies_of_two_zones_stay_apart():
    mem = make_machine("odd")
    # 2048, 2049 are DMA32's and 2050, 2051 Normal's: two blocks of order 1, none of order 2.
    occupy(mem, np.r_[1:1700, 1733:2048, 2052:5000, 5100:9000, 10240:14999], PageKind.ANON)
    by_zone = [mem.free_blocks[s, MigrateType.MOVABLE].sum(axis=0) for s in mem.extents.zone_slices]
    assert [counts.tolist()[:3] for counts in by_zone[1:3]] == [[0, 1, 0], [0, 1, 0]]
    frames, _ = buddy.take(mem, 2, MigrateType.MOVABLE, 1, 1)
    assert frames.pfns().tolist() == [2050, 2051]


def test_lowest_pfn_of_the_smallest_order_goes_first():
    mem = one_free_block()
    occupy(mem, np.array([7, 600, 603]), PageKind.ANON)
    taken = []
    for _ in range(4):
        frames, _ = buddy.take(mem, 0, MigrateType.MOVABLE, 0, 1)
        mem.fill(frames, PageKind.ANON, 0)
        taken += frames.pfns().tolist()
    # Lone frames 6, 601 and 602 (its buddy 603 is held), then the pair 4, 5.
    assert taken == [6, 601, 602, 4]


def test_nothing_is_taken_from_another_types_list():
    mem = one_free_block()
    frames, served = buddy.take(mem, 0, MigrateType.UNMOVABLE, 0, 5)
    assert (len(frames), served) == (0, 0)


# Types.


def test_changing_a_type_moves_free_blocks_between_lists():
    mem = one_free_block(512, 512)
    buddy.set_types(mem, np.array([1]), MigrateType.UNMOVABLE)
    assert free_lists(mem, MigrateType.UNMOVABLE) == [0] * 9 + [1, 0]
    assert free_lists(mem, MigrateType.MOVABLE) == [0] * 11
    assert mem.zone_types[0].tolist() == [1, 7, 0, 0, 0, 0]
    validate_memory(mem)


@pytest.mark.parametrize(
    ("last", "winner"), [(100, MigrateType.MOVABLE), (900, MigrateType.UNMOVABLE)]
)
def test_a_merged_block_of_two_pageblocks_gets_the_type_freed_last(last, winner):
    mem = one_free_block()
    occupy(mem, np.array([100, 900]), PageKind.SLAB)
    buddy.set_types(mem, np.array([1]), MigrateType.UNMOVABLE)
    for pfn in sorted([100, 900], key=lambda p: p == last):
        buddy.give_back(mem, FrameSet.of_pfns(np.array([pfn])))
    assert mem.types[:2].tolist() == [winner, winner]
    assert free_lists(mem, winner)[10] == 1
    validate_memory(mem)


def test_matching_types_touches_only_whole_free_blocks():
    mem = make_machine("pae")
    fragment(mem, 4)
    before = mem.types.copy()
    match_types(mem)
    assert np.array_equal(mem.types, before)
