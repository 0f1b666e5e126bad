"""Which zone a memory block comes into when it is onlined (A11).

Sources: mm/memory_hotplug.c, 6.1: zone_for_pfn_range, default_zone_for_pfn,
default_kernel_zone_for_pfn, auto_movable_zone_for_pfn, auto_movable_can_online_movable. CMA,
which counts as movable, is not modelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.hotplug_options import (
    AUTO_MOVABLE,
    ONLINE_KERNEL,
    ONLINE_MOVABLE,
    ONLINE_STRINGS,
)
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.memory.added import MemoryGroup
    from hotmem_viz.memory.physical import PhysicalMemory

ANY_NODE = -1
"""Stands for all nodes together (NUMA_NO_NODE)."""


def choose_zone(
    mem: PhysicalMemory, start_pfn: int, end_pfn: int, how: str, options: BootOptions
) -> ZoneType:
    """Choose the zone for a memory block by the string written to its state.

    how: online_kernel and online_movable name their zone; online asks the policy of the options.
    Raises ParameterError for any other word.
    """
    if how not in ONLINE_STRINGS[1:]:
        raise ParameterError("state", how, f"allowed are {', '.join(ONLINE_STRINGS[1:])}")
    if how == ONLINE_MOVABLE:
        return ZoneType.MOVABLE
    nid = mem.spec.node_of(start_pfn)
    kernel = _kernel_zone(mem, nid, start_pfn, end_pfn)
    if how == ONLINE_KERNEL:
        return kernel
    if options.hotplug.online_policy == AUTO_MOVABLE:
        movable = _auto_movable(mem, nid, start_pfn, end_pfn, options)
        return ZoneType.MOVABLE if movable else kernel
    in_kernel = _meets(mem, nid, kernel, start_pfn, end_pfn)
    in_movable = _meets(mem, nid, ZoneType.MOVABLE, start_pfn, end_pfn)
    if in_kernel != in_movable:
        return kernel if in_kernel else ZoneType.MOVABLE
    return ZoneType.MOVABLE if options.movable_node else kernel


def _meets(mem: PhysicalMemory, nid: int, zone_type: ZoneType, start: int, end: int) -> bool:
    """Say whether the span of a node's zone meets a range (zone_intersects)."""
    zone = mem.zones.row(nid, zone_type)
    low, high = int(mem.zones.start_pfn[zone]), int(mem.zones.end_pfn[zone])
    return zone >= 0 and low < high and start < high and low < end


def _kernel_zone(mem: PhysicalMemory, nid: int, start: int, end: int) -> ZoneType:
    """Return DMA or DMA32 where its span meets the range, else Normal."""
    for zone_type in (ZoneType.DMA, ZoneType.DMA32):
        if _meets(mem, nid, zone_type, start, end):
            return zone_type
    return ZoneType.NORMAL


def find_group(mem: PhysicalMemory, pfn: int) -> MemoryGroup | None:
    """Return the device that a frame's memory belongs to; None for boot memory."""
    return next((g for g in mem.groups if g.start_pfn <= pfn < g.end_pfn), None)


def count_online(
    mem: PhysicalMemory, start_pfn: int, end_pfn: int, nid: int = ANY_NODE
) -> tuple[int, int]:
    """Count the online pages of a range: in kernel zones, and in Movable zones."""
    counts = [0, 0]
    for s in mem.segments:
        pages = min(s.end_pfn, end_pfn) - max(s.start_pfn, start_pfn)
        if pages > 0 and nid in (ANY_NODE, int(mem.zones.nid[s.zone])):
            counts[int(mem.zones.type[s.zone] == ZoneType.MOVABLE)] += pages
    return counts[0], counts[1]


def _auto_movable(
    mem: PhysicalMemory, nid: int, start: int, end: int, options: BootOptions
) -> bool:
    """Say whether the ratio lets what is left of the block's device come into Movable."""
    asked = options.hotplug
    group = find_group(mem, start)
    most, online = end - start, 0
    if group and not group.unit_pages:
        kernel, online = count_online(mem, group.start_pfn, group.end_pfn)
        most = group.end_pfn - group.start_pfn
        if kernel:
            return False
    elif group and group.unit_pages != end - start:
        most = group.unit_pages
        unit = start // most * most
        kernel, online = count_online(mem, unit, unit + most)
        if kernel:
            return False
    nodes = (ANY_NODE, nid) if asked.auto_movable_numa_aware else (ANY_NODE,)
    ratio = asked.auto_movable_ratio
    return ratio > 0 and all(_fits(mem, n, group, most - online, ratio) for n in nodes)


def _fits(mem: PhysicalMemory, nid: int, group: MemoryGroup | None, pages: int, ratio: int) -> bool:
    """Say whether `pages` more in Movable keep the ratio, on one node or on all.

    Kernel memory that was there at boot counts. What other dynamic devices hold is left out, with
    the early pages that it needs beyond its own; the device's own kernel memory counts.
    """
    top = mem.kind.size
    kernel, movable = count_online(mem, 0, top, nid)
    for slot in (r for n in mem.spec.pluggable for r in n.ranges):
        kernel -= count_online(mem, slot.start_pfn, slot.end_pfn, nid)[0]
    needed = 0
    for other in mem.groups:
        if other is group or not other.unit_pages:
            continue
        if nid not in (ANY_NODE, mem.spec.node_of(other.start_pfn)):
            continue
        in_kernel, in_movable = count_online(mem, other.start_pfn, other.end_pfn)
        needed += max(0, in_movable * 100 // ratio - in_kernel)
        movable -= in_movable
    if kernel <= needed:
        return False
    kernel -= needed
    if group and group.unit_pages:
        kernel += count_online(mem, group.start_pfn, group.end_pfn)[0]
    return movable + pages <= ratio * kernel // 100
