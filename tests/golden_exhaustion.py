"""Golden counters of the exhaustion lesson: what a few fixed runs come to, tick by mark.

They do not say what is right (captures and invariants do); they notice that something changed.
After a change that is meant, look at the difference and write them anew:

    python -m tests.golden_exhaustion

which writes data/golden/exhaustion.json and prints what changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.tracks import CellTrack

PATH = Path(__file__).resolve().parents[1] / "data" / "golden" / "exhaustion.json"

RUNS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "classroom, movable=0.85, sockets, seed 3": {
        "movable": 0.85,
        "workload": "sockets",
        "seed": 3,
    },
    "pae": {"machine": "pae"},
    "mail": {"machine": "mail"},
    "64bit": {"machine": "64bit"},
    "disk, all cached": {"workload": "disk"},
    "disk, one in ten in use": {"workload": "disk", "held": 0.1, "seed": 3},
    "dimms": {"then": "dimms"},
    "dimms of 128 MiB, movable=0.85": {"then": "dimms", "dimm": 128, "movable": 0.85},
    "reboots": {"machine": "pae", "then": "reboots"},
    "huge pages": {"then": "huge_pages"},
    "huge pages, movable=0": {"then": "huge_pages", "movable": 0.0, "seed": 3},
}


def digest_track(track: CellTrack) -> str:
    """Return the SHA-256 of all states of a track, whatever its key frames are.

    The first state and then each tick's runs, as little-endian bytes.
    """
    parts = (track.offsets, track.start, track.length, track.flip)
    digest = hashlib.sha256(track.frame(0).tobytes())
    for part in parts:
        digest.update(part.astype(part.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: pages, objects, ticks of marks, a digest."""
    names = [c["name"] for c in recording.meta["counters"]]
    last = dict(zip(names, recording.counters_array[-1].tolist(), strict=True))
    zones = recording.meta["zones"]
    assert recording.kind is not None
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        "objects": int(last["objects"]),
        "free": int(last["free"]),
        "useless": int(last["useless"]),
        "mem_available": int(last["mem_available"]),
        "free_by_zone": {
            f"{z['nid']} {z['zone']}": int(last[f"zone{z['id']}.free"]) for z in zones
        },
        "marks": {e.kind: e.tick for e in recording.event_list if e.mark},
        "kind_sha256": digest_track(recording.kind),
    }


def read_golden() -> dict[str, Any]:
    """Return the stored sums by name; none if there is no file yet."""
    if not PATH.exists():
        return {}
    stored: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return stored


def find_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """List what differs between two sums, a line each."""
    return [
        f"{name}: {old.get(name)} -> {new.get(name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def write_golden() -> None:
    """Run everything, print what changed, and write the file."""
    before = read_golden()
    after = {name: sum_up(hotmem_viz.run("exhaustion", **p)) for name, p in RUNS.items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{name}: {line}\n")
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
