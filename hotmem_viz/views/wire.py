"""The bytes that the browser reads: one compressed message per recording.

A message is the zlib stream of: header length H (uint32, little endian), header (H bytes of
UTF-8 JSON), zeros up to a multiple of 8, then the arrays, each starting at a multiple of 8.
The header's `arrays` name, type and place them; `static/decode.js` is the other reader.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.recording import (
    SCHEMA,
    CellTrack,
    Event,
    Recording,
    SectionDetail,
)
from hotmem_viz.views.palette import event_table, kind_table, movability_table

ALIGN = 8
COMPRESSION = 4
"""zlib level: twice as fast as the default for a few per cent more bytes."""

_TRACK_FIELDS = {
    "key_ticks": np.int32,
    "offsets": np.uint32,
    "start": np.uint32,
    "length": np.uint32,
}
_DTYPES = {"u1", "u2", "u4", "i4", "f4", "f8"}


def _event_row(event: Event) -> dict[str, Any]:
    row = asdict(event)
    row["kind"] = event.kind.lower()
    row["claims"] = list(event.claims)
    return row


def _track_arrays(name: str, track: CellTrack) -> dict[str, np.ndarray]:
    arrays = {f"{name}.keys": track.keys, f"{name}.flip": track.flip}
    for part, dtype in _TRACK_FIELDS.items():
        arrays[f"{name}.{part}"] = getattr(track, part).astype(dtype, copy=False)
    return arrays


def _recording_arrays(recording: Recording) -> dict[str, np.ndarray]:
    arrays = _track_arrays("kind", recording.kind)
    for name in ("owner", "migratetype"):
        track = getattr(recording, name)
        if track is not None:
            arrays |= _track_arrays(name, track)
    arrays["counters"] = recording.counters_array.astype(np.float64, copy=False)
    arrays["time_ns"] = recording.time_ns.astype(np.float64, copy=False)
    for i, detail in enumerate(recording.details):
        for part in ("kind", "owner", "migratetype"):
            arrays[f"detail.{i}.{part}"] = getattr(detail, part)
    return arrays


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
    for name, array in _recording_arrays(recording).items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        blob = little.tobytes()
        dtype = little.dtype.str[1:]
        rows.append({"name": name, "dtype": dtype, "shape": list(array.shape), "offset": offset})
        blob += b"\0" * (-len(blob) % ALIGN)
        blobs.append(blob)
        offset += len(blob)
    header = {
        "schema": SCHEMA,
        "meta": recording.meta,
        "events": [_event_row(e) for e in recording.event_list],
        "kinds": kind_table(),
        "movabilities": movability_table(),
        "event_kinds": event_table(),
        "details": [{"section": d.section, "tick": d.tick} for d in recording.details],
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
    header, arrays = read_message(message)

    def track(name: str) -> CellTrack | None:
        if f"{name}.keys" not in arrays:
            return None
        parts = ("keys", "key_ticks", "offsets", "start", "length", "flip")
        return CellTrack(*(arrays[f"{name}.{part}"] for part in parts))

    kind = track("kind")
    if kind is None:
        raise RecordingError("the message has no page kinds")
    return Recording(
        meta=header["meta"],
        kind=kind,
        counters_array=arrays["counters"],
        time_ns=arrays["time_ns"],
        event_list=tuple(Event(**{**e, "claims": tuple(e["claims"])}) for e in header["events"]),
        owner=track("owner"),
        migratetype=track("migratetype"),
        details=tuple(
            SectionDetail(
                d["section"],
                d["tick"],
                arrays[f"detail.{i}.kind"],
                arrays[f"detail.{i}.owner"],
                arrays[f"detail.{i}.migratetype"],
            )
            for i, d in enumerate(header["details"])
        ),
    )
