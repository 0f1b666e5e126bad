"""buddyinfo, pagetypeinfo, vmstat, iomem and pageblocks: what real kernels print, and agree on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.buddyinfo import parse_buddyinfo
from hotmem_viz.kernel.captures import capture_names, open_capture
from hotmem_viz.kernel.iomem import image_pfns, parse_iomem
from hotmem_viz.kernel.pagetypeinfo import parse_pagetypeinfo
from hotmem_viz.kernel.procfs import parse_vmstat
from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType

BOOTED = [n for n in capture_names() if open_capture(n).has("boot/zoneinfo")]
STILL_CHANGING = {"c-procs-85", "v612-c-procs-2G-80"}
"""At their `end` the killed processes are still giving memory back while the files are read."""

ONE_KERNEL_EACH = ["b-files-85", "e-boot-04G", "v612-c-zero-1G-60", "v72-c-zero-1G-60"]


def test_buddyinfo_of_a_real_kernel():
    dma, dma32, movable = open_capture("b-files-85").buddyinfo()
    assert dma.counts == (0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 3)
    assert (dma.free, dma32.zone, movable.zone) == (3808, ZoneType.DMA32, ZoneType.MOVABLE)
    assert movable.counts[1] == 2


def test_pagetypeinfo_of_a_real_kernel():
    info = open_capture("b-files-85").pagetypeinfo()
    assert info.pageblock_order == 9
    dma, dma32, movable = info.zones
    assert dma.free[MigrateType.UNMOVABLE] == (0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0)
    assert dma.free[MigrateType.MOVABLE] == (0,) * 9 + (1, 3)
    assert dma32.free_pages(MigrateType.RECLAIMABLE) == 2 + 4 + 32 + 256 + 512
    assert movable.blocks == {
        MigrateType.UNMOVABLE: 10,
        MigrateType.MOVABLE: 426,
        MigrateType.RECLAIMABLE: 0,
        MigrateType.HIGHATOMIC: 0,
        MigrateType.ISOLATE: 0,
    }
    assert not movable.capped


def test_only_the_newest_kernel_has_cma():
    for name in ONE_KERNEL_EACH:
        zones = open_capture(name).pagetypeinfo().zones
        has_cma = [MigrateType.CMA in z.free and MigrateType.CMA in z.blocks for z in zones]
        assert set(has_cma) == {name.startswith("v72")}, name


def test_a_long_list_is_counted_to_a_hundred_thousand():
    text = open_capture("b-files-85").text("boot/pagetypeinfo")
    row = next(x for x in text.splitlines() if "DMA32, type      Movable" in x)
    words = row.split()
    capped = row.replace(f"Movable      {words[6]} ", "Movable >100000 ", 1)
    assert capped != row
    zone = parse_pagetypeinfo(text.replace(row, capped)).zones[1]
    assert (zone.capped, zone.free[MigrateType.MOVABLE][0]) == (True, 100000)


@pytest.mark.parametrize("name", BOOTED)
def test_free_lists_agree_with_each_other_and_with_vmstat(name):
    """Three files, read one after the other: some thirty pages change hands meanwhile."""
    capture = open_capture(name)
    for stage in capture.stages:
        if stage == "end" and name in STILL_CHANGING:
            continue
        listed = {(z.nid, z.name): z.free for z in capture.buddyinfo(stage)}
        typed = capture.pagetypeinfo(stage).zones
        assert {(z.nid, z.name) for z in typed} == set(listed)
        for zone in typed:
            free = sum(zone.free_pages(kind) for kind in zone.free)
            assert free == pytest.approx(listed[zone.nid, zone.name], abs=32)
        assert capture.vmstat(stage)["nr_free_pages"] == pytest.approx(
            sum(z.free for z in capture.zoneinfo(stage)), abs=64
        )


@pytest.mark.parametrize("name", [n for n in BOOTED if open_capture(n).has("pbt/boot")])
def test_pageblock_types_agree_with_pagetypeinfo(name):
    """From page structs, and from the kernel's own count; a block or two turn over meanwhile."""
    capture = open_capture(name)
    types = capture.pageblock_types("boot").types
    seen = np.bincount(types.ravel(), minlength=len(MigrateType))
    zones = capture.pagetypeinfo().zones
    said = np.array([sum(z.blocks.get(kind, 0) for z in zones) for kind in MigrateType])
    if name.startswith("c-dense-8G"):
        # The machine has a section above its last page; its blocks are of no zone.
        seen[MigrateType.UNMOVABLE] -= 64
    assert np.abs(seen - said).max() <= 1
    assert said[MigrateType.MOVABLE] > 0


def test_what_an_isolated_pageblock_is_called_depends_on_the_kernel():
    """A pinned DIMM's blocks are isolated while its removal tries for ever; 7.2 calls 4 CMA."""
    capture = open_capture("d-hot-movable-pin")
    newer = replace(capture, manifest={**capture.manifest, "kernel": "7.2.13-amd64"})
    for told, kind in ((capture, MigrateType.ISOLATE), (newer, MigrateType.CMA)):
        types = told.pageblock_types("removed").types
        assert np.bincount(types.ravel(), minlength=6)[4:].sum() == (types == kind).sum() > 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("zone      DMA ", "zone      DMX ", "line 1: not a zone and its free blocks"),
        ("     1      3 ", "     1 ", "line 1: 10 orders instead of 11"),
        ("Node 0, zone    DMA32", "Node 0, zone      DMA", "line 2: zone DMA of node 0 is listed"),
        ("     1      3 ", " 1 99999999999999999999 ", "line 1: order 10 does not fit 64 bits"),
        ("     1      3 ", " 1 99999999 ", "line 1: more pages are free than any machine"),
        ("     1      3 ", " 1 -3 ", "line 1: not a zone"),
    ],
)
def test_damaged_buddyinfo(old, new, says):
    text = open_capture("b-files-85").text("boot/buddyinfo")
    assert old in text
    with pytest.raises(CaptureError, match=f"^some/file, {says}"):
        parse_buddyinfo(text.replace(old, new, 1), "some/file")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Page block order: 9", "", "no pageblock order"),
        ("Page block order: 9", "Page block order: 19", "line 1: a pageblock of order 19"),
        ("type    Unmovable", "type    Immovable", "line 5: an unknown migrate type"),
        ("type      Movable", "type    Unmovable", "line 6: Unmovable of zone DMA is listed twice"),
        ("Number of blocks type ", "Number of blox type ", "line 21: not a zone, a type and free"),
        (
            "Node 0, zone  Movable           10 ",
            "Node 0, zone  Movable ",
            "not a zone and its page",
        ),
        ("Node 0, zone  Movable           10          426", "", "line 24: not a zone and its page"),
        ("Pages per block:", "Pages per bloc:", "line 2: not a line of pagetypeinfo"),
    ],
)
def test_damaged_pagetypeinfo(old, new, says):
    text = open_capture("b-files-85").text("boot/pagetypeinfo")
    assert old in text
    with pytest.raises(CaptureError, match=says):
        parse_pagetypeinfo(text.replace(old, new, 1))


def test_pagetypeinfo_that_ends_early_is_refused_wherever_it_ends():
    text = open_capture("b-files-85").text("boot/pagetypeinfo").rstrip()
    last = text.rindex("Node 0, zone  Movable")
    for cut in range(0, last, 37):
        with pytest.raises(CaptureError):
            parse_pagetypeinfo(text[:cut])


def test_vmstat_names_the_line():
    assert parse_vmstat("nr_free_pages 7\noom_kill 0\n") == {"nr_free_pages": 7, "oom_kill": 0}
    for bad, says in [
        ("", "no counter"),
        ("a 1\nb\n", "line 2"),
        ("a 1\na 2\n", "line 2"),
        ("a x", "1"),
    ]:
        with pytest.raises(CaptureError, match=says):
            parse_vmstat(bad)


def test_the_kernels_image_by_iomem():
    """By hand from iomem of e-boot-04G: code, rodata, data, bss."""
    capture = open_capture("e-boot-04G")
    spans = image_pfns(capture.iomem())
    assert spans == ((0x1000, 0x1934), (0x1934, 0x1C51), (0x1C52, 0x1D8F), (0x1E94, 0x1F0B))
    kinds = capture.page_kinds()
    image = kinds.words == PageKind.KERNEL_IMAGE
    pages = sum(b - a for a, b in spans)
    assert pages - 8 <= kinds.count_where(image) <= pages
    assert kinds.count_where(image, end_pfn=0x1000) == 0


def test_damaged_iomem():
    assert image_pfns(parse_iomem("00000000-00000000 : Kernel code\n")) == ()
    for bad, says in [
        ("", "no range"),
        ("00001000-00000fff : RAM", "ends before"),
        ("1000-1fff : RAM", "not a range"),
        (" 00000000-00000fff : RAM", "not a range"),
    ]:
        with pytest.raises(CaptureError, match=says):
            parse_iomem(bad)
