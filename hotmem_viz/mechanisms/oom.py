"""The verdict, and the two numbers that stand beside it: MemAvailable and what is of no use.

Sources: mm/page_alloc.c `should_reclaim_retry`, `__zone_watermark_ok`, mm/show_mem.c and
mm/page_alloc.c `si_mem_available`, `calculate_totalreserve_pages` (6.1). KERNEL-CHECKED 10: at the
first OOM report of every captured run, free <= min + boost + protection in every allowed zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def count_useless(mem: PhysicalMemory, highest: int) -> np.ndarray:
    """Count free pages that a request cannot have: (Z,) int64.

    highest: the request's highest ZoneType. In zones it may not use these are all free pages, in
    the others those that the min mark, the boost and the protection keep back.
    """
    zones = mem.zones
    kept = np.minimum(zones.free, zones.min + zones.boost + zones.protection[:, highest])
    return np.asarray(np.where(zones.type <= int(highest), kept, zones.free))


def count_room(mem: PhysicalMemory, highest: int) -> int:
    """Count the free pages that a request could have, order and type apart.

    highest: the request's highest ZoneType.
    """
    return int((mem.zones.free - count_useless(mem, highest)).sum())


def is_out_of_memory(mem: PhysicalMemory, zonelist: list[int], highest: int) -> bool:
    """Say whether the inequality holds that ends a load, in every zone a request may use."""
    zones = mem.zones
    line = zones.min + zones.boost + zones.protection[:, highest]
    return bool((zones.free[zonelist] <= line[zonelist]).all())


def estimate_available(mem: PhysicalMemory) -> int:
    """Return what /proc/meminfo would print as MemAvailable, in pages.

    It knows nothing of who may use which zone: that is why it is wrong about kernel memory.
    """
    zones = mem.zones
    kinds = mem.zone_kinds.sum(axis=0)
    return available_pages(
        free=int(zones.free.sum()),
        reserve=zones.total_reserve,
        low=int((zones.low + zones.boost).sum()),
        cache=int(kinds[PageKind.PAGE_CACHE] + kinds[PageKind.BUFFER]),
        slab=int(kinds[PageKind.RECLAIMABLE_SLAB]),
    )


def total_reserve(managed: np.ndarray, high: np.ndarray, protection: np.ndarray) -> int:
    """Sum what the zones keep back: high mark plus largest protection, no more than managed.

    managed, high, protection: (Z,) pages, as of the time when watermarks are set: managed before
    init memory is freed, high without boost (calculate_totalreserve_pages, mm/page_alloc.c, 6.1).
    """
    return int(np.minimum(high + protection, managed).sum())


def available_pages(*, free: int, reserve: int, low: int, cache: int, slab: int) -> int:
    """Return MemAvailable from its parts, all in pages (si_mem_available, mm/show_mem.c).

    low: sum of the low marks. cache: page cache and buffers. slab: what is accounted reclaimable,
    whether or not any of it could be reclaimed.
    """
    left = free - reserve
    left += cache - min(cache // 2, low)
    left += slab - min(slab // 2, low)
    return max(left, 0)
