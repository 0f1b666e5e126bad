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
from hotmem_viz.kernel.samples import Sample, last_sample, peak_sample, sample_names

MANIFEST_KEYS = (
    "name",
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
KEPT = (
    "cmdline",
    "version",
    "block_size_bytes",
    "auto_online_blocks",
    "acpi/SRAT",
    "boot/meminfo",
    "boot/zoneinfo",
    "boot/blocks",
    "boot/iomem",
)
CONSOLE = re.compile(
    r"Linux version|ommand line:|BIOS-e820|RAMDISK|HIGHMEM available|LOWMEM available|SRAT: Node|"
    r"NODE_DATA|Zone ranges|  (DMA|DMA32|Normal|HighMem|Device) +(\[mem|empty)|Movable zone start|"
    r"  Node \d+: 0x|Early memory node ranges|  node +\d+: \[mem|setup_percpu|percpu: Embedded|"
    r"Memory: |hash table entries|software IO TLB|Freeing |invoked oom-killer|Mem-Info|"
    r" free:\d+ free_pcp|"
    r"(DMA|DMA32|Normal|HighMem|Movable) free:|lowmem_reserve\[\]|Kernel panic|Out of memory"
)
DATE = (2026, 11)
"""When the captures were taken."""


def compact_console(text: str) -> str:
    """Keep the lines about memory, and of the OOM reports the first."""
    lines, reports = [], 0
    for line in text.splitlines():
        reports += "invoked oom-killer" in line
        if reports <= 1 and CONSOLE.search(line):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def keep_sample(folder: str, sample: Sample) -> dict[str, bytes]:
    """Return the files of one sample: its first line, zoneinfo and meminfo."""
    texts = {n: sample.texts[n] for n in ("zoneinfo", "meminfo") if n in sample.texts}
    parts = {"sample": f"{sample.head}\n", **texts}
    return {f"frames/{folder}/{name}": text.encode() for name, text in parts.items()}


def compact(capture: Capture) -> dict[str, bytes]:
    """Return the files of the compact form."""
    manifest = {k: capture.manifest[k] for k in MANIFEST_KEYS if k in capture.manifest}
    manifest["date"] = f"{DATE[0]}-{DATE[1]:02d}"
    files = {
        "manifest.json": (json.dumps(manifest, indent=1) + "\n").encode(),
        "console.txt": compact_console(capture.text("console.txt")).encode(),
    }
    files |= {f"frames/{n}": capture.data(n) for n in KEPT if capture.has(n)}
    files |= {n: data for n, data in capture.files.items() if n.startswith("frames/result/")}
    # Families: b and e ran dry of kernel memory, and their objects are counted.
    family = re.sub(r"^v\d+-", "", capture.name)[0]
    if family in "be":
        if capture.has("boot/slabinfo"):
            files["frames/boot/slabinfo"] = capture.data("boot/slabinfo")
        if sample_names(capture):
            files |= keep_sample("last", last_sample(capture))
            if not capture.manifest.get("ooms"):
                files |= keep_sample("peak", peak_sample(capture))
    return files


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
