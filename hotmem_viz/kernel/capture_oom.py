"""An OOM report in words, with what it does not print beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotmem_viz.kernel.capture_counters import load_of, objects_of
from hotmem_viz.kernel.capture_zones import kept_from, unprinted_zones
from hotmem_viz.recording.recording import Event
from hotmem_viz.units import format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.capture_zones import Key, ZoneState
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.moments import Moment
    from hotmem_viz.kernel.oom_report import OomReport

_KIB = 1024
_PANIC = re.compile(r"Kernel panic - not syncing: (.{1,100}?)\.*$", re.MULTILINE)


def tell_oom(
    tick: int,
    moment: Moment,
    before: Moment | None,
    states: dict[Key, ZoneState],
    columns: Sequence[str],
    capture: Capture,
) -> Event:
    """Tell the OOM report of a moment. columns: zone names in the kernel's order."""
    report = moment.oom
    if report is None:
        raise ValueError(f"moment {moment.label} has no OOM report")
    free = report.free
    parts = (
        _request(report, moment, capture),
        _printed(report, columns),
        _unprinted(report, states),
        _useless(report, columns),
        _claim(moment, before, capture),
        _panic(capture),
    )
    spare = f" with {format_bytes(free * PAGE_SIZE)} free" if free is not None else ""
    return Event(
        tick=tick,
        kind=EventKind.OOM.name,
        title=f"Out of memory{spare}",
        text=" ".join(part for part in parts if part),
        mark=True,
        claims=("S11", "S12", "S14"),
        rule="A8",
        function="out_of_memory()",
    )


def _request(report: OomReport, moment: Moment, capture: Capture) -> str:
    done = moment.operations
    after = f"After {done:,} {objects_of(load_of(capture))} " if done else ""
    pages = "a page" if not report.order else f"{1 << report.order} pages in a row"
    return f"{after}{report.task} asks for {pages}, {report.gfp}."


def _printed(report: OomReport, columns: Sequence[str]) -> str:
    """List the zones that the report prints, with what they keep."""
    if not report.zones:
        return ""
    several = len({z.nid for z in report.zones}) > 1
    listed = []
    for zone in report.zones:
        name = f"node {zone.nid} {zone.name}" if several else zone.name
        kept = kept_from(zone, report, columns)
        reserve = f", reserve {kept:,}" if kept else ""
        listed.append(f"{name} {zone.free:,} (min {zone.min:,}{reserve})")
    return f"The report prints, in free pages: {'; '.join(listed)}."


def _unprinted(report: OomReport, states: dict[Key, ZoneState]) -> str:
    hidden = [k for k in unprinted_zones(report, states) if states[k].managed]
    if not hidden:
        return ""
    names = sorted({"ZONE_MOVABLE" if n == "Movable" else f"ZONE_{n.upper()}" for _, n in hidden})
    free = report.unprinted_free
    amount = f", {format_bytes(free * PAGE_SIZE)} free" if free is not None else ""
    return f"It does not print {' and '.join(names)} at all{amount}."


def _useless(report: OomReport, columns: Sequence[str]) -> str:
    """Say how much of what is free the refused request could not have."""
    if not report.free:
        return ""
    kept = sum(min(z.free, z.min + kept_from(z, report, columns)) for z in report.zones)
    useless = kept + (report.unprinted_free or 0)
    if useless >= report.free:
        return "Nothing of all that is free is of use to it."
    share = format_bytes(useless * PAGE_SIZE)
    return f"Of what is free, {share} is of no use to it."


def _panic(capture: Capture) -> str:
    """Say what the kernel's last words were, where it had nobody left to kill."""
    found = _PANIC.search(capture.text("console.txt"))
    return f"Then the kernel panics: {found[1].strip()}." if found else ""


def _claim(moment: Moment, before: Moment | None, capture: Capture) -> str:
    """Say what MemAvailable claimed when it was read last."""
    if before is None or before.meminfo is None or "MemAvailable" not in before.meminfo:
        return ""
    claimed = format_bytes(before.meminfo["MemAvailable"] * _KIB)
    gap = moment.operations - before.operations
    when = f", {gap:,} {objects_of(load_of(capture))} before" if gap else ", read last"
    return f"MemAvailable{when}: {claimed}."
