"""What a machine looks like before its first allocation: hand counts."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from hotmem_viz.machine.boot_layout import BootLayout, BootRange
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.memory.build import all_groups, build_memory, frames_of_zone
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind
from tests.machines import make_machine, make_plan, make_spec


def test_reserved_ranges_are_not_managed():
    spec = make_spec("odd")
    reserved = (
        BootRange(1, 99, PageKind.RESERVED, "first pages"),
        BootRange(2040, 20, PageKind.KERNEL_IMAGE, "across the border at 2050"),
        BootRange(14000, 999, PageKind.MEMMAP, "top of node 1"),
    )
    layout = BootLayout(reserved, (), MappingProxyType({}))
    mem = build_memory(spec, make_plan(spec), layout, PROFILES["6.1"])
    count_blocks(mem, all_groups(mem), +1)
    validate_memory(mem)
    assert (mem.zones.present - mem.zones.managed).tolist() == [99, 10, 10, 0, 999]
    assert mem.zones.free.tolist() == mem.zones.managed.tolist()
    assert mem.zone_kinds[:, PageKind.KERNEL_IMAGE].tolist() == [0, 10, 10, 0, 0]


def test_pageblocks_start_movable_and_count_once():
    mem = make_machine("odd")
    # Pageblock 0 is DMA's, 1 to 4 DMA32's (2048, 2049), 5 to 14 Normal's (7168, 7169 are node
    # 0's), 15 to 17 and 20, 21 node 1's Normal (a hole between), 22 to 29 its Movable.
    assert mem.zone_types[:, MigrateType.MOVABLE].tolist() == [1, 4, 10, 5, 8]
    assert mem.zone_types.sum() == 28
    assert (mem.types == MigrateType.MOVABLE).all()


def test_free_blocks_of_a_fresh_machine():
    mem = make_machine("pae")
    dma = mem.free_blocks[mem.extents.zone_slices[0]].sum(axis=(0, 1))
    # Frames 1..127: one block each of 1, 2, 4 ... 64 frames.
    assert dma.tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    high = mem.free_blocks[mem.extents.zone_slices[2]].sum(axis=(0, 1))
    # 5630..5632 is a pair, 5632..6144 a pageblock, 6144..8192 two of 1024, 8192..9000 the rest.
    assert high.tolist() == [0, 1, 0, 1, 0, 1, 0, 0, 1, 2, 2]


def test_frames_of_a_zone_leave_out_holes_and_neighbours():
    mem = make_machine("odd")
    expected = [*range(2050, 5000), *range(5100, 7170)]
    assert frames_of_zone(mem, 2).pfns().tolist() == expected


def test_all_groups_are_those_with_memory():
    mem = make_machine("odd")
    there = (mem.kind.reshape(-1, 1024) != PageKind.HOLE).any(axis=1)
    assert all_groups(mem).tolist() == np.flatnonzero(there).tolist()
