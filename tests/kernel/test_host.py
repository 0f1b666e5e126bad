"""A machine told by a tree of files: what it shows is read, what it hides is named."""

from __future__ import annotations

import re
import struct
import sys

import numpy as np
import pandas as pd
import pytest

from hotmem_viz.errors import HostError
from hotmem_viz.kernel import host_files, host_pages, raw_flags
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.host import read_host
from tests.kernel.fake_root import write_tree

NAME = "a-kernelcore-50pct"
PAGE_KIB = 4


@pytest.fixture
def tree(tmp_path):
    """Return a machine of two nodes with 16 memory blocks; nobody may see its page flags."""
    return write_tree(tmp_path / "machine", NAME)


def zone_texts(text):
    """Cut zoneinfo into its zones by hand: {(nid, name): text}."""
    parts = re.split(r"^Node (\d+), zone +(\w+)\n", text, flags=re.MULTILINE)[1:]
    return {(int(n), z): body for n, z, body in zip(*[iter(parts)] * 3, strict=True)}


def number(body, name):
    # The per-CPU lists, which come later, have a `high` as well.
    return int(re.findall(rf"^ *(?:pages )?{name}:? +(\d+)$", body, re.MULTILINE)[0])


def rows_of(host):
    """Return the rows of the table of zones by (nid, name)."""
    return {(row["nid"], row["zone"]): row for row in host.zones.to_dict("records")}


def test_zones_are_those_of_zoneinfo(tree):
    host = read_host(tree)
    bodies = zone_texts((tree / "proc/zoneinfo").read_text())
    assert isinstance(host.zones, pd.DataFrame)
    zones = rows_of(host)
    assert list(zones) == [key for key, body in bodies.items() if number(body, "spanned")]
    for key, row in zones.items():
        for name in ("spanned", "present", "managed", "free", "min", "low", "high", "start_pfn"):
            assert row[name] == number(bodies[key], name), (key, name)


def test_what_is_of_no_use_to_a_kernel_request(tree):
    zones = rows_of(read_host(tree))
    assert {name for _, name in zones} == {"DMA", "DMA32", "Normal", "Movable"}
    for (_, name), row in zones.items():
        if name == "Movable":
            assert not row["kernel"]
            assert row["useless"] == row["free"] > 0
        else:
            # The columns of x86-64 are DMA, DMA32, Normal, Movable, Device.
            assert row["reserve"] == row["protection"][2]
            assert row["useless"] == min(row["free"], row["min"] + row["protection"][2])
    assert zones[0, "DMA32"]["reserve"] > 0


def test_columns_of_protection_are_counted_by_all_zones(tmp_path):
    pae = tmp_path / "pae"
    (pae / "proc").mkdir(parents=True)
    text = open_capture("e-sockets-04G").text("boot/zoneinfo")
    (pae / "proc/zoneinfo").write_text(text)
    zones = rows_of(read_host(pae))
    # DMA, Normal, HighMem, Movable.
    assert zones[0, "DMA"]["reserve"] == zones[0, "DMA"]["protection"][1] > 0
    assert zones[0, "HighMem"]["useless"] == zones[0, "HighMem"]["free"] > 0
    for old, new in (
        ("(0, 0, 25727,", "(9, 7, 25727,"),
        ("4095", "0"),
        ("3998", "0"),
        ("3840", "0"),
    ):
        assert old in text
        text = text.replace(old, new)
    (pae / "proc/zoneinfo").write_text(text)
    zones = rows_of(read_host(pae))
    assert (0, "DMA") not in zones
    assert zones[0, "Normal"]["reserve"] == 7


def test_mem_available_is_that_of_meminfo(tree):
    (claimed,) = re.findall(r"MemAvailable: +(\d+) kB", (tree / "proc/meminfo").read_text())
    assert read_host(tree).mem_available == int(claimed) // PAGE_KIB


def test_blocks_and_their_runs(tree):
    host = read_host(tree)
    assert len(host.blocks) == 16
    assert host.block_pages == 32768
    assert [(r.label, r.state, r.zones, r.nid) for r in host.block_runs] == [
        ("memory0", "online", (), 0),
        ("memory1–3", "online", ("DMA32",), 0),
        ("memory32", "online", (), 0),
        ("memory33–35", "online", ("Movable",), 0),
        ("memory36–39", "online", ("Normal",), 1),
        ("memory40–43", "online", ("Movable",), 1),
    ]
    assert host.blocks.start_pfn.tolist()[4] == 32 * 32768


def test_thousands_of_blocks_stay_readable_and_few(tree, monkeypatch):
    folder = tree / "sys/devices/system/memory"
    for n in range(100, 3100):
        (folder / f"memory{n}").mkdir()
        for name, text in (
            ("state", "online"),
            ("phys_index", f"{n:08x}"),
            ("valid_zones", "Normal"),
        ):
            (folder / f"memory{n}" / name).write_text(text)
    host = read_host(tree)
    assert host.block_runs[-1].label == "memory100–3099"
    assert len(str(host).splitlines()) < 40
    monkeypatch.setattr(host_files, "MAX_BLOCKS", 20)
    few = read_host(tree)
    assert len(few.memory_blocks) == 20
    assert "only the first 20 of 3,016 read" in str(few)


def test_every_line_that_is_missing_is_named_with_its_reason(tree):
    (tree / "proc/slabinfo").unlink(missing_ok=True)
    lines = str(read_host(tree)).splitlines()
    missing = [line for line in lines if line.startswith("not read: ")]
    assert (
        "not read: /proc/slabinfo: not there: this kernel or container does not show it" in missing
    )
    assert any(line.startswith("not read: /proc/kpageflags: not there") for line in missing)
    assert any("/sys/firmware/acpi/tables/SRAT" in line for line in missing)


def test_a_file_that_may_not_be_read_is_told_from_one_that_is_not_there(tree, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(host_files, "_read_records", refuse)
    assert "not read: /dev/kmsg: permission denied; root may read it" in str(read_host(tree))


def test_hidden_addresses_and_a_text_that_no_parser_knows(tree):
    (tree / "proc/iomem").write_text("00000000-00000000 : Reserved\n  00000000-00000000 : a\n")
    (tree / "proc/meminfo").write_text("MemTotal: many kB\n")
    host = read_host(tree)
    assert host.mem_available is None
    assert "not read: /proc/iomem: its addresses are zero; root sees them" in str(host)
    assert "not read: /proc/meminfo: not understood, line 1: not a line of meminfo" in str(host)


def test_a_text_without_end_is_left_out(tree, monkeypatch):
    monkeypatch.setattr(host_files, "MAX_TEXT_BYTES", 3000)
    host = read_host(tree)
    assert "/proc/zoneinfo: larger than 0 MiB: left out" in str(host)
    assert host.zone_infos == ()
    assert len(host.memory_blocks) == 16


def test_nothing_to_read_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(
        HostError, match=r"neither zones nor memory blocks.*/proc/zoneinfo: not there"
    ):
        read_host(tmp_path)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(HostError, match=r"no Linux .darwin"):
        read_host()


def test_only_lines_about_memory_are_kept_of_the_log(tree):
    log = read_host(tree).capture.text("console.txt")
    assert "Early memory node ranges" in log
    assert "secret" not in log
    assert "SUBSYSTEM" not in log


def test_a_snapshot_is_a_capture(tree, tmp_path):
    (tree / "proc/kpageflags").write_bytes(struct.pack("<6Q", 7, 7, 7, 9, 9, 7))
    path = read_host(tree).save(tmp_path / "mine.tar.xz")
    capture = open_capture(path)
    assert (capture.name, capture.kernel, capture.stages) == (
        "mine",
        "6.1.0-56-cloud-amd64",
        ("boot",),
    )
    assert capture.zoneinfo() == open_capture(NAME).zoneinfo()
    assert capture.blocks() == open_capture(NAME).blocks()
    assert capture.boot_log.node_ranges == open_capture(NAME).boot_log.node_ranges
    assert struct.unpack("<6Q", capture.data("kpf/boot")) == (7, 3, 9, 2, 7, 1)
    compared = compare_capture(str(path))
    assert compared.error == ""
    assert {row.ok for row in compared.rows if row.quantity.startswith("zone-")} == {True}


def test_the_name_of_a_snapshot(tree, tmp_path):
    with pytest.raises(HostError, match=r"must end in \.tar\.xz"):
        read_host(tree).save(tmp_path / "mine.zip")


def test_page_flags_are_coded_alike_however_they_are_cut(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    words = np.repeat(rng.integers(0, 3, 200), rng.integers(1, 9, 200)).astype("<u8")
    path = tmp_path / "kpageflags"
    path.write_bytes(words.tobytes())
    coded = []
    for chunk in (1 << 21, 24):
        monkeypatch.setattr(raw_flags, "_CHUNK_BYTES", chunk)
        coded.append(np.frombuffer(host_pages.read_page_flags(path), "<u8").reshape(-1, 2))
    assert (coded[0] == coded[1]).all()
    assert (np.repeat(coded[0][:, 0], coded[0][:, 1].astype(int)) == words).all()
    assert (coded[0][1:, 0] != coded[0][:-1, 0]).all()
    monkeypatch.setattr(host_pages, "MAX_FLAG_PAGES", len(words) - 1)
    with pytest.raises(host_pages.FlagsError, match="too long"):
        host_pages.read_page_flags(path)


def test_page_flags_put_the_machine_on_the_stage(tree):
    flags = open_capture(NAME).data("kpf/boot")
    pairs = np.frombuffer(flags, "<u8").reshape(-1, 2)
    words = np.repeat(pairs[:, 0], pairs[:, 1].astype(int))
    (tree / "proc/kpageflags").write_bytes(words.tobytes())
    host = read_host(tree)
    assert host.has_page_flags
    assert host.capture.data("kpf/boot") == flags
    recording = host.recording
    assert recording.n_ticks == 1
    assert recording.meta["sections"] == [0, 1, 2, 3, *range(32, 44)]
    assert "as it was found" in recording.meta["captions"][0]["title"]
    # The log may have been overwritten since boot: then the memory blocks say what there is.
    (tree / "dev/kmsg").write_text("6,1,1,-;usb\n")
    later = read_host(tree)
    assert "the boot's lines are no longer in the kernel's log" in str(later)
    assert later.recording.meta["sections"] == recording.meta["sections"]


def test_a_notebook_shows_tables_and_then_the_stage(tree, monkeypatch):
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    read_host(tree)._ipython_display_()
    assert len(shown) == 1
    (tree / "proc/kpageflags").write_bytes(bytes(8 * 64))
    host = read_host(tree)
    host._ipython_display_()
    assert len(shown) == 3
    assert shown[2] is host.recording
