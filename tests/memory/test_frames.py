"""Frame sets against Python's own sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.memory.frames import FrameSet, pack, range_bits, union, unpack

PFNS = st.sets(st.integers(0, 400), max_size=90)
quick = settings(deadline=None, derandomize=True, max_examples=80)


def of(pfns: set[int]) -> FrameSet:
    return FrameSet.of_pfns(np.array(sorted(pfns), np.int64))


def is_sound(frames: FrameSet) -> bool:
    ascending = (frames.words[1:] > frames.words[:-1]).all()
    return bool(ascending and (frames.bits != 0).all())


@quick
@given(PFNS)
def test_pfns_come_back(pfns):
    frames = of(pfns)
    assert frames.pfns().tolist() == sorted(pfns)
    assert len(frames) == len(pfns)
    assert is_sound(frames)


@quick
@given(st.lists(PFNS, max_size=4))
def test_union_is_that_of_sets(parts):
    together = union([of(p) for p in parts])
    assert set(together.pfns().tolist()) == set().union(*parts)
    assert is_sound(together)


@quick
@given(PFNS, st.integers(-3, 100))
def test_lowest_are_the_smallest_pfns(pfns, n):
    assert of(pfns).lowest(n).pfns().tolist() == sorted(pfns)[: max(n, 0)]
    assert is_sound(of(pfns).lowest(n))


@quick
@given(st.integers(0, 300), st.integers(0, 300))
def test_range_holds_its_frames(start, end):
    assert FrameSet.of_range(start, end).pfns().tolist() == list(range(start, end))


def test_union_leaves_its_parts_alone():
    parts = [of({1, 2}), of({2, 70})]
    union(parts)
    assert [p.pfns().tolist() for p in parts] == [[1, 2], [2, 70]]


def test_lowest_leaves_the_set_alone():
    frames = of({3, 4, 5, 64})
    frames.lowest(2)
    assert frames.pfns().tolist() == [3, 4, 5, 64]


def test_pack_undoes_unpack():
    bits = np.array([1, 1 << 63, 0x8000_0001_0F0F_0002], np.uint64)
    assert unpack(bits)[1].tolist() == [0] * 63 + [1]
    assert pack(unpack(bits)).tolist() == bits.tolist()


@pytest.mark.parametrize(("start", "end"), [(5, 5), (7, 3)])
def test_empty_range_has_no_words(start, end):
    words, bits = range_bits(start, end)
    assert len(words) == len(bits) == 0
