"""The moments of a capture in the order in which they were: stages, samples, attempts, the OOM.

Each becomes a tick of the capture's recording. What a moment did not record is None there; the
recording then holds what was known last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hotmem_viz.kernel.captured_pages import page_stages, stored_path
from hotmem_viz.kernel.procfs import parse_vmstat
from hotmem_viz.kernel.samples import read_sample, sample_names, series_names
from hotmem_viz.kernel.zone_room import is_kernel_zone
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.hotplug_answers import OfflineAttempt
    from hotmem_viz.kernel.oom_report import OomReport
    from hotmem_viz.kernel.samples import Sample
    from hotmem_viz.kernel.zoneinfo import ZoneInfo

BEFORE_LOAD = ("boot", "added", "plugged", "onlined")
AFTER_LOAD = ("loaded", "removed", "removed2", "unplugged", "gone", "after", "end")
"""Stages in the order in which scenarios have them; a load's samples stand between the two."""

SAME_AS_STAGES = ("hot", "vm")
"""Series that sample the moments which the stages record in full."""

_NEAR = re.compile(r"near/(.+)")


@dataclass(frozen=True)
class Moment:
    """One moment: a stage, a sample of a series, an attempt at a block, or an OOM report.

    stage: where the pages were read, "" where they were not. operations: done by then. seconds:
    since the machine started, None where nothing says. note: a sample's, else empty.
    """

    label: str
    stage: str = ""
    operations: int = 0
    seconds: float | None = None
    note: str = ""
    zones: tuple[ZoneInfo, ...] | None = None
    meminfo: Mapping[str, int] | None = None
    vmstat: Mapping[str, int] = field(default_factory=dict)
    oom: OomReport | None = None
    attempt: OfflineAttempt | None = None


def read_moments(capture: Capture) -> list[Moment]:
    """Return the moments of a capture, the booted machine first.

    Raises
    ------
    CaptureError
        When a file of it is damaged, or the machine did not come up.
    """
    before = [_stage(capture, s) for s in BEFORE_LOAD if s in capture.stages]
    after = [_stage(capture, s) for s in AFTER_LOAD if s in capture.stages]
    series = _with_oom(capture, _with_near(capture, _samples(capture)))
    attempts = [_attempt(capture, attempt) for attempt in capture.sweep()]
    # Blocks are tried one by one on the loaded machine.
    split = [m.label for m in after].index("loaded") + 1 if attempts and after else 0
    moments = [*before, *series, *after[:split], *attempts, *after[split:]]
    return _carry_operations(moments)


def _stage(capture: Capture, stage: str) -> Moment:
    return Moment(
        label=stage,
        stage=stage if stage in page_stages(capture) else "",
        zones=capture.zoneinfo(stage),
        meminfo=capture.meminfo(stage) if capture.has(f"{stage}/meminfo") else None,
        vmstat=capture.vmstat(stage) if capture.has(f"{stage}/vmstat") else {},
    )


def _attempt(capture: Capture, attempt: OfflineAttempt) -> Moment:
    """Return the moment of an attempt; pages of the block were read just before it."""
    stage = f"sweep/memory{attempt.block}"
    known = capture.has(stored_path("kpf", stage))
    return Moment(f"memory{attempt.block}", stage if known else "", attempt=attempt)


def _samples(capture: Capture) -> list[Moment]:
    """Return the samples of all series that say something new, by the time of taking them."""
    found = [
        _sample(read_sample(capture, name), name)
        for series in series_names(capture)
        if series not in SAME_AS_STAGES or len(capture.stages) < 2
        for name in sample_names(capture, series)
    ]
    return sorted(found, key=lambda m: m.seconds or 0.0)


def _sample(sample: Sample, name: str) -> Moment:
    vmstat = {}
    if sample.has("vmstat"):
        vmstat = parse_vmstat(sample.text("vmstat"), f"{sample.where}:vmstat")
    return Moment(
        label=name.removeprefix("ts/"),
        operations=sample.operations,
        seconds=sample.seconds,
        note=sample.note,
        zones=sample.zoneinfo(),
        meminfo=sample.meminfo(),
        vmstat=vmstat,
    )


def _with_near(capture: Capture, samples: list[Moment]) -> list[Moment]:
    """Give the pages read close to the end to the sample that they belong to.

    Nothing says when they were read; the load stood still, so free memory of that sample is
    theirs.
    """
    moments = list(samples)
    for stage in page_stages(capture):
        if not _NEAR.fullmatch(stage) or not samples:
            continue
        runs = capture.page_kinds(stage)
        free = runs.count_where(runs.words == PageKind.FREE)
        alive = [i for i, m in enumerate(samples) if m.note != "dead"]
        nearest = min(alive, key=lambda i: abs(_free(samples[i]) - free))
        moments[nearest] = replace(moments[nearest], stage=stage)
    return moments


def _free(moment: Moment) -> int:
    return sum(z.free for z in moment.zones or ())


def _with_oom(capture: Capture, samples: list[Moment]) -> list[Moment]:
    """Put the first OOM report where it was: before the sample after the load's death."""
    # What a running machine's log tells of an OOM was before the moment of asking.
    if capture.is_snapshot or not capture.boot_log.ooms:
        return samples
    dead = [i for i, m in enumerate(samples) if m.note == "dead"]
    at = dead[0] if dead else len(samples)
    operations = samples[at].operations if dead else 0
    if at and not operations:
        operations = samples[at - 1].operations
    first = capture.boot_log.ooms[0]
    report = Moment("OOM report", operations=operations, note="oom", oom=first)
    return [*samples[:at], report, *samples[at:]]


def _carry_operations(moments: list[Moment]) -> list[Moment]:
    """Let operations never fall: what was done stays done."""
    most, carried = 0, []
    for moment in moments:
        most = max(most, moment.operations)
        carried.append(replace(moment, operations=most))
    return carried


def lowest_kernel_free(moment: Moment) -> bool:
    """Say whether a kernel zone stands below its low mark."""
    return any(z.free < z.low for z in moment.zones or () if is_kernel_zone(z) and z.managed)
