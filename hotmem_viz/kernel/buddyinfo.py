"""Reads /proc/buddyinfo (frag_show_print, mm/vmstat.c; 6.1 to 7.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.lines import MAX_PFN, MAX_ZONES, fail, numbered, to_int
from hotmem_viz.kernel.zoneinfo import ZONE_NAMES, type_by_name
from hotmem_viz.vocabulary import N_ORDERS, ZoneType

_LINE = re.compile(r"Node (\d{1,4}), zone +(\w{1,16})((?: +\d+)+) *", re.ASCII)


@dataclass(frozen=True)
class BuddyZone:
    """The free lists of one populated zone: how many blocks of each order, from order 0 to 10."""

    nid: int
    name: str
    counts: tuple[int, ...]

    @property
    def zone(self) -> ZoneType | None:
        """The zone's type; None for ZONE_DEVICE, which is not modelled."""
        return type_by_name(self.name)

    @property
    def free(self) -> int:
        """Free pages on all lists; those of per-CPU lists are not among them."""
        return pages_of(self.counts)


def pages_of(counts: tuple[int, ...]) -> int:
    """Return the pages of so many blocks of each order."""
    return sum(count << order for order, count in enumerate(counts))


def parse_buddyinfo(text: str, path: object = "buddyinfo") -> tuple[BuddyZone, ...]:
    """Read the zones in the order printed.

    Raises
    ------
    CaptureError
        When a line is not a zone and its eleven counts, or more is free than any machine has.
    """
    zones: list[BuddyZone] = []
    seen: set[tuple[int, str]] = set()
    for number, line in numbered(text, path):
        match = _LINE.fullmatch(line)
        if not match or match[2] not in ZONE_NAMES:
            fail(path, number, f"not a zone and its free blocks: {line[:60]!r}")
        counts = read_counts(match[3].split(), path, number)
        key = int(match[1]), match[2]
        if key in seen or len(seen) >= MAX_ZONES:
            fail(path, number, f"zone {key[1]} of node {key[0]} is listed twice, or one too many")
        seen.add(key)
        zones.append(BuddyZone(*key, counts))
    if not zones:
        fail(path, None, "no zone in it")
    return tuple(zones)


def read_counts(words: list[str], path: object, number: int) -> tuple[int, ...]:
    """Read the number of free blocks of each order."""
    if len(words) != N_ORDERS:
        fail(path, number, f"{len(words)} orders instead of {N_ORDERS}: truncated?")
    counts = tuple(to_int(word, path, number, f"order {k}") for k, word in enumerate(words))
    if pages_of(counts) > MAX_PFN:
        fail(path, number, "more pages are free than any machine has")
    return counts
