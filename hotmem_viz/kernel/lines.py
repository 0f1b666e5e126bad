"""What the parsers share: numbered lines, and errors that name file, line and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from hotmem_viz.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NUMBER = (1 << 64) - 1
"""No counter of a kernel is larger than an unsigned 64-bit word."""


def fail(path: object, line: int | None, reason: str) -> NoReturn:
    """Raise the error for one line of a file."""
    raise CaptureError(path, reason, line)


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) for every line that is not empty."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line


def to_int(word: str, path: object, line: int, what: str, base: int = 10) -> int:
    """Read a number that a kernel printed; negative ones and anything else are refused."""
    digits = "0123456789abcdef"[:base]
    if not word or len(word) > 20 or any(c not in digits for c in word.lower()):
        fail(path, line, f"{what} is not a number: {word[:40]!r}")
    value = int(word, base)
    if value > MAX_NUMBER:
        fail(path, line, f"{what} does not fit 64 bits: {word!r}")
    return value
