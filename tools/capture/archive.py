"""A run written down: the manifest, and the NAME.tar.xz that the project reads."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import lzma
import re
import tarfile
from pathlib import Path
from typing import Any

from hotmem_viz.kernel.archive import MAX_MEMBERS, MAX_TOTAL_BYTES
from tools.capture.session import Run

__all__ = ["MAX_FILES", "MAX_TOTAL_BYTES", "manifest_of", "write_capture", "write_tar_xz"]

MAX_FILES = MAX_MEMBERS - 2
"""Frames, beside the manifest and the console."""


def manifest_of(run: Run) -> dict[str, Any]:
    """Return what a capture says of itself."""
    console = run.console.decode("utf-8", "replace")
    version = re.search(r"Linux version .*", console)
    frames = run.stream.frames
    today = datetime.datetime.now(datetime.UTC).date()
    return {
        "name": run.order.name,
        "shows": run.order.shows,
        "kernel": run.order.kernel,
        "version": version[0].strip() if version else "",
        "cmdline": run.order.cmdline,
        "qemu": run.command,
        "args": dict(run.order.arguments),
        "srat_override": [list(r) for r in run.srat] if run.srat else None,
        "status": run.status,
        "date": today.isoformat(),
        "wall_seconds": round(run.seconds, 2),
        "frames": len(frames),
        "bytes": sum(map(len, frames.values())),
        "frame_host_seconds": run.frame_seconds,
        "requests": [list(r) for r in run.requests],
        "ooms": console.count("invoked oom-killer"),
        "panic": "Kernel panic" in console,
        "qemu_stderr": run.complaint,
        "sha256": {path: hashlib.sha256(data).hexdigest()[:16] for path, data in frames.items()},
    }


def write_capture(run: Run, path: Path) -> None:
    """Write a run as a capture; nothing is left behind where that fails."""
    files = {f"frames/{name}": data for name, data in run.stream.frames.items()}
    files["manifest.json"] = (json.dumps(manifest_of(run), indent=1) + "\n").encode()
    files["console.txt"] = run.console
    part = path.with_name(f".{path.name}.part")
    write_tar_xz(part, run.order.name, files)
    part.replace(path)


def write_tar_xz(path: Path, top: str, files: dict[str, bytes]) -> None:
    """Write files below one folder; the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in sorted(files.items()):
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path.write_bytes(lzma.compress(buffer.getvalue(), preset=6))
