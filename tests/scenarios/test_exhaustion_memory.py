"""In the exhaustion lesson no page is lost or made up, and kernel pages stay confined.

Expected values are recounted from the map; the scenario's own counting is not used.
"""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.catalog import build_run
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind, ZoneType
from tests.scenarios.ledger import column, per_zone, zone_of_cells

REMAP_ONLY = (
    PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_STACK, PageKind.KERNEL_BUFFER,
    PageKind.PAGE_TABLE,
)  # fmt: skip


def test_kinds_sum_to_the_machines_memory_in_every_tick(any_lesson):
    meta = any_lesson.meta
    kinds = [c["name"] for c in meta["counters"] if c["name"].startswith("kind.")]
    assert len(kinds) == len(PageKind)
    held = [column(any_lesson, name) for name in kinds if name != "kind.hole"]
    total = np.sum(held, axis=0)
    in_ranges = sum(b - a for node in meta["machine"]["nodes"] for a, b in node["ranges"])
    assert set(total.tolist()) == {in_ranges} == {meta["machine"]["present_pages"]}
    assert sum(z["present"] for z in meta["zones"]) == in_ranges


def test_counters_equal_a_recount_of_the_map(page_by_page):
    zones = zone_of_cells(page_by_page)
    n_zones = len(page_by_page.meta["zones"])
    free = per_zone(page_by_page, "free")
    kinds = np.stack([column(page_by_page, f"kind.{k.name.lower()}") for k in PageKind], axis=1)
    for tick in range(page_by_page.n_ticks):
        cells = page_by_page.frame(tick)
        counted = np.bincount(zones[cells == PageKind.FREE], minlength=n_zones)
        assert counted.tolist() == free[tick].tolist(), f"tick {tick}"
        held = np.bincount(cells, minlength=len(PageKind))
        assert held[1:].tolist() == kinds[tick, 1:].tolist(), f"tick {tick}"
    assert column(page_by_page, "free").tolist() == free.sum(axis=1).tolist()


def test_pageblocks_equal_a_recount_of_the_track(page_by_page):
    counted = [column(page_by_page, f"pageblocks.{t}") for t in ("unmovable", "movable")]
    there = page_by_page.frame(0).reshape(-1, 512).any(axis=1)
    for tick in range(0, page_by_page.n_ticks, 7):
        types = page_by_page.migratetype.frame(tick)[there]
        assert [int((types == t).sum()) for t in (0, 1)] == [int(c[tick]) for c in counted]


def test_the_memory_is_sound_all_the_way():
    run = build_run("exhaustion", movable=0.4, user=0.7, seed=2)
    for number, _ in enumerate(run.ticks()):
        if number % 10 == 0:
            validate_memory(run.memory)
    validate_memory(run.memory)


def test_owners_hold_what_the_counters_say(page_by_page):
    names = {o["id"]: o["name"] for o in page_by_page.meta["owners"]}
    last = page_by_page.n_ticks - 1
    kinds, owners = page_by_page.frame(last), page_by_page.owner.frame(last)
    assert not owners[kinds <= PageKind.FREE].any()
    grown = (kinds != page_by_page.frame(0)) & (kinds > PageKind.BUFFER)
    assert {names[i] for i in np.unique(owners[grown])} == {
        n for n in names.values() if n.startswith("metadata: ")
    }


def test_kernel_pages_never_lie_in_zone_movable(page_by_page):
    zones = {z["id"]: z["zone"] for z in page_by_page.meta["zones"]}
    movable = np.isin(zone_of_cells(page_by_page), [i for i, z in zones.items() if z == "Movable"])
    seen = set()
    for tick in range(page_by_page.n_ticks):
        cells = page_by_page.frame(tick)
        assert not np.isin(cells[movable], (*REMAP_ONLY, PageKind.BUFFER)).any(), f"tick {tick}"
        seen |= set(np.unique(cells[~movable]))
    assert PageKind.SLAB in seen, "the run has kernel pages at all"


@pytest.mark.parametrize("machine", ["pae", "server"])
def test_kernel_pages_never_lie_in_the_other_zones_of_large_machines(machine):
    run = build_run("exhaustion", machine=machine, user=0.6)
    zones = run.memory.zones
    confined = zones.type > ZoneType.NORMAL
    kinds = [PageKind.BUFFER, PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_STACK]
    at_boot = run.memory.zone_kinds[confined].copy()
    for tick in run.ticks():
        assert len(tick.counters)
        assert not run.memory.zone_kinds[confined][:, kinds].any()
        grown = run.memory.zone_kinds[confined] - at_boot
        assert not grown[:, [PageKind.KERNEL_BUFFER, PageKind.PAGE_TABLE]].any()
    assert run.memory.zone_kinds[confined, PageKind.ANON].any(), "user memory may go there"
