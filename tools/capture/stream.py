"""Reads what the guest streams: records with a number and a check sum, frames made of them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

MAX_HEAD_BYTES, MAX_RECORD_BYTES = 80, 4096
MAX_FRAME_BYTES = 64 << 20
MAX_STREAM_BYTES = 256 << 20
"""As much as a reader of captures takes (hotmem_viz.kernel.archive)."""

_HEAD = re.compile(rb"(open|data|close|ask|done) (\d{1,10}) (\d{1,4}) ([0-9a-f]{8})", re.ASCII)
_PATH = re.compile(r"[\w.-]{1,60}(/[\w.-]{1,60}){0,3}", re.ASCII)


class StreamError(Exception):
    """The stream is damaged; the text says where and how."""


@dataclass
class FrameStream:
    """The stream so far: whole frames by path, requests not answered yet, how the run ended.

    Attributes
    ----------
    frames
        Contents of whole frames by path, in the order in which they came.
    requests
        Requests that wait for an answer.
    ended
        What the guest said last: "done", "failed", or nothing yet.
    open_path
        The frame under way; a dead guest leaves one behind.
    """

    frames: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    ended: str = ""
    open_path: str = ""
    _pieces: list[bytes] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)
    _next: int = 0
    _total: int = 0

    def feed(self, data: bytes) -> None:
        """Take what arrived.

        Raises
        ------
        StreamError
            When a record is not one, is out of order, or its check sum does not fit.
        """
        self._total += len(data)
        if self._total > MAX_STREAM_BYTES:
            raise StreamError(f"the guest sent more than {MAX_STREAM_BYTES >> 20} MiB")
        self._buffer += data
        while self._take_record():
            pass

    def _take_record(self) -> bool:
        end = self._buffer.find(b"\n", 0, MAX_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise StreamError(f"record {self._next}: no head in {MAX_HEAD_BYTES} bytes")
            return False
        head = bytes(self._buffer[:end])
        match = _HEAD.fullmatch(head)
        if not match:
            raise StreamError(f"record {self._next}: not the head of a record: {head[:40]!r}")
        kind, number, length = match[1].decode(), int(match[2]), int(match[3])
        if number != self._next:
            raise StreamError(f"record {number} came where record {self._next} was due")
        if length > MAX_RECORD_BYTES:
            raise StreamError(f"record {number}: {length} bytes are too many")
        if len(self._buffer) < end + 1 + length:
            return False
        payload = bytes(self._buffer[end + 1 : end + 1 + length])
        if zlib.crc32(payload) != int(match[4], 16):
            raise StreamError(f"record {number}: its check sum does not fit")
        del self._buffer[: end + 1 + length]
        self._next += 1
        self._take(kind, payload)
        return True

    def _take(self, kind: str, payload: bytes) -> None:
        number = self._next - 1
        if kind in ("data", "close") and not self.open_path:
            raise StreamError(f"record {number}: {kind} without an open frame")
        if kind == "data":
            self._pieces.append(payload)
        elif kind == "close":
            self._close(payload)
        else:
            text = payload.decode("utf-8", "replace")
            if kind == "open":
                self._open(text)
            elif kind == "ask":
                self.requests.append(text)
            else:
                self.ended = text

    def _open(self, path: str) -> None:
        number = self._next - 1
        if self.open_path:
            raise StreamError(f"record {number}: {path!r} opens inside {self.open_path!r}")
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise StreamError(f"record {number}: not the name of a frame: {path[:60]!r}")
        if path in self.frames:
            raise StreamError(f"record {number}: the frame {path!r} comes twice")
        self.open_path, self._pieces = path, []

    def _close(self, payload: bytes) -> None:
        data = b"".join(self._pieces)
        if payload != str(len(data)).encode("ascii"):
            said = payload[:20].decode("ascii", "replace")
            raise StreamError(f"{self.open_path}: {len(data)} bytes came, {said} were sent")
        if len(data) > MAX_FRAME_BYTES:
            raise StreamError(f"{self.open_path}: more than {MAX_FRAME_BYTES >> 20} MiB")
        self.frames[self.open_path] = data
        self.open_path, self._pieces = "", []
