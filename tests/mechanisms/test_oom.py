"""The verdict and the two numbers beside it, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.oom import (
    count_useless,
    estimate_available,
    is_out_of_memory,
    total_reserve,
)
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType
from tests.machines import fragment, make_machine, occupy

NORMAL, MOVABLE = ZoneType.NORMAL, ZoneType.MOVABLE


def three_zones():
    """The pae machine with marks that one can do sums with: DMA, Normal, HighMem."""
    mem = make_machine("pae")
    zones = mem.zones
    zones.min[:], zones.low[:], zones.high[:] = [10, 100, 50], [12, 125, 60], [14, 150, 70]
    zones.protection[:] = 0
    zones.protection[0] = [0, 0, 20, 30, 30]
    zones.protection[1] = [0, 0, 0, 200, 200]
    return mem


def test_useless_free_pages():
    mem = three_zones()
    mem.zones.boost[1] = 512
    occupy(mem, np.arange(1, 108), PageKind.ANON)
    assert mem.zones.free.tolist() == [20, 5406, 3370]
    # DMA keeps 10 + 20 but has 20; Normal keeps 100 + 512; all of HighMem is out of reach.
    assert count_useless(mem, NORMAL).tolist() == [20, 612, 3370]
    assert count_useless(mem, ZoneType.HIGHMEM).tolist() == [20, 812, 50]
    assert count_useless(mem, ZoneType.DMA).tolist() == [10, 5406, 3370]


@pytest.mark.parametrize(("free", "verdict"), [(100, True), (101, False)])
def test_inequality_at_its_border(free, verdict):
    mem = three_zones()
    mem.zones.free[:] = [30, free, 9999]
    assert is_out_of_memory(mem, mem.zonelists[0, NORMAL], NORMAL) is verdict
    mem.zones.free[:] = [31, 100, 9999]
    assert not is_out_of_memory(mem, mem.zonelists[0, NORMAL], NORMAL)
    mem.zones.boost[0] = 1
    assert is_out_of_memory(mem, mem.zonelists[0, NORMAL], NORMAL)


def test_mem_available():
    mem = three_zones()
    zones = mem.zones
    zones.total_reserve = total_reserve(zones.managed, zones.high, zones.protection.max(axis=1))
    reserve = (14 + 30) + (150 + 200) + 70
    assert zones.total_reserve == reserve
    assert estimate_available(mem) == mem.spec.present_pages - reserve
    occupy(mem, np.arange(1000, 1100), PageKind.PAGE_CACHE, 1)
    occupy(mem, np.arange(2000, 2600), PageKind.RECLAIMABLE_SLAB, 2)
    occupy(mem, np.arange(3000, 3050), PageKind.ANON, 1)
    # Half of the cache, 197 (the low marks) of the slab and all of the rest may not go.
    lost = 50 + 197 + 50
    assert estimate_available(mem) == mem.spec.present_pages - reserve - lost
    mem.zones.boost[1] = 512
    # The reserve was totalled without boost, the low marks are today's.
    assert estimate_available(mem) == mem.spec.present_pages - reserve - 50 - 300 - 50


def test_mem_available_is_never_negative():
    mem = three_zones()
    occupy(mem, np.arange(1, 9000)[np.r_[0:159, 255:8999]], PageKind.ANON)
    assert estimate_available(mem) == 0


@pytest.mark.parametrize("name", ["odd", "pae", "woven"])
@pytest.mark.parametrize("gfp", sorted(GFP))
def test_the_inequality_holds_at_every_oom_report(name, gfp):
    mem = make_machine(name)
    fragment(mem, 17, runs=40)
    request = GFP[gfp]
    out = alloc_pages(mem, request, 20_000, PageKind.PINNED)
    zonelist = mem.zonelists[0, request.highest]
    assert out.reports[-1].kind is EventKind.OOM
    assert out.reports[-1].facts["left"] == out.refused > 0
    assert is_out_of_memory(mem, zonelist, request.highest)
    zones = mem.zones
    for z in zonelist:
        line = zones.min[z] + zones.boost[z] + zones.protection[z, request.highest]
        assert zones.free[z] <= line
        assert not mem.zone_kinds[z, [PageKind.PAGE_CACHE, PageKind.BUFFER]].any()


def test_kernel_memory_runs_out_while_movable_memory_is_free():
    mem = make_machine("odd")
    out = alloc_pages(mem, GFP["KERNEL"], 20_000, PageKind.SLAB, nid=1)
    assert out.refused
    assert mem.zones.free[4] == mem.zones.present[4]
    assert 4 not in out.by_zone
