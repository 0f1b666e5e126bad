"""A kernel's drivers: those that the guest needs, in the order in which they need each other."""

from __future__ import annotations

import gzip
import lzma
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.capture.errors import CaptureToolError

_OPENERS: Mapping[str, Callable[[bytes], bytes]] = {
    ".ko": lambda data: data,
    ".xz": lzma.decompress,
    ".gz": gzip.decompress,
}
_DEPENDS = re.compile(rb"(?:^|\0)depends=([^\0]*)\0")


def plain_name(name: str) -> str:
    """Return a driver's name as the kernel compares it: - and _ are the same."""
    return name.split(".", 1)[0].replace("-", "_")


def read_depends(data: bytes) -> tuple[str, ...]:
    """Return the drivers that a driver asks for in its own .modinfo."""
    match = _DEPENDS.search(data)
    return tuple(plain_name(n) for n in match[1].decode("ascii").split(",") if n) if match else ()


def ordered_drivers(folder: Path, wanted: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return (name, plain ELF) of drivers and all that they need, the needed ones first.

    A driver that is built into the kernel is left out.

    Raises
    ------
    CaptureToolError
        When a driver is neither there nor built in, or packed in a way that is not known.
    """
    paths = {plain_name(p.name): p for p in folder.glob("kernel/**/*.ko*")}
    built_in = folder / "modules.builtin"
    inside = {
        plain_name(Path(line).name)
        for line in (built_in.read_text().split() if built_in.is_file() else ())
    }
    found: dict[str, bytes] = {}

    def add(name: str, asked_by: tuple[str, ...]) -> None:
        name = plain_name(name)
        if name in found or name in inside or name in asked_by:
            return
        if name not in paths:
            raise CaptureToolError(f"the kernel in {folder} has no driver {name}")
        data = _read(paths[name])
        for other in read_depends(data):
            add(other, (*asked_by, name))
        found[name] = data

    for name in wanted:
        add(name, ())
    return list(found.items())


def _read(path: Path) -> bytes:
    opener = _OPENERS.get(path.suffix)
    if opener is None:
        raise CaptureToolError(f"{path.name} is packed as {path.suffix}, which is not known here")
    return opener(path.read_bytes())
