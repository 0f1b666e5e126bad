"""Reads /proc/iomem: where RAM is, and where in it the kernel's image (kernel/resource.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.lines import fail, numbered
from hotmem_viz.vocabulary import PAGE_SIZE

_LINE = re.compile(r"( *)([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (.{1,200})", re.ASCII)
_IMAGE = ("Kernel code", "Kernel rodata", "Kernel data", "Kernel bss")


@dataclass(frozen=True)
class Resource:
    """A range of physical addresses, in bytes, end exclusive; `depth` tells what it lies in."""

    start: int
    end: int
    name: str
    depth: int


def parse_iomem(text: str, path: object = "iomem") -> tuple[Resource, ...]:
    """Read all ranges in the order printed. Who may not see addresses is shown zeros.

    Raises
    ------
    CaptureError
        When a line is not a range and its name, or a range ends before it starts.
    """
    found: list[Resource] = []
    for number, line in numbered(text, path):
        match = _LINE.fullmatch(line.rstrip())
        if not match or len(match[1]) % 2:
            fail(path, number, f"not a range of addresses: {line[:60]!r}")
        start, end = int(match[2], 16), int(match[3], 16) + 1
        if end <= start:
            fail(path, number, f"the range ends before it starts: {line.strip()[:60]!r}")
        found.append(Resource(start, end, match[4], len(match[1]) // 2))
    if not found:
        fail(path, None, "no range in it")
    return tuple(found)


def image_pfns(resources: tuple[Resource, ...]) -> tuple[tuple[int, int], ...]:
    """Return the pfns of the kernel's image, part by part; none where addresses are hidden."""
    parts = [r for r in resources if r.name in _IMAGE and r.start]
    return tuple((r.start // PAGE_SIZE, -(-r.end // PAGE_SIZE)) for r in parts)
