"""The bytes that the browser reads: one compressed message per recording, or per pair of them.

A message is the zlib stream of: header length H (uint32, little endian), header (H bytes of
UTF-8 JSON), zeros up to a multiple of 8, then the arrays, each starting at a multiple of 8.
The header's `arrays` name, type and place them; `static/decode.js` is the other reader. A pair's
message has both recordings' headers and arrays, and the ticks of each at every position.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recording import SCHEMA, Recording
from hotmem_viz.recording.store import from_parts, to_arrays, to_header
from hotmem_viz.views.palette import event_table, kind_table, movability_table
from hotmem_viz.views.section_looks import section_table

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIGN = 8
COMPRESSION = 4
"""zlib level: twice as fast as the default for a few per cent more bytes."""

PAIR_SCHEMA = 1
"""Version of a pair's message; the recordings inside have theirs."""

_DTYPES = {"u1", "u2", "u4", "i4", "f4", "f8"}


def _jsonable(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot go into a recording's header")


def encode_shown(shown: Recording | Pair) -> bytes:
    """Return the message that carries what a stage shows: a recording, or two on one cursor."""
    return encode_pair(shown) if isinstance(shown, Pair) else encode_recording(shown)


def encode_recording(recording: Recording) -> bytes:
    """Return the message that carries a whole recording to the browser.

    Arrays keep their shapes: kind.keys is (Q, C) uint8, counters (T, F) float64, and so on
    as in `Recording`; numbers are little endian.
    """
    return _pack(_header(recording), to_arrays(recording))


def encode_pair(pair: Pair) -> bytes:
    """Return the message that carries two recordings and their common cursor to the browser.

    Arrays are those of both recordings, as `0.kind.keys` and `1.kind.keys`, and `ticks`,
    (positions, 2) int32.
    """
    header = {
        "pair_schema": PAIR_SCHEMA,
        "by": pair.by,
        "titles": list(pair.titles),
        "sides": [_header(recording) for recording in pair.recordings],
    }
    arrays = {"ticks": pair.ticks}
    for side, recording in enumerate(pair.recordings):
        arrays |= {f"{side}.{name}": array for name, array in to_arrays(recording).items()}
    return _pack(header, arrays)


def _header(recording: Recording) -> dict[str, Any]:
    """Return a recording's header with events as the browser names them."""
    header = to_header(recording)
    for event in header["events"]:
        event["kind"] = event["kind"].lower()
    return header


def _pack(header: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Add how everything looks and where every array lies, and compress."""
    rows, blobs, offset = [], [], 0
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        blob = little.tobytes()
        dtype = little.dtype.str[1:]
        rows.append({"name": name, "dtype": dtype, "shape": list(array.shape), "offset": offset})
        blob += b"\0" * (-len(blob) % ALIGN)
        blobs.append(blob)
        offset += len(blob)
    header |= {
        "kinds": kind_table(),
        "movabilities": movability_table(),
        "event_kinds": event_table(),
        "section_states": section_table(),
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
    key, known = ("pair_schema", PAIR_SCHEMA) if "pair_schema" in header else ("schema", SCHEMA)
    if header.get(key) != known:
        raise RecordingError(f"{key.replace('_', ' ')} {header.get(key)!r} is not {known}")
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


def decode_pair(message: bytes) -> Pair:
    """Return the pair that a message carries; raises RecordingError as read_message."""
    header, arrays = read_message(message)
    if "sides" not in header:
        raise RecordingError("the message carries one recording, not a pair")
    left, right = (
        from_parts(
            side,
            {
                name.removeprefix(f"{i}."): array
                for name, array in arrays.items()
                if name.startswith(f"{i}.")
            },
        )
        for i, side in enumerate(header["sides"])
    )
    first, second = header["titles"]
    return Pair(left, right, (first, second), arrays["ticks"], header["by"])
