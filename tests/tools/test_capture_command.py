"""The command: what it takes, what it refuses in one line, what it leaves behind."""

from __future__ import annotations

import pytest

from tests.tools.capture_runs import good_frames, make_run
from tools.capture import __main__ as command
from tools.capture.catalog import ORDERS
from tools.capture.errors import CaptureToolError
from tools.capture.image import build_guest
from tools.capture.session import TIMEOUT


def order_for(*words: str):
    args = command.parse_arguments(words)
    return command.find_order(args.names[0], args)


def test_an_order_of_the_catalogue_comes_as_it_is():
    assert all(order_for(order.name) == order for order in ORDERS)


def test_an_order_can_be_varied():
    was = next(o for o in ORDERS if o.name == "b-files-768M-60")
    order = order_for(was.name, "--memory", "896M", "--append", "kernelcore=1%", "--set", "step=7")
    assert order.machine.memory == "896M"
    assert order.append == "kernelcore=1%"
    assert order.arguments == {**was.arguments, "step": 7}
    assert order.scenario == "meta"


def test_an_order_can_be_new():
    words = ("a-mine", "--nodes", "512M,1G", "--memory", "1536M", "--below-4g", "512M")
    order = order_for(*words, "--append", "movable_node", "--kernel", "6.1.0-50-cloud-amd64")
    assert (order.name, order.scenario) == ("a-mine", "boot")
    assert order.machine.nodes == ("512M", "1G")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nothing-such"], "no capture 'nothing-such' in the catalogue"),
        (["b-files-768M-60", "--set", "step"], "'step' is not KEY=VALUE"),
        (["b-files-768M-60", "--set", "load=a b"], "'load=a b' is not KEY=VALUE"),
        (["b-mine", "--scenario", "meta"], "needs a load"),
        (["b-mine", "--memory", "lots"], "'lots' is no size"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(words, complaint, capsys):
    assert command.main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("capture: ")
    assert complaint in line


def test_without_a_name_it_says_what_to_do(capsys):
    assert command.main([]) == 2
    assert "--list" in capsys.readouterr().err


def test_the_list_names_every_order(capsys):
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [order.name for order in ORDERS]


def test_settings_of_digits_are_numbers():
    settings = command.read_settings(["kind=files", "step=25", "load=anon500,files3", "odd=²"])
    assert settings == {"kind": "files", "step": 25, "load": "anon500,files3", "odd": "²"}


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """Return a function that runs the command on a run made up beforehand."""

    def take(run):
        monkeypatch.setattr(command, "find_kernel", lambda *_args: None)
        monkeypatch.setattr(command, "start_run", lambda *_args: run)
        return command.main(["b-files-768M-60", "--out", str(tmp_path / "out")])

    return take


def test_a_good_run_becomes_a_capture(taken, tmp_path, capsys):
    assert taken(make_run()) == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["b-files-768M-60.tar.xz"]
    assert "done" in capsys.readouterr().out


def test_a_bad_run_leaves_its_console_and_no_capture(taken, tmp_path, capsys):
    frames = good_frames()
    del frames["kpf/end"]
    assert taken(make_run(frames)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "the frame kpf/end is missing or empty" in line
    (kept,) = (tmp_path / "out").iterdir()
    assert kept.name in line
    assert b"Linux version" in kept.read_bytes()


def test_a_time_out_is_a_failure(taken, capsys):
    assert taken(make_run(status=TIMEOUT)) == 1
    assert "not done in time" in capsys.readouterr().err


def test_a_missing_compiler_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureToolError, match=r"gcc is not installed.*Debian's package gcc"):
        build_guest(tmp_path, is_32_bit=False)
