"""Recordings as .npz files: arrays by name, meta and events as JSON text, never pickled.

The arrays are those of the tracks (`kind.keys`, `moves.source`, ...), `counters` (T, F), `time_ns`
(T,) and, where sections were taken in detail, `detail.0.kind` and so on; `header` is UTF-8 JSON
with `schema`, `meta`, `events` and `details`. docs/recording.md describes them all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.recording import SCHEMA, Event, Recording, SectionDetail
from hotmem_viz.recording.tracks import ROW_COLUMNS, CellTrack, RowTrack

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRACKS = ("kind", "owner", "migratetype", "sections", "lookup")
_PARTS = tuple(f.name for f in fields(CellTrack))
_DETAIL_PARTS = ("kind", "owner", "migratetype")


def to_arrays(recording: Recording) -> dict[str, np.ndarray]:
    """Name every array of a recording, in the order in which all formats write them."""
    arrays: dict[str, np.ndarray] = {}
    for name in _TRACKS:
        track = getattr(recording, name)
        if track is not None:
            arrays.update({f"{name}.{part}": getattr(track, part) for part in _PARTS})
    for name, rows in recording.rows.items():
        arrays[f"{name}.tick"] = rows.tick
        arrays.update({f"{name}.{column}": rows.columns[column] for column in ROW_COLUMNS[name]})
    arrays["counters"] = recording.counters_array
    arrays["time_ns"] = recording.time_ns
    for i, detail in enumerate(recording.details):
        arrays.update({f"detail.{i}.{part}": getattr(detail, part) for part in _DETAIL_PARTS})
    return arrays


def to_header(recording: Recording) -> dict[str, Any]:
    """Return what is not an array, as JSON-able values."""
    return {
        "schema": SCHEMA,
        "meta": recording.meta,
        "events": [asdict(e) for e in recording.event_list],
        "details": [{"section": d.section, "tick": d.tick} for d in recording.details],
    }


def from_parts(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Recording:
    """Put a recording together again from its header and its arrays.

    Raises RecordingError where the schema is another one or an array is missing.
    """
    if header.get("schema") != SCHEMA:
        raise RecordingError(
            f"recording schema {header.get('schema')!r} cannot be read; this version reads {SCHEMA}"
        )
    try:
        tracks = {
            name: CellTrack(**{part: arrays[f"{name}.{part}"] for part in _PARTS})
            for name in _TRACKS
            if any(f"{name}.{part}" in arrays for part in _PARTS)
        }
        details = tuple(
            SectionDetail(
                d["section"], d["tick"], *(arrays[f"detail.{i}.{p}"] for p in _DETAIL_PARTS)
            )
            for i, d in enumerate(header["details"])
        )
        rows = {
            name: RowTrack(arrays[f"{name}.tick"], {c: arrays[f"{name}.{c}"] for c in columns})
            for name, columns in ROW_COLUMNS.items()
            if f"{name}.tick" in arrays
        }
        events = tuple(
            Event(**{**e, "claims": tuple(e["claims"]), "questions": tuple(e["questions"])})
            for e in header["events"]
        )
        recording = Recording(
            meta=dict(header["meta"]),
            kind=tracks.get("kind"),
            counters_array=arrays["counters"],
            time_ns=arrays["time_ns"],
            event_list=events,
            owner=tracks.get("owner"),
            migratetype=tracks.get("migratetype"),
            details=details,
            sections=tracks.get("sections"),
            lookup=tracks.get("lookup"),
            rows=rows,
        )
        _check_shapes(recording)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordingError(f"recording is damaged: {error} is missing or wrong") from None
    return recording


def _check_shapes(recording: Recording) -> None:
    """Raise RecordingError where arrays do not fit together: T ticks, C cells, F counters."""
    ticks, meta = len(recording.time_ns), recording.meta
    cells = len(meta["sections"]) * meta["cells_per_section"]
    machine = meta["machine"]
    blocks = len(meta["sections"]) * machine["section_pages"] // machine["pageblock_pages"]
    wanted = {
        "counters": (recording.counters_array, (ticks, len(meta["counters"]))),
        "time_ns": (recording.time_ns, (ticks,)),
    }
    sections = len(meta["sections"])
    for name, size in zip(_TRACKS, (cells, cells, blocks, sections, sections), strict=True):
        track: CellTrack | None = getattr(recording, name)
        if track is not None:
            wanted |= {
                f"{name}.keys": (track.keys, (len(track.key_ticks), size)),
                f"{name}.offsets": (track.offsets, (ticks + 1,)),
                f"{name}.length": (track.length, (len(track.start),)),
                f"{name}.flip": (track.flip, (len(track.start),)),
            }
    for name, rows in recording.rows.items():
        wanted |= {f"{name}.{c}": (column, rows.tick.shape) for c, column in rows.columns.items()}
    if not ticks:
        raise RecordingError("recording is damaged: it has no ticks")
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise RecordingError(f"recording is damaged: {name} is {array.shape}, not {shape}")


def save(recording: Recording, path: str | Path) -> Path:
    """Write a recording as a compressed .npz file and return its path."""
    path = Path(path)
    text = json.dumps(to_header(recording), ensure_ascii=False).encode()
    with path.open("wb") as file:
        arrays: dict[str, Any] = {**to_arrays(recording), "header": np.frombuffer(text, np.uint8)}
        np.savez_compressed(file, **arrays)
    return path


def load(path: str | Path) -> Recording:
    """Read a recording from an .npz file; raises RecordingError if it is none."""
    try:
        with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise RecordingError(f"{path}: there is no such file") from None
    except Exception as error:  # noqa: BLE001 - zipfile, zlib and numpy raise a dozen kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RecordingError(f"{path}: not a recording ({reason})") from None
    if "header" not in arrays:
        raise RecordingError(f"{path}: not a recording (it has no header)")
    try:
        header = json.loads(arrays.pop("header").tobytes())
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise RecordingError(f"{path}: header is no table of names and values")
    try:
        return from_parts(header, arrays)
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from None
