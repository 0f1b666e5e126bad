"""The command as scripts meet it: exit status, one line of error, files of the right kind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import hotmem_viz
from hotmem_viz.cli import cli, main, parse_value
from hotmem_viz.errors import ParameterError
from tests.conftest import ROOT, free_port, serving

FOUR_BY_SIXTEEN = "0:0-3G,4G-17G;1:17G-33G;2:33G-49G;3:49G-65G"


def outcome(capsys, *words):
    """Return the exit status, stdout and stderr of the command with these words."""
    with pytest.raises(SystemExit) as left:
        main(list(words))
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
        (["run"], "SCENARIO"),
        (["run", "exhaustion"], "--out"),
        (["run", "exhaustion", "--out", "x"], ".npz, .csv, .html, .png"),
        (["run", "exhaustion", "--set", "movable", "--out", "x.npz"], "movable"),
        (["run", "exhaustion", "--set", "=1", "--out", "x.npz"], "=1"),
        (["run", "exhaustion", "--set", "a=1", "--set", "a=2", "--out", "x.npz"], "twice"),
        (["run", "exhaustion", "--tick", "3", "--out", "x.csv"], "--tick"),
        (["run", "nonsense", "--out", "x.npz"], "exhaustion"),
        (["run", "exhaustion", "--set", "nonsense=1", "--out", "x.npz"], "nonsense"),
        (["run", "exhaustion", "--set", "movable=7", "--out", "x.npz"], "movable"),
        (["run", "exhaustion", "--set", "profile=6.10", "--out", "x.npz"], "'6.10'"),
        (["run", "exhaustion", "--set", "profile=none", "--out", "x.npz"], "'none'"),
        (["run", "exhaustion", "--beside", "6.10", "--out", "x.html"], "'6.10'"),
        (["run", "exhaustion", "--beside", "7.2", "--out", "x.npz"], ".html"),
        (["run", "strategies", "--beside", "strategy=7.2", "--out", "x.html"], "callbacks"),
        (["run", "strategies", "--beside", "7.2", "--out", "x.html"], "callbacks"),
        (["scoreboard", "--out", "x.doc"], ".csv"),
        (["scoreboard", "--set", "strategy=none", "--out", "x.svg"], "all of them"),
        (["scoreboard", "--set", "seed=x", "--out", "x.svg"], "seed"),
        (["run", "exhaustion", "--beside", "7.2", "--tick", "3", "--out", "x.html"], "--tick"),
        (["run", "exhaustion", "--set", "machine=nonsense", "--out", "x.npz"], "machine"),
        (["dashboard", "--port", "0"], "--port"),
        (["dashboard", "--port", "many"], "--port"),
        (["zones"], "--nodes"),
        (["zones", "--nodes", "nonsense"], "nodes"),
        (["zones", "--nodes", "0:0-4G", "--cmdline", "kernelcor=1G"], "kernelcor"),
        (["zones", "--nodes", "0:0-4G", "--cmdline", "kernelcore=1X"], "kernelcore"),
        (["zones", "--nodes", "0:0-4G", "--arch", "vax"], "vax"),
        (["zones", "--nodes", "0:0-4G", "--profile", "0.1"], "0.1"),
        (["zones", "--nodes", "0:0-4G", "--hotplug", "5"], "5"),
    ],
)
def test_wrong_use_ends_with_2_and_one_line(capsys, tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    status, out, err = outcome(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith("hotmem-viz: ")
    assert err.count("\n") == 1
    assert named in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_ends_with_1(capsys, tmp_path):
    target = str(tmp_path / "nowhere" / "x.npz")
    status, out, err = outcome(capsys, "run", "exhaustion", "--out", target)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "nowhere" in err


@pytest.mark.parametrize("command", ["dashboard", "lab"])
def test_a_taken_port_is_an_error(capsys, command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, out, err = outcome(capsys, command, "--no-browser", "--port", port)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"port {port}" in err


@pytest.mark.parametrize("words", [["--debug", "run"], ["run", "--debug"]])
def test_debug_shows_the_traceback(words):
    target = ["exhaustion", "--set", "nonsense=1", "--out", "x.npz"]
    with pytest.raises(ParameterError):
        main([*words, *target])


def test_an_unexpected_error_is_one_line_too(capsys, monkeypatch, tmp_path):
    def broken(*_args, **_kwargs):
        raise KeyError("first\nsecond")

    monkeypatch.setattr("hotmem_viz.apps.export.build_run", broken)
    status, _, err = outcome(capsys, "run", "exhaustion", "--out", str(tmp_path / "x.npz"))
    assert (status, err.count("\n")) == (1, 1)
    assert "--debug" in err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0.85", 0.85),
        ("true", True),
        ("False", False),
        ("none", None),
        ("files", "files"),
        ("kernelcore=1G", "kernelcore=1G"),
    ],
)
def test_a_value_is_what_it_looks_like(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_module_and_script_are_the_same_command(run_command):
    done = run_command("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == CliRunner().invoke(cli, ["--version"]).stdout
    assert "0.1.0" in done.stdout


def test_help_names_every_command(run_command):
    printed = run_command("--help").stdout
    assert all(word in printed for word in ("dashboard", "lab", "run", "zones"))


def test_zones_as_json_is_json_and_nothing_else(run_command):
    # Golden vector G2: kernelcore=16G on 4 x 16 GiB is 4 GiB a node, the hole of node 0 aside.
    words = ["zones", "--nodes", FOUR_BY_SIXTEEN, "--cmdline", "kernelcore=16G", "--json"]
    done = run_command(*words)
    assert (done.returncode, done.stderr) == (0, "")
    zones = json.loads(done.stdout)["zones"]
    assert set(zones[0]) >= {"node", "zone", "start_pfn", "end_pfn", "spanned", "present"}
    gib = 1 << 18
    movable = {z["node"]: z["start_pfn"] / gib for z in zones if z["zone"] == "Movable"}
    assert movable == {0: 5, 1: 21, 2: 37, 3: 53}


def test_zones_as_text_names_zones_as_the_kernel_does(run_command):
    done = run_command("zones", "--nodes", "0:0-4G", "--arch", "pae")
    assert done.returncode == 0
    assert "HighMem" in done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One run a file ending, and the folder they are in."""
    folder = tmp_path_factory.mktemp("out")
    for ending in ("npz", "csv", "png", "html"):
        command = [sys.executable, "-m", "hotmem_viz", "run", "exhaustion", "--set", "seed=7"]
        out = ["--set", "movable=0.85", "--out", str(folder / f"x.{ending}")]
        done = subprocess.run(
            [*command, *out], capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_the_npz_loads_as_the_run_it_came_from(written):
    again = hotmem_viz.load(written / "x.npz")
    first = hotmem_viz.run("exhaustion", movable=0.85, seed=7)
    assert again.n_ticks == first.n_ticks
    np.testing.assert_array_equal(again.counters_array, first.counters_array)
    last = first.n_ticks - 1
    np.testing.assert_array_equal(again.frame(last), first.frame(last))


def test_the_csv_has_a_row_a_tick(written):
    table = pd.read_csv(written / "x.csv", index_col="tick")
    recording = hotmem_viz.load(written / "x.npz")
    pd.testing.assert_frame_equal(table, recording.counters, check_dtype=False)


def test_the_png_is_a_picture_and_the_page_is_whole(written):
    assert (written / "x.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    page = (written / "x.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


def test_a_page_can_show_two_kernels(run_command, tmp_path):
    out = tmp_path / "pair.html"
    words = ["run", "exhaustion", "--set", "profile=6.12", "--beside", "7.2", "--out", str(out)]
    done = run_command(*words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = out.read_text(encoding="utf-8")
    assert "Linux 6.12 and Linux 7.2" in page
    assert len(page) < 2_000_000


def test_strategies_stand_side_by_side_and_on_a_scoreboard(run_command, tmp_path):
    page, board = tmp_path / "two.html", tmp_path / "board.csv"
    words = ["run", "strategies", "--set", "strategy=percent", "--beside", "remap"]
    done = run_command(*words, "--out", str(page))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = page.read_text(encoding="utf-8")
    assert "movablecore=, a percent at boot and stop_machine remap" in text
    assert len(text) < 2_000_000
    assert run_command("run", "strategies", "--beside", "all", "--out", str(page)).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "No ZONE_MOVABLE and movablecore=, a percent at boot and One node boots" in text
    assert len(text) < 2_000_000
    assert run_command("scoreboard", "--set", "removals=0", "--out", str(board)).returncode == 0
    rows = board.read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [
        "none", "percent", "hot_add", "auto", "callbacks", "remap",
    ]  # fmt: skip


def test_the_png_shows_the_tick_asked_for(run_command, tmp_path, written):
    out = tmp_path / "x.png"
    words = ["run", "exhaustion", "--set", "movable=0.85", "--set", "seed=7", "--out", str(out)]
    assert run_command(*words, "--tick", "0").returncode == 0
    assert out.read_bytes() != (written / "x.png").read_bytes()
    beyond = run_command(*words, "--tick", "1000000")
    assert beyond.returncode == 2
    assert "tick" in beyond.stderr


def test_the_dashboard_says_where_it_is_and_leaves_no_kernel(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "hotmem_viz", "dashboard", "--no-browser", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with serving(command, address, tmp_path) as server:
        assert f"{address}/" in server.log.read_text()
        kernels = children(server.process.pid)
        assert kernels
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=30) == 0
    assert not [pid for pid in kernels if is_alive(pid)]
    assert "Traceback" not in server.log.read_text()


def children(pid):
    """Return the ids of the processes that `pid` started (Linux)."""
    with Path(f"/proc/{pid}/task/{pid}/children").open() as listing:
        return [int(word) for word in listing.read().split()]


def is_alive(pid):
    """Return whether a process runs; one that only waits to be collected does not."""
    try:
        with Path(f"/proc/{pid}/stat").open() as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_page_can_show_two_machines(run_command, tmp_path):
    out = tmp_path / "pair.html"
    words = ["run", "exhaustion", "--set", "machine=pae", "--beside", "machine=64bit"]
    done = run_command(*words, "--out", str(out))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "64-bit machine: 16 GiB" in out.read_text(encoding="utf-8")
    wrong = run_command("run", "exhaustion", "--beside", "colour=red", "--out", str(out))
    assert wrong.returncode == 2
    assert "colour: 'red' is not allowed" in wrong.stderr
