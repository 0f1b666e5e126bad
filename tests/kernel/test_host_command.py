"""`hotmem-viz host` as people and scripts meet it."""

from __future__ import annotations

import json
import sys

import pytest

import hotmem_viz
from hotmem_viz.cli import main
from hotmem_viz.kernel import host as host_module
from hotmem_viz.kernel.captures import open_capture
from tests.kernel.fake_root import write_tree

NAME = "a-kernelcore-50pct"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Let the command find a captured machine in place of this one."""
    root = write_tree(tmp_path / "machine", NAME)
    real = host_module.read_host
    monkeypatch.setattr(host_module, "read_host", lambda **given: real(root, **given))
    return root


def outcome(capsys, *words):
    """Return the exit status, stdout and stderr of the command with these words."""
    with pytest.raises(SystemExit) as left:
        main(["host", *words])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_the_tables(capsys, tree):
    status, out, err = outcome(capsys)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "6.1.0-56-cloud-amd64" in lines[0]
    assert any(line.startswith("node 1 Movable ") for line in lines)
    assert any(line.startswith("memory36–39 ") and "Normal" in line for line in lines)
    assert any(line.startswith("MemAvailable claims ") for line in lines)
    assert max(map(len, lines)) <= 130


def test_json_is_json_and_nothing_else(capsys, tree):
    status, out, err = outcome(capsys, "--json")
    assert (status, err) == (0, "")
    table = json.loads(out)
    assert [z["zone"] for z in table["zones"]] == [
        "DMA",
        "DMA32",
        "Normal",
        "Movable",
        "Normal",
        "Movable",
    ]
    assert len(table["blocks"]) == 16
    assert {"path", "why"} == set(table["unread"][0])


def test_save(capsys, tree, tmp_path):
    path = tmp_path / "mine.tar.xz"
    assert outcome(capsys, "--save", str(path))[0] == 0
    assert open_capture(path).zoneinfo() == open_capture(NAME).zoneinfo()


@pytest.mark.parametrize(
    ("name", "status", "says"), [("x.zip", 2, ".tar.xz"), ("nowhere/x.tar.xz", 1, "no folder")]
)
def test_a_snapshot_that_cannot_be_written(capsys, tree, tmp_path, name, status, says):
    code, out, err = outcome(capsys, "--save", str(tmp_path / name))
    assert (code, out) == (status, "")
    assert says in err
    assert err.count("\n") == 1


def test_no_linux_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    status, out, err = outcome(capsys)
    assert (status, out) == (1, "")
    assert err == "hotmem-viz: this system is no Linux (win32): it has no zones to read\n"


def test_in_a_notebook_it_is_a_table(tree):
    shown = hotmem_viz.host()._repr_html_()
    assert "<table>" in shown
    assert "node 1 Movable" in shown
    assert "not read: /proc/kpageflags" in shown
