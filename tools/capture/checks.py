"""Self-checks of a run: nothing is kept as a capture that the project could not read."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from hotmem_viz.errors import HotmemError
from hotmem_viz.kernel.archive import MAX_TOTAL_BYTES
from hotmem_viz.kernel.captures import Capture, spec_from_capture
from hotmem_viz.kernel.procfs import parse_meminfo, parse_slabinfo
from hotmem_viz.kernel.samples import read_sample, sample_names
from tools.capture.archive import MAX_FILES, manifest_of
from tools.capture.catalog import Order
from tools.capture.session import DONE, GUEST_ENDED, TIMEOUT, Run
from tools.capture.srat import build_srat

BOOT = ("version", "cmdline", "boot/zoneinfo", "boot/meminfo", "boot/buddyinfo", "kpf/boot")
EXPECTED: dict[str, tuple[str, ...]] = {
    "boot": (),
    "meta": ("result/{kind}", "end/zoneinfo", "kpf/end", "ts/{kind}/0000", "ts/{kind}/0001"),
    "pt": ("result/{kind}", "end/zoneinfo", "kpf/end", "ts/{kind}/0000", "ts/{kind}/0001"),
    "sweep": ("loaded/zoneinfo", "kpf/loaded", "sweep/sweep", "after/blocks"),
    "hotadd": ("added/blocks", "onlined/blocks", "loaded/zoneinfo", "del", "removed/blocks"),
    "growth": ("grow/1", "grow/all", "end/blocks"),
}
"""Frames that a run of each scenario must leave when it comes to its end."""

_OUT_OF_MEMORY = re.compile(r"invoked oom-killer|deadlocked on memory|Out of memory")
_CRASH = re.compile(r"(?:BUG: |Oops: |kernel BUG at |general protection fault|stack segment).*")
_TIME = re.compile(r"## sample (\d+) ops=(\d+) t=([\d.]+) ")


def problems(run: Run) -> list[str]:
    """Return everything that is wrong with a run, in a few words each; nothing when it is good."""
    if run.status == TIMEOUT:
        return [f"it was not done in time; the last frame was {_last_frame(run)}"]
    if run.damage:
        return [f"the stream is damaged: {run.damage}"]
    if run.stream.ended == "failed":
        return [f"the guest gave up: {_last_words(run)}"]
    capture = as_capture(run)
    checks: list[Callable[[], Iterator[str]]] = [
        lambda: _end(run),
        lambda: _sizes(run),
        lambda: _inputs(run, capture),
        lambda: _texts(capture),
        lambda: _page_flags(run),
        lambda: _samples(capture),
    ]
    found: list[str] = []
    for check in checks:
        try:
            found += check()
        except HotmemError as error:
            found.append(str(error))
    return found


def as_capture(run: Run) -> Capture:
    """Return a run as the capture it would be."""
    files = {f"frames/{path}": data for path, data in run.stream.frames.items()}
    files["console.txt"] = run.console
    return Capture(Path(run.order.name), manifest_of(run), files)


def _last_frame(run: Run) -> str:
    return next(reversed(run.stream.frames), "none")


def _last_words(run: Run) -> str:
    said = re.findall(r"HM: failed: (.*)", _console(run))
    return said[-1].strip() if said else "it did not say why"


def _expected(order: Order) -> Iterator[str]:
    yield from BOOT
    for path in EXPECTED[order.scenario]:
        yield path.format(kind=order.arguments.get("kind", ""))


def _console(run: Run) -> str:
    return run.console.decode("utf-8", "replace")


def _end(run: Run) -> Iterator[str]:
    """Want all frames of a run that is done, and of one that died that it died of memory."""
    if crash := _CRASH.search(_console(run)):
        yield f"the kernel crashed: {crash[0].strip()[:100]}"
    if run.status == DONE:
        if run.stream.open_path:
            yield f"the frame {run.stream.open_path} was never closed"
        for path in _expected(run.order):
            if not run.stream.frames.get(path):
                yield f"the frame {path} is missing or empty"
    elif run.status != GUEST_ENDED or not _OUT_OF_MEMORY.search(_console(run)):
        yield "the guest ended without a word, and its console names no lack of memory"


def _sizes(run: Run) -> Iterator[str]:
    total = sum(map(len, run.stream.frames.values())) + len(run.console)
    if total > MAX_TOTAL_BYTES or len(run.stream.frames) > MAX_FILES:
        yield f"{len(run.stream.frames)} frames of {total:,} bytes are more than a capture holds"


def _inputs(run: Run, capture: Capture) -> Iterator[str]:
    """Want the kernel that was asked for, and a machine that can be rebuilt."""
    version = capture.boot_log.version
    if f"Linux version {run.order.kernel} " not in f"{version} ":
        yield f"another kernel ran: {version[:60] or 'the console names none'}"
    if capture.has("cmdline") and capture.text("cmdline").split() != run.order.cmdline.split():
        yield "the kernel had another command line"
    if run.status == DONE:
        spec_from_capture(capture)
        table = capture.data("acpi/SRAT") if capture.has("acpi/SRAT") else b""
        if run.srat and table != build_srat(run.srat, run.order.machine.cpus):
            yield "the kernel did not take the SRAT it was given"


def _texts(capture: Capture) -> Iterator[str]:
    """Read every text of /proc by the project's parsers; they raise for what they cannot."""
    for stage in capture.stages:
        capture.zoneinfo(stage)
        capture.blocks(stage)
        for name, parse in (("meminfo", parse_meminfo), ("slabinfo", parse_slabinfo)):
            path = f"{stage}/{name}"
            if capture.has(path):
                parse(capture.text(path), capture.where(path))
    for path in capture.files:
        if path.startswith("frames/result/"):
            capture.result(path.removeprefix("frames/result/"))
    yield from ()


def _page_flags(run: Run) -> Iterator[str]:
    for path, data in run.stream.frames.items():
        if not path.startswith("kpf/"):
            continue
        whole = len(data) % 16 == 0
        if not whole or not data or any(n == 0 for _, n in struct.iter_unpack("<QQ", data)):
            yield f"{path} is no list of runs of pages"


def _samples(capture: Capture) -> Iterator[str]:
    """Want samples numbered without a gap, and neither time nor operations that go back."""
    series: dict[str, list[str]] = {}
    for name in sample_names(capture):
        series.setdefault(name.rpartition("/")[0], []).append(name)
    for folder, names in series.items():
        heads = []
        for name in names:
            sample = read_sample(capture, name)
            sample.zoneinfo()
            sample.meminfo()
            match = _TIME.match(sample.head)
            heads.append((int(match[1]), int(match[2]), float(match[3])) if match else (-1, 0, 0.0))
        for before, after in itertools.pairwise(heads):
            if after[0] != before[0] + 1 or after[1] < before[1] or after[2] < before[2]:
                yield f"{folder}: sample {after[0]} does not follow sample {before[0]}"
