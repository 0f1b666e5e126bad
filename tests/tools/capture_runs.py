"""Runs as the capture tool would have received them, made of a capture that the package has."""

from __future__ import annotations

import struct
import zlib

from hotmem_viz.kernel.captures import open_capture
from tools.capture.catalog import Order
from tools.capture.session import DONE, Run
from tools.capture.stream import FrameStream

SOURCE = "b-files-85"


def record(kind: str, number: int, payload: bytes) -> bytes:
    """Return one record as the guest sends it."""
    return f"{kind} {number} {len(payload)} {zlib.crc32(payload):08x}\n".encode() + payload


def stream_of(frames: dict[str, bytes], how: str = DONE) -> bytes:
    """Return a whole stream: every frame in pieces of at most 3,000 bytes, then the end."""
    parts: list[tuple[str, bytes]] = []
    for path, data in frames.items():
        pieces = [data[at : at + 3000] for at in range(0, len(data), 3000)]
        parts += [("open", path.encode()), *(("data", piece) for piece in pieces)]
        parts.append(("close", str(len(data)).encode()))
    if how:
        parts.append(("done", how.encode()))
    return b"".join(record(kind, n, payload) for n, (kind, payload) in enumerate(parts))


def runs_of_pages(*runs: tuple[int, int]) -> bytes:
    """Return (flags, pages) pairs as a kpf frame holds them."""
    return b"".join(struct.pack("<QQ", *run) for run in runs)


def good_frames() -> dict[str, bytes]:
    """Return the frames of a load that ran to its OOM."""
    capture = open_capture(SOURCE)
    prefix = "frames/"
    frames = {
        name.removeprefix(prefix): data
        for name, data in capture.files.items()
        if name.startswith((f"{prefix}boot/", f"{prefix}result/"))
    }
    for name in ("version", "block_size_bytes"):
        frames[name] = capture.data(name)
    frames["cmdline"] = good_order().cmdline.encode() + b"\n"
    frames["boot/buddyinfo"] = b"Node 0, zone      DMA      0      0\n"
    frames["end/zoneinfo"] = frames["boot/zoneinfo"]
    frames["kpf/boot"] = runs_of_pages((0x400, 32768), (1 << 20, 32), (0, 9))
    frames["kpf/end"] = frames["kpf/boot"]
    for number, operations in enumerate((0, 2500, 5000)):
        head = f"## sample {number} ops={operations} t={5 + number}.250 note=tick\n"
        frames[f"ts/files/{number:04d}"] = b"".join(
            [head.encode()]
            + [b"## file /proc/%s\n%s" % (n.encode(), frames[f"boot/{n}"]) for n in FILES]
        )
    return frames


FILES = ("meminfo", "zoneinfo")


def good_order() -> Order:
    """Return the order that such a run fulfils."""
    capture = open_capture(SOURCE)
    return Order(
        "b-files-made-up",
        "for tests",
        append="movablecore=85%",
        scenario="meta",
        kernel=capture.kernel,
        arguments={"kind": "files", "step": 2500},
    )


def make_run(frames: dict[str, bytes] | None = None, status: str = DONE) -> Run:
    """Return a run with these frames, or a good one."""
    stream = FrameStream(frames=good_frames() if frames is None else frames, ended=status)
    console = open_capture(SOURCE).data("console.txt")
    return Run(good_order(), ["qemu-system-x86_64"], None, stream, status, console)
