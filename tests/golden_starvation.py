"""Golden numbers of the starvation lesson; see `tests.golden_exhaustion` for what they are for.

    python -m tests.golden_starvation

writes data/golden/starvation.json and prints what changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from tests.golden_exhaustion import digest_track, find_changes

PATH = Path(__file__).resolve().parents[1] / "data" / "golden" / "starvation.json"

RUNS: dict[str, dict[str, Any]] = {
    "shared": {},
    "sparse, movable=0.8, seed 3": {"use": "sparse", "movable": 0.8, "seed": 3},
    "populate, other=0.05": {"asked": "populate", "other": 0.05},
    "pae without HIGHPTE": {"machine": "pae", "highpte": False},
}

NAMED = ("free", "useless", "mapped", "reached", "table_pages", "processes", "killed")


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: counters at the end, ticks of marks, a digest."""
    names = [c["name"] for c in recording.meta["counters"]]
    last = dict(zip(names, recording.counters_array[-1].tolist(), strict=True))
    assert recording.kind is not None
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        **{name: int(last[name]) for name in NAMED},
        "boundary": round(last["boundary"], 6),
        "marks": [[e.kind, e.tick] for e in recording.event_list if e.mark],
        "kind_sha256": digest_track(recording.kind),
    }


def read_golden() -> dict[str, Any]:
    """Return the stored sums by name; none if there is no file yet."""
    stored: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    return stored


def write_golden() -> None:
    """Run everything, print what changed, and write the file."""
    before = read_golden()
    after = {name: sum_up(hotmem_viz.run("starvation", **p)) for name, p in RUNS.items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{name}: {line}\n")
    PATH.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
