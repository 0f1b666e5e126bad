"""Switching transparent huge pages off at run time: their extra reserve is given up.

min_free_kbytes goes back to the square root, from the managed pages of the moment less the high
marks in force; marks are set anew, which also takes boosts away; protection stays as it was.
Source: mm/khugepaged.c `start_stop_khugepaged`, `set_recommended_min_free_kbytes`; mm/page_alloc.c
`calculate_min_free_kbytes`, `__setup_per_zone_wmarks` (6.1); KERNEL-CHECKED 3, 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.mechanisms.oom import total_reserve
from hotmem_viz.mechanisms.watermarks import settle_watermarks, watermark_rules

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def switch_off_huge_pages(mem: PhysicalMemory) -> None:
    """Set the marks as after `echo never` into transparent_hugepage/enabled."""
    zones = mem.zones
    rules = watermark_rules(mem.profile, mem.spec.arch, int(zones.managed.sum())).without_thp()
    marks = settle_watermarks(zones.type, zones.managed, rules, zones.high + zones.boost)
    zones.min[:], zones.low[:], zones.high[:] = marks.min, marks.low, marks.high
    zones.boost[:] = 0
    zones.total_reserve = total_reserve(zones.managed, marks.high, zones.protection.max(axis=1))
