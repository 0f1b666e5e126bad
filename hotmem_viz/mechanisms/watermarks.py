"""How much memory a zone keeps back, from whom, and the test that refuses a request.

Pure functions on the zones of a machine, one entry per zone in the order of the zone plan:
`nids` and `types` (Z,), and `managed` (Z,) pages, at boot the *initial* managed pages: those
from before the ramdisk and the kernel's init memory were freed. Units are pages unless a name
ends in kb. All divisions are integer, as in the kernel. Claims S10 and S11 of the mail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hotmem_viz.machine.profiles import RESERVE_RATIOS, KernelProfile
from hotmem_viz.machine.spec import Arch
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Pages = NDArray[np.int64]

THP_MIN_PAGES = 1 << 17
"""Huge pages stay off on machines of less than 512 MiB (hugepage_init, mm/huge_memory.c)."""

THP_BLOCKS_PER_ZONE = 11
"""2 + MIGRATE_PCPTYPES**2 pageblocks a zone (set_recommended_min_free_kbytes, khugepaged.c)."""

SCALE_FACTOR = 10
"""watermark_scale_factor: the least distance of two marks, in 1/10000 of the zone."""

MIN_FREE_FLOOR_KB = 128


@dataclass(frozen=True)
class WatermarkRules:
    """Which zones share min_free_kbytes, how high it may rise, and whether THP raises it.

    `highmem` are the zone types that get a small fixed min instead of a share.
    """

    highmem: frozenset[ZoneType]
    cap_kb: int
    thp: bool

    def without_thp(self) -> WatermarkRules:
        """Return the rules once transparent huge pages are switched off."""
        return replace(self, thp=False)

    def with_thp(self) -> WatermarkRules:
        """Return the rules of a machine whose huge pages were on at boot."""
        return replace(self, thp=True)


@dataclass(frozen=True)
class Watermarks:
    """min_free_kbytes and the marks made of it; min, low, high (Z,) int64 without boost.

    `plain_kb` is min_free_kbytes before huge pages raised it.
    """

    min_free_kb: int
    plain_kb: int
    min: Pages
    low: Pages
    high: Pages


def watermark_rules(profile: KernelProfile, arch: Arch, total_managed: int) -> WatermarkRules:
    """Return the rules of a kernel on a machine of `total_managed` initial pages.

    ZONE_MOVABLE takes a share on 64-bit up to 6.1. On 32-bit it is cut from HIGHMEM and
    treated like it; from 6.12 on it is so everywhere (__setup_per_zone_wmarks, is_highmem).
    """
    highmem = {ZoneType.HIGHMEM}
    if arch is Arch.PAE or not profile.min_shared_over_movable:
        highmem.add(ZoneType.MOVABLE)
    return WatermarkRules(
        frozenset(highmem), profile.min_free_cap_kb, total_managed >= THP_MIN_PAGES
    )


def protection(
    nids: Sequence[int] | Pages,
    types: Sequence[int] | Pages,
    managed: Sequence[int] | Pages,
    ratios: Mapping[ZoneType, int] = RESERVE_RATIOS,
) -> Pages:
    """Compute lowmem_reserve (A3): pages that a zone keeps from requests for higher zones.

    Returns
    -------
    ndarray
        (Z, 5) int64; column j is for requests whose highest allowed zone is ZoneType(j). It is
        the sum of what the node manages above the zone up to j, divided by the zone's ratio:
        setup_per_zone_lowmem_reserve (mm/page_alloc.c, 6.1). A node without ZONE_MOVABLE
        keeps nothing back from movable requests.
    """
    node, zone, pages = (np.asarray(x, np.int64) for x in (nids, types, managed))
    columns = np.arange(len(ZoneType))
    by_type = pages[:, None] * (zone[:, None] == columns)
    of_node = (node[:, None] == node).astype(np.int64) @ by_type
    above = np.cumsum(of_node * (columns > zone[:, None]), axis=1)
    ratio = np.array([ratios[t] for t in ZoneType])[zone]
    kept: Pages = above // np.maximum(ratio, 1)[:, None]
    kept[(ratio == 0) | (pages == 0)] = 0
    return kept


def buffer_pages(
    types: Sequence[int] | Pages, managed: Sequence[int] | Pages, high: Sequence[int] | Pages
) -> int:
    """Pages of all kernel zones above their high mark (nr_free_buffer_pages, 6.1).

    `high` includes boost, as the kernel's high_wmark_pages does; 0 before the first marks.
    """
    rows = zip(_numbers(types), _numbers(managed), _numbers(high), strict=True)
    return sum(max(m - h, 0) for t, m, h in rows if t <= ZoneType.NORMAL)


def plain_min_free_kb(buffers: int, cap_kb: int) -> int:
    """Return min_free_kbytes by the square-root rule (calculate_min_free_kbytes, 6.1)."""
    return min(max(isqrt(16 * 4 * buffers), MIN_FREE_FLOOR_KB), cap_kb)


def thp_min_free_kb(populated_kernel_zones: int, buffers: int) -> int:
    """Return the min_free_kbytes that huge pages ask for (set_recommended_min_free_kbytes).

    Zones count over all nodes; no more than 5 % of the buffer pages. mm/khugepaged.c, 6.1.
    """
    wanted = PAGEBLOCK_PAGES * THP_BLOCKS_PER_ZONE * populated_kernel_zones
    return min(wanted, buffers // 20) * 4


def share_min_free(
    types: Sequence[int] | Pages,
    managed: Sequence[int] | Pages,
    min_free_kb: int,
    highmem: frozenset[ZoneType] = frozenset({ZoneType.HIGHMEM}),
) -> tuple[Pages, Pages, Pages]:
    """Share min_free_kbytes out to the zones: min, low and high, each (Z,) int64 (A4).

    Every zone that is not highmem-like gets its part by managed pages; the others get
    managed/1024, 32 to 128 pages. The step from mark to mark is a quarter of the part, or
    0.1 % of the zone if that is more: __setup_per_zone_wmarks (mm/page_alloc.c, 6.1).
    """
    zones = list(zip(_numbers(types), _numbers(managed), strict=True))
    total = max(sum(m for t, m in zones if t not in highmem), 1)
    part = [min_free_kb // 4 * m // total for _, m in zones]
    least = [
        min(max(m // 1024, 32), 128) if t in highmem else p
        for (t, m), p in zip(zones, part, strict=True)
    ]
    step = [max(p // 4, m * SCALE_FACTOR // 10000) for (_, m), p in zip(zones, part, strict=True)]
    lowest, steps = np.array(least, np.int64), np.array(step, np.int64)
    return lowest, lowest + steps, lowest + 2 * steps


def _numbers(values: Sequence[int] | Pages) -> list[int]:
    """Return pages or types of the zones as Python's integers: they are few, and exact."""
    numbers: list[int] = np.asarray(values, np.int64).tolist()
    return numbers


def settle_watermarks(
    types: Sequence[int] | Pages,
    managed: Sequence[int] | Pages,
    rules: WatermarkRules,
    high_before: Sequence[int] | Pages | None = None,
) -> Watermarks:
    """Compute min_free_kbytes and all marks, the way one run of the kernel does.

    At boot `high_before` is absent. Later runs (a block onlined or offlined, huge pages
    switched off) start from the high marks in force, boost included, so that the result
    depends on the path taken. init_per_zone_wmark_min and khugepaged, 6.1.
    """
    before = np.zeros(len(managed), np.int64) if high_before is None else high_before
    plain = plain_min_free_kb(buffer_pages(types, managed, before), rules.cap_kb)
    marks = share_min_free(types, managed, plain, rules.highmem)
    settled = plain
    if rules.thp:
        rows = zip(_numbers(types), _numbers(managed), strict=True)
        zones = sum(1 for t, m in rows if m and t <= ZoneType.NORMAL)
        settled = max(plain, thp_min_free_kb(zones, buffer_pages(types, managed, marks[2])))
        if settled > plain:
            marks = share_min_free(types, managed, settled, rules.highmem)
    return Watermarks(settled, plain, *marks)


def marks_without_thp(
    types: Sequence[int] | Pages,
    managed: Sequence[int] | Pages,
    rules: WatermarkRules,
    high_before: Sequence[int] | Pages,
    runs: int = 1,
) -> Watermarks:
    """Compute all marks as they are once transparent huge pages have been switched off.

    min_free_kbytes goes back to the square root, from the managed pages of the moment less the high
    marks in force, boost included. runs: how often the kernel computes it, each time from its own
    marks (mm/khugepaged.c `start_stop_khugepaged`, `set_recommended_min_free_kbytes`, 6.1).
    """
    marks = settle_watermarks(types, managed, rules.without_thp(), high_before)
    for _ in range(runs - 1):
        marks = settle_watermarks(types, managed, rules.without_thp(), marks.high)
    return marks


def watermark_allows(free: int, mark: int, reserve: int, order: int = 0) -> bool:
    """Tell whether a zone passes the watermark test for one request (__zone_watermark_ok).

    `mark` includes boost; `reserve` is the zone's protection in the request's column. For
    order > 0 the kernel also wants a free block that large, which is not asked here.
    """
    return free - ((1 << order) - 1) > mark + reserve


def requests_allowed(free: int, mark: int, reserve: int, order: int = 0) -> int:
    """Count the requests that pass the test one after another, each taking its pages."""
    return max(0, (free - mark - reserve) >> order)
