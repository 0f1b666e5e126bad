"""The files of a capture by name, and what its manifest says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError
from hotmem_viz.machine.spec import Arch

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".tar.xz"
SNAPSHOT = "hotmem-viz host"
"""`source` in the manifest of a snapshot of a running machine."""

CONSOLE = "console.txt"
MAX_JSON_BYTES = 1 << 20
_MOST_DIGITS = 20


@dataclass(frozen=True)
class CaptureFiles:
    """One boot of a real kernel as files: raw bytes by path."""

    path: Path
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """The capture's name, such as b-files-85: that of its file."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def title(self) -> str:
        """What the capture shows, in a few words."""
        return str(self.manifest.get("shows", ""))

    @property
    def kernel(self) -> str:
        """The kernel's release, such as 6.1.0-56-cloud-amd64."""
        return str(self.manifest["kernel"])

    @property
    def profile_name(self) -> str:
        """The profile of that kernel: its version, with -pae for a 32-bit one."""
        version = ".".join(self.kernel.split(".")[:2])
        return f"{version}-pae" if self.arch is Arch.PAE else version

    @property
    def arch(self) -> Arch:
        """The architecture of that kernel."""
        return Arch.PAE if self.kernel.endswith(("-pae", "-686-pae")) else Arch.X86_64

    @property
    def cmdline(self) -> str:
        """The kernel's command line."""
        return str(self.manifest["cmdline"])

    @property
    def args(self) -> Mapping[str, Any]:
        """The scenario's arguments."""
        args = self.manifest.get("args") or {}
        return dict(args)

    @property
    def status(self) -> str:
        """Whether the run came to its end: "done" or "guest-ended"."""
        return str(self.manifest.get("status", ""))

    @property
    def is_snapshot(self) -> bool:
        """Whether it was taken of a running machine: its only stage is the moment of asking."""
        return self.manifest.get("source") == SNAPSHOT

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """The moments that have a zoneinfo, such as boot and end, in alphabetical order."""
        tail = "/zoneinfo"
        names = (p for p in self.files if p.startswith("frames/") and p.endswith(tail))
        return tuple(sorted(n.removeprefix("frames/").removesuffix(tail) for n in names))

    def has(self, path: str) -> bool:
        """Tell whether a file is there: "console.txt" or one below frames/."""
        return self._key(path) in self.files

    def data(self, path: str) -> bytes:
        """Return a file as it is.

        Raises
        ------
        CaptureError
            When the capture has no such file.
        """
        key = self._key(path)
        if key not in self.files:
            raise CaptureError(self.path, f"the capture has no {path}")
        return self.files[key]

    def text(self, path: str) -> str:
        """Return a file as text; "console.txt" may hold stray bytes, others may not."""
        return decode(self.data(path), self.where(path), any_text=path == CONSOLE)

    def where(self, path: str) -> str:
        """Name a file of the capture for an error message."""
        return f"{self.path}:{path}"

    @staticmethod
    def _key(path: str) -> str:
        return path if path in (CONSOLE, "manifest.json") else f"frames/{path}"


def decode(data: bytes, where: object, *, any_text: bool = False) -> str:
    """Return a file as text; stray bytes are refused, or with `any_text` replaced.

    Raises
    ------
    CaptureError
        Names the line with the first stray byte.
    """
    if any_text:
        return data.decode("utf-8", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CaptureError(where, "not a text", line) from None


def parse_json(data: bytes, where: object) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    CaptureError
        When it is none, or larger than any that a capture holds.
    """
    if len(data) > MAX_JSON_BYTES:
        raise CaptureError(where, f"{len(data):,} bytes are too many for it")
    try:
        value = json.loads(data, parse_int=_to_int, parse_constant=_to_int)
    except (ValueError, RecursionError) as error:
        raise CaptureError(where, f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise CaptureError(where, "not a table of names and values")
    return value


def _to_int(word: str) -> int:
    if len(word) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(word)} digits")
    return int(word)
