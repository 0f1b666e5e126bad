"""Huge pages after a workload: what the zone gives, and that no workload spoils it."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.scenarios.exhaustion_huge import look_at_blocks
from hotmem_viz.vocabulary import HugeState, PageKind, ZoneType
from tests.scenarios.ledger import column, ends_with


@pytest.fixture(scope="module", params=[0.75, 0.0], ids=["with the zone", "without"])
def finished(request):
    run = build_run("exhaustion", then="huge_pages", movable=request.param)
    before = look_at_blocks(run.memory)
    ticks = list(run.ticks())
    return run, before, ticks


def by_hand(mem, kernel):
    """Count pageblocks wholly in zones of one side, and the spoilt ones, block by block."""
    count = spoilt = 0
    kinds, zones = mem.kind.reshape(-1, 512), mem.zone.reshape(-1, 512)
    for block in np.flatnonzero((kinds != PageKind.HOLE).all(axis=1)):
        types = {int(mem.zones.type[z]) for z in np.unique(zones[block])}
        if {t <= ZoneType.NORMAL for t in types} != {kernel} or len(np.unique(zones[block])) > 1:
            continue
        count += 1
        spoilt += any(k > PageKind.HUGETLB for k in kinds[block].tolist())
    return count, spoilt


def test_memory_is_whole_and_the_pool_is_what_the_counters_say(finished):
    run, _, ticks = finished
    validate_memory(run.memory)
    pool = int((run.memory.huge_states == HugeState.FREE).sum())
    assert pool > 40
    assert sum(ticks[-1].counters[-3:-1]) == pool
    assert (run.memory.kind == PageKind.HUGETLB).sum() == pool * 512


def test_blocks_are_counted_as_by_hand(finished):
    run, _, _ = finished
    blocks = look_at_blocks(run.memory)
    assert (blocks.movable, blocks.movable_spoilt) == by_hand(run.memory, kernel=False)
    assert (blocks.kernel, blocks.kernel_spoilt) == by_hand(run.memory, kernel=True)


def test_no_workload_spoils_the_zone_and_it_spoils_the_others(finished):
    run, before, _ = finished
    after = look_at_blocks(run.memory)
    assert after.movable_spoilt == before.movable_spoilt
    assert after.kernel_spoilt > before.kernel_spoilt
    assert after.movable == (96 if run.parameters.movable else 0)


def test_each_step_brings_what_its_event_says(finished):
    _, _, ticks = finished
    marks = {e.kind: (e, t) for t in ticks for e in t.events if e.mark}
    assert list(marks)[-4:] == ["FRAGMENTED", "ASKED_HUGE", "COMPACTED", "POOL_FULL"]
    assert "S15" in marks["POOL_FULL"][0].claims
    final = sum(marks["POOL_FULL"][1].counters[-3:-1])
    assert marks["POOL_FULL"][0].title.startswith(f"The pool: {final:,.0f} huge pages")
    asked = sum(marks["ASKED_HUGE"][1].counters[-3:-1])
    assert asked < final, "as memory lies, fewer"
    moved = [len(source) for t in ticks for source, _ in t.moves]
    assert sum(moved) > 1000


def test_more_metadata_costs_huge_pages_where_there_is_no_zone():
    little, much = (
        hotmem_viz.run("exhaustion", then="huge_pages", movable=0.0, fill=fill)
        for fill in (0.02, 0.2)
    )
    assert column(much, "huge.kernel")[-1] < column(little, "huge.kernel")[-1] - 10


def test_with_and_without_side_by_side():
    pair = hotmem_viz.beside("exhaustion", then="huge_pages", movable=(0.0, 0.75))
    assert [ends_with(r) for r in pair.recordings] == ["POOL_FULL", "POOL_FULL"]
    assert column(pair.left, "huge.movable")[-1] == 0
    made = [column(r, "objects")[-1] for r in pair.recordings]
    assert made[0] == made[1], "the same requests end at the same turn"
