"""Which frames a zone spans and which lie online in it, when memory comes and goes (A12).

A span is from the first to the last frame, holes included. Sources: mm/memory_hotplug.c, 6.1:
resize_zone_range, shrink_zone_span, find_smallest_section_pfn, find_biggest_section_pfn. Spans
of nodes are left out: nothing is decided by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.memory.zones import Segment
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.memory.physical import PhysicalMemory

SUBSECTION_PAGES = PAGEBLOCK_PAGES
"""2 MiB, the step in which the kernel looks for a zone's new end (PAGES_PER_SUBSECTION)."""


def grow_span(mem: PhysicalMemory, zone: int, start_pfn: int, end_pfn: int) -> None:
    """Enter [start_pfn, end_pfn) among a zone's segments; the span reaches over it."""
    zones = mem.zones
    if zones.start_pfn[zone] == zones.end_pfn[zone] or start_pfn < zones.start_pfn[zone]:
        zones.start_pfn[zone] = start_pfn
    zones.end_pfn[zone] = max(end_pfn, int(zones.end_pfn[zone]))
    mem.segments[:] = _joined(sorted([*mem.segments, Segment(start_pfn, end_pfn, zone)]))


def shrink_span(mem: PhysicalMemory, zone: int, start_pfn: int, end_pfn: int) -> None:
    """Take [start_pfn, end_pfn) out of a zone's segments; the span shrinks at its ends only.

    At the zone's start it begins anew at the first frame that remains, at its end likewise, in
    the middle it stays: the zone has a hole. An empty zone has a span of 0 to 0.
    """
    mem.segments[:] = _without(mem.segments, start_pfn, end_pfn)
    zones = mem.zones
    left = [s for s in mem.segments if s.zone == zone]
    if zones.start_pfn[zone] == start_pfn:
        found = [_first_step(mem, s) for s in left if s.start_pfn >= end_pfn]
        zones.start_pfn[zone] = min(found, default=0)
    elif zones.end_pfn[zone] == end_pfn:
        found = [_last_step(mem, s) for s in left if s.end_pfn <= start_pfn]
        zones.end_pfn[zone] = max(found, default=0)
    else:
        return
    if not found:
        zones.start_pfn[zone] = zones.end_pfn[zone] = 0


def _first_step(mem: PhysicalMemory, s: Segment) -> int:
    """Return the first of the pfns, 2 MiB apart, at which the kernel finds a segment's zone.

    A hole at the start of the 2 MiB counts for the zone that follows it (init_unavailable_range,
    mm/page_alloc.c); memory of another zone does not.
    """
    pfn = s.start_pfn - s.start_pfn % SUBSECTION_PAGES
    taken = any(o.start_pfn <= pfn < o.end_pfn for o in mem.segments if o is not s)
    return pfn + SUBSECTION_PAGES if taken else pfn


def _last_step(mem: PhysicalMemory, s: Segment) -> int:
    """Return the end of the last 2 MiB whose last frame is the segment's or a hole behind it."""
    end = -(-s.end_pfn // SUBSECTION_PAGES) * SUBSECTION_PAGES
    taken = any(o.start_pfn < end <= o.end_pfn for o in mem.segments if o is not s)
    return end - SUBSECTION_PAGES if taken else end


def _without(segments: list[Segment], start_pfn: int, end_pfn: int) -> Iterator[Segment]:
    for s in segments:
        if s.end_pfn <= start_pfn or end_pfn <= s.start_pfn:
            yield s
            continue
        if s.start_pfn < start_pfn:
            yield s._replace(end_pfn=start_pfn)
        if end_pfn < s.end_pfn:
            yield s._replace(start_pfn=end_pfn)


def _joined(segments: list[Segment]) -> Iterator[Segment]:
    current = segments[0]
    for s in segments[1:]:
        if s.start_pfn == current.end_pfn and s.zone == current.zone:
            current = current._replace(end_pfn=s.end_pfn)
        else:
            yield current
            current = s
    yield current
