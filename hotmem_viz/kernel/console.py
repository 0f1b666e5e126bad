"""Reads a boot log: what memory the kernel found, how it cut it, and what it freed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.kernel.lines import fail, numbered, to_int
from hotmem_viz.kernel.oom_report import OomReader, OomReport
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAMP = re.compile(r"^\[ *\d+\.\d+\] ?")
_SPAN = re.compile(r"\[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\]")
_RANGE = re.compile(r"  node +(\d{1,4}): (.*)", re.ASCII)
_MOVABLE = re.compile(r"  Node (\d{1,4}): 0x([0-9a-f]{1,16})", re.ASCII)
_FREEING = re.compile(r"Freeing (.{1,60}?) ?memory: (\d{1,10})K", re.ASCII)
_CPUS = re.compile(r" nr_cpu_ids:(\d{1,5})", re.ASCII)


@dataclass(frozen=True)
class Freed:
    """Memory that boot gave back: what it had been, and pages."""

    what: str
    pages: int


@dataclass(frozen=True)
class BootLog:
    """What a boot log says about memory.

    `node_ranges` maps each node to its (start, end) pfn pairs, end exclusive, without the
    holes that firmware keeps. `ramdisk` is where the initial ramdisk ended up, in pfns.
    `pae` tells a 32-bit kernel with high memory.
    """

    version: str
    cmdline: str
    node_ranges: Mapping[int, tuple[tuple[int, int], ...]]
    movable_starts: Mapping[int, int]
    freed: tuple[Freed, ...]
    ramdisk: tuple[int, int] | None
    cpus: int
    pae: bool
    ooms: tuple[OomReport, ...]

    @property
    def image_freed_pages(self) -> int:
        """Pages of the kernel's image freed after zone sizes were used for watermarks.

        The SMP alternatives are freed before, the ramdisk is counted apart.
        """
        return sum(f.pages for f in self.freed if f.what not in ("SMP alternatives", "initrd"))

    @property
    def ramdisk_freed_pages(self) -> int:
        """Pages of the initial ramdisk that were freed."""
        return sum(f.pages for f in self.freed if f.what == "initrd")


class _Reader:
    """A boot log being read: what was found so far, and which list the lines belong to."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.version = self.cmdline = ""
        self.ranges: dict[int, list[tuple[int, int]]] = {}
        self.starts: dict[int, int] = {}
        self.freed: list[Freed] = []
        self.ramdisk: tuple[int, int] | None = None
        self.cpus, self.pae, self.listing = 1, False, ""
        self.ooms = OomReader(path)

    def read(self, number: int, line: str) -> None:
        """Take one line, without its time stamp."""
        if self.listing and self._read_listed(number, line):
            return
        self.listing = ""
        if line.startswith("Early memory node ranges"):
            self.listing = "ranges"
        elif line.startswith("Movable zone start for each node"):
            self.listing = "movable"
        elif line.startswith("Linux version ") and not self.version:
            self.version = line.rstrip()
        elif "ommand line: " in line and not self.cmdline:
            self.cmdline = line.partition("ommand line: ")[2].strip()
        elif line.startswith(("RAMDISK: ", "Allocated new RAMDISK: ")):
            self.ramdisk = self._span(number, line, whole_pages=False)
        elif line.startswith("Freeing ") and "memory:" in line:
            self._read_freeing(number, line)
        elif "HIGHMEM available" in line:
            self.pae = True
        elif "setup_percpu:" in line and (match := _CPUS.search(line)):
            self.cpus = max(1, int(match[1]))
        else:
            self.ooms.read(number, line)

    def _read_listed(self, number: int, line: str) -> bool:
        if self.listing == "ranges" and line.startswith("  node "):
            match = _RANGE.match(line)
            if not match:
                fail(self.path, number, f"not a memory range of a node: {line[:60]!r}")
            span = self._span(number, match[2], whole_pages=True)
            self.ranges.setdefault(int(match[1]), []).append(span)
            return True
        if self.listing == "movable" and line.startswith("  Node "):
            match = _MOVABLE.match(line)
            if not match:
                fail(self.path, number, f"not the start of a movable zone: {line[:60]!r}")
            self.starts[int(match[1])] = int(match[2], 16) // PAGE_SIZE
            return True
        return False

    def _span(self, number: int, text: str, *, whole_pages: bool) -> tuple[int, int]:
        """Read [mem 0x...-0x...], whose end is inclusive, as a pair of pfns."""
        match = _SPAN.search(text)
        if not match:
            fail(self.path, number, f"no range of addresses in {text[:60]!r}")
        start, end = int(match[1], 16), int(match[2], 16) + 1
        if end <= start:
            fail(self.path, number, f"the range ends before it starts: {match[0]}")
        if whole_pages and (start % PAGE_SIZE or end % PAGE_SIZE):
            fail(self.path, number, f"the range is not made of whole pages: {match[0]}")
        return start // PAGE_SIZE, -(-end // PAGE_SIZE)

    def _read_freeing(self, number: int, line: str) -> None:
        match = _FREEING.match(line)
        if not match:
            fail(self.path, number, f"not an amount of freed memory: {line[:60]!r}")
        kib = to_int(match[2], self.path, number, "freed memory")
        self.freed.append(Freed(match[1].strip(), kib * 1024 // PAGE_SIZE))

    def finish(self) -> BootLog:
        if not self.ranges:
            fail(self.path, None, "no 'Early memory node ranges' in it: not a whole boot log")
        if not self.cmdline:
            fail(self.path, None, "no command line in it: not a whole boot log")
        return BootLog(
            version=self.version,
            cmdline=self.cmdline,
            node_ranges=MappingProxyType({n: tuple(sorted(r)) for n, r in self.ranges.items()}),
            movable_starts=MappingProxyType(self.starts),
            freed=tuple(self.freed),
            ramdisk=self.ramdisk,
            cpus=self.cpus,
            pae=self.pae,
            ooms=self.ooms.finish(),
        )


def parse_console(text: str, path: object = "console.txt") -> BootLog:
    """Read a boot log of 6.1 to 7.2, with or without time stamps.

    Raises
    ------
    CaptureError
        When the memory ranges or the command line are missing, or a line that should hold
        numbers does not.
    """
    reader = _Reader(path)
    for number, line in numbered(text, path, any_text=True):
        reader.read(number, _STAMP.sub("", line))
    return reader.finish()
