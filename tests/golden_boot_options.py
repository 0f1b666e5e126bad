"""Golden numbers of the boot options' story; see `tests.golden_exhaustion`.

    python -m tests.golden_boot_options

writes data/golden/boot_options.json and prints what changed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import hotmem_viz
from hotmem_viz.recording.recording import Recording
from tests.golden_exhaustion import PATH as OTHERS
from tests.golden_exhaustion import digest_track, find_changes

PATH = OTHERS.with_name("boot_options.json")

RUNS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "swallows, added, movable_node": {
        "ranges": "swallows",
        "month": "added",
        "beside": "movable_node",
    },
    "hole, removed, percent": {"ranges": "hole", "month": "removed", "beside": "percent"},
    "renumbered, kernelcore": {"month": "renumbered", "beside": "kernelcore"},
    "same, movablecore": {"month": "same", "beside": "movablecore"},
}
KEPT = ("wrongly_movable", "wrongly_kernel", "without_kernel", "decisions", "remote", "free")


def sum_up(recording: Recording) -> dict[str, Any]:
    """Return what is kept of a recording: the score at each SCORED mark, marks, a digest."""
    names = [c["name"] for c in recording.meta["counters"]]
    scored = [e.tick for e in recording.event_list if e.kind == "SCORED"]
    assert recording.kind is not None
    return {
        "parameters": recording.meta["parameters"],
        "ticks": recording.n_ticks,
        "scores": [
            {n: int(recording.counters_array[tick, names.index(n)]) for n in KEPT}
            for tick in scored
        ],
        "marks": [[e.tick, e.kind, e.title] for e in recording.event_list if e.mark],
        "kind_sha256": digest_track(recording.kind),
    }


def read_golden() -> dict[str, Any]:
    """Return the stored sums by name; none if there is no file yet."""
    stored: dict[str, Any] = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    return stored


def write_golden() -> None:
    """Run everything, print what changed, and write the file."""
    before = read_golden()
    after = {name: sum_up(hotmem_viz.run("boot_options", **p)) for name, p in RUNS.items()}
    for name, sums in after.items():
        for line in find_changes(before.get(name, {}), sums):
            sys.stdout.write(f"{name}: {line}\n")
    PATH.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_golden()
