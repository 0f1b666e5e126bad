"""Isolation by hand: which page vetoes, by which rule, and what a veto or an undo leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.isolation import Veto, VetoRule, isolate, undo_isolation
from hotmem_viz.mechanisms.isolation import find_veto as veto_or_none
from hotmem_viz.mechanisms.reclaim import find_reclaimable
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, ZONE_FIELDS
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind
from tests.machines import SHRINKABLE, make_machine, occupy
from tests.vetoes import find_veto, veto_of

NORMAL_BLOCK = (3072, 6144)
MOVABLE_BLOCK = (12288, 14336)
MOVABLE = 4


def state(mem):
    arrays = {f.name: getattr(mem, f.name).copy() for f in PAGE_FIELDS + COUNT_FIELDS}
    return arrays | {f.name: getattr(mem.zones, f.name).copy() for f in ZONE_FIELDS}


def differences(one, other):
    return {name for name in one if not np.array_equal(one[name], other[name])}


@pytest.mark.parametrize(
    ("kind", "normal", "movable"),
    [
        (PageKind.FREE, None, None),
        (PageKind.PAGE_CACHE, None, None),
        (PageKind.ANON, None, None),
        (PageKind.BUFFER, None, None),
        (PageKind.RECLAIMABLE_SLAB, VetoRule.UNMOVABLE, None),
        (PageKind.SLAB, VetoRule.UNMOVABLE, None),
        (PageKind.KERNEL_STACK, VetoRule.UNMOVABLE, None),
        (PageKind.KERNEL_BUFFER, VetoRule.UNMOVABLE, None),
        (PageKind.PAGE_TABLE, VetoRule.UNMOVABLE, None),
        (PageKind.PINNED, VetoRule.UNMOVABLE, None),
        (PageKind.RESERVED, VetoRule.RESERVED, VetoRule.RESERVED),
        (PageKind.MEMMAP, VetoRule.RESERVED, VetoRule.RESERVED),
        (PageKind.KERNEL_IMAGE, VetoRule.RESERVED, VetoRule.RESERVED),
    ],
)
def test_one_page_of_each_kind(kind, normal, movable):
    for (start, _), rule in ((NORMAL_BLOCK, normal), (MOVABLE_BLOCK, movable)):
        mem = make_machine("odd")
        if kind is not PageKind.FREE:
            occupy(mem, np.array([start + 700]), kind, 2)
        expected = None if rule is None else Veto(start + 700, kind, SHRINKABLE, rule)
        assert veto_or_none(mem, start, start + 1024) == expected


def test_a_hole_is_reserved():
    veto = find_veto(make_machine("odd"), *NORMAL_BLOCK)
    assert (veto.pfn, veto.kind, veto.rule) == (5000, PageKind.HOLE, VetoRule.RESERVED)


def test_the_first_pageblock_is_asked_first_then_the_last_then_the_others():
    mem = make_machine("plain")
    for pfn, expected in ((2000, 2000), (1030, 1030), (4000, 4000), (3990, 3990), (600, 600)):
        occupy(mem, np.array([pfn]), PageKind.SLAB)
        assert find_veto(mem, 512, 4096).pfn == expected
    free_pages(mem, FrameSet.of_pfns(np.array([600, 3990])))
    occupy(mem, np.array([3000, 2500]), PageKind.SLAB)
    assert find_veto(mem, 512, 4096).pfn == 4000
    free_pages(mem, FrameSet.of_pfns(np.array([4000])))
    assert find_veto(mem, 512, 4096).pfn == 1030


def test_a_cma_pageblock_and_an_isolated_one_are_refused_as_such():
    mem = make_machine("plain")
    mem.types[5] = MigrateType.CMA
    assert find_veto(mem, 2048, 4096).rule is VetoRule.CMA
    mem.types[5] = MigrateType.ISOLATE
    veto = find_veto(mem, 2048, 4096)
    assert (veto.rule, veto.pfn, veto.kind) == (VetoRule.ISOLATED, 2560, PageKind.FREE)


def test_isolated_frames_are_free_for_nobody():
    mem = make_machine("odd")
    occupy(mem, np.arange(12300, 12400), PageKind.ANON, 1)
    free_before = int(mem.zones.free[MOVABLE])
    isolation = isolate(mem, *MOVABLE_BLOCK)
    assert isolation.veto is None
    assert mem.zones.free[MOVABLE] == free_before - (2048 - 100)
    validate_memory(mem)
    everything = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 20_000, PageKind.ANON, nid=1)
    assert everything.refused
    assert not np.isin(everything.frames.pfns(), np.arange(*MOVABLE_BLOCK)).any()
    kernel = alloc_pages(mem, GFP["KERNEL"], 20_000, PageKind.SLAB, order=2, nid=1)
    assert not np.isin(kernel.frames.pfns(), np.arange(*MOVABLE_BLOCK)).any()
    validate_memory(mem)


def test_what_is_freed_into_isolated_pageblocks_stays_there():
    mem = make_machine("odd")
    occupy(mem, np.arange(12000, 12700), PageKind.ANON, 1)
    isolate(mem, *MOVABLE_BLOCK)
    free_before = int(mem.zones.free[MOVABLE])
    free_pages(mem, FrameSet.of_range(12000, 12700))
    assert mem.zones.free[MOVABLE] == free_before + (MOVABLE_BLOCK[0] - 12000)
    part = mem.extents.zone_slices[MOVABLE]
    assert mem.free_blocks[part, MigrateType.ISOLATE].sum(axis=0).tolist() == [0] * 10 + [2]
    validate_memory(mem)


def test_reclaim_leaves_isolated_and_pinned_pages_alone():
    mem = make_machine("odd")
    occupy(mem, np.arange(11300, 14400), PageKind.PAGE_CACHE, 1)
    mem.pinned_bits[11328 // 64] = 7
    isolate(mem, *MOVABLE_BLOCK)
    found = find_reclaimable(mem, MOVABLE, 4000).pfns()
    expected = np.r_[11300:11328, 11331:12288, 14336:14400]
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("profile", ["6.1", "7.2"])
def test_undone_isolation_leaves_all_but_types_before_6_17(profile):
    mem = make_machine("odd", profile=profile)
    buddy.set_types(mem, np.array([26, 27]), MigrateType.UNMOVABLE)
    occupy(mem, np.arange(12400, 12500), PageKind.ANON, 1)
    before = state(mem)
    undo_isolation(mem, isolate(mem, *MOVABLE_BLOCK))
    validate_memory(mem)
    changed = differences(state(mem), before)
    if profile == "7.2":
        assert not changed
    else:
        assert changed == {"migratetype", "zone_types", "free_blocks"}
        assert (mem.types[24:28] == MigrateType.MOVABLE).all()


def test_a_veto_leaves_all_as_it_was_on_kernels_that_keep_types():
    mem = make_machine("plain", profile="7.2")
    buddy.set_types(mem, np.array([2, 3]), MigrateType.RECLAIMABLE)
    occupy(mem, np.array([2000]), PageKind.SLAB)
    before = state(mem)
    assert veto_of(isolate(mem, 0, 4096)).pfn == 2000
    assert not differences(state(mem), before)


def test_a_veto_on_6_1_turns_movable_what_was_isolated_before_it():
    mem = make_machine("plain")
    buddy.set_types(mem, np.arange(8), MigrateType.UNMOVABLE)
    occupy(mem, np.array([1600]), PageKind.SLAB)
    isolate(mem, 0, 4096)
    u, m = MigrateType.UNMOVABLE, MigrateType.MOVABLE
    # Asked: 0, 7, 1, 2; then 3 holds the slab page. 6 is the other half of a free block with 7.
    assert mem.types.tolist() == [m, m, m, u, u, u, m, m]
    validate_memory(mem)


def test_what_was_freed_meanwhile_merges_under_one_type():
    mem = make_machine("plain", profile="7.2")
    occupy(mem, np.arange(400, 700), PageKind.ANON)
    buddy.set_types(mem, np.array([0]), MigrateType.UNMOVABLE)
    isolation = isolate(mem, 0, 1024)
    free_pages(mem, FrameSet.of_range(400, 700))
    undo_isolation(mem, isolation)
    assert mem.types[:2].tolist() == [MigrateType.MOVABLE, MigrateType.MOVABLE]
    validate_memory(mem)


@pytest.mark.parametrize(("start", "end"), [(512, 2048), (0, 1536), (1024, 1024), (2048, 1024)])
def test_half_a_group_cannot_be_isolated(start, end):
    with pytest.raises(ParameterError, match="range"):
        isolate(make_machine("plain"), start, end)
