"""Plugging memory in, onlining it and pulling it out: what it costs, and which zone it gets."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory, remove_memory
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.hotplug import take_out
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.memory.census import count_kinds
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, PageKind, SectionState, ZoneType
from tests.machines import occupy
from tests.slots import BLOCK, GIB, P, real_machine, slots_machine

NORMAL, MOVABLE = ZoneType.NORMAL, ZoneType.MOVABLE
PLAIN = parse_boot_options("", strict=True)


def options(text):
    return parse_boot_options(text, strict=True)


def test_an_added_gib_costs_what_kernels_charge():
    """8 maps of 512 pages in order-9 pieces, a page table for the new GiB, 12 pages of devices."""
    mem, top = real_machine(1, 16)
    end = 2 * GIB
    out = add_memory(mem, top, end, PLAIN)
    kinds = count_kinds(mem)
    assert (kinds[PageKind.MEMMAP], kinds[PageKind.PAGE_TABLE]) == (8 * 512, 1)
    # (8 * 5200 + 5400) / 4096 = 11.5
    assert kinds[PageKind.SLAB] == 12
    assert len(out.frames) == 4109
    maps = np.flatnonzero(mem.kind.ravel() == PageKind.MEMMAP).reshape(8, 512)
    assert (maps[:, 0] % 512 == 0).all()
    assert (np.diff(maps, axis=1) == 1).all()
    free = mem.zones.free.sum()
    assert remove_memory(mem, top, end).granted == 1
    assert mem.zones.free.sum() == free + 4109
    assert (count_kinds(mem)[[PageKind.MEMMAP, PageKind.SLAB]] == 0).all()
    assert (mem.section_state[8:16] == SectionState.ABSENT).all()


def test_one_table_maps_all_that_comes_into_a_gib():
    mem, top = real_machine(1, 16)
    tables = []
    for i in (0, 1, 8):
        add_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, PLAIN)
        tables.append(int(count_kinds(mem)[PageKind.PAGE_TABLE]))
    assert tables == [1, 1, 2]


def test_virtio_mem_does_not_ask_for_maps_in_its_own_memory():
    mem, top = real_machine(1, 2, profile="6.12")
    asked = options("memory_hotplug.memmap_on_memory=1 memhp_default_state=offline")
    device = MemoryGroup(top, top + 2 * BLOCK, unit_pages=BLOCK)
    add_memory(mem, top, top + BLOCK, asked, device)
    assert count_kinds(mem)[PageKind.MEMMAP] == 512
    # The device stays while any of its memory does.
    add_memory(mem, top + BLOCK, top + 2 * BLOCK, asked, device)
    remove_memory(mem, top, top + BLOCK)
    assert mem.groups == [device]
    remove_memory(mem, top + BLOCK, top + 2 * BLOCK)
    assert not mem.groups


@pytest.mark.parametrize(
    ("profile", "blocks", "own"), [("6.1", 2, 0), ("6.1", 1, 512), ("6.12", 2, 512)]
)
def test_memmap_on_memory_and_when_it_is_ignored(profile, blocks, own):
    mem, top = real_machine(1, 4, profile=profile)
    asked = options("memory_hotplug.memmap_on_memory=1 memhp_default_state=offline")
    end = top + blocks * BLOCK
    add_memory(mem, top, end, asked)
    kernel = count_kinds(mem)[PageKind.MEMMAP]
    assert kernel == (0 if own else 512 * blocks)
    assert (mem.section_state[8 : 8 + blocks] == SectionState.OFFLINE).all()
    online_memory(mem, top, end, asked, how="online_movable")
    row = mem.zones.row(0, MOVABLE)
    assert mem.zones.present[row] == blocks * BLOCK
    assert mem.zones.managed[row] == blocks * (BLOCK - own)
    assert (mem.kind[8, :512] == PageKind.MEMMAP).all() == bool(own)
    validate_memory(mem)
    take_out(mem, top, end)
    assert remove_memory(mem, top, end).granted
    assert count_kinds(mem)[PageKind.MEMMAP] == 0
    validate_memory(mem)


def test_a_block_on_a_classroom_machine_cannot_hold_its_own_map():
    mem = slots_machine()
    asked = options("memory_hotplug.memmap_on_memory=1")
    add_memory(mem, 6 * P, 7 * P, asked)
    # 2,048 struct pages are 32 pages, in one piece; (5200 + 5400) / 4096 are 3.
    assert mem.zone_kinds[:, PageKind.MEMMAP].sum() == 32
    assert mem.zone_kinds[:, PageKind.SLAB].sum() == 3
    maps = np.flatnonzero(mem.kind.ravel() == PageKind.MEMMAP)
    assert maps[0] % 32 == 0
    assert maps[-1] - maps[0] == 31


@pytest.mark.parametrize(
    ("profile", "text", "state"),
    [
        ("6.1", "", SectionState.OFFLINE),
        ("6.12", "", SectionState.ONLINE),
        ("7.2", "", SectionState.ONLINE),
        ("7.2", "memhp_default_state=offline", SectionState.OFFLINE),
        ("6.1", "memhp_default_state=online_movable", SectionState.ONLINE),
    ],
)
def test_who_onlines_a_dimm(profile, text, state):
    mem, top = real_machine(1, 2, profile=profile)
    out = add_memory(mem, top, top + 2 * BLOCK, options(text))
    assert (mem.section_state[8:10] == state).all()
    zone = mem.zones.row(0, MOVABLE if "movable" in text else NORMAL)
    assert out.by_zone == ({} if state == SectionState.OFFLINE else {zone: 2 * BLOCK})
    validate_memory(mem)


def test_too_little_kernel_memory_takes_nothing_and_reports_it():
    mem = slots_machine()
    alloc_pages(mem, GFP["KERNEL"], mem.kind.size, PageKind.SLAB, owner=3)
    before = mem.kind.copy()
    out = add_memory(mem, 12 * P, 14 * P, PLAIN)
    assert (out.granted, out.refused) == (0, 1)
    assert out.reports[-1].kind is EventKind.OOM
    assert np.array_equal(mem.kind, before)
    assert (mem.section_state[12:14] == SectionState.ABSENT).all()
    assert not mem.added
    assert not mem.groups
    validate_memory(mem)


def test_maps_fall_back_to_single_pages_and_a_table():
    mem = slots_machine()
    # Every second page is free, and nothing in pieces of 32.
    occupy(mem, np.flatnonzero(mem.kind.ravel() == PageKind.FREE)[::2], PageKind.SLAB)
    out = add_memory(mem, 12 * P, 13 * P, PLAIN)
    assert out.granted == 1
    kinds = count_kinds(mem)
    assert (kinds[PageKind.MEMMAP], kinds[PageKind.PAGE_TABLE]) == (32, 1)
    validate_memory(mem)


def test_removal_wants_all_blocks_offline_and_the_range_that_was_added():
    mem = slots_machine()
    add_memory(mem, 12 * P, 14 * P, PLAIN)
    online_memory(mem, 13 * P, 14 * P, PLAIN)
    assert remove_memory(mem, 12 * P, 14 * P).refused == 1
    with pytest.raises(ParameterError, match="added as one"):
        remove_memory(mem, 12 * P, 13 * P)
    take_out(mem, 13 * P, 14 * P)
    assert remove_memory(mem, 12 * P, 14 * P).granted == 1
    add_memory(mem, 12 * P, 14 * P, PLAIN)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (12 * P, 12 * P + 512, "memory blocks of 2048"),
        (0, P, "slots that are empty"),
        (13 * P, 15 * P, "slots of one node"),
        (7 * P, 8 * P, "slots that are empty"),
    ],
)
def test_what_cannot_be_plugged_in(start, end, message):
    with pytest.raises(ParameterError, match=message):
        add_memory(slots_machine(), start, end, PLAIN)


def test_a_word_that_no_block_understands():
    mem = slots_machine()
    add_memory(mem, 12 * P, 13 * P, PLAIN)
    with pytest.raises(ParameterError, match="state: 'offline'"):
        online_memory(mem, 12 * P, 13 * P, PLAIN, how="offline")
