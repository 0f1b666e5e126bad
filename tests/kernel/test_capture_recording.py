"""A capture as a recording holds what the kernel printed, read here once more and otherwise."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.errors import CaptureError, RecordingError
from hotmem_viz.kernel.capture_recording import overlay, record_capture
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.page_flags import PageRuns
from hotmem_viz.recording.store import load
from hotmem_viz.views.wire import decode_recording, encode_recording
from hotmem_viz.vocabulary import PageKind
from tests.changed_captures import make_capture
from tests.conftest import ROOT

SEVERAL = (
    "a-kernelcore-50pct",
    "b-files-85",
    "b-negdentry-85",
    "c-sparse-zero-85",
    "d-hot-movable-pin",
    "d-sweep-movable50-anon",
    "d-grow-256M",
    "e-sockets-04G",
    "v72-b-vmas-768M-75",
)


@pytest.fixture(scope="module")
def recordings():
    """Record each capture once."""
    return {name: record_capture(open_capture(name)) for name in SEVERAL}


def printed(text, zone, name):
    """Read one number of one zone out of zoneinfo by hand."""
    head = rf"^Node {zone['nid']}, zone +{zone['zone']}$"
    body = re.split(head, text, maxsplit=1, flags=re.MULTILINE)[1]
    body = re.split(r"^Node ", body, maxsplit=1, flags=re.MULTILINE)[0]
    return int(re.findall(rf"^ *(?:pages )?{name} +(\d+)$", body, re.MULTILINE)[0])


def counter(recording, tick, name):
    names = [c["name"] for c in recording.meta["counters"]]
    return recording.counters_array[tick, names.index(name)]


@pytest.mark.parametrize("name", SEVERAL)
def test_zones_at_boot_are_those_of_zoneinfo(recordings, name):
    recording, text = recordings[name], open_capture(name).text("boot/zoneinfo")
    assert recording.meta["zones"]
    for zone in recording.meta["zones"]:
        for mark in ("free", "min", "low", "high", "boost", "managed"):
            value = counter(recording, 0, f"zone{zone['id']}.{mark}")
            assert value == printed(text, zone, mark), (zone, mark)


@pytest.mark.parametrize("name", ["b-files-85", "c-sparse-zero-85", "e-sockets-04G"])
def test_every_sample_is_a_tick_with_its_numbers(recordings, name):
    recording, capture = recordings[name], open_capture(name)
    load = capture.args["kind"]
    paths = sorted(p for p in capture.files if p.startswith(f"frames/ts/{load}/"))
    ticks = [t for t in range(recording.n_ticks) if t not in (0, recording.n_ticks - 1)]
    ooms = [e.tick for e in recording.event_list if e.kind == "OOM"]
    ticks = [t for t in ticks if t not in ooms]
    assert len(ticks) == len(paths) > 20
    for tick, path in zip(ticks, paths, strict=True):
        text = capture.files[path].decode()
        (operations,) = re.findall(r"ops=(\d+)", text.splitlines()[0])
        assert counter(recording, tick, "objects") == int(operations)
        (claimed,) = re.findall(r"^MemAvailable: +(\d+) kB$", text, re.MULTILINE)
        assert counter(recording, tick, "mem_available") == int(claimed) // 4
        zoneinfo = text.split("## file /proc/zoneinfo\n")[1].split("## file ")[0]
        frees = [printed(zoneinfo, zone, "free") for zone in recording.meta["zones"]]
        assert counter(recording, tick, "free") == sum(frees)


def flags_by_page(capture, stage):
    """Expand a stage's flags page by page, with nothing of the package."""
    pairs = list(struct.iter_unpack("<QQ", capture.files[f"frames/kpf/{stage}"]))
    return np.repeat([p[0] for p in pairs], [p[1] for p in pairs])


@pytest.mark.parametrize(
    ("name", "path", "stage"),
    [
        ("b-files-85", "boot", "boot"),
        ("b-files-85", "files/near", "zones nearly full"),
        ("b-files-85", "end", "end"),
        ("e-sockets-04G", "sockets/near", "zones nearly full"),
        ("d-hot-movable-pin", "loaded", "loaded"),
    ],
)
def test_cells_recounted_from_flags_section_by_section(recordings, name, path, stage):
    recording, flags = recordings[name], flags_by_page(open_capture(name), path)
    meta = recording.meta
    (tick,) = [m["tick"] for m in meta["maps"] if m["label"] == stage]
    frame = recording.frame(tick).reshape(len(meta["sections"]), -1)
    per_cell, size = meta["pages_per_cell"], meta["machine"]["section_pages"]
    for i, section in enumerate(meta["sections"]):
        part = flags[section * size : (section + 1) * size]
        part = np.pad(part, (0, size - len(part)), constant_values=1 << 20)
        rows = part.reshape(-1, per_cell)

        def has(*bits, rows=rows):
            return sum(rows >> bit & 1 for bit in bits).astype(bool).any(axis=1)

        # A page with none of the flags that name a use is the kernel's, or on a per-CPU list.
        uses = (3, 5, 7, 10, 12, 14, 17, 19, 20, 22, 23, 26, 32)
        named = (rows & sum(1 << bit for bit in uses)) != 0
        clear = named.all(axis=1) & ~has(32)
        assert (frame[i] == PageKind.PAGE_TABLE)[clear].sum() == (has(26) & clear).sum()
        slab = has(7) & ~has(26)
        assert ((frame[i] == PageKind.SLAB)[clear] == slab[clear]).all()
        all_free = (rows >> 10 & 1).astype(bool).all(axis=1)
        assert (frame[i][all_free] == PageKind.FREE).all()


def test_the_map_is_held_between_flags_and_says_so(recordings):
    recording = recordings["b-files-85"]
    maps = recording.meta["maps"]
    assert [m["label"] for m in maps] == ["boot", "zones nearly full", "end"]
    near = maps[1]["tick"]
    held = recording.frame(near - 1)
    assert (held == recording.frame(0)).all()
    assert (held != recording.frame(near)).any()
    (free,) = {counter(recording, t, "kind.free") for t in range(near)}
    runs = open_capture("b-files-85").page_kinds("boot")
    assert free == runs.count_where(runs.words == PageKind.FREE)


def test_pages_near_the_end_stand_at_the_sample_they_were_read_at(recordings):
    for name in ("b-files-85", "c-sparse-zero-85", "e-sockets-04G", "v72-b-vmas-768M-75"):
        recording = recordings[name]
        (tick,) = [m["tick"] for m in recording.meta["maps"] if m["label"] == "zones nearly full"]
        by_flags, by_zones = (counter(recording, tick, n) for n in ("kind.free", "free"))
        assert abs(by_flags - by_zones) < 300, name


def test_the_oom_caption_has_the_numbers_of_the_console(recordings):
    recording, capture = recordings["b-files-85"], open_capture("b-files-85")
    (event,) = [e for e in recording.event_list if e.kind == "OOM"]
    console = capture.text("console.txt")
    assert "GFP_KERNEL" in re.findall(r"invoked oom-killer: gfp_mask=\w+\((\w+)\)", console)[0]
    assert "After 87,605 files hm asks for a page, GFP_KERNEL." in event.text
    for zone in ("DMA", "DMA32"):
        free, least = re.findall(rf"Node 0 {zone} free:(\d+)kB boost:\d+kB min:(\d+)kB", console)[0]
        assert f"{zone} {int(free) // 4:,} (min {int(least) // 4:,}" in event.text
    # lowmem_reserve of DMA against Normal, third column.
    reserve = re.findall(r"lowmem_reserve\[\]: \d+ \d+ (\d+)", console)[0]
    assert f", reserve {reserve})" in event.text
    total = int(re.findall(r" free:(\d+) free_pcp", console)[0])
    seen = sum(int(n) // 4 for n in re.findall(r"Node 0 DMA(?:32)? free:(\d+)kB", console)[:2])
    hidden = total - seen
    assert f"ZONE_MOVABLE at all, {hidden * 4096 / 2**20:.0f} MiB free." in event.text
    assert counter(recording, event.tick, "free") == total
    assert re.search(r"MemAvailable, 105 files before: \d+ MiB\.", event.text)
    assert counter(recording, event.tick, "objects") == 87605


def test_kswapd_is_told_from_vmstat(recordings):
    recording, capture = recordings["b-files-85"], open_capture("b-files-85")
    paths = sorted(p for p in capture.files if p.startswith("frames/ts/files/"))
    runs = [
        int(re.findall(r"^pageoutrun (\d+)$", capture.files[p].decode(), re.MULTILINE)[0])
        for p in paths
    ]
    told = {e.kind: e.tick for e in recording.event_list}
    first = next(i for i, n in enumerate(runs) if n)
    low = re.compile(r"zone +(?:DMA|DMA32)\n.*?pages free +(\d+)\n.*?low +(\d+)\n", re.DOTALL)
    zones = [low.findall(capture.files[p].decode()) for p in paths]
    settled = next(
        i
        for i, n in enumerate(runs[:-1])
        if n == runs[i + 1] >= 16 and any(int(free) < int(mark) for free, mark in zones[i])
    )
    # Tick 0 is the boot stage, samples begin at tick 1.
    assert told["KSWAPD_WAKE"] == first + 1
    assert told["KSWAPD_GIVES_UP"] == settled + 1
    # A cache that shrinks keeps kswapd going.
    assert "KSWAPD_GIVES_UP" not in {e.kind for e in recordings["b-negdentry-85"].event_list}


def test_a_sweep_is_told_block_by_block(recordings):
    recording, capture = (
        recordings["d-sweep-movable50-anon"],
        open_capture("d-sweep-movable50-anon"),
    )
    lines = re.findall(
        r"^sweep (memory\d+) .* rc=(-?\d+) ", capture.text("sweep/sweep"), re.MULTILINE
    )
    told = [e for e in recording.event_list if e.title.startswith("memory")]
    assert len(lines) == 16
    assert [(e.title.split()[0], e.kind) for e in told] == [
        (block, "CAPTURED" if rc == "0" else "REFUSED") for block, rc in lines
    ]
    assert all(e.mark for e in told)
    busy = next(e for e in told if e.title.startswith("memory35 "))
    assert "EBUSY" in busy.text
    assert "4,142 pages of the memory map" in busy.text


def test_each_mark_has_a_tick_of_its_own(recordings):
    for name, recording in recordings.items():
        ticks = [e.tick for e in recording.event_list if e.mark]
        assert len(ticks) == len(set(ticks)), name
        captions = [c["tick"] for c in recording.meta["captions"]]
        assert captions == sorted(set(captions))
        assert captions[0] == 0


def test_memory_that_is_added_and_taken_away(recordings):
    recording = recordings["d-hot-movable-pin"]
    titles = [e.title for e in recording.event_list]
    assert titles == [
        "Linux 6.1.0-56-cloud-amd64 has booted",
        "Memory is added",
        "The blocks are online",
        "The load is in",
        "The removal does not end",
        "The memory is gone",
    ]
    (movable,) = [z["id"] for z in recording.meta["zones"] if z["zone"] == "Movable"]
    managed = [counter(recording, t, f"zone{movable}.managed") for t in range(6)]
    assert managed == [0, 0, 131072, 131072, 131072, 0]
    assert len(recording.meta["sections"]) == 12


def test_operations_never_fall(recordings):
    for name, recording in recordings.items():
        names = [c["name"] for c in recording.meta["counters"]]
        done = recording.counters_array[:, names.index("objects")]
        assert (np.diff(done) >= 0).all(), name


@pytest.mark.parametrize("name", SEVERAL)
def test_it_is_stored_and_sent_like_any_recording(recordings, name, tmp_path):
    recording = recordings[name]
    for again in (
        load(recording.save(tmp_path / "x.npz")),
        decode_recording(encode_recording(recording)),
    ):
        assert again.meta == recording.meta
        assert (again.counters_array == recording.counters_array).all()
        last = recording.n_ticks - 1
        assert (again.frame(last) == recording.frame(last)).all()


@pytest.mark.parametrize("name", SEVERAL)
def test_its_page_is_small(recordings, name):
    assert len(recordings[name].to_html()) < 400_000


def test_what_only_captures_have_is_described(recordings):
    doc = (
        (ROOT / "docs/recording.md").read_text().split("## A captured kernel")[1].split("\n## ")[0]
    )
    recording = recordings["b-files-85"]
    own = {c["name"] for c in recording.meta["counters"]}
    own -= {c["name"] for c in hotmem_viz.run("exhaustion").meta["counters"]}
    for name in own:
        pattern = re.sub(r"^zone\d+", "zoneN", name)
        assert f"`{pattern}`" in doc or (name.startswith("meminfo.") and "`meminfo.NAME`" in doc)
    assert "`meta.maps`" in doc
    assert all(set(m) == {"tick", "label"} for m in recording.meta["maps"])


def test_a_capture_without_page_flags_has_no_map(tmp_path):
    def drop(files):
        for path in [p for p in files if p.startswith("frames/kpf/")]:
            del files[path]

    recording = record_capture(open_capture(make_capture(tmp_path, "b-files-85", drop)))
    assert recording.kind is None
    assert recording.meta["maps"] == []
    with pytest.raises(RecordingError, match="no map"):
        recording.frame(0)
    again = decode_recording(encode_recording(load(recording.save(tmp_path / "x.npz"))))
    assert again.kind is None
    assert again.n_ticks == 40


def test_a_machine_that_did_not_come_up_is_one_clear_error():
    with pytest.raises(CaptureError, match="did not come up"):
        record_capture(open_capture("c-boot-kernelcore-056M"))


def test_one_block_put_over_the_whole():
    whole = PageRuns(np.array([1, 2, 3], np.uint8), np.array([4, 4, 4]))
    part = PageRuns(np.array([7, 2], np.uint8), np.array([1, 2]), 6)
    put = overlay(whole, part)
    assert put.expand().tolist() == [1, 1, 1, 1, 2, 2, 7, 2, 2, 3, 3, 3]
