"""The zones of a captured kernel, and what each moment says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.kernel.zone_room import is_kernel_zone, reserve_of, useless_pages
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotmem_viz.kernel.moments import Moment
    from hotmem_viz.kernel.oom_report import OomReport, OomZone
    from hotmem_viz.kernel.zoneinfo import ZoneInfo

Key = tuple[int, str]
"""A zone's node and name."""

_KERNEL = {z.label for z in (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL)}


@dataclass(frozen=True)
class ZoneState:
    """One zone at one moment, in pages; marks include boost, as the kernel prints them.

    useless: free, but not for a kernel request. reserve: what it keeps back from one.
    """

    free: int = 0
    min: int = 0
    low: int = 0
    high: int = 0
    boost: int = 0
    useless: int = 0
    managed: int = 0
    reserve: int = 0


def zone_states(zones: Sequence[ZoneInfo]) -> dict[Key, ZoneState]:
    """Return the zones of one zoneinfo."""
    return {
        (z.nid, z.name): ZoneState(
            free=z.free,
            min=z.min,
            low=z.low,
            high=z.high,
            boost=z.boost,
            useless=useless_pages(z, zones),
            managed=z.managed,
            reserve=reserve_of(z, zones) if is_kernel_zone(z) else 0,
        )
        for z in zones
    }


def oom_states(report: OomReport, before: dict[Key, ZoneState]) -> dict[Key, ZoneState]:
    """Return the zones as an OOM report prints them, the others as they were before.

    Where a single zone with pages is not printed, the report's sum says what is free there.
    """
    states = dict(before)
    for zone in report.zones:
        key = (zone.nid, zone.name)
        reserve = before[key].reserve if key in before else 0
        kept = min(zone.free, zone.min + reserve) if zone.name in _KERNEL else zone.free
        states[key] = ZoneState(
            free=zone.free,
            min=zone.min,
            low=zone.low,
            high=zone.high,
            boost=zone.boost,
            useless=kept,
            managed=zone.managed,
            reserve=reserve,
        )
    hidden = unprinted_zones(report, before)
    if len(hidden) == 1 and report.unprinted_free is not None:
        free = report.unprinted_free
        states[hidden[0]] = replace(before[hidden[0]], free=free, useless=free)
    return states


def unprinted_zones(report: OomReport, states: Iterable[Key]) -> list[Key]:
    """List the zones that a report leaves out: those that its request may not use."""
    printed = {(z.nid, z.name) for z in report.zones}
    highest = max((_rank(z.name) for z in report.zones), default=-1)
    return [k for k in states if k not in printed and _rank(k[1]) > highest]


def _rank(name: str) -> int:
    labels = [z.label for z in ZoneType]
    return labels.index(name) if name in labels else len(labels)


def kept_from(zone: OomZone, report: OomReport, columns: Sequence[str]) -> int:
    """Return what a printed zone kept back from the refused request, its min mark apart.

    columns: the names of a node's zones in the kernel's order, those without pages too. A report
    prints what the request may use (show_free_areas, mm/page_alloc.c, 6.1), so the highest zone
    in it is the request's; zones without pages repeat the column before them.
    """
    printed = [columns.index(z.name) for z in report.zones if z.name in columns]
    at = max(printed, default=0)
    return zone.protection[at] if at < len(zone.protection) else 0


def states_by_moment(moments: Sequence[Moment]) -> list[dict[Key, ZoneState]]:
    """Return the zones at each moment; one that recorded none has those of the moment before."""
    found: list[dict[Key, ZoneState]] = []
    for moment in moments:
        before = found[-1] if found else {}
        if moment.zones is not None:
            found.append(zone_states(moment.zones))
        elif moment.oom is not None:
            found.append(oom_states(moment.oom, before))
        else:
            found.append(before)
    return found


def describe_zones(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    """Return a recording's `meta.zones`: every zone that ever spans memory, by node and kind.

    Start, end and sizes are the largest of any moment, for memory comes and goes.
    """
    largest: dict[Key, ZoneInfo] = {}
    reserves: dict[Key, int] = {}
    for moment in moments:
        for zone in moment.zones or ():
            key = (zone.nid, zone.name)
            if zone.zone is None or not zone.spanned:
                continue
            if key not in largest or zone.spanned > largest[key].spanned:
                largest[key] = zone
                reserves[key] = reserve_of(zone, moment.zones or ())
    ordered = sorted(largest.items(), key=lambda item: (item[0][0], _rank(item[0][1])))
    return [
        {
            "id": i,
            "nid": nid,
            "zone": name,
            "start_pfn": zone.start_pfn,
            "end_pfn": (zone.start_pfn or 0) + zone.spanned,
            "present": zone.present,
            "managed": zone.managed,
            "reserve": reserves[nid, name] if is_kernel_zone(zone) else 0,
            "kernel": is_kernel_zone(zone),
        }
        for i, ((nid, name), zone) in enumerate(ordered)
    ]
