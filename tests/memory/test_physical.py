"""Filling and clearing frames, against plain assignment; fields that cannot be rebound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.mechanisms import buddy
from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, SECTION_FIELDS
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind
from tests.machines import HELD_KINDS, NAMES, fragment, held_frames, make_machine, occupy


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_fill_and_clear_change_these_frames_alone(name, seed):
    rng = np.random.default_rng(seed)
    mem = make_machine(name)
    kind, owner = mem.kind.ravel().copy(), mem.owner.ravel().copy()
    for _ in range(6):
        pfns = rng.integers(0, mem.kind.size, int(rng.integers(1, 900)))
        free = np.unique(pfns[kind[pfns] == PageKind.FREE])
        what = HELD_KINDS[int(rng.integers(len(HELD_KINDS)))]
        who = int(rng.integers(4))
        occupy(mem, pfns, what, who)
        kind[free], owner[free] = what, who
        held = np.flatnonzero(kind > PageKind.FREE)
        gone = held[rng.random(len(held)) < 0.4]
        if len(gone):
            buddy.give_back(mem, FrameSet.of_pfns(gone))
            kind[gone], owner[gone] = PageKind.FREE, 0
        assert np.array_equal(mem.kind.ravel(), kind)
        assert np.array_equal(mem.owner.ravel(), owner)
    validate_memory(mem)


@pytest.mark.parametrize("name", NAMES)
def test_locate_puts_each_frame_into_one_extent_of_its_zone(name):
    mem = make_machine(name)
    fragment(mem, 5)
    held = held_frames(mem)
    words, bits, extents = mem.locate(FrameSet.of_pfns(held).words, FrameSet.of_pfns(held).bits)
    found = np.concatenate(
        [FrameSet(words[i : i + 1], bits[i : i + 1]).pfns() for i in range(len(words))]
    )
    assert np.array_equal(np.sort(found), held)
    per_word = np.bitwise_count(bits)
    zone = np.repeat(mem.extents.zone[extents], per_word)
    section = np.repeat(mem.extents.section[extents], per_word)
    assert np.array_equal(mem.zone.ravel()[found], zone)
    assert np.array_equal(found // mem.spec.section_pages, section)


@pytest.mark.parametrize("field", PAGE_FIELDS + SECTION_FIELDS + COUNT_FIELDS, ids=lambda f: f.name)
def test_fields_have_the_declared_shape_and_cannot_be_rebound(field):
    mem = make_machine("odd")
    array = getattr(mem, field.name)
    assert array.dtype == field.dtype
    assert array.shape == mem.shape(field)
    with pytest.raises(AttributeError, match=field.name):
        setattr(mem, field.name, array.copy())


def test_owner_keeps_its_row():
    owners = make_machine("plain").owners
    row = owners.add("dcache", shrinkable=True)
    assert owners.add("dcache") == row
    assert owners.names[row] == "dcache"
    assert owners.shrinkable[row]
    assert (owners.names[0], owners.shrinkable[0]) == ("nobody", False)
