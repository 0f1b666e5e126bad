"""Which request may use which zone: GFP flags, reduced to what decides.

MOVABLE is allowed only when the HIGHMEM and MOVABLE flags are both set; the MOVABLE flag alone
means a kernel zone and a movable pageblock. Sources: include/linux/gfp.h `gfp_zone`,
include/linux/gfp_types.h (6.1); KERNEL.md A5; pipe buffers and HIGHPTE as captures show them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType


@dataclass(frozen=True)
class Gfp:
    """A class of requests: the highest zone it may use, and the pageblocks it belongs in."""

    name: str
    highest: ZoneType
    migratetype: MigrateType


GFP = {
    g.name: g
    for g in (
        Gfp("DMA", ZoneType.DMA, MigrateType.UNMOVABLE),
        Gfp("DMA32", ZoneType.DMA32, MigrateType.UNMOVABLE),
        Gfp("KERNEL", ZoneType.NORMAL, MigrateType.UNMOVABLE),
        Gfp("KERNEL_RECLAIMABLE", ZoneType.NORMAL, MigrateType.RECLAIMABLE),
        Gfp("USER_MOVABLE", ZoneType.NORMAL, MigrateType.MOVABLE),
        Gfp("HIGHUSER", ZoneType.HIGHMEM, MigrateType.UNMOVABLE),
        Gfp("HIGHUSER_MOVABLE", ZoneType.MOVABLE, MigrateType.MOVABLE),
    )
}
"""Request classes by name. A class whose highest zone a machine lacks uses the ones below."""

GFP_OF_KIND = {
    PageKind.PAGE_CACHE: GFP["HIGHUSER_MOVABLE"],
    PageKind.ANON: GFP["HIGHUSER_MOVABLE"],
    PageKind.BUFFER: GFP["USER_MOVABLE"],
    PageKind.RECLAIMABLE_SLAB: GFP["KERNEL_RECLAIMABLE"],
    PageKind.SLAB: GFP["KERNEL"],
    PageKind.KERNEL_STACK: GFP["KERNEL"],
    PageKind.KERNEL_BUFFER: GFP["KERNEL"],
    PageKind.PAGE_TABLE: GFP["KERNEL"],
    PageKind.PINNED: GFP["KERNEL"],
}
"""The usual request for a kind of page (fs/inode.c, block/bdev.c, mm/slub.c and others)."""
