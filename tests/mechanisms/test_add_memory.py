"""Plugging memory in, onlining it and pulling it out: what it costs, and which zone it gets."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_layout import BootLayout
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory, remove_memory
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.hotplug import take_out
from hotmem_viz.mechanisms.online_zone import choose_zone
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.census import count_kinds
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, PageKind, SectionState, ZoneType
from tests.machines import occupy
from tests.slots import P, slots_machine

DMA32, NORMAL, MOVABLE = ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE
GIB, BLOCK = 1 << 18, 32768
PLAIN = parse_boot_options("", strict=True)


def options(text):
    return parse_boot_options(text, strict=True)


AUTO = "memory_hotplug.online_policy=auto-movable"


def real_machine(boot_gib, slot_blocks, text="", *, second=0, profile="6.1"):
    """Build a machine of real sections, all memory free: boot memory, then slots above."""
    top = boot_gib * GIB
    nodes = [NodeSpec(0, (PfnRange(0, top),))]
    if second:
        nodes.append(NodeSpec(1, (PfnRange(top, top + second * BLOCK),)))
        top += second * BLOCK
    slots = (NodeSpec(len(nodes) - 1, (PfnRange(top, top + slot_blocks * BLOCK),)),)
    spec = MachineSpec("real", tuple(nodes), pluggable=slots)
    kernel = PROFILES[profile]
    plan = plan_zones(spec, options(text), kernel)
    mem = build_memory(spec, plan, BootLayout((), (), MappingProxyType({})), kernel)
    buddy.count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    return mem, top


def test_g12_the_quota_of_auto_movable():
    """8 GiB of early kernel memory at 301 %: 192 blocks of 128 MiB; the 193rd is the kernel's."""
    mem, top = real_machine(8, 195)
    asked = options(AUTO)
    chosen = []
    for i in range(195):
        start = top + i * BLOCK
        add_memory(mem, start, start + BLOCK, asked)
        (zone,) = online_memory(mem, start, start + BLOCK, asked).by_zone
        chosen.append(ZoneType(int(mem.zones.type[zone])))
    assert chosen == [MOVABLE] * 192 + [NORMAL] * 3


def test_a_dimm_comes_as_a_whole_or_not_at_all():
    # 1 GiB early, 130 %: 10 blocks of Movable. A DIMM of 8 fits, a second one does not beside the
    # 3 blocks online of the first, though one block of it would.
    mem, top = real_machine(1, 16)
    asked = options(f"{AUTO} memory_hotplug.auto_movable_ratio=130")
    for dimm, zone in ((0, MOVABLE), (1, NORMAL)):
        start = top + dimm * 8 * BLOCK
        add_memory(mem, start, start + 8 * BLOCK, asked)
        # Its first block decides for all, even for one that would fit by itself.
        for i in (3, 0, 7):
            block = start + i * BLOCK
            online_memory(mem, block, block + BLOCK, asked)
            assert mem.zones.type[mem.zone[block // BLOCK, 0]] == zone
    movable = mem.zones.present[mem.zones.type == MOVABLE].sum()
    assert movable == 3 * BLOCK


def test_a_dimm_with_a_kernel_block_becomes_the_kernels():
    mem, top = real_machine(1, 4)
    add_memory(mem, top, top + 4 * BLOCK, PLAIN)
    asked = options(AUTO)
    assert choose_zone(mem, top, top + BLOCK, "online", asked) == MOVABLE
    online_memory(mem, top + 2 * BLOCK, top + 3 * BLOCK, asked, how="online_kernel")
    assert choose_zone(mem, top, top + BLOCK, "online", asked) == NORMAL


def test_the_ratio_is_kept_on_the_node_too_unless_told_otherwise():
    # Node 1 has 2 early blocks: at 301 % 6 may be Movable there, while the machine allows 30.
    for text, blocks in (("", 6), (" memory_hotplug.auto_movable_numa_aware=0", 30)):
        mem, top = real_machine(1, 32, second=2)
        asked = options(AUTO + text)
        movable = 0
        for i in range(32):
            add_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
            done = online_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
            movable += mem.zones.row(1, MOVABLE) in done.by_zone
        assert movable == blocks


def test_kernel_memory_of_a_dynamic_device_counts_for_itself_alone():
    # 1 GiB early at 100 %: 8 blocks. The device's own two kernel blocks make room for two more.
    mem, top = real_machine(1, 24)
    asked = options(f"{AUTO} memory_hotplug.auto_movable_ratio=100")
    device = MemoryGroup(top, top + 16 * BLOCK, unit_pages=BLOCK)
    add_memory(mem, top, top + 16 * BLOCK, asked, device)
    online_memory(mem, top, top + 2 * BLOCK, asked, how="online_kernel")
    for i in range(2, 13):
        online_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
    types = mem.zones.type[mem.zone[8:21, 0]].tolist()
    assert types == [NORMAL] * 2 + [MOVABLE] * 10 + [NORMAL]
    # To another device its 10 movable blocks cost 10 - 3 early ones, 8 - 7 are left: one block.
    other = top + 16 * BLOCK
    for i in range(2):
        add_memory(mem, other + i * BLOCK, other + (i + 1) * BLOCK, asked)
        online_memory(mem, other + i * BLOCK, other + (i + 1) * BLOCK, asked)
    assert mem.zones.type[mem.zone[24:26, 0]].tolist() == [MOVABLE, NORMAL]


def test_a_unit_of_a_dynamic_device_is_of_one_zone():
    mem, top = real_machine(1, 8)
    asked = options(AUTO)
    device = MemoryGroup(top, top + 8 * BLOCK, unit_pages=4 * BLOCK)
    add_memory(mem, top, top + 8 * BLOCK, asked, device)
    online_memory(mem, top + BLOCK, top + 2 * BLOCK, asked, how="online_kernel")
    assert choose_zone(mem, top + 2 * BLOCK, top + 3 * BLOCK, "online", asked) == NORMAL
    assert choose_zone(mem, top + 4 * BLOCK, top + 5 * BLOCK, "online", asked) == MOVABLE


def test_plain_online_follows_the_zone_that_spans_the_block():
    mem, top = real_machine(1, 6)
    add_memory(mem, top, top + 6 * BLOCK, PLAIN)

    def zone(i, how="online", text=""):
        return choose_zone(mem, top + i * BLOCK, top + (i + 1) * BLOCK, how, options(text))

    # Nothing of Normal or Movable spans it, above DMA32: the kernel's unless movable_node.
    assert (zone(0), zone(0, text="movable_node")) == (NORMAL, MOVABLE)
    assert (zone(0, "online_kernel"), zone(0, "online_movable")) == (NORMAL, MOVABLE)
    online_memory(mem, top + BLOCK, top + 2 * BLOCK, PLAIN, how="online_movable")
    online_memory(mem, top + 4 * BLOCK, top + 5 * BLOCK, PLAIN, how="online_movable")
    # Between two Movable blocks its span decides, at either side the default.
    assert [zone(i) for i in (0, 2, 3, 5)] == [NORMAL, MOVABLE, MOVABLE, NORMAL]
    online_memory(mem, top, top + BLOCK, PLAIN)
    online_memory(mem, top + 3 * BLOCK, top + 4 * BLOCK, PLAIN, how="online_kernel")
    # Now both span block 2: as if none did.
    assert (zone(2), zone(2, text="movable_node")) == (NORMAL, MOVABLE)
    # A block of boot memory in DMA32's span goes back to it, whatever "kernel" means elsewhere.
    take_out(mem, 2 * BLOCK, 3 * BLOCK)
    assert choose_zone(mem, 2 * BLOCK, 3 * BLOCK, "online_kernel", PLAIN) == DMA32
    # At its end the span has shrunk: there is no way back.
    take_out(mem, 7 * BLOCK, 8 * BLOCK)
    assert choose_zone(mem, 7 * BLOCK, 8 * BLOCK, "online_kernel", PLAIN) == NORMAL


def test_an_added_gib_costs_what_kernels_charge():
    """8 maps of 512 pages in order-9 pieces, a page table for the new GiB, 12 pages of devices."""
    mem, top = real_machine(1, 16)
    start = 2 * GIB - top + top  # The second GiB has a table of its own.
    assert top == GIB
    out = add_memory(mem, top, start, PLAIN)
    kinds = count_kinds(mem)
    assert (kinds[PageKind.MEMMAP], kinds[PageKind.PAGE_TABLE]) == (8 * 512, 1)
    # (8 * 5200 + 5400) / 4096 = 11.5
    assert kinds[PageKind.SLAB] == 12
    assert len(out.frames) == 4109
    maps = np.flatnonzero(mem.kind.ravel() == PageKind.MEMMAP).reshape(8, 512)
    assert (maps[:, 0] % 512 == 0).all()
    assert (np.diff(maps, axis=1) == 1).all()
    free = mem.zones.free.sum()
    assert remove_memory(mem, top, start).granted == 1
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
