"""Sections leave their zone and come into another: hand counts, G13, and a page-by-page twin."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_layout import BootLayout
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import PROFILES, find_profile
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.hotplug import put_in, refresh_watermarks, take_out
from hotmem_viz.mechanisms.requests import GFP, GFP_OF_KIND
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, SECTION_FIELDS, ZONE_FIELDS
from hotmem_viz.memory.invariants import map_zones, validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind, SectionState, ZoneType
from tests.machines import make_machine
from tests.oracles import Oracle, compare_machine
from tests.slots import P, slots_machine

DMA, DMA32, NORMAL, MOVABLE = ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE


def plug(mem, *sections):
    """Let slots be filled, their memory offline."""
    mem.section_state[list(sections)] = SectionState.OFFLINE


def row(mem, nid, zone):
    return mem.zones.row(nid, zone)


def span(mem, nid, zone):
    z = row(mem, nid, zone)
    return int(mem.zones.start_pfn[z]), int(mem.zones.end_pfn[z]), int(mem.zones.present[z])


def test_g13_span_of_a_real_zone():
    size = 32768
    spec = MachineSpec("G13", (NodeSpec(0, (PfnRange(1048576, 1310720),)),), hotplug=True)
    plan = ZonePlan((ZoneSpan(0, NORMAL, 1048576, 1310720, 262144),), MappingProxyType({}))
    mem = build_memory(spec, plan, BootLayout((), (), MappingProxyType({})), PROFILES["6.1"])
    count_blocks(mem, all_groups(mem), +1)
    assert 0x140000 // size == 40
    middle = 35 * size
    take_out(mem, middle, middle + size)
    assert span(mem, 0, NORMAL) == (1048576, 1310720, 262144 - 32768)
    take_out(mem, 1048576, 1048576 + size)
    assert span(mem, 0, NORMAL) == (1081344, 1310720, 262144 - 65536)
    take_out(mem, 39 * size, 40 * size)
    assert span(mem, 0, NORMAL) == (1081344, 39 * size, 262144 - 98304)
    put_in(mem, NORMAL, 39 * size, 40 * size)
    assert span(mem, 0, NORMAL) == (1081344, 1310720, 262144 - 65536)
    validate_memory(mem)


@pytest.mark.parametrize(
    ("ranges", "leaves", "expected"),
    [
        # Node 1 begins the 2 MiB in which node 0 goes on: the next probe is 2 MiB later.
        ({0: [(2048, 4096), (4352, 8192)], 1: [(4096, 4352)]}, 2048, (4608, 8192)),
        # A hole there is taken for the zone that follows.
        ({0: [(2048, 4096), (4352, 8192)], 1: [(0, 2048)]}, 2048, (4096, 8192)),
        # The same at the end: node 1 ends the 2 MiB in which node 0's memory ends.
        ({0: [(0, 3840), (4096, 6144)], 1: [(3840, 4096)]}, 4096, (0, 3584)),
        ({0: [(0, 3840), (4096, 6144)], 1: [(6144, 8192)]}, 4096, (0, 4096)),
    ],
)
def test_spans_end_where_the_kernel_probes(ranges, leaves, expected):
    nodes = tuple(NodeSpec(n, tuple(PfnRange(*r) for r in rs)) for n, rs in ranges.items())
    spec = MachineSpec("probes", nodes, section_pages=P, hotplug=True)
    spans = tuple(ZoneSpan(n.nid, NORMAL, n.start_pfn, n.end_pfn, n.present_pages) for n in nodes)
    plan = ZonePlan(spans, MappingProxyType({}))
    mem = build_memory(spec, plan, BootLayout((), (), MappingProxyType({})), PROFILES["6.1"])
    count_blocks(mem, all_groups(mem), +1)
    take_out(mem, leaves, leaves + P)
    assert span(mem, 0, NORMAL)[:2] == expected


def test_a_new_zone_and_a_new_node_by_hand():
    mem = slots_machine()
    assert [mem.zones.label(z) for z in range(len(mem.zones))] == [
        "DMA of node 0", "DMA32 of node 0", "Normal of node 0", "Movable of node 0",
        "Normal of node 1", "Movable of node 1", "Normal of node 4", "Movable of node 4",
    ]  # fmt: skip
    # A user of node 4 turns to node 0, then to node 1's Movable.
    assert mem.zonelists[4, MOVABLE] == [2, 1, 0, 5]
    plug(mem, 12, 13, 14)
    out = put_in(mem, MOVABLE, 12 * P, 14 * P)
    assert (out.by_zone, len(out.frames)) == ({3: 4096}, 4096)
    put_in(mem, NORMAL, 14 * P, 15 * P, own_map=512)
    validate_memory(mem)
    assert span(mem, 0, MOVABLE) == (24576, 28672, 4096)
    assert span(mem, 4, NORMAL) == (28672, 30720, 2048)
    assert (mem.zones.managed[6], mem.zones.free[6]) == (1536, 1536)
    assert mem.zonelists[4, MOVABLE] == [6, 3, 2, 1, 0, 5]
    assert mem.zonelists[1, MOVABLE] == [5, 6, 3, 2, 1, 0]
    # 512 pages of map, then order 9, then order 10: three groups' worth in section 14.
    rows = mem.extents.rows(6, np.array([14]))
    assert mem.free_blocks[rows[0], MigrateType.MOVABLE].tolist() == [0] * 9 + [1, 1]
    # What node 4's new Normal keeps from nobody: no zone above it has memory.
    assert mem.zones.protection[6].tolist() == [0, 0, 0, 0, 0]
    # Node 0's Normal protects itself from what may use the new Movable: 4,096 / 32.
    assert mem.zones.protection[2].tolist() == [0, 0, 0, 0, 128]
    took = take_out(mem, 14 * P, 15 * P)
    assert took.by_zone == {6: 2048}
    assert span(mem, 4, NORMAL) == (0, 0, 0)
    assert mem.zonelists[4, MOVABLE] == [3, 2, 1, 0, 5]
    assert (mem.kind[14] == PageKind.HOLE).all()
    assert mem.section_state[11:15].tolist() == [2, 2, 2, 1]
    validate_memory(mem)


@pytest.mark.parametrize("own_map", [0, 512])
def test_blocks_that_come_together_equal_blocks_one_after_another(own_map):
    together, apart = slots_machine(), slots_machine()
    for mem in (together, apart):
        plug(mem, 12, 13)
        mem.zones.boost[2] = 700
    put_in(together, MOVABLE, 12 * P, 14 * P, own_map=own_map, blocks=2)
    for section in (12, 13):
        put_in(apart, MOVABLE, section * P, (section + 1) * P, own_map=own_map)
    validate_memory(together)
    for field in PAGE_FIELDS + SECTION_FIELDS + COUNT_FIELDS:
        assert np.array_equal(getattr(together, field.name), getattr(apart, field.name)), field
    for name in (*(f.name for f in ZONE_FIELDS), "protection", "total_reserve"):
        assert np.array_equal(getattr(together.zones, name), getattr(apart.zones, name)), name
    assert (together.segments, together.zonelists) == (apart.segments, apart.zonelists)


def test_watermarks_by_hand_after_a_normal_block():
    """KERNEL-CHECKED 5 on a machine whose huge pages are off: one square root, two marks."""
    mem = slots_machine()
    mem.zones.high[:], mem.zones.boost[:] = 0, 0
    mem.zones.boost[2] = 700
    plug(mem, 14)
    put_in(mem, NORMAL, 14 * P, 15 * P)
    # Kernel zones manage 128 + 8064 + 5712 + 2048 pages, of which Normal's boost is taken off.
    # isqrt(16 * 4 * (15952 - 700)) = 987 kB, 246 pages over 15952 + 4096 of Movable.
    assert mem.zones.min.tolist() == [1, 98, 70, 0, 0, 50, 25, 0]
    assert mem.zones.low.tolist() == [1, 122, 87, 0, 0, 62, 31, 0]
    assert mem.zones.high.tolist() == [1, 146, 104, 0, 0, 74, 37, 0]
    assert not mem.zones.boost.any()
    # Once more, now with high marks in force: 15952 - 1 - 146 - 104 - 37 pages give 1001 kB.
    refresh_watermarks(mem)
    assert mem.zones.min.tolist() == [1, 100, 71, 0, 0, 51, 25, 0]


def test_what_leaves_must_be_whole_free_and_of_one_zone():
    mem = slots_machine()
    for start, end, why in (
        (20480, 21000, "whole sections"),
        (0, P, "one zone without holes"),
        (8 * P, 9 * P, "one zone without holes"),
        (9 * P, 11 * P, "one zone without holes"),
        (5 * P, 6 * P, "sections that are online"),
        (12 * P, 13 * P, "sections that are online"),
        (20 * P, 21 * P, "whole sections"),
    ):
        with pytest.raises(ParameterError, match=why):
            take_out(mem, start, end)
    held = alloc_pages(mem, GFP["KERNEL"], 1, PageKind.SLAB).frames
    pfn = int(held.pfns()[0])
    with pytest.raises(ParameterError, match=f"{pfn}.*all free"):
        take_out(mem, pfn // P * P, pfn // P * P + P)
    free_pages(mem, held)
    validate_memory(mem)


def test_what_comes_must_be_plugged_and_fit_the_zone():
    mem = slots_machine()
    with pytest.raises(ParameterError, match="sections that are offline"):
        put_in(mem, MOVABLE, 12 * P, 13 * P)
    plug(mem, 12, 13, 14)
    with pytest.raises(ParameterError, match="can come into"):
        put_in(mem, DMA32, 12 * P, 13 * P)
    with pytest.raises(ParameterError, match="can come into"):
        put_in(mem, MOVABLE, 13 * P, 15 * P)
    with pytest.raises(ParameterError, match="whole pageblocks"):
        put_in(mem, MOVABLE, 12 * P, 13 * P, own_map=500)
    plug(mem, 6)
    put_in(mem, DMA32, 6 * P, 7 * P)
    # DMA32's span reached to 13,000; it grows over the section all the same.
    assert span(mem, 0, DMA32) == (128, 14336, 10112)
    validate_memory(mem)


def test_a_block_comes_back_in_another_zone():
    spec = find_preset("classroom")
    mem = boot_machine(
        MachineSpec(spec.name, spec.nodes, spec.arch, 1024, 32, 4, hotplug=True),
        BootOptions(),
        find_profile("6.1"),
    )
    free = mem.zone_kinds[:, PageKind.FREE].sum()
    section = next(
        s for s in range(mem.spec.n_sections - 1, 0, -1) if (mem.kind[s] == PageKind.FREE).all()
    )
    zone, nid = int(mem.zone[section, 0]), mem.spec.node_of(section * 1024)
    take_out(mem, section * 1024, (section + 1) * 1024)
    out = put_in(mem, MOVABLE, section * 1024, (section + 1) * 1024)
    assert out.by_zone == {row(mem, nid, MOVABLE): 1024}
    assert zone != row(mem, nid, MOVABLE)
    assert mem.zone_kinds[:, PageKind.FREE].sum() == free
    got = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 700, PageKind.ANON, nid=nid)
    assert got.by_zone == {row(mem, nid, MOVABLE): 700}
    validate_memory(mem)


def test_a_machine_made_for_nothing_of_it_can_still_lose_a_section():
    mem = make_machine("plain")
    take_out(mem, 1024, 2048)
    assert span(mem, 0, NORMAL) == (0, 4096, 3072)
    with pytest.raises(ParameterError, match="can_hotplug"):
        put_in(mem, MOVABLE, 1024, 2048)
    put_in(mem, NORMAL, 1024, 2048)
    validate_memory(mem)
    assert mem.free_blocks[:, MigrateType.MOVABLE, 10].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_moved_sections_serve_requests_as_the_slow_twin_does(seed):
    mem = slots_machine()
    rng = np.random.default_rng(seed)
    plug(mem, 6, 12, 13, 14, 15, 16)
    for section in rng.permutation([6, 12, 13, 14, 15, 16])[:4].tolist():
        put_in(mem, (NORMAL, MOVABLE)[int(rng.integers(2))], section * P, (section + 1) * P)
    take_out(mem, 10 * P, 11 * P)
    for nid in mem.kswapd_failures:
        mem.kswapd_failures[nid] = 16
    oracle = Oracle(mem)
    for _ in range(12):
        gfp = GFP[str(rng.choice(["KERNEL", "HIGHUSER_MOVABLE", "KERNEL_RECLAIMABLE"]))]
        order, nid = int(rng.choice([0, 0, 1, 3])), int(rng.choice([0, 1, 4]))
        count = int(rng.integers(1, 1500)) >> order
        got = alloc_pages(mem, gfp, count, PageKind.ANON, order=order, nid=nid)
        served = oracle.alloc(gfp, count, PageKind.ANON, order, nid)
        assert (got.granted, got.by_zone) == (served.granted, served.by_zone)
        compare_machine(mem, oracle)
    validate_memory(mem)


def test_coming_and_going_leaves_no_trace():
    mem = slots_machine()
    plug(mem, 12, 13)
    for _ in range(3):
        for zone in (NORMAL, MOVABLE):
            put_in(mem, zone, 12 * P, 13 * P)
            put_in(mem, zone, 13 * P, 14 * P)
            assert (map_zones(mem)[12 * P : 14 * P] == row(mem, 0, zone)).all()
            take_out(mem, 12 * P, 14 * P)
    before = slots_machine()
    assert mem.segments == before.segments
    assert np.array_equal(mem.free_blocks, before.free_blocks)


def test_being_able_to_changes_nothing_by_itself():
    """The same requests give the same memory on a machine with empty zones and slots."""
    plain = find_preset("mail")
    top = plain.end_pfn
    slots = (
        NodeSpec(1, (PfnRange(top, top + 3072),)),
        NodeSpec(6, (PfnRange(top + 4096, top + 5120),)),
    )
    options = BootOptions(movable_node=True)
    first, *others = (
        boot_machine(spec, options, find_profile("6.1"))
        for spec in (plain, replace(plain, hotplug=True), replace(plain, pluggable=slots))
    )
    for mem in (first, *others):
        owner = mem.owners.add("cache", shrinkable=True)
        for kind in (PageKind.PAGE_CACHE, PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.ANON):
            for nid in (0, 3, 1):
                alloc_pages(mem, GFP_OF_KIND[kind], 9000, kind, owner=owner, nid=nid)
        validate_memory(mem)
    for mem in others:
        assert len(mem.zones) > len(first.zones)
        n = first.kind.size
        assert np.array_equal(mem.kind.ravel()[:n], first.kind.ravel())
        assert np.array_equal(mem.types[: n // 512], first.types)
        assert not mem.kind.ravel()[n:].any()
        names = [mem.zones.label(z) for z in range(len(mem.zones)) if mem.zones.present[z]]
        assert names == [first.zones.label(z) for z in range(len(first.zones))]
