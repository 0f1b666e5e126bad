"""Other programs that the tool needs: found, or named in one line with their package."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.capture.errors import CaptureToolError, one_line

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "gcc": "gcc",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "mkfs.ext4": "e2fsprogs",
}
"""Debian's package of each program."""

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def need(program: str, why: str) -> str:
    """Return a program's path.

    Raises
    ------
    CaptureToolError
        When it is not installed; names the program, what for, and Debian's package.
    """
    path = shutil.which(program) or shutil.which(program, path=_SBIN)
    if path is None:
        package = PACKAGES.get(program, program)
        raise CaptureToolError(
            f"{program} is not installed, and is needed {why} (Debian's package {package})"
        )
    return path


def run(command: Sequence[str], doing: str, folder: Path | None = None) -> str:
    """Run a program to its end and return what it printed.

    Raises
    ------
    CaptureToolError
        When it fails; says what was being done and the last line of its complaint.
    """
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if result.returncode:
        complaint = one_line(result.stderr or result.stdout)
        raise CaptureToolError(f"{doing} failed: {complaint}")
    return result.stdout
