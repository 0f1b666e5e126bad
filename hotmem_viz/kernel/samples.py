"""Reads the time series of a load: what /proc said again and again while it ran.

A sample is one file, ts/KIND/NNNN: a first line, then texts of /proc, each below a line
`## file /proc/NAME`. Compact captures keep fewer samples, and fewer lines of each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.buddyinfo import BuddyZone, parse_buddyinfo
from hotmem_viz.kernel.procfs import SlabInfo, parse_meminfo, parse_slabinfo, parse_vmstat
from hotmem_viz.kernel.zoneinfo import ZoneInfo, parse_zoneinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.kernel.captures import Capture

_HEAD = re.compile(
    r"## sample (\d{1,9}) ops=(\d{1,18}) t=(\d{1,9}(?:\.\d{1,9})?) note=(\w{1,20})", re.ASCII
)
_FILE = "## file /proc/"
_SERIES = "frames/ts/"


@dataclass(frozen=True)
class Sample:
    """One moment of a load: operations done so far, a note, and texts of /proc by file name.

    `head` is the sample's first line, `seconds` the time since the machine started. `note` is
    "start", "tick", "end", "manual", or "dead" for a sample after the load was killed.
    """

    where: str
    head: str
    operations: int
    seconds: float
    note: str
    texts: Mapping[str, str]

    def has(self, name: str) -> bool:
        """Tell whether the sample has a file of /proc."""
        return name in self.texts

    def text(self, name: str) -> str:
        """Return a file of /proc.

        Raises
        ------
        CaptureError
            When the sample has none of that name.
        """
        if name not in self.texts:
            raise CaptureError(self.where, f"the sample has no {name}: truncated?")
        return self.texts[name]

    def zoneinfo(self) -> tuple[ZoneInfo, ...]:
        """Return the zones at that moment."""
        return parse_zoneinfo(self.text("zoneinfo"), f"{self.where}:zoneinfo")

    def meminfo(self) -> dict[str, int]:
        """Return meminfo at that moment."""
        return parse_meminfo(self.text("meminfo"), f"{self.where}:meminfo")

    def vmstat(self) -> dict[str, int]:
        """Return vmstat at that moment; in a compact capture, the counters kept."""
        return parse_vmstat(self.text("vmstat"), f"{self.where}:vmstat")

    def buddyinfo(self) -> tuple[BuddyZone, ...]:
        """Return the free lists at that moment."""
        return parse_buddyinfo(self.text("buddyinfo"), f"{self.where}:buddyinfo")

    def slabinfo(self) -> dict[str, SlabInfo]:
        """Return the slab caches at that moment; a compact capture has them of the last sample."""
        return parse_slabinfo(self.text("slabinfo"), f"{self.where}:slabinfo")


def series_names(capture: Capture) -> tuple[str, ...]:
    """Return the kinds of a capture's time series, such as files or hot, sorted."""
    tails = (n.removeprefix(_SERIES) for n in capture.files if n.startswith(_SERIES))
    return tuple(sorted({tail.rpartition("/")[0] for tail in tails}))


def sample_names(capture: Capture, series: str = "") -> tuple[str, ...]:
    """Return the paths of a series' samples in the order taken, without frames/.

    Without a name it is the series of the capture's load, or all there are.
    """
    load = str(capture.args.get("kind", ""))
    head = f"{_SERIES}{series or load}/"
    names = sorted(n for n in capture.files if n.startswith(head))
    if not names and not series:
        names = sorted(n for n in capture.files if n.startswith(_SERIES))
    return tuple(n.removeprefix("frames/") for n in names)


def read_sample(capture: Capture, path: str) -> Sample:
    """Read one sample.

    Raises
    ------
    CaptureError
        When it is missing, or its first line is not that of a sample.
    """
    return parse_sample(capture.text(path), capture.where(path))


def parse_sample(text: str, path: object = "sample") -> Sample:
    """Read the text of a sample; the texts of /proc inside are read on demand.

    Raises
    ------
    CaptureError
        When the first line is not that of a sample.
    """
    where = str(path)
    head, _, rest = text.partition("\n")
    match = _HEAD.fullmatch(head.strip())
    if not match:
        raise CaptureError(where, f"not the first line of a sample: {head[:60]!r}", 1)
    texts: dict[str, str] = {}
    for part in f"\n{rest}".split(f"\n{_FILE}")[1:]:
        name, _, body = part.partition("\n")
        texts.setdefault(name.strip()[:40], body if body.endswith("\n") else f"{body}\n")
    return Sample(where, head.strip(), int(match[2]), float(match[3]), match[4], texts)


def last_sample(capture: Capture, series: str = "") -> Sample:
    """Return the last sample that the load was alive to see.

    Raises
    ------
    CaptureError
        When there is none.
    """
    for name in reversed(sample_names(capture, series)):
        sample = read_sample(capture, name)
        if sample.note != "dead":
            return sample
    raise CaptureError(capture.path, "the capture has no sample of its load")


def peak_sample(capture: Capture, series: str = "") -> Sample:
    """Return the first sample with the most reclaimable slab: where a cache stopped growing.

    Raises
    ------
    CaptureError
        When there is none.
    """
    samples = [read_sample(capture, name) for name in sample_names(capture, series)]
    samples = [s for s in samples if s.note != "dead"]
    if not samples:
        raise CaptureError(capture.path, "the capture has no sample of its load")
    return max(samples, key=lambda s: s.meminfo().get("SReclaimable", 0))


def sample_before_near(capture: Capture) -> str:
    """Return the path of the last sample before the flags of the stage `near` were taken, or "".

    The manifest of a full capture lists everything in the order in which it came; that of a
    compact one names the sample.
    """
    load = str(capture.args.get("kind", ""))
    order, named = capture.manifest.get("frame_host_seconds"), capture.manifest.get("near_sample")
    near = f"kpf/{load}/near"
    if isinstance(order, dict) and near in order:
        paths = list(order)
        before = [p for p in paths[: paths.index(near)] if p.startswith(f"ts/{load}/")]
        named = before[-1] if before else ""
    return named if isinstance(named, str) and capture.has(named) else ""
