"""Reads the SRAT, the ACPI table that tells which memory belongs together and may be removed.

ACPI 6.x, 5.2.16; drivers/acpi/numa/srat.c (6.1). Claim S4 of the mail.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hotmem_viz.errors import CaptureError
from hotmem_viz.vocabulary import PAGE_SIZE

_HEADER_BYTES = 48
_MEMORY = 1
_MEMORY_BYTES = 40
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class SratMemory:
    """A memory entry that is enabled: pages [start_pfn, end_pfn) of a proximity domain."""

    domain: int
    start_pfn: int
    end_pfn: int
    hotpluggable: bool
    nonvolatile: bool


def parse_srat(table: bytes, path: object = "SRAT") -> tuple[SratMemory, ...]:
    """Read the memory entries of a raw SRAT; entries of other kinds are passed over.

    Raises
    ------
    CaptureError
        On a wrong signature, length or checksum, or an entry that leaves the table.
    """
    if len(table) < _HEADER_BYTES or table[:4] != b"SRAT":
        raise CaptureError(path, "not an SRAT: the signature is missing")
    (length,) = struct.unpack_from("<I", table, 4)
    if not _HEADER_BYTES <= length <= min(len(table), _MAX_BYTES):
        raise CaptureError(path, f"its length field says {length} bytes, it has {len(table)}")
    if sum(table[:length]) & 0xFF:
        raise CaptureError(path, "its checksum is wrong")
    entries: list[SratMemory] = []
    at = _HEADER_BYTES
    while at < length:
        if at + 2 > length:
            raise CaptureError(path, f"an entry is cut off at byte {at}")
        kind, size = table[at], table[at + 1]
        if size < 2 or at + size > length or (kind == _MEMORY and size < _MEMORY_BYTES):
            raise CaptureError(path, f"the entry at byte {at} has a wrong length, {size}")
        if kind == _MEMORY:
            entries.extend(_read_memory(table, at, path))
        at += size
    return tuple(entries)


def _read_memory(table: bytes, at: int, path: object) -> list[SratMemory]:
    domain, _, base, size, _, flags = struct.unpack_from("<IHQQII", table, at + 2)
    if not flags & 1 or not size:
        return []
    if base % PAGE_SIZE or size % PAGE_SIZE or base + size > 1 << 64:
        raise CaptureError(path, f"the memory entry at byte {at} is not made of whole pages")
    start, end = base // PAGE_SIZE, (base + size) // PAGE_SIZE
    return [SratMemory(domain, start, end, bool(flags & 2), bool(flags & 4))]
