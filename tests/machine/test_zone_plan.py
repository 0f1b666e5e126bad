"""Golden vectors G1 to G5 of A1, computed by hand from the algorithm's text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan, plan_zones
from hotmem_viz.machine.zone_table import typed_spec
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

GIB = 1 << 18
G1 = "0:0-3G,4G-9G"
G2 = "0:0-3G,4G-17G;1:17G-33G;2:33G-49G;3:49G-65G"


def zone_of(plan: ZonePlan, nid: int, zone: ZoneType) -> ZoneSpan:
    found = plan.find(nid, zone)
    assert found is not None
    return found


def plan(nodes: str, cmdline: str, *, arch: str = "x86-64", profile: str = "6.1") -> ZonePlan:
    spec = typed_spec(nodes, arch=arch)
    options = parse_boot_options(cmdline, strict=True)
    return plan_zones(spec, options, find_profile(profile, spec.arch))


def movable(result: ZonePlan) -> list[int]:
    return [z.present_pages for z in result.zones if z.zone is ZoneType.MOVABLE]


@pytest.mark.parametrize(
    ("cmdline", "start", "pages"),
    [
        ("kernelcore=2G", 4 * GIB, 5 * GIB),
        ("kernelcore=4G", 5 * GIB, 4 * GIB),
        ("kernelcore=50%", 1310720, 4 * GIB),
        ("kernelcore=6G", 7 * GIB, 2 * GIB),
        # G5
        (f"kernelcore={(4 * GIB + 777) * PAGE_SIZE}", 1311744, 9 * GIB - 1311744),
        (f"movablecore={(3 * GIB + 5) * PAGE_SIZE}", 1571840, 787456),
    ],
)
def test_one_node(cmdline, start, pages):
    result = plan(G1, cmdline)
    assert dict(result.movable_starts) == {0: start}
    assert movable(result) == [pages]


@pytest.mark.parametrize(
    ("cmdline", "starts"),
    [
        ("kernelcore=16G", [5, 21, 37, 53]),
        ("kernelcore=25%", [5, 21, 37, 53]),
        ("kernelcore=8G", [4.25, 19.25, 35.25, 49.25]),
        ("kernelcore=4G", [4, 18, 33, 49]),
    ],
)
def test_four_nodes(cmdline, starts):
    result = plan(G2, cmdline)
    assert dict(result.movable_starts) == {i: int(s * GIB) for i, s in enumerate(starts)}


def test_nodes_without_kernel_memory_have_no_kernel_zone():
    result = plan(G2, "kernelcore=4G")
    assert [z.zone for z in result.zones if z.nid in (2, 3)] == [ZoneType.MOVABLE] * 2
    assert movable(result) == [13 * GIB, 15 * GIB, 16 * GIB, 16 * GIB]
    assert sum("no kernel memory" in note for note in result.notes) == 2


@pytest.mark.parametrize(
    ("nodes", "starts"), [("0:0-2G;1:4G-18G", {1: 10 * GIB}), ("0:4G-6G;1:6G-20G", {1: 12 * GIB})]
)
def test_node_that_is_all_kernel_memory(nodes, starts):
    assert dict(plan(nodes, "kernelcore=8G").movable_starts) == starts


@pytest.mark.parametrize(("size", "start"), [("2G", 2 * GIB), ("512M", 229376)])
def test_pae_cuts_highmem(size, start):
    nodes = "0:0-3584M,4G-8704M"
    result = plan(nodes, f"kernelcore={size}", arch="pae", profile="2012")
    assert dict(result.movable_starts) == {0: start}
    assert zone_of(result, 0, ZoneType.NORMAL).end_pfn == 229376


def test_pae_lowmem_of_6_1_ends_two_pages_early():
    result = plan("0:0-3G,4G-5G", "", arch="pae")
    assert [(z.zone, z.start_pfn, z.end_pfn) for z in result.zones] == [
        (ZoneType.DMA, 0, 4096),
        (ZoneType.NORMAL, 4096, 225278),
        (ZoneType.HIGHMEM, 225278, 5 * GIB),
    ]


def test_zones_without_options_start_where_memory_was_typed_from():
    result = plan("0:0-3G,4G-9G", "")
    assert [
        (z.zone.label, z.start_pfn, z.spanned_pages, z.present_pages) for z in result.zones
    ] == [
        ("DMA", 0, 4096, 4096),
        ("DMA32", 4096, 4 * GIB - 4096, 3 * GIB - 4096),
        ("Normal", 4 * GIB, 5 * GIB, 5 * GIB),
    ]


def test_both_options_leave_the_larger_kernel_part():
    alone = plan(G2, "kernelcore=16G").movable_starts
    assert plan(G2, "kernelcore=16G movablecore=60G").movable_starts == alone
    assert plan(G2, "kernelcore=1G movablecore=48G").movable_starts == alone


@pytest.mark.parametrize("cmdline", ["kernelcore=64G", "movablecore=64G", "movablecore=100%"])
def test_all_or_nothing_asked_gives_no_movable_zone(cmdline):
    result = plan(G2, cmdline)
    assert not result.movable_starts
    assert result.notes


def marked(*nids: int, nodes: str = G2) -> MachineSpec:
    return typed_spec(nodes, hotplug=",".join(map(str, nids)))


def test_movable_node_takes_borders_from_firmware_and_ignores_sizes():
    options = parse_boot_options("movable_node kernelcore=1G", strict=True)
    result = plan_zones(marked(0, 2, 3), options, find_profile("6.1"))
    assert dict(result.movable_starts) == {2: 33 * GIB, 3: 49 * GIB}
    assert zone_of(result, 0, ZoneType.NORMAL).present_pages == 13 * GIB


def test_marks_alone_do_nothing():
    assert not plan_zones(marked(2, 3), BootOptions(), find_profile("6.1")).movable_starts


def test_mirror_without_mirrored_memory_empties_normal_on_6_1_only():
    options = parse_boot_options("kernelcore=mirror", strict=True)
    result = plan_zones(typed_spec(G2), options, find_profile("6.1"))
    assert {z.zone for z in result.zones} == {ZoneType.DMA, ZoneType.DMA32, ZoneType.MOVABLE}
    assert not plan_zones(typed_spec(G2), options, find_profile("2012")).movable_starts


def test_mirrored_memory_splits_normal_and_movable_that_overlap():
    ranges = (
        PfnRange(0, 3 * GIB, mirrored=True),
        PfnRange(4 * GIB, 6 * GIB, mirrored=True),
        PfnRange(6 * GIB, 8 * GIB),
        PfnRange(8 * GIB, 9 * GIB, mirrored=True),
    )
    spec = MachineSpec("m", (NodeSpec(0, ranges),))
    result = plan_zones(spec, BootOptions(kernelcore_mirror=True), find_profile("6.1"))
    normal, mov = zone_of(result, 0, ZoneType.NORMAL), zone_of(result, 0, ZoneType.MOVABLE)
    assert (normal.start_pfn, normal.end_pfn, normal.present_pages) == (4 * GIB, 9 * GIB, 3 * GIB)
    assert (mov.start_pfn, mov.end_pfn, mov.present_pages) == (6 * GIB, 9 * GIB, 2 * GIB)


def test_classroom_borders_are_a_32nd():
    spec = MachineSpec(
        "c",
        (NodeSpec(0, (PfnRange(0, 8192), PfnRange(32768, 40960))),),
        section_pages=1024,
        scale=32,
    )
    result = plan_zones(spec, BootOptions(), find_profile("6.1"))
    assert [(z.start_pfn, z.end_pfn) for z in result.zones] == [
        (0, 128),
        (128, 32768),
        (32768, 40960),
    ]


@st.composite
def machines(draw) -> MachineSpec:
    """Machines of one to five nodes of unequal size, with holes, below and above 4 GiB."""
    at, nodes = 0, []
    for nid in range(draw(st.integers(1, 5))):
        ranges = []
        for _ in range(draw(st.integers(1, 3))):
            at += draw(st.integers(1, 1 << 19))
            size = draw(st.integers(1, 1 << 20))
            ranges.append(PfnRange(at, at + size))
            at += size
        nodes.append(NodeSpec(nid, tuple(ranges)))
    return MachineSpec("drawn", tuple(nodes), draw(st.sampled_from(Arch)))


def total(result: ZonePlan) -> int:
    return sum(z.present_pages for z in result.zones)


@given(machines(), st.integers(0, 100), st.sampled_from(["kernelcore", "movablecore"]))
def test_every_page_lies_in_exactly_one_zone(spec, percent, name):
    profile = find_profile("6.1", spec.arch)
    result = plan_zones(spec, parse_boot_options(f"{name}={percent}%", strict=True), profile)
    if spec.end_pfn <= 1 << 24:
        assert total(result) == spec.present_pages
    spans = sorted((z.start_pfn, z.end_pfn) for z in result.zones)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert all(start % 1024 == 0 for start in result.movable_starts.values())


@given(machines(), st.integers(1, 99))
def test_more_kernelcore_never_means_less_kernel_memory(spec, percent):
    profile = find_profile("6.1", spec.arch)

    def kernel(share: int) -> int:
        result = plan_zones(spec, BootOptions(kernelcore_percent=share), profile)
        return int(spec.present_pages - sum(movable(result)))

    required = spec.present_pages * 100 * percent // 10000
    # The spread gives up on a remainder of fewer pages than nodes.
    assert kernel(percent) >= min(required, spec.present_pages) - len(spec.nodes)
    assert kernel(100) == spec.present_pages


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ("", "the form is"),
        ("0", "the form is"),
        ("0:0-3G;0:4G-5G", "given twice"),
        ("0:3G-0", "ends after its start"),
        ("0:0-3G;1:2G-4G", "overlaps 0-3G of node 0"),
        ("0:0-1000", "multiple of the 4K page"),
        ("x:0-1G", "whole number"),
        ("0:0-1G,", "a range is FROM-TO"),
        ("0:0-1Q", "whole number with K, M, G or T"),
        ("9999:0-1G", "0 to 1023"),
    ],
)
def test_nodes_that_make_no_sense_are_named(nodes, says):
    with pytest.raises(ParameterError, match=r"^nodes: ") as error:
        typed_spec(nodes)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("hotplug", "says"), [("7", "nodes are 0, 1"), ("1,1", "twice"), ("a", "")]
)
def test_hotplug_names_nodes_that_exist(hotplug, says):
    with pytest.raises(ParameterError, match=r"^hotplug: ") as error:
        typed_spec("0:0-3G;1:4G-5G", hotplug=hotplug)
    assert says in str(error.value)
