"""The bytes that the browser reads: one compressed message per recording.

A message is the zlib stream of: header length H (uint32, little endian), header (H bytes of
UTF-8 JSON), zeros up to a multiple of 8, then the arrays, each starting at a multiple of 8.
The header's `arrays` name, type and place them; `static/decode.js` is the other reader.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.recording import SCHEMA, Recording
from hotmem_viz.recording.store import from_parts, to_arrays, to_header
from hotmem_viz.views.palette import event_table, kind_table, movability_table

ALIGN = 8
COMPRESSION = 4
"""zlib level: twice as fast as the default for a few per cent more bytes."""

_DTYPES = {"u1", "u2", "u4", "i4", "f4", "f8"}


def _jsonable(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot go into a recording's header")


def encode_recording(recording: Recording) -> bytes:
    """Return the message that carries a whole recording to the browser.

    Arrays keep their shapes: kind.keys is (Q, C) uint8, counters (T, F) float64, and so on
    as in `Recording`; numbers are little endian.
    """
    rows, blobs, offset = [], [], 0
    for name, array in to_arrays(recording).items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        blob = little.tobytes()
        dtype = little.dtype.str[1:]
        rows.append({"name": name, "dtype": dtype, "shape": list(array.shape), "offset": offset})
        blob += b"\0" * (-len(blob) % ALIGN)
        blobs.append(blob)
        offset += len(blob)
    header = to_header(recording)
    for event in header["events"]:
        event["kind"] = event["kind"].lower()
    header |= {
        "kinds": kind_table(),
        "movabilities": movability_table(),
        "event_kinds": event_table(),
        "arrays": rows,
    }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False, default=_jsonable).encode()
    head = struct.pack("<I", len(text)) + text
    head += b"\0" * (-len(head) % ALIGN)
    return zlib.compress(head + b"".join(blobs), COMPRESSION)


def read_message(message: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a message's header and its arrays by name.

    Raises RecordingError if the bytes are no message of this schema.
    """
    try:
        raw = zlib.decompress(message)
        (size,) = struct.unpack_from("<I", raw)
        header: dict[str, Any] = json.loads(raw[4 : 4 + size])
    except (zlib.error, struct.error, ValueError) as error:
        raise RecordingError(f"not a recording's message: {error}") from error
    if header.get("schema") != SCHEMA:
        raise RecordingError(f"schema {header.get('schema')!r} is not {SCHEMA}")
    base = 4 + size
    base += -base % ALIGN
    arrays = {}
    for row in header["arrays"]:
        if row["dtype"] not in _DTYPES:
            raise RecordingError(f"array {row['name']}: type {row['dtype']!r} is not known")
        count = int(np.prod(row["shape"], dtype=np.int64))
        flat = np.frombuffer(raw, "<" + row["dtype"], count, base + row["offset"])
        arrays[row["name"]] = flat.reshape(row["shape"])
    return header, arrays


def decode_recording(message: bytes) -> Recording:
    """Return the recording that a message carries; raises RecordingError as read_message."""
    return from_parts(*read_message(message))
