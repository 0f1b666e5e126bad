"""Every scenario's budgets: the time to record a classroom run, its size as .npz and as a page."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path
from typing import Any

import hotmem_viz
from benchmarks.row import Row, median_of, timed
from hotmem_viz.catalog import SCENARIOS

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "exhaustion": [
        {"workload": "disk", "held": 0.1},
        {"then": "dimms"},
        {"machine": "pae", "then": "reboots"},
        {"then": "huge_pages"},
    ],
    "starvation": [{"use": use} for use in ("dense", "sparse", "processes")],
    "hot_remove": [{"obstacle": "no_room"}, {"what": "node"}, {"what": "dimm"}],
}
"""Runs of a scenario besides the one that it begins with."""

RUNS = 5


def lesson_rows(scenario: str, parameters: dict[str, Any]) -> list[Row]:
    """Measure one run: its ticks are told in the note."""
    settings = ", ".join(f"{name}={value}" for name, value in parameters.items())
    what = f"{scenario} ({settings})" if settings else scenario
    recording = hotmem_viz.run(scenario, **parameters)
    gc.collect()
    start = time.process_time()
    ms = 1e3 * median_of(RUNS, lambda: timed(lambda: hotmem_viz.run(scenario, **parameters)))
    processor = 1e3 * (time.process_time() - start) / RUNS
    with tempfile.TemporaryDirectory() as folder:
        npz = recording.save(Path(folder) / "lesson.npz").stat().st_size / 1e3
    page = len(recording.to_html().encode()) / 1e6
    # On a machine that others use as well, the wall clock says more about them.
    ticks = f"{recording.n_ticks} ticks; {processor:.0f} ms of the processor, on average"
    return [
        Row(f"{what}, recorded in", ms, "ms", "<= 150", ms <= 150, ticks),
        Row(f"{what}, .npz", npz, "kB", "<= 300", npz <= 300),
        Row(f"{what}, exported page", page, "MB", "<= 2", page <= 2),
    ]


def all_rows() -> list[Row]:
    """Measure every scenario as it begins, and its variants."""
    return [
        row
        for scenario in SCENARIOS
        for parameters in ({}, *VARIANTS.get(scenario, []))
        for row in lesson_rows(scenario, parameters)
    ]
