"""In which order zones are tried: the example of the rules, and slices that must be skipped."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.mechanisms.zonelists import build_all_zonelists, build_zonelist, order_nodes
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import ZoneType
from tests.machines import make_machine

DMA, DMA32, NORMAL, HIGHMEM, MOVABLE = ZoneType


@pytest.fixture
def two_nodes():
    """Node 0 {DMA, DMA32, Normal}, node 1 {Normal, Movable}."""
    nodes = (
        NodeSpec(0, (PfnRange(0, 3072),)),
        NodeSpec(1, (PfnRange(3072, 6144),)),
    )
    zones = (
        ZoneSpan(0, DMA, 0, 512, 512),
        ZoneSpan(0, DMA32, 512, 1024, 512),
        ZoneSpan(0, NORMAL, 1024, 3072, 2048),
        ZoneSpan(1, NORMAL, 3072, 4096, 1024),
        ZoneSpan(1, MOVABLE, 4096, 6144, 2048),
    )
    spec = MachineSpec("two", nodes, section_pages=1024)
    mem = PhysicalMemory(spec, ZonePlan(zones, MappingProxyType({})), PROFILES["6.1"])
    mem.zones.managed[:] = mem.zones.present
    return mem


def names(mem, zonelist):
    return [f"N{mem.zones.nid[z]}.{ZoneType(int(mem.zones.type[z])).name}" for z in zonelist]


@pytest.mark.parametrize(
    ("nid", "highest", "expected"),
    [
        (0, MOVABLE, "N0.NORMAL N0.DMA32 N0.DMA N1.MOVABLE N1.NORMAL"),
        (1, MOVABLE, "N1.MOVABLE N1.NORMAL N0.NORMAL N0.DMA32 N0.DMA"),
        (0, NORMAL, "N0.NORMAL N0.DMA32 N0.DMA N1.NORMAL"),
        (1, NORMAL, "N1.NORMAL N0.NORMAL N0.DMA32 N0.DMA"),
        (1, HIGHMEM, "N1.NORMAL N0.NORMAL N0.DMA32 N0.DMA"),
        (1, DMA32, "N0.DMA32 N0.DMA"),
        (1, DMA, "N0.DMA"),
    ],
)
def test_the_example_of_two_nodes(two_nodes, nid, highest, expected):
    assert " ".join(names(two_nodes, build_zonelist(two_nodes, nid, highest))) == expected


def test_zones_without_managed_pages_are_skipped(two_nodes):
    two_nodes.zones.managed[[2, 4]] = 0
    found = names(two_nodes, build_zonelist(two_nodes, 0, MOVABLE))
    assert found == ["N0.DMA32", "N0.DMA", "N1.NORMAL"]


def test_all_lists_are_written_and_written_again(two_nodes):
    build_all_zonelists(two_nodes)
    assert len(two_nodes.zonelists) == 2 * len(ZoneType)
    assert two_nodes.zonelists[1, MOVABLE] == [4, 3, 2, 1, 0]
    two_nodes.zones.managed[4] = 0
    build_all_zonelists(two_nodes)
    assert two_nodes.zonelists[1, MOVABLE] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("nid", "expected"), [(0, [0, 1, 2, 5]), (1, [1, 2, 5, 0]), (5, [5, 0, 1, 2])]
)
def test_the_next_node_is_preferred(nid, expected):
    assert order_nodes([5, 0, 2, 1], nid) == expected


def test_a_slit_says_which_node_is_nearest():
    nodes = tuple(NodeSpec(n, (PfnRange(n * 4096, (n + 1) * 4096),)) for n in (0, 1, 2, 5))
    slit = ((10, 28, 16, 22), (28, 10, 22, 22), (16, 22, 10, 28), (22, 22, 28, 10))
    spec = MachineSpec("four", nodes, section_pages=2048, distances=slit)
    assert order_nodes([5, 0, 2, 1], 0, spec) == [0, 2, 5, 1]
    # Equally far: upwards and around.
    assert order_nodes([5, 0, 2, 1], 1, spec) == [1, 2, 5, 0]
    assert order_nodes([5, 0, 2, 1], 5, spec) == [5, 0, 1, 2]


def test_a_node_of_movable_memory_alone_serves_the_kernel_from_elsewhere():
    mem = make_machine("woven")
    assert names(mem, mem.zonelists[2, NORMAL]) == ["N0.NORMAL", "N0.DMA32", "N1.NORMAL"]
