"""Reads /proc/zoneinfo (zoneinfo_show_print, mm/vmstat.c; 6.1 to 7.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.kernel.lines import MAX_PFN, MAX_ZONES, fail, numbered, to_int
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = re.compile(r"Node (\d{1,4}), zone +(\S{1,16})", re.ASCII)
_WATERMARKS = ("free", "boost", "min", "low", "high", "spanned", "present", "managed")
_TYPES = {zone.label: zone for zone in ZoneType}
ZONE_NAMES = (*_TYPES, "Device")
"""The names that zones have in what a kernel prints."""


def type_by_name(name: str) -> ZoneType | None:
    """Return a zone's type by its printed name; None for ZONE_DEVICE, which is not modelled."""
    return _TYPES.get(name)


@dataclass(frozen=True)
class ZoneInfo:
    """One zone as /proc/zoneinfo shows it. Units are pages; marks include boost as printed.

    `protection` has the kernel's own columns (its zones in order, ZONE_DEVICE as well).
    `start_pfn` is None for an empty zone. `pcp_pages` lie on per-CPU lists and are not in
    `free`. `stats` are the zone's counters, `node_stats` those printed once per node, with
    its first populated zone.
    """

    nid: int
    name: str
    free: int
    boost: int
    min: int
    low: int
    high: int
    spanned: int
    present: int
    managed: int
    protection: tuple[int, ...]
    start_pfn: int | None = None
    pcp_pages: int = 0
    stats: Mapping[str, int] = field(default_factory=dict, repr=False)
    node_stats: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def zone(self) -> ZoneType | None:
        """The zone's type; None for ZONE_DEVICE, which is not modelled."""
        return type_by_name(self.name)


class _Draft:
    """The zone being read."""

    def __init__(self, nid: int, name: str, line: int) -> None:
        self.nid, self.name, self.line = nid, name, line
        self.values: dict[str, int] = {}
        self.protection: tuple[int, ...] | None = None
        self.start_pfn: int | None = None
        self.pcp = 0
        self.stats: dict[str, int] = {}
        self.node_stats: dict[str, int] = {}
        self.in_node_stats = False

    def add(self, name: str, amount: int) -> None:
        """File a counter: printed once per node, the zone's own, or the sum of its lists."""
        if self.in_node_stats:
            self.node_stats[name] = amount
        elif name == "count":
            self.pcp += amount
        elif name == "start_pfn":
            self.start_pfn = amount
        elif name in _WATERMARKS and name not in self.values:
            self.values[name] = amount
        else:
            self.stats[name] = amount

    def finish(self, path: object) -> ZoneInfo:
        """Check that nothing is missing, and return the zone."""
        self.values.setdefault("boost", 0)  # Kernels before 5.14 print none.
        missing = [name for name in _WATERMARKS if name not in self.values]
        if self.protection is None:
            missing.append("protection")
        if missing or self.protection is None:
            fail(path, self.line, f"zone {self.name} has no {', '.join(missing)}: truncated?")
        values = self.values
        if not values["managed"] <= values["present"] <= values["spanned"]:
            fail(path, self.line, f"zone {self.name}: managed, present, spanned do not ascend")
        if values["spanned"] and self.start_pfn is None:
            fail(path, self.line, f"zone {self.name} has no start_pfn: truncated?")
        if (self.start_pfn or 0) + values["spanned"] > MAX_PFN:
            fail(path, self.line, f"zone {self.name} ends above 64 TiB: damaged")
        return ZoneInfo(
            nid=self.nid,
            name=self.name,
            **values,
            protection=self.protection,
            start_pfn=self.start_pfn if values["spanned"] else None,
            pcp_pages=self.pcp,
            stats=MappingProxyType(self.stats),
            node_stats=MappingProxyType(self.node_stats),
        )


def parse_zoneinfo(text: str, path: object = "zoneinfo") -> tuple[ZoneInfo, ...]:
    """Read all zones, empty ones too, in the order printed.

    Raises
    ------
    CaptureError
        Names file, line and reason when the text is not what a kernel prints, or ends early.
    """
    zones: list[ZoneInfo] = []
    draft: _Draft | None = None
    for number, line in numbered(text, path):
        head = _HEAD.fullmatch(line.rstrip())
        if head:
            if draft:
                zones.append(draft.finish(path))
            if head[2] not in ZONE_NAMES or len(zones) >= MAX_ZONES:
                fail(path, number, f"no kernel has such a zone, or so many: {head[2]!r}")
            draft = _Draft(int(head[1]), head[2], number)
        elif draft is None:
            fail(path, number, "a zone's first line is 'Node N, zone NAME'")
        else:
            _read_line(draft, line.strip(), path, number)
    if draft is None:
        fail(path, None, "no zone in it")
    zones.append(draft.finish(path))
    seen = [(z.nid, z.name) for z in zones]
    if len(set(seen)) != len(seen):
        fail(path, None, "a zone is listed twice")
    return tuple(zones)


def _read_line(draft: _Draft, line: str, path: object, number: int) -> None:
    if line == "per-node stats":
        draft.in_node_stats = True
    elif line.startswith("protection:"):
        draft.protection = _read_protection(line, path, number)
    elif line != "pagesets" and not line.startswith(("cpu:", "high_min", "high_max")):
        name, _, value = line.removeprefix("pages ").rpartition(" ")
        name = name.strip().removesuffix(":")
        if not name:
            fail(path, number, f"not a counter and its value: {line[:60]!r}")
        if line.startswith("pages free"):
            draft.in_node_stats = False
        draft.add(name, to_int(value, path, number, name))


def _read_protection(line: str, path: object, number: int) -> tuple[int, ...]:
    inner = re.fullmatch(r"protection: \(([0-9, ]*)\)", line)
    if not inner:
        fail(path, number, "protection is not a list of numbers in brackets: truncated?")
    words = inner[1].split(",")
    return tuple(to_int(word.strip(), path, number, "protection") for word in words)
