"""One run of QEMU: what the guest streams is received, what it asks for is done, time is kept."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools.capture.catalog import Order
from tools.capture.errors import CaptureToolError, one_line
from tools.capture.image import build_initrd
from tools.capture.kernels import Kernel
from tools.capture.machine import cpu_model, fill_in, qemu_command
from tools.capture.programs import need, run
from tools.capture.qmp import Monitor, MonitorError, answer
from tools.capture.srat import Range, build_srat, memory_ranges
from tools.capture.stream import FrameStream, StreamError

DONE, GUEST_ENDED, TIMEOUT = "done", "guest-ended", "timeout"
DISK_MIB = 256
_LAST_WORDS = 10.0
"""Seconds that QEMU gets to end once the guest has said that it is done."""


@dataclass
class Run:
    """What one run left behind."""

    order: Order
    command: list[str]
    srat: list[Range] | None
    stream: FrameStream = field(default_factory=FrameStream)
    status: str = ""
    console: bytes = b""
    complaint: str = ""
    damage: str = ""
    seconds: float = 0.0
    frame_seconds: dict[str, float] = field(default_factory=dict)
    requests: list[tuple[float, str, str]] = field(default_factory=list)


def start_run(order: Order, kernel: Kernel, cache: Path, folder: Path, timeout: float) -> Run:
    """Boot an order's machine in QEMU, follow it to its end or the time-out, and return all.

    folder: of this run alone, with a short name; its sockets lie there.

    Raises
    ------
    CaptureToolError
        When a program is missing, or QEMU does not even start.
    """
    qemu = need("qemu-system-x86_64", "to boot the machine")
    ranges = memory_ranges(order.machine, order.hotpluggable) if order.hotpluggable else None
    srat = build_srat(ranges, order.machine.cpus) if ranges else b""
    disk = "fs" in order.arguments
    initrd = build_initrd(kernel, cache, srat=srat)
    names = {"VMLINUZ": str(kernel.image), "INITRD": str(folder / "initrd")}
    names |= {"CONSOLE": str(folder / "console"), "DISK": str(folder / "disk")}
    names |= {"PORT": str(folder / "port"), "QMP": str(folder / "qmp")}
    Path(names["INITRD"]).write_bytes(initrd)
    if disk:
        _make_disk(Path(names["DISK"]), str(order.arguments["fs"]))
    cpu = cpu_model(order.kernel)
    command = qemu_command(order.machine, order.cmdline, cpu=cpu, disk=disk)
    result = Run(order, command, ranges)
    words = [qemu, *fill_in(command, names)[1:]]
    with _listen(names["PORT"]) as port, _listen(names["QMP"]) as monitor:
        _follow(result, words, port, monitor, folder, timeout)
    console = folder / "console"
    result.console = console.read_bytes() if console.is_file() else b""
    result.complaint = result.complaint.replace(str(folder), "@TMP@")
    return result


def _make_disk(path: Path, kind: str) -> None:
    if kind != "ext4":
        raise CaptureToolError(f"no disk is made for the file system {kind!r}, only ext4")
    with path.open("wb") as disk:
        disk.truncate(DISK_MIB << 20)
    mkfs = need("mkfs.ext4", "to make the disk of a load on ext4")
    run([mkfs, "-q", "-F", "-O", "^has_journal", str(path)], "making the disk")


def _listen(path: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(1)
    return listening


def _follow(
    result: Run,
    words: list[str],
    port: socket.socket,
    monitor: socket.socket,
    folder: Path,
    timeout: float,
) -> None:
    start = time.monotonic()
    until = start + timeout
    with (folder / "stderr").open("w+", encoding="utf-8", errors="replace") as stderr:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        try:
            with (
                _accept(port, process, stderr.name) as guest,
                _accept(monitor, process, stderr.name) as control,
            ):
                _serve(result, guest, Monitor(control), start, until)
            _wait_for_end(result, process, until)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            result.seconds = time.monotonic() - start
            stderr.seek(0)
            result.complaint = stderr.read()


def _accept(
    listening: socket.socket, process: subprocess.Popen[bytes], stderr: str
) -> socket.socket:
    """Wait until QEMU connects; it does at once, or has a complaint."""
    listening.settimeout(0.2)
    for _ in range(150):
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            if process.poll() is not None:
                break
            continue
        return connection
    complaint = one_line(Path(stderr).read_text(encoding="utf-8", errors="replace"))
    raise CaptureToolError(f"QEMU did not start: {complaint}")


def _serve(result: Run, guest: socket.socket, monitor: Monitor, start: float, until: float) -> None:
    """Receive frames and answer requests until the guest is done, gone, or out of time."""
    monitor.start()
    stream = result.stream
    while not stream.ended:
        rest = until - time.monotonic()
        if rest <= 0:
            result.status = TIMEOUT
            return
        guest.settimeout(rest)
        try:
            data = guest.recv(1 << 16)
            if not data:
                return
            stream.feed(data)
        except TimeoutError:
            continue
        except ConnectionError:
            return
        except StreamError as error:
            result.damage = str(error)
            return
        now = round(time.monotonic() - start, 2)
        for path in list(stream.frames)[len(result.frame_seconds) :]:
            result.frame_seconds[path] = now
        while stream.requests:
            request = stream.requests.pop(0)
            reply = _answer(monitor, request)
            result.requests.append((now, request, reply))
            guest.sendall(reply.encode() + b"\n")


def _answer(monitor: Monitor, request: str) -> str:
    try:
        return answer(monitor, request)
    except MonitorError as error:
        return f"err {error}"


def _wait_for_end(result: Run, process: subprocess.Popen[bytes], until: float) -> None:
    if result.status or result.damage:
        return
    patience = _LAST_WORDS if result.stream.ended else max(0.0, until - time.monotonic())
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        if not result.stream.ended:
            result.status = TIMEOUT
            return
    result.status = DONE if result.stream.ended == DONE else GUEST_ENDED
