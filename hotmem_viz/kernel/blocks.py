"""Reads the table of memory blocks, /sys/devices/system/memory gathered to one text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.lines import fail, numbered, to_int

STATES = ("online", "offline", "going-offline")


@dataclass(frozen=True)
class MemoryBlock:
    """One memory block: what can be set offline at once.

    `phys_index` counts blocks of the machine's block size from address 0. `valid_zones` are
    zone names, empty when the kernel says "none"; an offline block lists what it may become.
    """

    number: int
    phys_index: int
    state: str
    valid_zones: tuple[str, ...]
    removable: bool
    nid: int


def parse_blocks(text: str, path: object = "blocks") -> tuple[MemoryBlock, ...]:
    """Read the blocks in the order listed.

    Raises
    ------
    CaptureError
        When a line is not: block, phys_index (hexadecimal), state, valid zones, removable,
        node.
    """
    blocks: list[MemoryBlock] = []
    for number, line in numbered(text):
        if line.startswith("#"):
            continue
        words = line.split()
        name = re.fullmatch(r"memory(\d{1,9})", words[0], re.ASCII)
        if len(words) != 6 or not name or words[2] not in STATES or words[4] not in "01":
            fail(path, number, f"not a memory block: {line[:60]!r}")
        node = re.fullmatch(r"node(\d{1,4})", words[5], re.ASCII)
        if not node:
            fail(path, number, f"not a node: {words[5][:20]!r}")
        blocks.append(
            MemoryBlock(
                number=int(name[1]),
                phys_index=to_int(words[1], path, number, "phys_index", 16),
                state=words[2],
                valid_zones=() if words[3] == "none" else tuple(words[3].split(",")),
                removable=words[4] == "1",
                nid=int(node[1]),
            )
        )
    return tuple(blocks)
