"""Reads the migrate types of pageblocks as a capture's reader found them, section by section."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hotmem_viz.kernel.lines import fail, numbered, to_int
from hotmem_viz.vocabulary import MigrateType

BLOCKS_PER_SECTION = 64
"""Pageblocks of a section of 128 MiB; only x86-64 kernels are read so."""

MAX_SECTIONS = 1 << 19
"""64 TiB."""

_TYPES = [
    MigrateType.UNMOVABLE,
    MigrateType.MOVABLE,
    MigrateType.RECLAIMABLE,
    MigrateType.HIGHATOMIC,
]


@dataclass(frozen=True, eq=False)
class PageblockTypes:
    """The pageblocks of the sections that exist.

    sections: (S,) int64, their numbers, ascending. types: (S, 64) uint8, MigrateTypes.
    """

    sections: np.ndarray
    types: np.ndarray


def parse_pageblocks(
    text: str, path: object = "pbt", *, isolate_bit: bool = False
) -> PageblockTypes:
    """Read a line for each section: number, flags, subsections, 64 digits.

    A digit is a type in its low three bits and the compaction skip hint in bit 3, which is left
    out. Up to 6.12, type 4 is isolated; where isolation is a bit of its own (`isolate_bit`, 7.2),
    4 is CMA and 5 isolated.

    Raises
    ------
    CaptureError
        When a line is none of that, or sections do not ascend.
    """
    others = [MigrateType.CMA, MigrateType.ISOLATE] if isolate_bit else [MigrateType.ISOLATE]
    table = np.full(8, 255, np.uint8)
    table[: 4 + len(others)] = [*_TYPES, *others]
    sections: list[int] = []
    digits: list[str] = []
    for number, line in numbered(text, path):
        if line.startswith("#"):
            continue
        words = line.split()
        if len(words) != 4 or len(words[3]) != BLOCKS_PER_SECTION:
            fail(path, number, f"not a section and its {BLOCKS_PER_SECTION} types: {line[:60]!r}")
        section = to_int(words[0], path, number, "the section")
        if section >= MAX_SECTIONS or (sections and section <= sections[-1]):
            fail(path, number, f"section {section} does not ascend, or lies above 64 TiB")
        if any(c not in "0123456789abcdef" for c in words[3]):
            fail(path, number, f"not types of pageblocks: {words[3][:20]!r}")
        if any(table[int(c, 16) & 7] == 255 for c in set(words[3])):
            fail(path, number, f"an unknown migrate type in {words[3][:20]!r}")
        sections.append(section)
        digits.append(words[3])
    if not sections:
        fail(path, None, "no section in it")
    codes = np.frombuffer("".join(digits).encode(), np.uint8)
    values = np.where(codes >= ord("a"), codes - (ord("a") - 10), codes - ord("0"))
    types = table[values & 7].reshape(-1, BLOCKS_PER_SECTION)
    return PageblockTypes(np.array(sections, np.int64), types)
