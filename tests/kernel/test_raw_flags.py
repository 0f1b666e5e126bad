"""/proc/kpageflags as it is: the same runs as a capture's, from any machine, in bounded memory."""

from __future__ import annotations

import io

import numpy as np
import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel import raw_flags
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.raw_flags import read_page_flags


class Trickle(io.RawIOBase):
    """A file that gives seven bytes at a time, as a pipe may."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def read(self, _size: int = -1) -> bytes:
        piece, self.rest = self.rest[:7], self.rest[7:]
        return piece


class Endless(io.RawIOBase):
    """A file of zeros without end."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


class Forbidden(io.RawIOBase):
    """A file that may be opened and not read."""

    def read(self, _size: int = -1) -> bytes:
        raise PermissionError(1, "Operation not permitted")


def test_it_says_what_the_captures_runs_say(monkeypatch):
    runs = open_capture("v72-c-zero-1G-60").page_runs("end").merged()
    raw = runs.expand().astype("<u8").tobytes()
    for chunk in (1 << 23, 4096, 24):
        monkeypatch.setattr(raw_flags, "_CHUNK_BYTES", chunk)
        read = read_page_flags(io.BytesIO(raw))
        assert read.words.tolist() == runs.words.tolist()
        assert read.pages.tolist() == runs.pages.tolist()


def test_words_may_come_in_pieces():
    words = np.array([1, 1, 2, 2, 2, 1], "<u8")
    read = read_page_flags(Trickle(words.tobytes()), start_pfn=64)
    assert (read.words.tolist(), read.pages.tolist()) == ([1, 2, 1], [2, 3, 1])
    assert (read.start_pfn, read.end_pfn) == (64, 70)


def test_what_is_refused(monkeypatch):
    with pytest.raises(CaptureError, match="kpageflags: it is empty"):
        read_page_flags(io.BytesIO(b""))
    with pytest.raises(CaptureError, match="the word at byte 8 is cut off"):
        read_page_flags(Trickle(bytes(11)))
    with pytest.raises(CaptureError, match=r"cannot be read at byte 0: .*not permitted"):
        read_page_flags(Forbidden())
    monkeypatch.setattr(raw_flags, "MAX_PFN", 1 << 21)
    with pytest.raises(CaptureError, match=r"3,145,728 pages in 3 runs: no machine has so many"):
        read_page_flags(Endless())
    monkeypatch.setattr(raw_flags, "MAX_RUNS", 100)
    noise = np.arange(200, dtype="<u8").tobytes()
    with pytest.raises(CaptureError, match="200 runs"):
        read_page_flags(io.BytesIO(noise))
