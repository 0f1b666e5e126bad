"""The region for devices: whole sections that nobody else gets, and what spills."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.device_region import alloc_for_device, set_aside
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind

P = 1024


@pytest.fixture
def mem():
    spec = find_preset("classroom")
    return boot_machine(spec, BootOptions(), find_profile("6.1", spec.arch))


def where(mem, kind):
    return np.flatnonzero(mem.kind.reshape(-1) == kind)


def test_it_is_the_highest_free_sections_of_the_node_rounded(mem):
    before = int(mem.zones.free.sum())
    region = set_aside(mem, 0.05, 0)
    # 5 % of 65,536 pages are 3.2 sections of 1,024.
    assert region.pages == 3 * P
    kinds = mem.kind.reshape(-1, P)
    free = [s for s in range(56) if (kinds[s] == PageKind.FREE).all()]
    assert region.sections.tolist() == free[-3:]
    assert before - int(mem.zones.free.sum()) == 3 * P
    assert (mem.migratetype[region.sections] == MigrateType.ISOLATE).all()
    validate_memory(mem)


@pytest.mark.parametrize(("share", "sections"), [(0.0, 0), (0.001, 1), (0.0235, 2)])
def test_of_nothing_there_is_none_and_else_one_at_least(mem, share, sections):
    assert set_aside(mem, share, 1).pages == sections * P


def test_devices_fill_it_from_below_and_the_rest_lies_elsewhere(mem):
    region = set_aside(mem, 0.02, 0)
    (section,) = region.sections.tolist()
    free = int(mem.zones.free.sum())
    out = alloc_for_device(region, 700, owner=0, nid=0)
    assert (out.granted, region.held, region.spilled) == (700, 700, 0)
    assert where(mem, PageKind.PINNED).tolist() == list(range(section * P, section * P + 700))
    assert int(mem.zones.free.sum()) == free
    validate_memory(mem)
    out = alloc_for_device(region, 500, owner=0, nid=1)
    assert (out.granted, region.held, region.spilled) == (500, 1024, 176)
    held = where(mem, PageKind.PINNED)
    inside = held // P == section
    assert (int(inside.sum()), int((~inside).sum())) == (1024, 176)
    assert sorted(out.frames.pfns().tolist()) == sorted(
        set(held.tolist()) - set(range(section * P, section * P + 700))
    )
    assert int(mem.zones.free.sum()) == free - 176
    validate_memory(mem)


def test_nobody_else_gets_its_pages(mem):
    region = set_aside(mem, 0.03, 0)
    alloc_pages(mem, GFP["KERNEL"], 60_000, PageKind.SLAB, nid=0, may_reclaim=False)
    assert (mem.kind[region.sections] == PageKind.FREE).all()
    assert alloc_for_device(region, 5, owner=0, nid=0).granted == 5


def test_a_page_that_a_device_gives_back_is_free_for_the_next_device_alone(mem):
    region = set_aside(mem, 0.02, 0)
    first = alloc_for_device(region, 10, owner=0, nid=0)
    free = int(mem.zones.free.sum())
    free_pages(mem, first.frames)
    assert int(mem.zones.free.sum()) == free
    again = alloc_for_device(region, 3, owner=0, nid=0)
    assert again.frames.pfns().tolist() == first.frames.pfns()[:3].tolist()
    validate_memory(mem)


def test_without_a_region_all_of_it_spills(mem):
    region = set_aside(mem, 0.0, 0)
    out = alloc_for_device(region, 40, owner=0, nid=1)
    assert (out.granted, region.held, region.spilled) == (40, 0, 40)
    assert isinstance(out.frames, FrameSet)
