"""How an attempt can end without a remap: each exit undoes what it must, and another try works."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.mechanisms import remap
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.pins import pin_pages
from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.residue import Handling, hold_for_device
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PageKind, SectionState
from tests.machines import clone
from tests.remap_machine import SECTION, SIZE, finish, make_remap, prepare, sound


@pytest.fixture(params=[1, 2], ids=["one-frame top", "two-frame top"])
def machine(request):
    return make_remap(request.param)


def undone(amap, s, attempt, before):
    assert amap.mem.section_state[SECTION] == SectionState.FAILED
    assert not amap.pages
    assert not amap.targets
    assert amap.mem.zones.free.sum() == before.zones.free.sum()
    assert amap.mem.zone_kinds.sum(axis=0).tolist() == before.zone_kinds.sum(axis=0).tolist()
    sound(amap, s)
    finish(prepare(amap, s), s)
    sound(amap, s)


@pytest.mark.parametrize("whole", [True, False])
def test_no_room_is_enomem_and_undoes_everything(machine, whole):
    amap, s = machine
    mem = amap.mem
    before = clone(mem)
    attempt = remap.start(amap, SECTION)
    while not remap.is_emptied(attempt):
        remap.empty(attempt, 1000)
    remap.find_residue(attempt)
    hog = alloc_pages(mem, GFP["KERNEL"], 1 << 20, PageKind.SLAB, may_reclaim=False)
    out = remap.reserve(attempt, s, whole=whole)
    assert attempt.verdict is Exit.ENOMEM
    assert out.refused
    free_pages(mem, hog.frames)
    undone(amap, s, attempt, before)


def test_a_device_page_is_ebusy(machine):
    amap, s = machine
    mem = amap.mem
    anon = np.flatnonzero(mem.kind[SECTION] == PageKind.ANON)[5] + SECTION * SIZE
    pin_pages(mem, FrameSet.of_range(int(anon), int(anon) + 1))
    attempt = prepare(amap, s)
    assert (attempt.verdict, attempt.pfn) == (Exit.EBUSY, anon)
    assert attempt.residue.only(Handling.DEVICE).tolist() == [anon]
    assert mem.section_state[SECTION] == SectionState.FAILED
    sound(amap, s)


@pytest.mark.parametrize("whole", [True, False])
def test_a_page_that_a_device_got_meanwhile_aborts_cleanly(machine, whole):
    amap, s = machine
    before = clone(amap.mem)
    attempt = prepare(amap, s, whole=whole)
    pfn = int(attempt.residue.only(Handling.REMAP)[4])
    hold_for_device(amap.mem, FrameSet.of_range(pfn, pfn + 1))
    tags = amap.contents.tags.tolist()
    assert not remap.look_again(attempt)
    assert (attempt.verdict, attempt.pfn) == (Exit.ABORTED, pfn)
    assert amap.contents.tags.tolist() == tags
    amap.mem.pinned_bits[:] = 0
    undone(amap, s, attempt, before)


def test_a_signal_while_emptying_gives_everything_back(machine):
    amap, s = machine
    before = clone(amap.mem)
    attempt = remap.start(amap, SECTION)
    moved = remap.empty(attempt, 20)
    assert moved.granted == attempt.moved == 20
    remap.fail(attempt, Exit.EINTR)
    undone(amap, s, attempt, before)


def test_users_pages_without_room_are_enomem(machine):
    amap, s = machine
    before = clone(amap.mem)
    hog = alloc_pages(amap.mem, GFP["KERNEL"], 1 << 20, PageKind.SLAB, may_reclaim=False)
    attempt = remap.start(amap, SECTION)
    assert not remap.empty(attempt, 500).granted
    remap.find_residue(attempt)
    first = int(attempt.residue.only(Handling.NO_ROOM)[0])
    assert (attempt.verdict, attempt.pfn) == (Exit.ENOMEM, first)
    free_pages(amap.mem, hog.frames)
    undone(amap, s, attempt, before)
