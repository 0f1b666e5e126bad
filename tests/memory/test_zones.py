"""Extents of hand-made machines, against what one reads off their ranges."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.memory.invariants import NO_ZONE, map_zones
from tests.machines import NAMES, make_machine


def test_extents_of_the_odd_machine():
    mem = make_machine("odd")
    pairs = list(zip(mem.extents.zone.tolist(), mem.extents.section.tolist(), strict=True))
    # Sections of 3,072: DMA and DMA32 in section 0, Normal of node 0 to 7170, and so on.
    assert pairs == [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3), (4, 4)]
    assert [(s.start, s.stop) for s in mem.extents.zone_slices] == [
        (0, 1), (1, 2), (2, 5), (5, 7), (7, 9),
    ]  # fmt: skip
    # Groups with frames of two zones: pfn 128, 2050 and 7170 lie in them.
    assert sorted(mem.extents.irregular) == [0, 2, 7]
    assert mem.zones.present.tolist() == [127, 1889, 5020, 2854, 3735]


def test_unaligned_border_splits_a_word():
    mem = make_machine("odd")
    (low, low_mask), (high, high_mask) = mem.extents.irregular[2]
    assert (mem.extents.zone[low], mem.extents.zone[high]) == (1, 2)
    assert int(low_mask[0]) == 0b11
    assert int(high_mask[0]) == (1 << 64) - 4
    assert int(low_mask[1]) == 0


def test_group_inside_another_nodes_run_is_shared_with_an_empty_mask():
    mem = make_machine("woven")
    # Node 0's DMA32 lies on both sides of node 1's frames 1024..2048; node 1's Normal on both
    # sides of group 5, where nodes 2 and 0 meet.
    shares = {mem.extents.zone[e]: mask for e, mask in mem.extents.irregular[1]}
    assert (~shares[2] == 0).all()
    assert (shares[0] == 0).all()
    shares = {mem.extents.zone[e]: mask for e, mask in mem.extents.irregular[5]}
    assert [int(np.bitwise_count(shares[z]).sum()) for z in (4, 1, 2)] == [880, 144, 0]


def test_only_interleaved_ranges_are_woven():
    assert {name: make_machine(name).extents.woven for name in NAMES} == {
        "odd": False,
        "pae": False,
        "woven": True,
        "plain": False,
    }


@pytest.mark.parametrize("name", NAMES)
def test_segments_lie_where_the_plan_says(name):
    mem = make_machine(name)
    expected = np.full(mem.kind.size, NO_ZONE)
    for row, span in enumerate(mem.plan.zones):
        for node in mem.spec.nodes:
            for r in node.ranges if node.nid == span.nid else ():
                expected[max(r.start_pfn, span.start_pfn) : min(r.end_pfn, span.end_pfn)] = row
    assert np.array_equal(map_zones(mem), expected)


@pytest.mark.parametrize("name", NAMES)
def test_shares_of_a_group_cover_its_frames_once(name):
    mem = make_machine(name)
    zones = map_zones(mem).reshape(-1, 1024)
    for group, owner in enumerate(mem.extents.of_group.tolist()):
        if owner == -1:
            assert (zones[group] == NO_ZONE).all()
        elif owner >= 0:
            assert set(np.unique(zones[group])) <= {NO_ZONE, int(mem.extents.zone[owner])}
        else:
            for extent, mask in mem.extents.irregular[group]:
                bits = np.unpackbits(mask.view(np.uint8), bitorder="little").astype(bool)
                there = zones[group] != NO_ZONE
                inside = zones[group] == mem.extents.zone[extent]
                assert (bits[there] == inside[there]).all()
