"""Every boot layout captured from a real kernel, against the model: zones, reserves, marks."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.captures import Capture, capture_names, open_capture, spec_from_capture
from hotmem_viz.machine.boot_layout import BootLayout, lay_out_boot
from hotmem_viz.machine.profiles import KernelProfile, find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec
from hotmem_viz.machine.zone_plan import ZonePlan, plan_zones
from hotmem_viz.mechanisms.watermarks import protection, settle_watermarks, watermark_rules
from hotmem_viz.vocabulary import ZoneType

NAMES = capture_names()
NOT_BOOTED = {"c-boot-kernelcore-056M", "c-dense-8G-low128M"}
BOOTED = [n for n in NAMES if n not in NOT_BOOTED]
PAE = [n for n in BOOTED if n.startswith("e-")]
COLUMNS = {
    Arch.X86_64: (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE),
    Arch.PAE: (ZoneType.DMA, ZoneType.NORMAL, ZoneType.HIGHMEM, ZoneType.MOVABLE),
}


@cache
def load(name: str) -> tuple[Capture, MachineSpec, KernelProfile, ZonePlan]:
    capture = open_capture(name)
    spec, options = spec_from_capture(capture)
    profile = find_profile(capture.profile_name)
    return capture, spec, profile, plan_zones(spec, options, profile)


@cache
def boot(name: str) -> BootLayout:
    capture, spec, profile, plan = load(name)
    return lay_out_boot(spec, plan, spec_from_capture(capture)[1], profile)


def populated(capture: Capture):
    return [z for z in capture.zoneinfo() if z.managed and z.zone is not None]


def initial_pages(capture: Capture) -> list[int]:
    """Return managed pages of the time that watermarks come from, by the log of the boot."""
    log = capture.boot_log
    assert log.ramdisk is not None
    pages = []
    for z in populated(capture):
        end = z.start_pfn + z.spanned
        late = log.image_freed_pages if z.start_pfn <= 4096 < end else 0
        late += log.ramdisk_freed_pages if z.start_pfn <= log.ramdisk[0] < end else 0
        pages.append(z.managed - late)
    return pages


def test_all_captures_are_here():
    assert len(NAMES) == 114
    assert {n for n in NAMES if "boot" not in load(n)[0].stages} == NOT_BOOTED


@pytest.mark.parametrize("name", NAMES)
def test_movable_starts_are_those_of_the_log(name):
    capture, _, _, plan = load(name)
    assert dict(plan.movable_starts) == dict(capture.boot_log.movable_starts)


@pytest.mark.parametrize("name", BOOTED)
def test_zones_start_span_and_presence_are_exact(name):
    capture, _, _, plan = load(name)
    mine = [(z.nid, z.zone, z.start_pfn, z.spanned_pages, z.present_pages) for z in plan.zones]
    theirs = [
        (z.nid, z.zone, z.start_pfn, z.spanned, z.present)
        for z in capture.zoneinfo()
        if z.present and z.zone is not None
    ]
    assert mine == theirs


@pytest.mark.parametrize("name", [n for n in BOOTED if not n.startswith("e-")])
def test_every_memory_block_lies_in_the_zone_the_kernel_names(name):
    capture, _, _, plan = load(name)
    size = int(capture.text("block_size_bytes"), 16) // 4096
    checked = 0
    for block in capture.blocks():
        if block.state != "online":
            continue
        start = block.phys_index * size
        inside = [z for z in plan.zones if z.start_pfn < start + size and start < z.end_pfn]
        mine = (inside[0].zone.label,) if len(inside) == 1 else ()
        assert (block.number, mine) == (block.number, block.valid_zones)
        checked += 1
    assert checked


@pytest.mark.parametrize("name", BOOTED)
def test_protection_is_exact(name):
    capture, spec, profile, _ = load(name)
    zones = populated(capture)
    pages = initial_pages(capture)
    if profile.reserve_follows_managed:
        pages = [z.managed for z in zones]
    mine = protection([z.nid for z in zones], [z.zone for z in zones], pages)
    columns = list(COLUMNS[spec.arch])
    for row, zone in zip(mine, zones, strict=True):
        assert tuple(row[columns]) == zone.protection[: len(columns)], zone.name


@pytest.mark.parametrize("name", BOOTED)
def test_watermarks_are_exact(name):
    capture, spec, profile, _ = load(name)
    zones, initial = populated(capture), initial_pages(capture)
    rules = watermark_rules(profile, spec.arch, sum(initial))
    marks = settle_watermarks([z.zone for z in zones], initial, rules)
    mine = list(zip(marks.min, marks.low, marks.high, strict=True))
    assert mine == [(z.min - z.boost, z.low - z.boost, z.high - z.boost) for z in zones]


@pytest.mark.parametrize("name", BOOTED)
def test_managed_pages_are_within_four(name):
    capture, spec, profile, plan = load(name)
    managed = boot(name).managed_pages(plan)
    # The log does not say on which node each further CPU, and so its area, is.
    slack = 4 + (spec.cpus - 1) * profile.for_arch(spec.arch).footprint.percpu
    for zone in populated(capture):
        assert abs(managed[zone.nid, zone.zone] - zone.managed) <= slack, zone.name


def test_managed_pages_are_mostly_exact():
    errors = [
        boot(name).managed_pages(load(name)[3])[z.nid, z.zone] - z.managed
        for name in BOOTED
        for z in populated(load(name)[0])
    ]
    assert len(errors) == 400
    assert errors.count(0) >= 380


@pytest.mark.parametrize("name", PAE)
def test_pae_lowmem_is_exact(name):
    capture, _, _, plan = load(name)
    managed = boot(name).managed_pages(plan)
    low = managed[0, ZoneType.DMA] + managed[0, ZoneType.NORMAL]
    assert low * 4 == capture.meminfo()["LowTotal"]


def started_alike(name: str) -> bool:
    """Say whether the ramdisk is the one that footprints were measured with.

    tools/capture starts another program, from a ramdisk less than half as large.
    """
    capture, _, profile, _ = load(name)
    return capture.boot_log.ramdisk_freed_pages > profile.footprint.initrd / 2


@pytest.mark.parametrize("name", [n for n in BOOTED if started_alike(n)])
def test_pages_in_use_after_boot_are_within_two_percent(name):
    capture = load(name)[0]
    used = sum(z.managed - z.free - z.pcp_pages for z in capture.zoneinfo())
    mine = sum(u.pages for u in boot(name).used)
    assert mine == pytest.approx(used, rel=0.02)


@pytest.mark.parametrize("name", sorted(NOT_BOOTED))
def test_machines_whose_kernel_died_in_boot_do_not_boot_here(name):
    with pytest.raises(ParameterError, match="does not boot"):
        boot(name)


@pytest.mark.parametrize("name", BOOTED)
def test_boot_ranges_lie_apart_and_inside_memory(name):
    _, spec, _, plan = load(name)
    layout = boot(name)
    ranges = layout.reserved
    assert all(a.end_pfn <= b.start_pfn for a, b in itertools.pairwise(ranges))
    memory = [(r.start_pfn, r.end_pfn) for n in spec.nodes for r in n.ranges]
    for r in ranges:
        assert any(low <= r.start_pfn and r.end_pfn <= high for low, high in memory), r
    assert sum(layout.managed_pages(plan).values()) <= spec.present_pages
