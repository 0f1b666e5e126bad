"""What a kernel request can have of a real kernel's zones, from what /proc/zoneinfo prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.zoneinfo import ZoneInfo

_KERNEL = (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL)


def is_kernel_zone(zone: ZoneInfo) -> bool:
    """Say whether a GFP_KERNEL request may use a zone; ZONE_DEVICE belongs to its driver."""
    return zone.zone in _KERNEL


def reserve_of(zone: ZoneInfo, zones: Sequence[ZoneInfo]) -> int:
    """Return the pages that a zone keeps back from a GFP_KERNEL request (lowmem_reserve).

    `protection` has a column for each zone that this kernel was built with, and zoneinfo prints
    each of them for every node, empty ones too (walk_zones_in_node, mm/vmstat.c): the order of the
    names is that of the columns.
    """
    names = [z.name for z in zones if z.nid == zone.nid]
    columns = [i for i, name in enumerate(names) if name == ZoneType.NORMAL.label]
    if not columns or columns[0] >= len(zone.protection):
        return 0
    return zone.protection[columns[0]]


def useless_pages(zone: ZoneInfo, zones: Sequence[ZoneInfo]) -> int:
    """Count free pages of a zone that a GFP_KERNEL request cannot have.

    All of them where it may not go, elsewhere those up to min, boost included, and reserve
    (__zone_watermark_ok, mm/page_alloc.c, 6.1).
    """
    if not is_kernel_zone(zone):
        return zone.free
    return min(zone.free, zone.min + reserve_of(zone, zones))
