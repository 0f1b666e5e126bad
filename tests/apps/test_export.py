"""`hotmem-viz run`: every ending is written, and each takes the options that it has a use for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import termios

import pytest
from PIL import Image

import hotmem_viz
from hotmem_viz.apps.export import ENDINGS, OPTIONS
from hotmem_viz.cli import main
from tests.conftest import ROOT

# The last three ticks of the classroom lesson, so that a test takes no longer than it must.
LAST = hotmem_viz.run("exhaustion").n_ticks - 1
SHORT = ("--from", str(LAST - 2), "--to", str(LAST))
GIVEN = {"--tick": "3", "--theme": "dark", "--fps": "9", "--from": "1", "--to": "2"}
BEGINS = {
    ".npz": b"PK\x03\x04",
    ".csv": b"tick,",
    ".html": b"<!doctype html>",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".gif": b"GIF89a",
    ".mp4": b"\x00\x00\x00",
    ".svg": b"<?xml",
    ".pdf": b"%PDF-",
}


def outcome(capsys, *words):
    """Return the exit status, stdout and stderr of the command with these words."""
    with pytest.raises(SystemExit) as left:
        main(["run", "exhaustion", *words])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_every_ending_is_known_to_this_test():
    assert set(BEGINS) == set(ENDINGS)
    assert {OPTIONS[name] for used in ENDINGS.values() for name in used} == set(GIVEN)


@pytest.mark.parametrize("ending", BEGINS)
def test_every_ending_is_written_without_a_word(capsys, tmp_path, ending):
    path = tmp_path / f"x{ending.upper() if ending == '.gif' else ending}"
    short = SHORT if "first" in ENDINGS[ending] else ()
    assert outcome(capsys, "--out", str(path), *short) == (0, "", "")
    assert path.read_bytes().startswith(BEGINS[ending])


@pytest.mark.parametrize("ending", BEGINS)
@pytest.mark.parametrize("option", GIVEN)
def test_an_option_that_an_ending_has_no_use_for_is_a_usage_error(
    capsys, tmp_path, monkeypatch, ending, option
):
    ran = []
    monkeypatch.setattr("hotmem_viz.apps.export.run_with_progress", lambda *a: ran.append(a))
    monkeypatch.setattr("hotmem_viz.apps.export.write_recording", lambda *_, **__: None)
    words = ("--out", str(tmp_path / f"x{ending}"), option, GIVEN[option])
    status, out, err = outcome(capsys, *words)
    used = option in {OPTIONS[name] for name in ENDINGS[ending]}
    assert (status, out, err.count("\n")) == ((0, "", 0) if used else (2, "", 1))
    assert bool(ran) is used
    if not used:
        assert err.startswith(f"hotmem-viz: {option}: ")
        assert GIVEN[option] in err
        assert f"{ending} has no use for it" in err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ["--out", "x.png", "--tick", str(LAST + 1)],
            f"--tick: {LAST + 1} is not allowed; 0 to {LAST}",
        ),
        (["--out", "x.png", "--tick", "three"], "'--tick': 'three'"),
        (["--out", "x.gif", "--from", "-1"], f"--from: -1 is not allowed; 0 to {LAST}"),
        (
            ["--out", "x.gif", "--to", str(LAST + 1)],
            f"--to: {LAST + 1} is not allowed; 0 to {LAST}",
        ),
        (["--out", "x.pdf", "--from", "9", "--to", "8"], rf"--to: 8 is .* 9 \(--from\) to {LAST}"),
        (["--out", "x.svg", "--from", "soon"], "'--from': 'soon'"),
        (["--out", "x.gif", "--fps", "0"], "'--fps': 0 is not in the range 1<=x<=50"),
        (["--out", "x.mp4", "--fps", "51"], "'--fps': 51 is not in the range 1<=x<=50"),
        (["--out", "x.gif", "--fps", "nan"], "'--fps': 'nan'"),
        (["--out", "x.svg", "--theme", "blue"], "'--theme': 'blue' .* 'light', 'dark'"),
        (["--out", "x.webm"], ".npz, .csv, .html, .png, .gif, .mp4, .svg, .pdf"),
    ],
)
def test_a_bad_value_is_one_line_that_names_it(capsys, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    status, out, err = outcome(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert re.search(named, err), err
    assert list(tmp_path.iterdir()) == []


def test_the_options_reach_the_film(capsys, tmp_path):
    path = tmp_path / "x.gif"
    words = ("--out", str(path), *SHORT, "--fps", "4", "--theme", "dark")
    assert outcome(capsys, *words)[0] == 0
    with Image.open(path) as film:
        assert film.convert("RGB").getpixel((2, 2)) == (0x18, 0x1C, 0x22)
        assert getattr(film, "n_frames", 1) == 3
        # The first is one of four a second; the others are the refusal and the end.
        delays = []
        for i in range(3):
            film.seek(i)
            delays.append(film.info["duration"])
    assert delays == [250, 3000, 3000]


def test_the_command_and_python_write_the_same_film(capsys, tmp_path):
    assert outcome(capsys, "--out", str(tmp_path / "a.gif"), *SHORT)[0] == 0
    hotmem_viz.run("exhaustion").to_gif(tmp_path / "b.gif", first=LAST - 2, last=LAST)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_the_readme_names_every_ending_and_option():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for ending in ENDINGS:
        assert f"`{ending}`" in text
    for option in GIVEN:
        assert f"`{option}" in text


def test_a_terminal_sees_how_far_it_is(tmp_path):
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, 80))  # tqdm writes nothing on a terminal without columns.
    command = [sys.executable, "-m", "hotmem_viz", "run", "exhaustion", *SHORT]
    command += ["--out", str(tmp_path / "x.gif")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=end, check=False, cwd=ROOT)
    os.set_blocking(terminal, False)
    shown = os.read(terminal, 65536)
    os.close(terminal)
    os.close(end)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"exhaustion: " in shown
    assert b"pictures:   0%" in shown
    assert b" 0/3 [" in shown
