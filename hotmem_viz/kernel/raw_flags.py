"""Reads /proc/kpageflags as it is on a live machine: one 64-bit word for each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.lines import MAX_PFN
from hotmem_viz.kernel.page_flags import PageRuns

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 23
_WORD_BYTES = 8
MAX_RUNS = 1 << 24
"""Runs kept, 256 MiB of them: a machine has far fewer, random bytes have one for each page."""


class Readable(Protocol):
    """A file opened for bytes, or what behaves like one."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes, and none at the end."""


def read_page_flags(file: Readable, path: object = "kpageflags", *, start_pfn: int = 0) -> PageRuns:
    """Read words to the end of the file, a piece at a time, and keep them as runs.

    The file is in the machine's byte order, little-endian on x86. Memory is bounded by the runs,
    not by the pages: a terabyte is read in pieces of 8 MiB.

    Raises
    ------
    CaptureError
        When the file is empty, ends inside a word, cannot be read, or has more pages than 64 TiB
        or more runs than any machine.
    """
    words: list[np.ndarray] = []
    pages: list[np.ndarray] = []
    total = runs = 0
    for chunk in _chunks(file, path):
        values = np.frombuffer(chunk, "<u8").astype(np.uint64)
        first = np.append(0, np.flatnonzero(values[1:] != values[:-1]) + 1)
        words.append(values[first])
        pages.append(np.diff(first, append=len(values)))
        total, runs = total + len(values), runs + len(first)
        if start_pfn + total > MAX_PFN or runs > MAX_RUNS:
            raise CaptureError(path, f"{total:,} pages in {runs:,} runs: no machine has so many")
    if not words:
        raise CaptureError(path, "it is empty; a 64-bit word for each page is expected")
    return PageRuns(np.concatenate(words), np.concatenate(pages), start_pfn).merged()


def _chunks(file: Readable, path: object) -> Iterator[bytes]:
    """Yield whole words; a read may return less than was asked for."""
    rest, at = b"", 0
    while True:
        try:
            piece = file.read(_CHUNK_BYTES)
        except OSError as error:
            raise CaptureError(path, f"it cannot be read at byte {at}: {error}") from None
        if not piece:
            break
        at += len(piece)
        data = rest + piece
        whole = len(data) - len(data) % _WORD_BYTES
        rest = data[whole:]
        if whole:
            yield data[:whole]
    if rest:
        raise CaptureError(path, f"the word at byte {at - len(rest)} is cut off: truncated")
