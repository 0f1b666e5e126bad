"""Reads /proc/kpageflags of a running kernel, run-length coded as captures keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.archive import MAX_MEMBER_BYTES

if TYPE_CHECKING:
    from pathlib import Path

MAX_FLAG_PAGES = 1 << 23
"""Pages whose flags are read at most, 32 GiB: the kernel takes about 0.1 us for each."""

_WORD_BYTES = 8
_CHUNK_BYTES = 1 << 21


class FlagsError(Exception):
    """Page flags that are left out, and why."""


def read_page_flags(path: Path) -> bytes:
    """Return pairs of little-endian uint64 {flags, pages}, from pfn 0 on.

    Raises
    ------
    FlagsError
        When the machine has more pages, or more runs of them, than a snapshot takes.
    OSError
        When the file cannot be read.
    """
    runs: list[np.ndarray] = []
    pages = 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(_CHUNK_BYTES):
            words = np.frombuffer(data, "<u8", len(data) // _WORD_BYTES)
            pages += len(words)
            if pages > MAX_FLAG_PAGES:
                raise FlagsError(f"more than {MAX_FLAG_PAGES:,} pages would take too long")
            runs.append(_encode(words))
    joined = _join(np.concatenate(runs)) if runs else np.empty((0, 2), "<u8")
    if joined.nbytes > MAX_MEMBER_BYTES:
        raise FlagsError(f"{len(joined):,} runs of pages are more than a snapshot holds")
    return joined.tobytes()


def _encode(words: np.ndarray) -> np.ndarray:
    """Return the runs of equal words: (R, 2) uint64, word and length."""
    begins = np.flatnonzero(np.concatenate(([True], words[1:] != words[:-1])))
    lengths = np.diff(begins, append=len(words)).astype("<u8")
    return np.stack((words[begins], lengths), axis=1)


def _join(runs: np.ndarray) -> np.ndarray:
    """Join neighbouring runs of one word, which the borders of chunks have cut."""
    begins = np.flatnonzero(np.concatenate(([True], runs[1:, 0] != runs[:-1, 0])))
    return np.stack((runs[begins, 0], np.add.reduceat(runs[:, 1], begins)), axis=1)
