"""Golden numbers of the stop_machine lesson; see `tests.golden_exhaustion`, whose tools it uses.

    python -m tests.golden_stop_machine

writes data/golden/stop_machine.json and prints what changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from tests.golden_exhaustion import digest_track, find_changes

PATH = Path(__file__).resolve().parents[1] / "data" / "golden" / "stop_machine.json"

RUNS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "a frame each, the target goes too": {"target": "page", "after": "target", "seed": 3},
    "mail, home again": {"machine": "mail", "after": "home", "cpus": 64},
    "corrupt": {"failure": "corrupt", "residue": 0.3},
    "abort": {"failure": "abort"},
    "devices spill": {"devices": 0.03},
}

OWN = (
    "free", "pause_ns", "migrated", "copied", "entries_scanned", "entries_fixed", "loads_mean",
    "sections_fast", "sections_slow", "target_idle", "device.held", "device.spilled", "tables.pte",
)  # fmt: skip


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: its own counters at the end, marks, digests."""
    names = [c["name"] for c in recording.meta["counters"]]
    last = dict(zip(names, recording.counters_array[-1].tolist(), strict=True))
    tracks = {
        "kind": recording.kind,
        "sections": recording.sections,
        "lookup": recording.lookup,
    }
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        **{name: last[name] for name in OWN},
        "marks": [[e.tick, e.kind] for e in recording.event_list if e.mark],
        "rows": {name: len(track) for name, track in recording.rows.items()},
        "sha256": {name: digest_track(track) for name, track in tracks.items() if track},
    }


def read_golden() -> dict[str, Any]:
    """Return the stored sums by name; none if there is no file yet."""
    if not PATH.exists():
        return {}
    stored: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return stored


def write_golden() -> None:
    """Run everything, print what changed, and write the file."""
    before = read_golden()
    after = {name: sum_up(hotmem_viz.run("stop_machine", **p)) for name, p in RUNS.items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{name}: {line}\n")
    PATH.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
