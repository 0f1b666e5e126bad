"""A video is the same film, in a form that players and slides take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hotmem_viz.errors import HotmemError
from hotmem_viz.recording.recording import Recording
from hotmem_viz.views.picture.film import plan_film
from hotmem_viz.views.picture.frame import make_plan
from hotmem_viz.views.picture.video import find_ffmpeg, save_mp4
from tests.conftest import ROOT
from tests.views.pixels import wrong_cells
from tests.views.synthetic import TINY, make_recording


@pytest.fixture(scope="module")
def recording():
    return make_recording(TINY)


def decoded(path: Path, recording: Recording) -> tuple[str, list[np.ndarray]]:
    """Return what ffmpeg says of a file, and its frames."""
    width, height = make_plan(recording).size
    command = [find_ffmpeg(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)
    return done.stderr.decode(), list(frames)


def test_an_mp4_shows_the_same_film(recording, tmp_path):
    path = tmp_path / "x.mp4"
    recording.to_mp4(path, fps=4, theme="dark")
    facts, frames = decoded(path, recording)
    assert "Video: h264" in facts
    assert "yuv420p(tv, bt709," in facts
    assert f"{'x'.join(map(str, make_plan(recording).size))}" in facts
    assert "4 fps" in facts
    seconds = sum(plan_film(recording, fps=4).seconds)
    assert len(frames) == round(4 * seconds)
    # Compression and 4:2:0 move colours a little, so a cell's must be near rather than equal;
    # the truth is that hardly any is wrong at its own tick, and many at another.
    for picture, tick in ((frames[0], 0), (frames[-1], 6)):
        layout = make_plan(recording, "dark").layout
        mistaken = [
            wrong_cells(picture, recording.frame(t).reshape(5, -1), recording, layout, "dark", 48)
            for t in (tick, 6 - tick)
        ]
        assert mistaken[0] < 0.02 * recording.frame(0).size < mistaken[1]


def test_an_mp4_is_indexed_at_its_start_so_that_a_browser_plays_at_once(recording, tmp_path):
    path = tmp_path / "x.mp4"
    save_mp4(recording, path, first=5)
    raw = path.read_bytes()
    assert raw[4:8] == b"ftyp"
    assert raw.index(b"moov") < raw.index(b"mdat")


def test_a_path_that_cannot_be_written_is_said_in_plain_words(recording, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        recording.to_mp4(tmp_path / "nowhere" / "x.mp4")
    with pytest.raises(OSError, match="nowhere"):
        recording.to_gif(tmp_path / "nowhere" / "x.gif")


def test_an_ffmpeg_that_fails_leaves_no_half_a_film(recording, tmp_path, monkeypatch):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    path = tmp_path / "x.mp4"
    with pytest.raises(HotmemError, match="ffmpeg") as said:
        recording.to_mp4(path)
    assert "\n" not in str(said.value)
    assert not path.exists()


WITHOUT = """
import sys
from hotmem_viz.cli import main
sys.modules["imageio_ffmpeg"] = None
main(["run", "exhaustion", "--from", "150", "--out", sys.argv[1]])
"""


def run_without_library(path: Path, search: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": search}
    command = [sys.executable, "-c", WITHOUT, str(path)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )


def test_without_ffmpeg_one_line_says_what_brings_it(tmp_path):
    done = run_without_library(tmp_path / "x.mp4", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "ffmpeg" in done.stderr
    assert "hotmem-viz[export]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_ffmpeg_on_the_path_does_without_the_library(tmp_path):
    (tmp_path / "ffmpeg").symlink_to(find_ffmpeg())
    done = run_without_library(tmp_path / "x.mp4", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "x.mp4").read_bytes()[4:8] == b"ftyp"
