"""Recordings with page tables for the node tests, and what a slow replay says of every tick."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import hotmem_viz
from hotmem_viz.machine.page_geometry import GEOMETRIES
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.tracks import ROW_COLUMNS, RowTrack, TableChange
from hotmem_viz.scenarios.describe import describe_tables
from hotmem_viz.views.wire import encode_recording
from tests.views.synthetic import TINY, make_recording

NAMES = [change.name.lower() for change in TableChange]


class Growth:
    """Processes that come, fill, are walked and go, drawn from a seed.

    Numbers of tables are used again at once, the lowest free one first.
    """

    def __init__(self, depth: int, seed: int) -> None:
        self.depth = depth
        self.rng = np.random.default_rng(seed)
        self.rows: list[tuple[int, ...]] = []
        self.alive: dict[int, list[int]] = {}
        for tick in range(1, TINY.ticks):
            self.come(tick)
            self.change(tick)
            if tick in (4, 6):
                self.go(tick)

    def enter(self, tick: int, number: int, change: TableChange) -> None:
        space, level, parent, index, pfn, used = self.alive[number]
        self.rows.append((tick, number, change, space, level, parent, index, pfn, used))

    def add(self, tick: int, space: int, level: int, parent: int, index: int) -> int:
        number = next(n for n in range(10_000) if n not in self.alive)
        pfn = int(self.rng.integers(1, 15000))
        self.alive[number] = [space, level, parent, index, pfn, 0]
        self.enter(tick, number, TableChange.NEW)
        return number

    def come(self, tick: int) -> None:
        here = {row[0] for row in self.alive.values()}
        free = [space for space in range(9) if space not in here]
        count = 0 if tick == 5 else int(self.rng.integers(1, 3))
        for space in self.rng.choice(free, count, replace=False).tolist():
            above = self.add(tick, space, self.depth - 1, -1, 0)
            for level in range(self.depth - 2, -1, -1):
                made = [self.add(tick, space, level, above, 3 * i) for i in range(tick % 3 + 1)]
                above = made[0]

    def change(self, tick: int) -> None:
        for number in [n for n in self.alive if self.rng.random() < 0.2]:
            self.alive[number][5] += int(self.rng.integers(1, 4))
            self.enter(tick, number, TableChange.FILLED)
        if tick not in (3, 5):
            return
        for number in [n for n, row in self.alive.items() if row[1] > 0]:
            self.enter(tick, number, TableChange.VISITED)
        for number in [n for n in self.alive if self.rng.random() < 0.3]:
            self.alive[number][4] += 7
            self.enter(tick, number, TableChange.MOVED)

    def go(self, tick: int) -> None:
        space = min(row[0] for row in self.alive.values())
        going = [n for n, row in self.alive.items() if row[0] == space]
        for number in sorted(going, key=lambda n: -self.alive[n][1]):
            self.enter(tick, number, TableChange.GONE)
        for number in going:
            del self.alive[number]


def grow(geometry: str, seed: int) -> Recording:
    """Return a recording with the tables of a Growth."""
    table = np.array(Growth(len(GEOMETRIES[geometry].levels), seed).rows)
    columns = {
        name: table[:, i + 1].astype(dtype)
        for i, (name, dtype) in enumerate(ROW_COLUMNS["tables"].items())
    }
    base = make_recording(TINY, seed)
    meta = {**base.meta, "page_tables": describe_tables(GEOMETRIES[geometry])}
    track = RowTrack(table[:, 0].astype(np.uint32), columns)
    return replace(base, meta=meta, rows={"tables": track})


def replay(recording: Recording) -> list[dict[str, Any]]:
    """Say what stands at every tick, by following the rows from the first on."""
    track = recording.rows["tables"]
    levels = recording.meta["page_tables"]["levels"]
    told: list[dict[str, Any]] = []
    alive: dict[int, dict[str, int]] = {}
    for tick in range(recording.n_ticks):
        now = track.at(tick)
        changes: Counter[str] = Counter()
        walk = Counter({"tables": 0, "entries": 0, "rewritten": 0, "tops": 0})
        for i in range(len(now["table"])):
            row = {name: int(column[i]) for name, column in now.items()}
            change = TableChange(row.pop("change"))
            changes[change.name.lower()] += 1
            number = row.pop("table")
            if change is TableChange.GONE:
                del alive[number]
                continue
            alive[number] = row
            if change is TableChange.VISITED:
                walk.update(tables=1, entries=levels[row["level"]]["entries"])
            if change is TableChange.MOVED:
                walk.update({"rewritten" if row["parent"] >= 0 else "tops": 1})
        # Where the lowest level was left out, its tables go with those above.
        while orphans := [
            n for n, r in alive.items() if r["parent"] >= 0 and r["parent"] not in alive
        ]:
            for number in orphans:
                del alive[number]
        told.append(
            {
                "alive": sorted([n, r["level"], r["pfn"], r["used"]] for n, r in alive.items()),
                "spaces": len({r["space"] for r in alive.values() if r["parent"] < 0}),
                "changes": {name: changes[name] for name in NAMES},
                "walk": dict(walk),
            }
        )
    return told


def make_runs() -> dict[str, Recording]:
    """Return recordings with page tables by name: of every geometry, and of both lessons."""
    runs = {f"tables-{name}": grow(name, 3 + i) for i, name in enumerate(GEOMETRIES)}
    big = {"machine": "server", "processes": 300, "mapped": 64, "seed": 1}
    return {
        **runs,
        "tables-walk": hotmem_viz.run("stop_machine", after="home", seed=2),
        "tables-many": hotmem_viz.run("stop_machine", **big),
        "tables-starved": hotmem_viz.run("starvation"),
    }


def write_tables(folder: Path) -> None:
    """Write the messages and, as JSON, the truth of each."""
    for name, recording in make_runs().items():
        (folder / f"{name}.bin").write_bytes(encode_recording(recording))
        text = json.dumps({"ticks": replay(recording)})
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
