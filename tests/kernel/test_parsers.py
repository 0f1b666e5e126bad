"""What a kernel did not print is refused, by file, line and reason; archives cannot bite."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
from typing import TYPE_CHECKING

import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel import archive
from hotmem_viz.kernel.blocks import parse_blocks
from hotmem_viz.kernel.captures import open_capture, spec_from_capture
from hotmem_viz.kernel.console import parse_console
from hotmem_viz.kernel.procfs import parse_meminfo, parse_slabinfo
from hotmem_viz.kernel.srat import parse_srat
from hotmem_viz.kernel.zoneinfo import parse_zoneinfo

if TYPE_CHECKING:
    from pathlib import Path

FILES = open_capture("b-files-85")
CONSOLE = """Linux version 6.1.0
Command line: quiet kernelcore=1G
Movable zone start for each node
  Node 1: 0x0000000140000000
Early memory node ranges
  node   0: [mem 0x0000000000001000-0x000000000009efff]
  node   1: [mem 0x0000000120000000-0x000000015fffffff]
Freeing initrd memory: 3284K
"""


def test_console_is_read():
    log = parse_console(CONSOLE)
    assert log.cmdline == "quiet kernelcore=1G"
    assert dict(log.node_ranges) == {0: ((1, 159),), 1: ((0x120000, 0x160000),)}
    assert dict(log.movable_starts) == {1: 0x140000}
    assert log.ramdisk_freed_pages == 821
    assert log.cpus == 1
    assert parse_console(CONSOLE + "rcu: RCU restricting nr_cpu_ids:9\n").cpus == 1
    assert parse_console(CONSOLE + "setup_percpu: NR_CPUS:64 nr_cpu_ids:8\n").cpus == 8


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("0x000000000009efff]", "0x0000000000", 6, "no range of addresses"),
        ("-0x000000000009efff", "-0x0000000000000fff", 6, "ends before it starts"),
        ("-0x000000000009efff", "-0x000000000009effe", 6, "whole pages"),
        ("Node 1: 0x0000000140000000", "Node 1: soon", 4, "start of a movable zone"),
        ("3284K", "many", 8, "amount of freed memory"),
        ("Early memory node ranges", "", None, "not a whole boot log"),
        ("Command line", "", None, "no command line"),
    ],
)
def test_damaged_console(old, new, line, says):
    with pytest.raises(CaptureError, match=says) as error:
        parse_console(CONSOLE.replace(old, new), "some/console.txt")
    assert error.value.line == line
    assert str(error.value).startswith("some/console.txt")


def test_oom_report_of_a_real_kernel():
    (report,) = FILES.boot_log.ooms
    assert (report.task, report.gfp, report.order) == ("hm", "GFP_KERNEL", 0)
    assert [(z.name, z.free, z.min, z.boost) for z in report.zones] == [
        ("DMA", 391, 534, 512),
        ("DMA32", 652, 653, 512),
    ]
    assert report.zones[0].protection == (0, 95, 95, 946, 946)


ZONEINFO = FILES.text("boot/zoneinfo")


def test_zoneinfo_of_a_real_kernel():
    dma, dma32, normal, movable, device = parse_zoneinfo(ZONEINFO)
    assert (dma.managed, dma.low, dma.protection) == (3840, 27, (0, 95, 95, 946, 946))
    assert (dma32.pcp_pages, dma32.start_pfn, normal.start_pfn) == (88, 4096, None)
    assert dma.node_stats["nr_slab_reclaimable"] == 2261
    assert movable.stats["nr_zone_active_anon"] == 763
    assert device.zone is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Node 0, zone      DMA", "zone DMA", "first line"),
        ("managed  3840", "managed  much", "not a number"),
        ("managed  3840", "managed  38400", "do not ascend"),
        ("(0, 95, 95, 946, 946)", "(0, 95, 9", "brackets"),
        ("        managed  3840\n", "", "has no managed"),
        ("start_pfn:           4096", "", "start_pfn"),
        ("start_pfn:           4096", "start_pfn: 17179869184", "ends above 64 TiB"),
        ("Node 0, zone   Normal", "Node 0, zone    DMA32", "twice"),
    ],
)
def test_damaged_zoneinfo(old, new, says):
    assert old in ZONEINFO
    with pytest.raises(CaptureError, match=says):
        parse_zoneinfo(ZONEINFO.replace(old, new, 1))


@pytest.mark.parametrize("cut", [10, 400, 1800, 2600])
def test_truncated_zoneinfo(cut):
    with pytest.raises(CaptureError):
        parse_zoneinfo(ZONEINFO[:cut])


def test_empty_texts():
    for parse in (parse_zoneinfo, parse_slabinfo, parse_meminfo, parse_console):
        with pytest.raises(CaptureError):
            parse("")


def test_slabinfo_and_meminfo_name_the_line():
    head = "slabinfo - version: 2.1\n"
    with pytest.raises(CaptureError, match="line 2: not a cache"):
        parse_slabinfo(head + "dentry 1 2 3\n")
    with pytest.raises(CaptureError, match=r"version: 2\.1"):
        parse_slabinfo("slabinfo - version: 1.0\n")
    with pytest.raises(CaptureError, match="line 2: not a line"):
        parse_meminfo("MemTotal: 5 kB\nMemFree: ? kB\n")


def test_blocks():
    good = "memory2 0000000a online Movable 1 node1\nmemory3 3 offline Normal,Movable 1 node0\n"
    first, second = parse_blocks(good)
    assert (first.phys_index, first.valid_zones, first.nid) == (10, ("Movable",), 1)
    assert second.valid_zones == ("Normal", "Movable")
    for bad in (
        "memory2 0a online none 1",
        "memoryx 0 online none 1 node0",
        "memory1 zz online none 1 node0",
        "memory1 0 lost none 1 node0",
        "memory1 0 online none 2 node0",
        "memory1 0 online none 01 node0",
        "memory1 0 online Normal,Normal 1 node0",
        "memory1 400000000 online Normal 1 node0",
    ):
        with pytest.raises(CaptureError, match=r"line 1"):
            parse_blocks(bad)


def test_a_block_is_listed_once():
    with pytest.raises(CaptureError, match="line 2: memory1 is listed twice"):
        parse_blocks("memory1 1 online none 1 node0\nmemory1 2 online none 1 node0\n")


def srat(*entries: bytes) -> bytes:
    body = b"".join(entries)
    table = bytearray(b"SRAT" + struct.pack("<I", 48 + len(body)) + bytes(40) + body)
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def memory_entry(domain: int, base: int, size: int, flags: int) -> bytes:
    return struct.pack("<BBIHQQIIQ", 1, 40, domain, 0, base, size, 0, flags, 0)


def test_srat_marks():
    cpu = bytes([0, 16]) + bytes(14)
    table = srat(cpu, memory_entry(3, 1 << 32, 1 << 30, 3), memory_entry(0, 0, 4096, 0))
    (entry,) = parse_srat(table)
    assert (entry.domain, entry.start_pfn, entry.end_pfn) == (3, 1 << 20, 5 << 18)
    assert entry.hotpluggable
    assert not entry.nonvolatile


def test_damaged_srat():
    good = srat(memory_entry(0, 0, 1 << 30, 1))
    for bad, says in [
        (b"SLIT" + good[4:], "signature"),
        (good[:-1], "length"),
        (good[:60] + b"\xff" + good[61:], "checksum"),
        (srat(bytes([1, 40])), "wrong length"),
        (srat(bytes([7, 0])), "wrong length"),
        (srat(b"\x01"), "cut off"),
        (srat(memory_entry(0, 17, 1 << 30, 1)), "whole pages"),
    ]:
        with pytest.raises(CaptureError, match=says):
            parse_srat(bad)


def test_hot_pluggable_marks_reach_the_spec():
    spec, options = spec_from_capture(open_capture("a-movable_node-srat-all"))
    assert options.movable_node
    assert [[r.hotpluggable for r in n.ranges] for n in spec.nodes] == [[False] * 3, [True]]


def write(path: Path, members: list[tarfile.TarInfo], data: bytes = b"") -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    path.write_bytes(lzma.compress(buffer.getvalue()))
    return path


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([tarfile.TarInfo("c/../../x")], "leaves its folder"),
        ([tarfile.TarInfo("/c/x")], "leaves its folder"),
        ([tarfile.TarInfo("x")], "leaves its folder"),
        ([link("c/x")], "no regular file"),
        ([tarfile.TarInfo("c/x"), tarfile.TarInfo("c/x")], "twice"),
        ([], "no file"),
        ([tarfile.TarInfo("c/x")], "not a capture"),
    ],
)
def test_archives_that_no_capture_is(tmp_path, members, says):
    with pytest.raises(CaptureError, match=says):
        open_capture(write(tmp_path / "c.tar.xz", members))
    assert [p.name for p in tmp_path.iterdir()] == ["c.tar.xz"]


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1 << 20)
    path = write(tmp_path / "c.tar.xz", [tarfile.TarInfo("c/x")], bytes(4 << 20))
    assert path.stat().st_size < 10_000
    with pytest.raises(CaptureError, match="unpacks to more than 1 MiB"):
        open_capture(path)


def test_files_that_are_no_archive(tmp_path):
    whole = FILES.path.read_bytes()
    for name, data in {"text": b"hello", "cut": whole[: len(whole) // 2], "none": b""}.items():
        path = tmp_path / f"{name}.tar.xz"
        path.write_bytes(data)
        with pytest.raises(CaptureError, match=f"{name}.tar.xz: "):
            open_capture(path)
    with pytest.raises(CaptureError, match="no such file"):
        open_capture(tmp_path / "missing.tar.xz")
    with pytest.raises(CaptureError, match="folder"):
        open_capture(tmp_path)


@pytest.mark.parametrize("manifest", [b"[]", b"{", b'{"name": "x"}', b'{"name": 1, "kernel": 2}'])
def test_manifests_that_are_none(tmp_path, manifest):
    path = write(tmp_path / "c.tar.xz", [tarfile.TarInfo("c/manifest.json")], manifest)
    with pytest.raises(CaptureError, match=r"manifest\.json"):
        open_capture(path)


def test_a_capture_says_what_it_has_not():
    assert FILES.stages == ("boot", "end")
    with pytest.raises(CaptureError, match="has no loaded/zoneinfo"):
        FILES.zoneinfo("loaded")


def test_an_error_is_one_line_whatever_the_file_holds():
    error = CaptureError("a\nb", "tab\there, \u2028 there, " + "x" * 9000, 3)
    assert str(error).startswith(r"a\nb, line 3: tab\there, \u2028 there, xxx")
    assert str(error).isprintable()
    assert len(str(error)) < 600
    with pytest.raises(CaptureError, match=r"has no result/no\\nsuch"):
        FILES.result("no\nsuch")
