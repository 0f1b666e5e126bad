"""`hotmem-viz compare` as scripts meet it: JSON alone, one line an unusable file, the status."""

from __future__ import annotations

import json

import pytest

from hotmem_viz.cli import main
from hotmem_viz.kernel.captures import captures_folder

GOOD = "a-flat-kernelcore-50pct"
KEYS = {
    "capture",
    "quantity",
    "unit",
    "predicted",
    "observed",
    "error",
    "tolerance",
    "ok",
    "subject",
    "why",
}


def outcome(capsys, *words):
    """Return the exit status, stdout and stderr of the command with these words."""
    with pytest.raises(SystemExit) as left:
        main(["compare", *words])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_json_is_rows_and_nothing_else(capsys):
    path = str(captures_folder() / f"{GOOD}.tar.xz")
    status, out, err = outcome(capsys, path, "e-boot-01G", "--json")
    assert (status, err) == (0, "")
    table = json.loads(out)
    assert list(table) == ["rows"]
    assert {row["capture"] for row in table["rows"]} == {GOOD, "e-boot-01G"}
    for row in table["rows"]:
        assert set(row) == KEYS
        assert row["ok"] is True
        assert isinstance(row["predicted"], int | float | str)
        assert isinstance(row["observed"], int | float | str)


def test_the_table_for_people(capsys):
    status, out, err = outcome(capsys, GOOD)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{GOOD}: 6.1.0-56-cloud-amd64, profile 6.1")
    assert lines[-1].startswith("1 captures, ")
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_an_unusable_capture_is_one_line_and_the_others_are_printed(capsys, tmp_path, words):
    broken = tmp_path / "broken.tar.xz"
    broken.write_bytes((captures_folder() / f"{GOOD}.tar.xz").read_bytes()[:900])
    missing = str(tmp_path / "nowhere.tar.xz")
    status, out, err = outcome(capsys, str(broken), GOOD, missing, *words)
    assert status == 2
    lines = err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("hotmem-viz: ") for line in lines)
    assert "broken.tar.xz" in lines[0]
    assert "nowhere.tar.xz" in lines[1]
    assert GOOD in out
    if words:
        assert {row["capture"] for row in json.loads(out)["rows"]} == {GOOD}


def test_no_capture_is_wrong_use(capsys):
    status, out, err = outcome(capsys)
    assert (status, out) == (2, "")
    assert "CAPTURE" in err
