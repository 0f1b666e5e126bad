"""Makes the compact captures of data/captures from a folder of full ones.

A compact capture is a full one with less in it: the same names, so that one reader reads both.

    python tools/compact_captures.py FULL_FOLDER data/captures
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import re
import sys
import tarfile
from pathlib import Path

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captures import SUFFIX, Capture, open_capture
from hotmem_viz.kernel.samples import (
    Sample,
    last_sample,
    peak_sample,
    read_sample,
    sample_before_near,
    sample_names,
    series_names,
)

MANIFEST_KEYS = (
    "name",
    "format",
    "shows",
    "kernel",
    "version",
    "cmdline",
    "args",
    "srat_override",
    "status",
    "ooms",
    "panic",
)
DROPPED = re.compile(r"frames/(dmesg|uptime|ts)/|/node\d+-meminfo$")
"""Files that say again what others say: the console holds the log, zoneinfo the nodes. Samples
are made smaller."""

CONSOLE = re.compile(
    r"Linux version|ommand line:|BIOS-e820|RAMDISK|HIGHMEM available|LOWMEM available|SRAT: Node|"
    r"NODE_DATA|Zone ranges|  (DMA|DMA32|Normal|HighMem|Device) +(\[mem|empty)|Movable zone start|"
    r"  Node \d+: 0x|Early memory node ranges|  node +\d+: \[mem|setup_percpu|percpu: Embedded|"
    r"Memory: |hash table entries|software IO TLB|Freeing |Kernel panic|Out of memory|HM-MARK|"
    r"^(\[ *\d+\.\d+\] )?(page:|(anon |file |ksm )?flags: 0x|page_type: |page dumped because)|"
    r"migrating pfn|Offline failed"
)
"""Lines about memory, about what the scenario did, and about pages that would not move."""

REPORT_ENDS = re.compile(r"Out of memory|Kernel panic")
"""The last line of an OOM report."""

ZONEINFO = re.compile(
    r"Node |  per-node stats|  pages free |        (boost|min|low|high|spanned|present|managed) |"
    r"        protection: |  pagesets|    cpu: |              count: |  start_pfn: |"
    r"      nr_(slab_|page_table_pages|kernel_stack|anon_pages|file_pages|shmem |free_pages)"
)
VMSTAT = re.compile(
    r"(allocstall|pgscan|pgsteal|pageoutrun|slabs_scanned|oom_kill|compact_|pgmigrate_)"
)
SAMPLED = {"meminfo": None, "zoneinfo": ZONEINFO, "buddyinfo": None, "vmstat": VMSTAT}
"""The texts of a sample that are kept, and which of their lines; None: all. A series' last
sample keeps its slabinfo as well."""

MOST_SAMPLES = 150
DATE = (2026, 11)
"""When the captures were taken."""


def compact_console(text: str) -> str:
    """Keep the lines about memory, and the whole of the first OOM report."""
    lines, reports, in_first = [], 0, False
    for line in text.splitlines():
        if "invoked oom-killer" in line:
            reports += 1
            in_first = reports == 1
        if in_first or CONSOLE.search(line):
            lines.append(line.rstrip())
        in_first = in_first and not REPORT_ENDS.search(line)
    return "\n".join(lines) + "\n"


def choose_samples(capture: Capture, series: str) -> list[str]:
    """Choose samples of a series: evenly, and its last and its peak in any case."""
    names = sample_names(capture, series)
    if len(names) <= MOST_SAMPLES:
        return list(names)
    step = (len(names) - 1) / (MOST_SAMPLES - 1)
    chosen = {names[round(i * step)] for i in range(MOST_SAMPLES)}
    marked = {last_sample(capture, series).where, peak_sample(capture, series).where}
    return [n for n in names if n in chosen or capture.where(n) in marked]


def compact_sample(sample: Sample, *, slabs: bool) -> str:
    """Keep what a chart shows and what the comparison reads."""
    parts = [sample.head]
    for name, lines in {**SAMPLED, **({"slabinfo": None} if slabs else {})}.items():
        if not sample.has(name):
            continue
        parts.append(f"## file /proc/{name}")
        parts += [x for x in sample.text(name).splitlines() if lines is None or lines.match(x)]
    return "\n".join(parts) + "\n"


def compact_series(capture: Capture) -> dict[str, bytes]:
    """Return the samples of all series."""
    files: dict[str, bytes] = {}
    for series in series_names(capture):
        last = last_sample(capture, series).where
        for name in choose_samples(capture, series):
            sample = read_sample(capture, name)
            text = compact_sample(sample, slabs=sample.where == last)
            files[f"frames/{name}"] = text.encode()
    return files


def compact(capture: Capture) -> dict[str, bytes]:
    """Return the files of the compact form."""
    manifest = {k: capture.manifest[k] for k in MANIFEST_KEYS if k in capture.manifest}
    manifest["date"] = capture.manifest.get("date", f"{DATE[0]}-{DATE[1]:02d}")
    if near := sample_before_near(capture):
        manifest["near_sample"] = near
    said = {
        "manifest.json": (json.dumps(manifest, indent=1) + "\n").encode(),
        "console.txt": compact_console(capture.text("console.txt")).encode(),
    }
    frames = {
        name: data
        for name, data in capture.files.items()
        if name.startswith("frames/") and not DROPPED.search(name)
    }
    return said | frames | compact_series(capture)


def write_tar_xz(path: Path, top: str, files: dict[str, bytes]) -> None:
    """Write files below one folder; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path.write_bytes(lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def main() -> int:
    """Compact every capture of a folder; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("full", type=Path, help="folder of full captures, NAME.tar.xz")
    parser.add_argument("out", type=Path, help="folder for the compact ones")
    args = parser.parse_args()
    sources = sorted(args.full.glob(f"*{SUFFIX}"))
    if not sources:
        parser.error(f"no *{SUFFIX} in {args.full}")
    args.out.mkdir(parents=True, exist_ok=True)
    total = 0
    for source in sources:
        try:
            capture = open_capture(source)
        except CaptureError as error:
            print(f"compact_captures: {error}", file=sys.stderr)
            return 1
        target = args.out / source.name
        write_tar_xz(target, capture.name, compact(capture))
        total += target.stat().st_size
    print(f"{len(sources)} captures, {total:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
