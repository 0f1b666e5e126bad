"""Reads /proc/slabinfo (version 2.1), /proc/meminfo and /proc/vmstat."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.lines import fail, numbered, to_int

_SLAB = re.compile(
    r"(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +\d+ +\d+ +\d+ : "
    r"slabdata +(\d+) +(\d+) +\d+",
    re.ASCII,
)
_MEMINFO = re.compile(r"([A-Za-z0-9_()]{1,60}): +(\d+)(?: kB)?", re.ASCII)
_VMSTAT = re.compile(r"([a-z0-9_]{1,60}) (\d+)", re.ASCII)


@dataclass(frozen=True)
class SlabInfo:
    """One line of slabinfo: objects in use and allocated, and how slabs are cut."""

    name: str
    active_objects: int
    objects: int
    object_bytes: int
    objects_per_slab: int
    pages_per_slab: int
    active_slabs: int
    slabs: int

    @property
    def pages(self) -> int:
        """Pages that the cache holds."""
        return self.slabs * self.pages_per_slab


def parse_slabinfo(text: str, path: object = "slabinfo") -> dict[str, SlabInfo]:
    """Read all caches by name.

    Raises
    ------
    CaptureError
        When the version is not 2.1, or a line is not a cache.
    """
    lines = numbered(text, path)
    if next(lines, (1, ""))[1].strip() != "slabinfo - version: 2.1":
        fail(path, 1, "the first line must be 'slabinfo - version: 2.1'")
    caches: dict[str, SlabInfo] = {}
    for number, line in lines:
        if line.startswith("#"):
            continue
        match = _SLAB.fullmatch(line.strip())
        if not match:
            fail(path, number, f"not a cache of slabinfo 2.1: {line[:60]!r}")
        name, *figures = match.groups()
        numbers = [to_int(word, path, number, name) for word in figures]
        if not numbers[3] or not numbers[4]:
            fail(path, number, f"{name[:40]}: a slab holds no object or no page")
        # A module can make a second cache of a name; both count.
        key = name if name not in caches else f"{name} (line {number})"
        caches[key] = SlabInfo(name, *numbers)
    return caches


def parse_meminfo(text: str, path: object = "meminfo") -> dict[str, int]:
    """Read /proc/meminfo: name to number; kB, or a count for the HugePages lines.

    Raises
    ------
    CaptureError
        When a line is not "Name: number [kB]", or MemTotal is missing.
    """
    found: dict[str, int] = {}
    for number, line in numbered(text, path):
        match = _MEMINFO.fullmatch(line.strip())
        if not match or match[1] in found:
            fail(path, number, f"not a line of meminfo, or its second: {line[:60]!r}")
        found[match[1]] = to_int(match[2], path, number, match[1])
    if "MemTotal" not in found:
        fail(path, None, "MemTotal is missing")
    return found


def parse_vmstat(text: str, path: object = "vmstat") -> dict[str, int]:
    """Read /proc/vmstat: name to number. Which counters there are is the kernel's affair.

    Raises
    ------
    CaptureError
        When a line is not "name number", or comes twice, or there is none.
    """
    found: dict[str, int] = {}
    for number, line in numbered(text, path):
        match = _VMSTAT.fullmatch(line.strip())
        if not match or match[1] in found:
            fail(path, number, f"not a counter of vmstat, or its second: {line[:60]!r}")
        found[match[1]] = to_int(match[2], path, number, match[1])
    if not found:
        fail(path, None, "no counter in it")
    return found
