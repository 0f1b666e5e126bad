"""What boot takes, on typed machines: hand counts; captured machines are in tests/kernel."""

from __future__ import annotations

import itertools

import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_layout import BootLayout, lay_out_boot
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.presets import PRESETS, find_preset
from hotmem_viz.machine.profiles import PROFILES, find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan, plan_zones
from hotmem_viz.vocabulary import PageKind, ZoneType


def zone_of(plan: ZonePlan, nid: int, zone: ZoneType) -> ZoneSpan:
    found = plan.find(nid, zone)
    assert found is not None
    return found


def boot(spec: MachineSpec, cmdline: str = "", profile: str = "6.1") -> tuple[ZonePlan, BootLayout]:
    options = parse_boot_options(cmdline, strict=True)
    kernel = find_profile(profile, spec.arch)
    plan = plan_zones(spec, options, kernel)
    return plan, lay_out_boot(spec, plan, options, kernel)


def maps(layout: BootLayout):
    return [r for r in layout.reserved if r.kind is PageKind.MEMMAP]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("cmdline", ["", "movablecore=75%", "movable_node"])
@pytest.mark.parametrize("profile", ["6.1", "2012"])
def test_presets_boot(name, cmdline, profile):
    spec = find_preset(name)
    plan, layout = boot(spec, cmdline, profile)
    ends = [(r.start_pfn, r.end_pfn) for r in layout.reserved]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends))
    memory = [(r.start_pfn, r.end_pfn) for n in spec.nodes for r in n.ranges]
    assert all(any(low <= a and b <= high for low, high in memory) for a, b in ends)
    managed = layout.managed_pages(plan)
    assert sum(managed.values()) == spec.present_pages - sum(r.pages for r in layout.reserved)
    assert all(0 < layout.initial_pages(plan)[key] <= pages for key, pages in managed.items())
    assert all(u.pages > 0 for u in layout.used)


def test_the_map_lies_in_the_nodes_own_movable_zone():
    plan, layout = boot(find_preset("server"), "kernelcore=25%")
    for node, found in zip(find_preset("server").nodes, maps(layout), strict=True):
        movable = zone_of(plan, node.nid, ZoneType.MOVABLE)
        assert movable.start_pfn <= found.start_pfn
        assert found.end_pfn <= movable.end_pfn
        # 128 sections (104 + 24 on node 0 as well) of 512 pages of struct page each.
        assert found.pages == 128 * 512


def test_movable_node_takes_nothing_from_marked_nodes():
    spec = find_preset("mail")
    plan, layout = boot(spec, "movable_node")
    managed = layout.managed_pages(plan)
    for node in spec.nodes[1:]:
        assert managed[node.nid, ZoneType.MOVABLE] == node.present_pages
    assert sum(r.pages for r in maps(layout)) == spec.present_pages * 64 // 4096


def test_classroom_footprint_is_a_32nd_and_struct_page_is_not():
    spec = find_preset("classroom")
    _, layout = boot(spec)
    image = sum(r.pages for r in layout.reserved if r.kind is PageKind.KERNEL_IMAGE)
    assert image == -(-(3586 + 2087 + 1562 + 851 + 17) // 32)
    assert sum(r.pages for r in maps(layout)) * 64 == spec.present_pages
    assert next(r.pages for r in layout.reserved if "bounce buffers (" in r.why) == 512


def test_pae_map_covers_holes_and_lies_in_lowmem():
    plan, layout = boot(find_preset("pae"), profile="6.1-pae")
    (found,) = maps(layout)
    assert found.pages == -(-17 * (1 << 18) * 40 // 4096)
    assert found.end_pfn <= zone_of(plan, 0, ZoneType.NORMAL).end_pfn
    assert (
        layout.managed_pages(plan)[0, ZoneType.HIGHMEM]
        == zone_of(plan, 0, ZoneType.HIGHMEM).present_pages
    )


def test_pae_of_64_gib_at_64_bytes_a_page_cannot_boot():
    ranges = (PfnRange(0, 3 << 18), PfnRange(4 << 18, 64 << 18))
    spec = MachineSpec("big", (NodeSpec(0, ranges),), Arch.PAE, 131072)
    plan, layout = boot(spec)
    assert layout.managed_pages(plan)[0, ZoneType.NORMAL] < 1 << 16


@pytest.mark.parametrize(
    "ranges",
    [[(0, 256)], [(0, 4200)], [(1 << 20, 1 << 21)], [(0, 15000)]],
    ids=["1 MiB", "16.4 MiB", "from 4 GiB", "58 MiB"],
)
def test_machines_that_are_too_small_fail_with_one_clear_line(ranges):
    spec = MachineSpec("tiny", (NodeSpec(0, tuple(PfnRange(*r) for r in ranges)),))
    with pytest.raises(ParameterError, match=r"^nodes: ") as error:
        boot(spec)
    assert "\n" not in str(error.value)


def test_profiles_come_in_both_builds():
    for name in ("6.1", "6.1-pae", "2012", "2012-pae"):
        for arch in Arch:
            assert find_profile(name).for_arch(arch).arch is arch


def test_later_kernels_come_for_x86_64_alone():
    later = set(PROFILES) - {"6.1", "6.1-pae", "2012", "2012-pae"}
    assert later == {"6.12", "7.2"}
    for name in later:
        with pytest.raises(ParameterError, match="no such kernel for pae"):
            find_profile(name).for_arch(Arch.PAE)


def test_an_unknown_profile_is_refused():
    with pytest.raises(ParameterError, match=r"^profile: .*6\.1-pae"):
        find_profile("5.10")
