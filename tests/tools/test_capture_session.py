"""A run is followed to its end, whatever the machine does; a script stands in for QEMU."""

from __future__ import annotations

import json
import socket
import stat
import sys
import textwrap
import time

import pytest

from tests.tools.capture_runs import good_frames, good_order, stream_of
from tools.capture import session
from tools.capture.errors import CaptureToolError
from tools.capture.kernels import Kernel
from tools.capture.qmp import Monitor, MonitorError, answer
from tools.capture.session import DONE, GUEST_ENDED, TIMEOUT, start_run

FAKE = """\
#!{python}
import json, pathlib, socket, sys, time
words = " ".join(sys.argv)
here = pathlib.Path(__file__).parent
def connect(after):
    path = words.split(after)[1].split()[0]
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    return link
console = pathlib.Path(words.split("id=con,path=")[1].split()[0])
console.write_text("Linux version made-up\\n")
{before}
guest, monitor = connect("id=hm,path="), connect("-qmp unix:").makefile("rw")
def say(**message):
    monitor.write(json.dumps(message) + "\\n")
    monitor.flush()
say(QMP={{}})
monitor.readline()
say(**{{"return": {{}}}})
{body}
"""


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Return a function that runs a stand-in for QEMU with some lines of its own."""

    def run(body: str, before: str = "", timeout: float = 20.0):
        fake = tmp_path / "qemu-system-x86_64"
        text = FAKE.format(python=sys.executable, before=before, body=textwrap.dedent(body))
        fake.write_text(text)
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        (tmp_path / "stream").write_bytes(stream_of(good_frames()))
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(session, "build_initrd", lambda *_args, **_words: b"initrd")
        kernel = Kernel("6.1.0-56-cloud-amd64", tmp_path / "vmlinuz", tmp_path)
        return start_run(good_order(), kernel, tmp_path, tmp_path, timeout)

    return run


Message = dict[str, object]

SEND = 'guest.sendall((here / "stream").read_bytes())\n'


def test_a_machine_that_comes_to_its_end(play):
    result = play(SEND)
    assert (result.status, result.damage) == (DONE, "")
    assert result.stream.frames == good_frames()
    assert list(result.frame_seconds) == list(good_frames())
    assert result.console == b"Linux version made-up\n"


def test_a_machine_that_dies_keeps_what_it_said(play):
    result = play('guest.sendall((here / "stream").read_bytes()[:40_000])')
    assert result.status == GUEST_ENDED
    assert 0 < len(result.stream.frames) < len(good_frames())


def test_a_machine_that_hangs_is_killed(play):
    start = time.monotonic()
    result = play("guest.sendall(b'')\ntime.sleep(60)", timeout=1.0)
    assert result.status == TIMEOUT
    assert time.monotonic() - start < 15


def test_a_machine_that_does_not_leave_after_its_end_is_killed(play, monkeypatch):
    monkeypatch.setattr(session, "_LAST_WORDS", 0.2)
    assert play(f"{SEND}time.sleep(60)").status == DONE


def test_a_damaged_stream_is_named(play):
    result = play("guest.sendall(b'open 7 1 00000000\\n')\ntime.sleep(60)")
    assert result.damage == "record 7 came where record 0 was due"


def test_a_qemu_that_does_not_start_is_quoted(play):
    with pytest.raises(CaptureToolError, match=r"^QEMU did not start: no such machine$"):
        play("", before='sys.exit("no such machine")')


def test_a_request_is_done_and_answered(play):
    body = """
    import zlib
    text = b"add dimm1 512 0"
    guest.sendall(b"ask 0 %d %08x\\n" % (len(text), zlib.crc32(text)) + text)
    for reply in ({}, {}, [{"type": "dimm", "data": {"id": "dimm1", "slot": 0}}]):
        command = json.loads(monitor.readline())
        with (here / "commands").open("a") as log:
            log.write(command["execute"] + "\\n")
        say(**{"return": reply})
    got = guest.recv(100)
    done = b"done" if got == b"ok added\\n" else b"failed"
    guest.sendall(b"done 1 %d %08x\\n" % (len(done), zlib.crc32(done)) + done)
    """
    result = play(body)
    assert result.stream.ended == DONE
    assert [r[1:] for r in result.requests] == [("add dimm1 512 0", "ok added")]


def monitor_that_says(*messages: Message) -> tuple[Monitor, socket.socket]:
    """Return a monitor whose QEMU has already said all that it will ever say."""
    mine, other = socket.socketpair()
    other.sendall("".join(json.dumps(m) + "\n" for m in messages).encode())
    other.shutdown(socket.SHUT_WR)
    return Monitor(mine, slots={"dimm1": "0", "dimm2": "1"}), other


def ost(slot: int, source: int, status: int) -> Message:
    info = {"slot": str(slot), "source": source, "status": status}
    return {"event": "ACPI_DEVICE_OST", "data": {"info": info}}


TRIES, REFUSES = (3, 0x84), (3, 0x82)
GONE: Message = {"event": "DEVICE_DELETED", "data": {"device": "dimm2"}}


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([ost(1, *TRIES), GONE], "ok deleted"),
        ([ost(0, *REFUSES), ost(1, *TRIES), GONE], "ok deleted"),
        ([ost(1, *TRIES), ost(1, *REFUSES)], "err not-deleted"),
    ],
)
def test_a_module_goes_or_is_refused(events, verdict):
    monitor, other = monitor_that_says({"return": {}}, *events)
    with monitor.connection, other:
        text = answer(monitor, "del dimm2 5")
    assert text.startswith(f"{verdict} host_seconds=0.")
    assert "('ACPI_DEVICE_OST', 3, 132)" in text
    assert text.count("130") == (verdict != "ok deleted")


def test_a_refused_command_is_the_answer():
    monitor, other = monitor_that_says({"error": {"desc": "Device 'dimm2' not found"}})
    with monitor.connection, other:
        assert answer(monitor, "del dimm2 5") == "err Device 'dimm2' not found"


def test_a_monitor_that_is_gone_is_said_so():
    monitor, other = monitor_that_says()
    with monitor.connection, other, pytest.raises(MonitorError, match="closed"):
        monitor.command("quit")


@pytest.mark.parametrize("request_text", ["", "add dimm1", "add dimm1 much 0", "quit now please"])
def test_a_request_that_makes_no_sense(request_text):
    monitor, other = monitor_that_says()
    with monitor.connection, other:
        assert answer(monitor, request_text).startswith("err not understood")
