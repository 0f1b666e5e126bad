"""Changed copies of the package's captures: other kernels, damage, lies."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

from hotmem_viz.kernel.captures import open_capture


def make_capture(
    path: Path, name: str, change: Callable[[dict[str, bytes]], None], kernel: str = ""
) -> str:
    """Write a changed copy of one of the package's captures; returns its path."""
    capture = open_capture(name)
    files = dict(capture.files)
    if kernel:
        files["manifest.json"] = json.dumps({**capture.manifest, "kernel": kernel}).encode()
    change(files)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file, data in files.items():
            member = tarfile.TarInfo(f"{name}/{file}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    target = path / f"{name}.tar.xz"
    target.write_bytes(lzma.compress(buffer.getvalue()))
    return str(target)


def keep(_files: dict[str, bytes]) -> None:
    """Change nothing."""
