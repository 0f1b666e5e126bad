"""The captures that come with the package hold what the comparison reads, and little else."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hotmem_viz.kernel.captured_pages import page_stages, present_ranges
from hotmem_viz.kernel.captures import Capture, capture_names, captures_folder, open_capture
from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.kernel.samples import (
    last_sample,
    peak_sample,
    read_sample,
    sample_names,
    series_names,
)
from hotmem_viz.settings import data_folder
from hotmem_viz.vocabulary import PageKind, ZoneType
from tools.compact_captures import MOST_SAMPLES, compact

BOOTED = [n for n in capture_names() if open_capture(n).has("boot/zoneinfo")]
FILES = open_capture("b-files-85")


def test_they_are_small():
    sizes = [p.stat().st_size for p in captures_folder().iterdir()]
    assert (len(sizes), len(BOOTED)) == (114, 112)
    assert sum(sizes) < 2_000_000


@pytest.mark.parametrize("name", BOOTED)
def test_every_boot_has_its_texts_and_its_pages(name):
    capture = open_capture(name)
    texts = ["zoneinfo", "buddyinfo", "pagetypeinfo", "meminfo", "slabinfo", "vmstat", "iomem"]
    for stage in capture.stages:
        assert [t for t in texts if not capture.has(f"{stage}/{t}")] == []
    assert "boot" in page_stages(capture)
    assert set(page_stages(capture, "pages")) <= set(page_stages(capture))


@pytest.mark.parametrize("name", ["b-files-85", "d-sweep-movable50-pin", "v72-d-hot-256-default"])
def test_compacting_a_compact_capture_changes_nothing(name):
    capture = open_capture(name)
    assert compact(capture) == capture.files


def made_long(count: int) -> Capture:
    """Give b-files-85 a long series, whose peak is early and whose load dies before the end."""
    text = FILES.text(sample_names(FILES)[3])
    files = {n: d for n, d in FILES.files.items() if not n.startswith("frames/ts/")}
    for i in range(count):
        note = "dead" if i >= count - 3 else "tick"
        sample = re.sub(r"^.*", f"## sample {i} ops={i * 10} t={i / 4} note={note}", text, count=1)
        slab = 999999 if i == 2 else i
        sample = re.sub(r"SReclaimable: +\d+", f"SReclaimable: {slab}", sample)
        files[f"frames/ts/files/{i:04}"] = sample.encode()
    return replace(FILES, files=files)


def test_a_long_series_is_thinned_and_keeps_its_last_and_its_peak():
    long = made_long(1000)
    short = replace(long, files=compact(long))
    names = sample_names(short)
    assert MOST_SAMPLES <= len(names) <= MOST_SAMPLES + 2
    assert last_sample(short).operations == last_sample(long).operations == 9960
    assert peak_sample(short).operations == peak_sample(long).operations == 20
    done = [read_sample(short, n).operations for n in names]
    assert max(b - a for a, b in itertools.pairwise(done)) <= 70
    assert done[-1] == 9990


def test_samples_of_a_series():
    names = sample_names(FILES)
    first, last = read_sample(FILES, names[0]), last_sample(FILES)
    assert (len(names), first.note, first.operations, first.seconds) == (37, "start", 0, 5.464)
    assert (last.note, last.operations) == ("tick", 87500)
    movable = [z for z in last.zoneinfo() if z.zone is ZoneType.MOVABLE]
    assert movable[0].free == 216901
    assert (last.has("slabinfo"), first.has("slabinfo")) == (True, False)


def test_a_capture_can_have_several_series():
    capture = open_capture("d-hot-kernel-files")
    assert series_names(capture) == ("hot", "pre-files")
    counts = [len(sample_names(capture, series)) for series in ("hot", "pre-files", "none", "")]
    assert counts == [5, 123, 0, 128]


def test_the_readme_names_every_file():
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:frames/)?(?:STAGE/)?([\w.]+)", text))
    for name in ("b-files-85", "d-hot-movable-pin", "d-grow-256M", "d-virtio-mem-online_kernel"):
        for path in open_capture(name).files:
            parts = Path(path).parts
            assert {parts[-1], *parts[1:2]} & named, path


@pytest.mark.parametrize("name", BOOTED)
def test_reserved_pages_are_those_that_the_allocator_was_never_given(name):
    """From two sources: page flags, and present less managed of zoneinfo."""
    capture = open_capture(name)
    flags = capture.page_runs("boot")
    zones = [z for z in capture.zoneinfo() if z.start_pfn is not None]
    kept = sum(z.present - z.managed for z in zones)
    inside = present_ranges(capture, "boot")
    reserved = sum(flags.count(PageFlag.RESERVED, start, end) for start, end in inside)
    assert reserved == kept
    free = sum(z.free for z in zones)
    assert flags.count(PageFlag.BUDDY) == pytest.approx(free, abs=256)


@pytest.mark.parametrize("name", BOOTED)
def test_slab_pages_by_flag_are_those_of_slabinfo(name):
    """Slabinfo trails behind by slabs on per-CPU lists, 150 pages at most on these machines."""
    capture = open_capture(name)
    caches = sum(cache.pages for cache in capture.slabinfo().values())
    flags = capture.page_runs("boot")
    assert flags.count(PageFlag.SLAB) == pytest.approx(caches, abs=160)
    tables = capture.meminfo()["PageTables"] // 4
    assert flags.count(PageFlag.PGTABLE) == pytest.approx(tables, abs=32)


@pytest.mark.parametrize("name", [n for n in BOOTED if open_capture(n).has("acpi/SRAT")])
def test_the_srat_says_what_the_kernel_read_in_it(name):
    """The table itself against the log: domain, first and last address, hot-pluggable."""
    capture = open_capture(name)
    said = re.findall(
        r"SRAT: Node \d+ PXM (\d+) \[mem 0x(\w+)-0x(\w+)\]( hotplug)?", capture.text("console.txt")
    )
    read = {(int(d), int(a, 16), int(b, 16) + 1, bool(h)) for d, a, b, h in said}
    assert read == {
        (m.domain, m.start_pfn << 12, m.end_pfn << 12, m.hotpluggable) for m in capture.srat
    }


@pytest.mark.parametrize(
    ("name", "stage", "page_tables"),
    [
        ("b-files-85", "boot", 14),
        ("b-files-85", "near/files", 23),
        ("e-boot-04G", "boot", 19),
    ],
)
def test_page_tables_by_flag(name, stage, page_tables):
    """KERNEL-CHECKED 8: an idle machine, and one under a load without mappings."""
    capture = open_capture(name)
    assert capture.page_runs(stage).count(PageFlag.PGTABLE) == page_tables
    kinds = capture.page_kinds(stage)
    assert kinds.count_where(kinds.words == PageKind.PAGE_TABLE) == page_tables


def test_holes_are_holes_on_every_kernel():
    """7.2 shows them without a flag; before, page structs and the boot log say the same."""
    for name in ("v72-a-06G-kernelcore-37pct", "v612-a-06G-kernelcore-37pct", "d-sweep-fresh"):
        kinds = open_capture(name).page_kinds("boot")
        assert kinds.count_where(kinds.words == PageKind.HOLE, 1 << 17) == 7 << 17, name


def test_a_hot_added_block_appears_where_it_was_plugged_in():
    capture = open_capture("v72-d-hot-256-default")
    boot, loaded = capture.page_kinds("boot"), capture.page_kinds("loaded")
    assert (boot.total, loaded.total) == (196608, (1 << 20) + 65536)
    assert loaded.count_where(loaded.words == PageKind.HOLE, 196608) == (1 << 20) - 196608
    assert present_ranges(capture, "loaded")[-2:] == (
        (1 << 20, (1 << 20) + 32768),
        ((1 << 20) + 32768, (1 << 20) + 65536),
    )


def test_pages_of_one_block_begin_at_its_first_pfn():
    for name, stage in (("d-sweep-fresh", "sweep"), ("d-hot-movable-pin", "before")):
        runs = open_capture(name).page_runs(f"{stage}/memory33")
        assert (runs.start_pfn, runs.total) == (33 * 32768, 32768)
