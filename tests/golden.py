"""Golden numbers: what a few fixed runs of every scenario come to.

They do not say what is right (captures, oracles and invariants do); they notice that something
changed. After a change that is meant, look at the difference and write them anew:

    python -m tests.golden [SCENARIO ...]

which writes data/golden/SCENARIO.json, all of them unless named, and prints what changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.tracks import CellTrack
from tests.golden_runs import RUNS

FOLDER = Path(__file__).resolve().parents[1] / "data" / "golden"


@dataclass(frozen=True)
class Golden:
    """What is kept of a scenario's runs.

    counters: names, or patterns such as "zone*.free", kept at the last tick. at: a kind of mark at
    each of which they are kept too.
    """

    counters: tuple[str, ...]
    at: str = ""


KEPT: dict[str, Golden] = {
    "boot_options": Golden(
        ("wrongly_movable", "wrongly_kernel", "without_kernel", "decisions", "remote", "free"),
        at="SCORED",
    ),
    "exhaustion": Golden(("objects", "free", "useless", "mem_available", "zone*.free")),
    "hot_remove": Golden(
        ("free", "passes", "moved", "timer.*", "emptied", "emptied_without", "corner.*")
    ),
    "starvation": Golden(
        (
            "free",
            "useless",
            "mapped",
            "reached",
            "table_pages",
            "processes",
            "killed",
            "boundary",
        )
    ),
    "stop_machine": Golden(
        (
            "free",
            "pause_ns",
            "migrated",
            "copied",
            "entries_*",
            "loads_mean",
            "sections_fast",
            "sections_slow",
            "target_idle",
            "device.*",
            "tables.pte",
        )
    ),
    "strategies": Golden(
        (
            "free",
            "step",
            "metadata_*",
            "mappable",
            "sections_*",
            "broken_left",
            "pause_ns",
            "loads_mean",
            "tax_ns",
            "table_held",
            "decisions",
            "remote",
            "spilt",
        ),
        at="CAPACITY",
    ),
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


def _read_counters(recording: Recording, tick: int, patterns: tuple[str, ...]) -> dict[str, float]:
    names = [c["name"] for c in recording.meta["counters"]]
    row = dict(zip(names, recording.counters_array[tick].tolist(), strict=True))
    kept = {n: row[n] for p in patterns for n in names if fnmatchcase(n, p)}
    missing = [p for p in patterns if not any(fnmatchcase(n, p) for n in kept)]
    assert not missing, f"no counter is called {missing}"
    return {name: round(value, 6) for name, value in kept.items()}


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: ticks, counters, marks, rows, digests of its tracks."""
    kept = KEPT[recording.meta["scenario"]]
    at = [e.tick for e in recording.event_list if e.mark and e.kind == kept.at]
    tracks = {"kind": recording.kind, "sections": recording.sections, "lookup": recording.lookup}
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        "counters": _read_counters(recording, -1, kept.counters),
        "counters_at": [[t, _read_counters(recording, t, kept.counters)] for t in at],
        "marks": [[e.tick, e.kind, e.pfn] for e in recording.event_list if e.mark],
        "rows": {name: len(track) for name, track in recording.rows.items()},
        "sha256": {name: digest_track(track) for name, track in tracks.items() if track},
    }


def read_golden(scenario: str) -> dict[str, Any]:
    """Return the stored sums of a scenario by run; none if there is no file yet."""
    path = FOLDER / f"{scenario}.json"
    stored: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return stored


def find_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """List what differs between two sums, a line each."""
    return [
        f"{name}: {old.get(name)} -> {new.get(name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def write_golden(scenario: str) -> None:
    """Run everything of a scenario, print what changed, and write its file."""
    before = read_golden(scenario)
    after = {name: sum_up(hotmem_viz.run(scenario, **p)) for name, p in RUNS[scenario].items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{scenario}, {name}: {line}\n")
    path = FOLDER / f"{scenario}.json"
    path.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or RUNS:
        write_golden(chosen)
