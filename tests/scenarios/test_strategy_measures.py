"""The strategies' measures, recounted by hand from the map, the rows and the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.tracks import CpuState
from hotmem_viz.vocabulary import PageKind, SectionState, ZoneType
from tests.scenarios.ledger import column, zone_of_cells
from tests.scenarios.test_strategies import ANSWERS, NAMES, STOP, kinds, tick_of


@pytest.fixture(scope="module")
def recordings():
    return {name: hotmem_viz.run("strategies", strategy=name) for name in NAMES}


@pytest.mark.parametrize("strategy", NAMES)
def test_what_metadata_may_fill_is_what_the_allocator_gives(strategy):
    run = build_run("strategies", strategy=strategy)
    for tick in run.ticks():
        if any(e.kind == "CAPACITY" for e in tick.events):
            break
    names = [c["name"] for c in run.meta["counters"]]
    said = dict(zip(names, tick.counters, strict=True))["metadata_usable"] / 4096
    mem = run.memory
    held = int(np.isin(mem.kind, (PageKind.SLAB, 6, PageKind.KERNEL_STACK)).sum())
    users = np.flatnonzero(np.isin(mem.kind.reshape(-1), LRU_KINDS))
    free_pages(mem, FrameSet.of_pfns(users))
    got = alloc_pages(mem, GFP["KERNEL"], mem.kind.size, PageKind.SLAB, nid=0)
    # Zones keep a boost while they are drained; see KERNEL-CHECKED 6.
    kernel = mem.zones.type <= ZoneType.NORMAL
    boosts = int(mem.zones.boost[kernel].sum())
    assert said - boosts <= held + got.granted <= said


@pytest.mark.parametrize("strategy", NAMES)
def test_the_capacity_is_counted_from_the_map_by_hand(recordings, strategy):
    recording = recordings[strategy]
    tick = tick_of(recording, "CAPACITY")
    cells, zones = recording.frame(tick), zone_of_cells(recording)
    # What is set aside for devices is free and isolated, of no use to metadata.
    cells = np.where(recording.migratetype.frame(tick).repeat(512) == 5, 0, cells)
    marks = [column(recording, f"zone{z['id']}.min")[tick] for z in recording.meta["zones"]]
    boost = [column(recording, f"zone{z['id']}.boost")[tick] for z in recording.meta["zones"]]
    total = tables = 0
    for zone in recording.meta["zones"]:
        mine = cells[(zones == zone["id"]) & zone["kernel"]]
        held = int(np.isin(mine, (6, 7, 8)).sum())
        room = int(np.isin(mine, (1, 2, 3, 4)).sum()) - marks[zone["id"]] + boost[zone["id"]]
        room -= protection_by_hand(recording, zone)
        total += held + max(0, room)
        tables += max(0, room)
    assert column(recording, "metadata_usable")[tick] == total * 4096
    assert column(recording, "mappable")[tick] == tables * 512 // 513 * (2 << 20)


def protection_by_hand(recording, zone):
    """lowmem_reserve against GFP_KERNEL (A3): what the node's zones above manage, by 256.

    Added memory makes the kernel compute it anew; else it is what boot came to.
    """
    order = ["DMA", "DMA32", "Normal"]
    if zone["zone"] == "Movable" or recording.meta["parameters"]["strategy"] not in (
        "hot_add",
        "auto",
    ):
        return zone["reserve"]
    above = order[order.index(zone["zone"]) + 1 :]
    zones = recording.meta["zones"]
    return sum(z["managed"] for z in zones if z["nid"] == zone["nid"] and z["zone"] in above) // 256


def answers(recording):
    """Return each answer with the map as it was asked: (event, kinds of the block, movable)."""
    zones = zone_of_cells(recording)
    movable = {z["id"] for z in recording.meta["zones"] if z["zone"] == "Movable"}
    first = recording.meta["sections"]
    before = tick_of(recording, "BURST_OVER")
    for event in recording.event_list:
        if event.kind in ANSWERS:
            at = first.index(event.pfn // 1024) * 1024
            part = slice(at, at + 1024)
            yield event, recording.frame(before)[part], int(zones[at]) in movable
        if event.mark and event.kind not in STOP:
            before = event.tick


def goes_by_hand(strategy, cells, movable):
    """Say whether a block can go, from what its pages hold."""
    if strategy == "remap":
        return not np.isin(cells, (0, *range(11, 15))).any()
    if movable:
        return not np.isin(cells, (0, 11, 12, 13)).any()
    return bool(np.isin(cells, (1, 2, 3, 4)).all())


LIGHT: dict[str, Any] = {}
TABLES: dict[str, Any] = {"mapped": 4096, "processes": 100}
"""So many page tables that they alone hold sections."""


@pytest.mark.parametrize(
    ("strategy", "seed", "more"),
    [
        *((name, seed, LIGHT) for name in NAMES for seed in (3, 7)),
        ("none", 8, TABLES),
        ("callbacks", 8, TABLES),
    ],
)
def test_each_answer_and_the_sums_are_recounted_from_the_map(strategy, seed, more):
    run = build_run("strategies", strategy=strategy, seed=seed, **more)
    recording = record(run)
    found = list(answers(recording))
    broken = range(run.plan.broken.start_pfn // 1024, run.plan.broken.end_pfn // 1024)
    asked = [*run.plan.blocks.tolist(), *broken]
    assert [e.pfn // 1024 for e, _, _ in found] == asked
    went = [goes_by_hand(strategy, cells, movable) for _, cells, movable in found]
    assert [e.kind in ("OFFLINED", "OFFLINE_MIGRATED") for e, _, _ in found] == went
    assert column(recording, "sections_removed")[-1] == sum(went)
    assert column(recording, "broken_left")[-1] == 12 - sum(went[6:])
    tables = [
        not gone and set(cells) <= {1, 2, 3, 4, 10}
        for gone, (_, cells, _) in zip(went, found, strict=True)
    ]
    assert column(recording, "table_held")[-1] == sum(tables)
    assert (more is LIGHT) or sum(tables) > 9


def test_what_a_person_decided_is_counted_by_hand(recordings):
    counted = {name: int(column(r, "decisions")[-1]) for name, r in recordings.items()}
    # A percent, 4 nodes x 12 blocks, the policy and its switch, the proposal's percent.
    assert counted == {
        "none": 0, "percent": 1, "hot_add": 48, "auto": 2, "callbacks": 0, "remap": 1,
    }  # fmt: skip


def test_the_pause_is_the_sum_of_the_stops(recordings):
    recording = recordings["remap"]
    spans = recording.rows["spans"]
    ends = {int(t): spans.at(t)["end_ns"].max() for t in np.unique(spans.tick)}
    assert column(recording, "pause_ns")[-1] == pytest.approx(sum(ends.values()))
    copied = [e for e in recording.event_list if e.kind == "OFFLINE_MIGRATED"]
    assert len(copied) > 2
    # Formula of KERNEL.md 4.5 for the first stop: 8 CPUs, 76 pages, 34 parents, a whole section.
    first = tick_of(recording, "RESUMED")
    walked = 36 * 512 + 10 * (34 + 3)
    assert column(recording, "pause_ns")[first] == 108_000 + 76 * 1651 + walked + 10_000
    assert set(spans.columns["state"]) == {int(s) for s in CpuState}
    for name, other in recordings.items():
        assert name == "remap" or not column(other, "pause_ns").any()


def test_lookups_cost_more_only_where_sections_are_slow(recordings):
    for name, recording in recordings.items():
        loads = column(recording, "loads_mean")
        assert loads[0] == 1
        assert (loads[-1] > 1) == (name == "remap")
    remap = recordings["remap"]
    last = remap.n_ticks - 1
    slow = int((remap.sections.frame(last) == SectionState.OFFLINE_MIGRATED).sum())
    moved = remap.lookup.frame(last) != np.array(remap.meta["sections"])
    assert moved.sum() == slow == kinds(remap).count("OFFLINE_MIGRATED")
    copied = remap.rows["moves"]
    live = sum(copied.columns["pages"][np.isin(copied.tick, _stops(remap))])
    every = int(np.isin(remap.frame(last), range(6, 11)).sum())
    assert loads_by_hand(live, every) == pytest.approx(column(remap, "loads_mean")[-1])


def _stops(recording):
    return [e.tick for e in recording.event_list if e.kind == "COPIED"]


def loads_by_hand(live, every):
    """One load a lookup, two in a section that is looked up in the table (A14)."""
    return (2 * live + every - live) / every


def test_the_tax_is_what_every_fault_would_have_paid(recordings):
    for name, recording in recordings.items():
        tick = tick_of(recording, "LOADED")
        before = recording.frame(tick_of(recording, "CAPACITY"))
        now = recording.frame(tick)
        users = sum(int((now == k).sum()) - int((before == k).sum()) for k in (2, 3))
        text = next(e.text for e in recording.event_list if e.kind == "LOADED")
        tables = int(text.split("hold ")[1].split(" page tables")[0])
        taxed, least = column(recording, "tax_ns")[-1], (users + tables) * 500 * 0.016
        # Where kernel zones are small, files were dropped again for it: their faults remain.
        assert least - 1e-6 <= taxed <= (19_660 + tables) * 500 * 0.016 + 1e-6
        if name in ("none", "callbacks", "remap"):
            assert taxed == pytest.approx(least)
