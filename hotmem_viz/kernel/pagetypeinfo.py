"""Reads /proc/pagetypeinfo (pagetypeinfo_show, mm/vmstat.c; 6.1 to 7.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.kernel.buddyinfo import pages_of, read_counts
from hotmem_viz.kernel.lines import MAX_PFN, MAX_ZONES, fail, numbered, to_int
from hotmem_viz.kernel.zoneinfo import ZONE_NAMES, type_by_name
from hotmem_viz.vocabulary import MAX_ORDER, MigrateType, ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORDER = re.compile(r"Page block order: (\d{1,2})", re.ASCII)
_FREE = re.compile(r"Node +(\d{1,4}), zone +(\w{1,16}), type +(\w{1,16}) (.*)", re.ASCII)
_BLOCKS = re.compile(r"Node (\d{1,4}), zone +(\w{1,16})((?: +\d+)+) *", re.ASCII)
_HEADS = {
    "Pages per block:": "",
    "Free pages count per migrate type at order ": "free",
    "Number of blocks type ": "blocks",
    "Number of mixed blocks ": "mixed",
}
_TYPES = {
    "Unmovable": MigrateType.UNMOVABLE,
    "Movable": MigrateType.MOVABLE,
    "Reclaimable": MigrateType.RECLAIMABLE,
    "HighAtomic": MigrateType.HIGHATOMIC,
    "CMA": MigrateType.CMA,
    "Isolate": MigrateType.ISOLATE,
}


@dataclass(frozen=True)
class TypedZone:
    """One populated zone, migrate type by migrate type.

    `free` has the free blocks of each order; the kernel stops counting at 100,000 of one list,
    and such a zone is `capped`. `blocks` has the number of pageblocks.
    """

    nid: int
    name: str
    free: Mapping[MigrateType, tuple[int, ...]]
    blocks: Mapping[MigrateType, int]
    capped: bool = False

    @property
    def zone(self) -> ZoneType | None:
        """The zone's type; None for ZONE_DEVICE, which is not modelled."""
        return type_by_name(self.name)

    def free_pages(self, kind: MigrateType) -> int:
        """Return the free pages on one type's lists; at least so many where it is capped."""
        return pages_of(self.free.get(kind, ()))


@dataclass(frozen=True)
class PageTypeInfo:
    """The whole file: the order of a pageblock, and the zones in the order printed."""

    pageblock_order: int
    zones: tuple[TypedZone, ...]


class _Reader:
    """The file being read: which table it is in, and the zones so far."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.order: int | None = None
        self.table = ""
        self.columns: list[MigrateType] = []
        self.free: dict[tuple[int, str], dict[MigrateType, tuple[int, ...]]] = {}
        self.blocks: dict[tuple[int, str], dict[MigrateType, int]] = {}
        self.capped: set[tuple[int, str]] = set()

    def read(self, number: int, line: str) -> None:
        """Take one line."""
        if match := _ORDER.fullmatch(line.rstrip()):
            self.order = int(match[1])
            if self.order > MAX_ORDER:
                fail(self.path, number, f"a pageblock of order {self.order}")
            return
        for head, table in _HEADS.items():
            if line.startswith(head):
                self.table = table
                if table == "blocks":
                    self.columns = self._types(number, line.removeprefix(head).split())
                return
        if self.table == "free":
            self._read_free(number, line)
        elif self.table == "blocks":
            self._read_blocks(number, line)
        elif self.table != "mixed":
            fail(self.path, number, f"not a line of pagetypeinfo: {line[:60]!r}")

    def _types(self, number: int, words: list[str]) -> list[MigrateType]:
        for word in words:
            if word not in _TYPES or words.count(word) > 1:
                fail(self.path, number, f"an unknown migrate type, or one twice: {word[:20]!r}")
        return [_TYPES[word] for word in words]

    def _read_free(self, number: int, line: str) -> None:
        match = _FREE.fullmatch(line)
        if not match or match[2] not in ZONE_NAMES:
            fail(self.path, number, f"not a zone, a type and free blocks: {line[:60]!r}")
        key = int(match[1]), match[2]
        (kind,) = self._types(number, [match[3]])
        lists = self.free.setdefault(key, {})
        if kind in lists or len(self.free) > MAX_ZONES:
            fail(self.path, number, f"{match[3]} of zone {match[2]} is listed twice")
        words = match[4].split()
        # The kernel stops counting a long list, and says so: ">100000".
        if any(word.startswith(">") for word in words):
            self.capped.add(key)
        lists[kind] = read_counts([w.removeprefix(">") for w in words], self.path, number)

    def _read_blocks(self, number: int, line: str) -> None:
        match = _BLOCKS.fullmatch(line)
        words = match[3].split() if match else []
        if not match or match[2] not in ZONE_NAMES or len(words) != len(self.columns):
            fail(self.path, number, f"not a zone and its pageblocks: {line[:60]!r}")
        key = int(match[1]), match[2]
        if key in self.blocks or key not in self.free:
            fail(self.path, number, f"zone {match[2]} is listed twice, or has no free lists")
        counts = [to_int(word, self.path, number, "pageblocks") for word in words]
        if sum(counts) > MAX_PFN:
            fail(self.path, number, "more pageblocks than any machine has")
        self.blocks[key] = dict(zip(self.columns, counts, strict=True))

    def finish(self) -> PageTypeInfo:
        if self.order is None or not self.free:
            fail(self.path, None, "no pageblock order, or no zone in it: truncated?")
        if missing := self.free.keys() - self.blocks.keys():
            nid, name = min(missing)
            fail(self.path, None, f"no pageblocks of node {nid}, zone {name}: truncated?")
        return PageTypeInfo(
            self.order,
            tuple(
                TypedZone(*key, free, self.blocks[key], key in self.capped)
                for key, free in self.free.items()
            ),
        )


def parse_pagetypeinfo(text: str, path: object = "pagetypeinfo") -> PageTypeInfo:
    """Read free blocks by migrate type and order, and pageblocks by migrate type.

    Raises
    ------
    CaptureError
        When a line is none of the file's, or a zone lacks one of the two tables.
    """
    reader = _Reader(path)
    for number, line in numbered(text, path):
        reader.read(number, line)
    return reader.finish()
