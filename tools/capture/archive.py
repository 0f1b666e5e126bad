"""A run written down: the manifest, and the NAME.tar.xz that the project reads."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from hotmem_viz.kernel.archive import MAX_MEMBERS
from tools.capture.session import Run
from tools.compact_captures import write_tar_xz

MAX_FILES = MAX_MEMBERS - 2
"""Frames, beside the manifest and the console."""


def manifest_of(run: Run) -> dict[str, Any]:
    """Return what a capture says of itself."""
    console = run.console.decode("utf-8", "replace")
    version = re.search(r"Linux version .*", console)
    frames = run.stream.frames
    today = dt.datetime.now(dt.UTC).date()
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
