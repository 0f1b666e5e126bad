"""Reads /proc/kpageflags of a running kernel, run-length coded as captures keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.archive import MAX_MEMBER_BYTES
from hotmem_viz.kernel.raw_flags import Readable
from hotmem_viz.kernel.raw_flags import read_page_flags as read_runs

if TYPE_CHECKING:
    from pathlib import Path

MAX_FLAG_PAGES = 1 << 23
"""Pages whose flags are read at most, 32 GiB: the kernel takes about 0.1 us for each."""

_WORD_BYTES = 8


class FlagsError(Exception):
    """Page flags that are left out, and why."""


class _Bounded:
    """A file that refuses to go on after MAX_FLAG_PAGES words."""

    def __init__(self, file: Readable) -> None:
        self.file, self.left = file, MAX_FLAG_PAGES * _WORD_BYTES

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes."""
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise FlagsError(f"more than {MAX_FLAG_PAGES:,} pages would take too long")
        return data


def read_page_flags(path: Path) -> bytes:
    """Return pairs of little-endian uint64 {flags, pages}, from pfn 0 on.

    Raises
    ------
    FlagsError
        When the machine has more pages, or more runs of them, than a snapshot takes, or its file
        is no page flags.
    OSError
        When the file cannot be opened.
    """
    with path.open("rb", buffering=0) as file:
        try:
            runs = read_runs(_Bounded(file), path)
        except CaptureError as error:
            raise FlagsError(error.reason) from None
    pairs = np.stack((runs.words, runs.pages.astype(np.uint64)), axis=1).astype("<u8")
    if pairs.nbytes > MAX_MEMBER_BYTES:
        raise FlagsError(f"{len(pairs):,} runs of pages are more than a snapshot holds")
    return pairs.tobytes()
