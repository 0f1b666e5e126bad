"""The zones that a machine can ever have, and where each of them may come to lie.

A machine whose memory comes and goes gets a row for every zone that a memory block could be
onlined to, empty until one is: per node Normal and Movable besides the zones of its boot. DMA
and DMA32 never grow beyond their span at boot, because only what meets their span is onlined to
them (default_kernel_zone_for_pfn, mm/memory_hotplug.c, 6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.machine.zone_plan import ZoneSpan
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan


class Place(NamedTuple):
    """Sections [first, end) of which any may come to lie in a zone, a row of `zone_rows`."""

    first: int
    end: int
    zone: int


def zone_rows(spec: MachineSpec, plan: ZonePlan) -> tuple[ZoneSpan, ...]:
    """Return the rows of the zone table, by node and zone: the plan's, and empty ones."""
    if not spec.can_hotplug:
        return plan.zones
    rows = {(z.nid, z.zone): z for z in plan.zones}
    for nid in spec.nids:
        for zone in (ZoneType.NORMAL, ZoneType.MOVABLE):
            rows.setdefault((nid, zone), ZoneSpan(nid, zone, 0, 0, 0))
    return tuple(rows[key] for key in sorted(rows))


def find_places(spec: MachineSpec, plan: ZonePlan) -> list[Place]:
    """List where zones may come to lie, beyond where they are at boot.

    Only whole sections of one node and zone, or of a slot, can change: a block with a hole or
    of two zones never goes offline.
    """
    rows = zone_rows(spec, plan)
    places = []
    for nid, first, end in _whole_sections(spec, plan) if spec.can_hotplug else ():
        for row, span in enumerate(rows):
            if span.nid != nid:
                continue
            low, high = first, end
            if span.zone not in (ZoneType.NORMAL, ZoneType.MOVABLE):
                low = max(low, span.start_pfn // spec.section_pages)
                high = min(high, -(-span.end_pfn // spec.section_pages))
            if low < high:
                places.append(Place(low, high, row))
    return places


def _whole_sections(spec: MachineSpec, plan: ZonePlan) -> list[tuple[int, int, int]]:
    """List runs of sections that are all of one node and zone, or of a slot: nid, first, end."""
    size, runs = spec.section_pages, []
    for span in plan.zones:
        for r in (r for n in spec.nodes if n.nid == span.nid for r in n.ranges):
            start, end = max(r.start_pfn, span.start_pfn), min(r.end_pfn, span.end_pfn)
            runs.append((span.nid, -(-start // size), end // size))
    slots = [(n.nid, r) for n in spec.pluggable for r in n.ranges]
    runs += [(nid, r.start_pfn // size, r.end_pfn // size) for nid, r in slots]
    return [run for run in runs if run[1] < run[2]]
