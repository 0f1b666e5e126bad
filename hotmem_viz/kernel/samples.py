"""Reads the time series of a load: what /proc said again and again while it ran."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.procfs import parse_meminfo
from hotmem_viz.kernel.zoneinfo import ZoneInfo, parse_zoneinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.kernel.captures import Capture

_HEAD = re.compile(r"## sample (\d{1,9}) ops=(\d{1,18}) t=\S{1,20} note=(\w{1,20})", re.ASCII)
_FILE = re.compile(r"^## file /proc/(\w{1,40})\n(.*?)(?=^## file |\Z)", re.DOTALL | re.MULTILINE)
_SERIES = "frames/ts/"


@dataclass(frozen=True)
class Sample:
    """One moment of a load: operations done so far, a note, and texts of /proc by file name.

    `head` is the sample's first line. `note` is "start", "tick", "end", or "dead" for the sample
    after the load was killed.
    """

    where: str
    head: str
    operations: int
    note: str
    texts: Mapping[str, str]

    def _text(self, name: str) -> str:
        if name not in self.texts:
            raise CaptureError(self.where, f"the sample has no {name}: truncated?")
        return self.texts[name]

    def zoneinfo(self) -> tuple[ZoneInfo, ...]:
        """Return the zones at that moment."""
        return parse_zoneinfo(self._text("zoneinfo"), f"{self.where}:zoneinfo")

    def meminfo(self) -> dict[str, int]:
        """Return meminfo at that moment."""
        return parse_meminfo(self._text("meminfo"), f"{self.where}:meminfo")


def sample_names(capture: Capture) -> tuple[str, ...]:
    """Return the paths of a capture's samples in the order taken, without frames/."""
    names = sorted(n for n in capture.files if n.startswith(_SERIES))
    return tuple(n.removeprefix("frames/") for n in names)


def read_sample(capture: Capture, path: str) -> Sample:
    """Read one sample: a file of the series, or a folder of the compact form ("last").

    Raises
    ------
    CaptureError
        When it is missing, or its first line is not that of a sample.
    """
    where, folder = capture.where(path), _is_folder(capture, path)
    head, _, rest = capture.text(f"{path}/sample" if folder else path).partition("\n")
    match = _HEAD.fullmatch(head.strip())
    if not match:
        raise CaptureError(where, f"not the first line of a sample: {head[:60]!r}", 1)
    texts = dict(_FILE.findall(rest))
    if folder:
        names = ("zoneinfo", "meminfo")
        texts = {n: capture.text(f"{path}/{n}") for n in names if capture.has(f"{path}/{n}")}
    return Sample(where, head.strip(), int(match[2]), match[3], texts)


def _is_folder(capture: Capture, path: str) -> bool:
    return capture.has(f"{path}/sample")


def last_sample(capture: Capture) -> Sample:
    """Return the last sample that the load was alive to see.

    Raises
    ------
    CaptureError
        When there is none.
    """
    if _is_folder(capture, "last"):
        return read_sample(capture, "last")
    for name in reversed(sample_names(capture)):
        sample = read_sample(capture, name)
        if sample.note != "dead":
            return sample
    raise CaptureError(capture.path, "the capture has no sample of its load")


def peak_sample(capture: Capture) -> Sample:
    """Return the first sample with the most reclaimable slab: where a cache stopped growing.

    Raises
    ------
    CaptureError
        When there is none.
    """
    if _is_folder(capture, "peak"):
        return read_sample(capture, "peak")
    samples = [read_sample(capture, name) for name in sample_names(capture)]
    samples = [s for s in samples if s.note != "dead"]
    if not samples:
        raise CaptureError(capture.path, "the capture has no sample of its load")
    return max(samples, key=lambda s: s.meminfo().get("SReclaimable", 0))
