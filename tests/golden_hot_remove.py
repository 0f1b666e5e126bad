"""Golden numbers of the hot-remove scenario; `python -m tests.golden_hot_remove` renews them.

They notice that something changed; what is right is said by the other tests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from tests.golden_exhaustion import digest_track, find_changes

PATH = Path(__file__).resolve().parents[1] / "data" / "golden" / "hot_remove.json"

RUNS: dict[str, dict[str, Any]] = {
    "a Movable block": {},
    "Movable and a residue": {"where": "both", "obstacle": "slab", "seed": 3},
    "a pin": {"obstacle": "pin"},
    "a node": {"what": "node"},
    "a fresh DIMM": {"machine": "small", "what": "dimm"},
    "the mail's node, no room": {"machine": "mail", "what": "node", "obstacle": "no_room"},
}
COUNTERS = (
    "free",
    "passes",
    "moved",
    "timer.movable",
    "timer.kernel",
    "emptied",
    "emptied_without",
    "corner.movable",
    "corner.movable_used",
    "corner.kernel",
    "corner.kernel_held",
)


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: its last counters, its marks, a digest."""
    names = [c["name"] for c in recording.meta["counters"]]
    last = dict(zip(names, recording.counters_array[-1].tolist(), strict=True))
    assert recording.kind is not None
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        "counters": {name: last[name] for name in COUNTERS},
        "marks": [[e.tick, e.kind, e.pfn] for e in recording.event_list if e.mark],
        "kind_sha256": digest_track(recording.kind),
    }


def read_golden() -> dict[str, Any]:
    """Return the stored sums by name; none if there is no file yet."""
    stored: dict[str, Any] = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    return stored


def write_golden() -> None:
    """Run everything, print what changed, and write the file."""
    before = read_golden()
    after = {name: sum_up(hotmem_viz.run("hot_remove", **p)) for name, p in RUNS.items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{name}: {line}\n")
    PATH.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
