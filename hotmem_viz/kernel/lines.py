"""What the text parsers share: numbered lines within bounds, errors that name file and line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NoReturn

from hotmem_viz.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NUMBER = (1 << 64) - 1
"""No counter of a kernel is larger than an unsigned 64-bit word."""

MAX_PFN = 1 << 34
"""64 TiB: no pfn is larger, so a file that tells of more is damaged."""

MAX_CHARS, MAX_LINES, MAX_LINE = 32 << 20, 1_000_000, 8192
"""What a text may have; zoneinfo of a machine with 2,048 CPUs and 33 zones has 400,000 lines of 40
characters."""

MAX_ZONES = 8192
"""Zones of 1,024 nodes (MAX_NUMNODES), and some to spare."""


def fail(path: object, line: int | None, reason: str) -> NoReturn:
    """Raise the error for one line of a file."""
    raise CaptureError(path, reason, line)


def numbered(text: str, path: object, *, any_text: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) for every line that is not empty.

    A kernel's tables are printable ASCII and short lines; `any_text` is for a console, where
    anybody may write: there a long line is cut.

    Raises
    ------
    CaptureError
        On a line that is too long or has other characters, and on more than a million lines or 32
        MiB.
    """
    if len(text) > MAX_CHARS:
        fail(path, None, f"a text of {len(text):,} characters")
    for number, ended in enumerate(io.StringIO(text, newline=None), 1):
        line = ended.removesuffix("\n")
        if number > MAX_LINES:
            fail(path, number, f"more than {MAX_LINES:,} lines")
        if any_text:
            line = line[:MAX_LINE]
        elif len(line) > MAX_LINE:
            fail(path, number, f"a line of {len(line):,} characters")
        elif not (line.isascii() and line.replace("\t", " ").isprintable()):
            fail(path, number, f"characters that no kernel prints here: {line.strip()[:40]!r}")
        if line.strip():
            yield number, line


def to_int(word: str, path: object, line: int, what: str, base: int = 10) -> int:
    """Read a number that a kernel printed; negative ones and anything else are refused."""
    digits = "0123456789abcdef"[:base]
    if not word or len(word) > 20 or any(c not in digits for c in word.lower()):
        fail(path, line, f"{what[:40]} is not a number: {word[:40]!r}")
    value = int(word, base)
    if value > MAX_NUMBER:
        fail(path, line, f"{what[:40]} does not fit 64 bits: {word!r}")
    return value
