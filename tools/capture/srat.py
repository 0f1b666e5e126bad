"""An ACPI System Resource Affinity Table, written: which memory is hot-pluggable."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tools.capture.errors import CaptureToolError
from tools.capture.machine import Machine, mib

MIB, FOUR_GIB = 1 << 20, 1 << 32
ENABLED, HOTPLUGGABLE = 1, 2

Range = tuple[int, int, int, bool]
"""First byte, bytes, node, whether it is hot-pluggable."""


def memory_ranges(machine: Machine, hotpluggable: Sequence[int]) -> list[Range]:
    """Return where the memory of each node lies, as QEMU lays it out: low memory first.

    Raises
    ------
    CaptureToolError
        When the machine has no nodes or does not say how much lies below 4 GiB.
    """
    if not machine.nodes or not machine.below_4g:
        raise CaptureToolError("hot-pluggable marks need nodes, and the size below 4 GiB")
    low, at = mib(machine.below_4g) * MIB, 0
    ranges: list[Range] = []
    for nid, size in enumerate(machine.nodes):
        left = mib(size) * MIB
        while left:
            part = min(left, low - at) if at < low else left
            start = at if at < low else FOUR_GIB + at - low
            ranges.append((start, part, nid, nid in hotpluggable))
            at += part
            left -= part
    return ranges


def build_srat(ranges: Sequence[Range], cpus: int) -> bytes:
    """Return the table: all CPUs in node 0, and the memory ranges.

    ACPI 6.4, 5.2.16: processor local APIC affinity (type 0) and memory affinity (type 1).
    """
    cpu = struct.Struct("<BBBBIB3sI")
    entries = [cpu.pack(0, 16, 0, n, ENABLED, 0, b"\0\0\0", 0) for n in range(cpus)]
    for start, length, nid, hotpluggable in ranges:
        flags = ENABLED | (HOTPLUGGABLE if hotpluggable else 0)
        entries.append(struct.pack("<BBIHQQIIQ", 1, 40, nid, 0, start, length, 0, flags, 0))
    body = struct.pack("<IQ", 1, 0) + b"".join(entries)
    # The kernel replaces a table of the same names, those of QEMU, by one of a higher revision
    # (acpi_table_initrd_override, drivers/acpi/tables.c, 6.1).
    head = struct.pack(
        "<4sIBB6s8sI4sI", b"SRAT", 36 + len(body), 1, 0, b"BOCHS ", b"BXPC    ", 2, b"HMVZ", 1
    )
    table = bytearray(head + body)
    table[9] = -sum(table) & 0xFF
    return bytes(table)
