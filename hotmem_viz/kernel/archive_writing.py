"""Writes the .tar.xz archives that `archive` reads."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_tar_xz(path: Path, folder: str, files: Mapping[str, bytes]) -> None:
    """Write files, by name below one top folder, as an archive; raises OSError.

    The preset is a quick one: a snapshot is made while somebody waits.
    """
    with tarfile.open(path, "w:xz", preset=3) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
