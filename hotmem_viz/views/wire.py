"""The bytes that the browser reads: one compressed message per recording, or per lineup of them.

A message is the zlib stream of: header length H (uint32, little endian), header (H bytes of
UTF-8 JSON), zeros up to a multiple of 8, then the arrays, each starting at a multiple of 8.
The header's `arrays` name, type and place them; `static/decode.js` is the other reader. A lineup's
message has all recordings' headers and arrays, and the ticks of each at every position.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.lineup import SIDES, Lineup
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

LINEUP_SCHEMA = 1
"""Version of a lineup's message; the recordings inside have theirs."""

_DTYPES = {"u1", "u2", "u4", "i4", "f4", "f8"}


def _jsonable(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot go into a recording's header")


def encode_shown(shown: Recording | Lineup) -> bytes:
    """Return the message that carries what a stage shows: a recording, or several on one cursor."""
    return encode_lineup(shown) if isinstance(shown, Lineup) else encode_recording(shown)


def encode_recording(recording: Recording) -> bytes:
    """Return the message that carries a whole recording to the browser.

    Arrays keep their shapes: kind.keys is (Q, C) uint8, counters (T, F) float64, and so on
    as in `Recording`; numbers are little endian.
    """
    return _pack(_header(recording), to_arrays(recording))


def encode_lineup(lineup: Lineup) -> bytes:
    """Return the message that carries several recordings and their cursor to the browser.

    Arrays are those of all recordings, as `0.kind.keys` and `1.kind.keys`, and `ticks`,
    (positions, sides) int32.
    """
    header = {
        "lineup_schema": LINEUP_SCHEMA,
        "by": lineup.by,
        "titles": list(lineup.titles),
        "sides": [_header(recording) for recording in lineup.recordings],
    }
    arrays = {"ticks": lineup.ticks}
    for side, recording in enumerate(lineup.recordings):
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
    several = "lineup_schema" in header
    key, known = ("lineup_schema", LINEUP_SCHEMA) if several else ("schema", SCHEMA)
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


def decode_lineup(message: bytes) -> Lineup:
    """Return the lineup that a message carries, a Pair of two; raises as read_message."""
    header, arrays = read_message(message)
    if "sides" not in header:
        raise RecordingError("the message carries one recording, not several")
    recordings = tuple(
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
    kind = Pair if len(recordings) == len(SIDES) else Lineup
    return kind(recordings, tuple(header["titles"]), arrays["ticks"], header["by"])
