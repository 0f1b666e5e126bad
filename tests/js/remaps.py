"""Fixtures of the stop_machine scenario for node: what the model itself says of every tick."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.tracks import SCATTERED
from hotmem_viz.views.wire import encode_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotmem_viz.recording.recorder import Tick

RUNS: dict[str, dict[str, Any]] = {
    "remapped": {"cpus": 5, "copiers": 2},
    "scattered": {"target": "page", "after": "target", "residue": 0.25},
    "home": {"after": "home", "extreme": True},
    "corrupted": {"failure": "corrupt", "kaslr": False},
    "aborted": {"failure": "abort", "cpus": 64},
    "vetoed": {"failure": "ebusy"},
}
"""Runs by the name of their fixture; unequal on every axis."""


class Watched:
    """A run whose address map is read after every tick, before the recording sees it."""

    def __init__(self, run: Any) -> None:
        self.run, self.meta, self.hosts = run, run.meta, list[dict[str, dict[str, int]]]()
        self.memory = run.memory

    def ticks(self) -> Iterator[Tick]:
        """Yield the run's ticks and note where the pages of slow sections lie."""
        for tick in self.run.ticks():
            amap, size = self.run.map, self.run.memory.spec.section_pages
            found = {}
            for section in amap.slow:
                frames = amap.pages[section]
                where, pages = np.unique(frames[frames >= 0] // size, return_counts=True)
                found[str(section)] = dict(zip(map(str, where), pages.tolist(), strict=True))
            self.hosts.append(found)
            yield tick


def write_remaps(folder: Path) -> None:
    """Write the message of each run, and what the model says of it."""
    for name, parameters in RUNS.items():
        watched = Watched(build_run("stop_machine", **parameters))
        recording = record(watched)
        assert recording.counters_array.shape[0] == len(watched.hosts)
        again = hotmem_viz.run("stop_machine", **parameters)
        assert (recording.counters_array == again.counters_array).all()
        assert recording.lookup is not None
        truth = {
            "hosts": watched.hosts,
            "lookup": [recording.lookup.frame(t).tolist() for t in range(recording.n_ticks)],
            "sections": recording.meta["sections"],
            "scattered": SCATTERED,
            "events": [[e.tick, e.kind.lower(), e.pfn] for e in recording.event_list],
            "counters": {
                counter["name"]: recording.counters_array[:, i].tolist()
                for i, counter in enumerate(recording.meta["counters"])
                if "zone" not in counter
            },
            "cpus": parameters.get("cpus", 8),
        }
        (folder / f"{name}.bin").write_bytes(encode_recording(recording))
        (folder / f"{name}.json").write_text(json.dumps(truth), encoding="utf-8")
