"""Reads the table of memory blocks, /sys/devices/system/memory gathered to one text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.lines import MAX_PFN, fail, numbered, to_int
from hotmem_viz.kernel.zoneinfo import ZONE_NAMES

STATES = ("online", "offline", "going-offline")
_BOOL = ("0", "1")


@dataclass(frozen=True)
class MemoryBlock:
    """One memory block: what can be set offline at once.

    `phys_index` counts blocks of the machine's block size from address 0. `valid_zones` are
    zone names, empty when the kernel says "none"; an offline block lists what it may become,
    what a plain "online" would choose first.
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
        node; when a block comes twice, or lies above 64 TiB.
    """
    blocks: list[MemoryBlock] = []
    seen: set[int] = set()
    for number, line in numbered(text, path):
        if line.startswith("#"):
            continue
        words = line.split()
        name = re.fullmatch(r"memory(\d{1,9})", words[0], re.ASCII)
        if len(words) != 6 or not name or words[2] not in STATES or words[4] not in _BOOL:
            fail(path, number, f"not a memory block: {line[:60]!r}")
        node = re.fullmatch(r"node(\d{1,4})", words[5], re.ASCII)
        if not node:
            fail(path, number, f"not a node: {words[5][:20]!r}")
        index = to_int(words[1], path, number, "phys_index", 16)
        if int(name[1]) in seen or index >= MAX_PFN:
            fail(path, number, f"{words[0]} is listed twice, or lies above 64 TiB")
        seen.add(int(name[1]))
        blocks.append(
            MemoryBlock(
                number=int(name[1]),
                phys_index=index,
                state=words[2],
                valid_zones=read_zones(words[3], path, number),
                removable=words[4] == "1",
                nid=int(node[1]),
            )
        )
    return tuple(blocks)


def read_zones(text: str, path: object, number: int) -> tuple[str, ...]:
    """Read valid_zones: names joined by commas, the default first; nothing for "none"."""
    names = () if text == "none" else tuple(text.split(","))
    if len(set(names)) != len(names) or not set(names) <= set(ZONE_NAMES):
        fail(path, number, f"not a list of zones: {text[:60]!r}")
    return names
