"""Counts by kind, zone and section against hand counts and plain recounts."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.pins import pin_pages
from hotmem_viz.memory.census import count_by_section, count_by_zone, count_kinds, least_movable
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import Movability, PageKind
from tests.machines import CACHE, NAMES, STUBBORN, fragment, make_machine, occupy


def test_hand_count():
    mem = make_machine("odd")
    occupy(mem, np.arange(2000, 2100), PageKind.ANON, 1)
    occupy(mem, np.arange(3070, 3080), PageKind.SLAB, 3)
    kinds = count_kinds(mem)
    assert (kinds[PageKind.ANON], kinds[PageKind.SLAB], kinds[PageKind.HOLE]) == (100, 10, 0)
    assert kinds.sum() == mem.spec.present_pages
    assert count_by_zone(mem)[:, PageKind.ANON].tolist() == [0, 50, 50, 0, 0]
    assert count_by_section(mem)[:, PageKind.SLAB].tolist() == [2, 8, 0, 0, 0]


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_a_recount(name):
    mem = make_machine(name)
    fragment(mem, 11)
    for section, row in enumerate(mem.kind):
        counted = np.bincount(row, minlength=len(PageKind))
        counted[PageKind.HOLE] = 0
        assert count_by_section(mem)[section].tolist() == counted.tolist()
    assert count_by_zone(mem).sum(axis=0).tolist() == count_kinds(mem).tolist()


def test_counts_are_not_the_machines_own():
    mem = make_machine("plain")
    count_by_zone(mem)[:] = 0
    assert mem.zone_kinds.sum() == 4096


def test_one_pinned_page_blocks_a_section():
    mem = make_machine("odd")
    occupy(mem, np.arange(6200, 6900), PageKind.ANON, 1)
    found = least_movable(mem, 2)
    assert found is not None
    assert found.kind.movability is Movability.MOVES
    occupy(mem, np.array([7777, 8888]), PageKind.PINNED, 3)
    found = least_movable(mem, 2)
    assert found == (PageKind.PINNED, 2, 7777, STUBBORN)
    assert PageKind.PINNED.movability is Movability.NEVER
    assert least_movable(mem, 1) is None


def test_a_page_that_is_pinned_blocks_a_section_whatever_it_holds():
    mem = make_machine("odd")
    occupy(mem, np.arange(6200, 6900), PageKind.ANON, 1)
    pin_pages(mem, FrameSet.of_pfns(np.array([6333, 6401])))
    assert least_movable(mem, 2) == (PageKind.PINNED, 2, 6333, CACHE)
    assert (mem.kind.ravel()[6200:6900] == PageKind.ANON).all()


@pytest.mark.parametrize("section", [-1, 5])
def test_unknown_section_is_refused(section):
    with pytest.raises(ParameterError, match=r"section.*0 to 4"):
        least_movable(make_machine("odd"), section)
