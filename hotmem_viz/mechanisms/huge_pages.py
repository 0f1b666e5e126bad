"""Switching transparent huge pages off at run time: the reserve that they asked for is given up.

Marks are set anew, which also takes boosts away; protection stays as it was. Source:
mm/khugepaged.c `start_stop_khugepaged`; mm/page_alloc.c `__setup_per_zone_wmarks` (6.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.mechanisms.oom import total_reserve
from hotmem_viz.mechanisms.watermarks import marks_without_thp, watermark_rules

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def switch_off_huge_pages(mem: PhysicalMemory) -> None:
    """Set the marks as after `echo never` into transparent_hugepage/enabled."""
    zones = mem.zones
    rules = watermark_rules(mem.profile, mem.spec.arch, int(zones.managed.sum()))
    before, runs = zones.high + zones.boost, mem.profile.thp_off_runs
    marks = marks_without_thp(zones.type, zones.managed, rules, before, runs)
    zones.min[:], zones.low[:], zones.high[:] = marks.min, marks.low, marks.high
    zones.boost[:] = 0
    zones.total_reserve = total_reserve(zones.managed, marks.high, zones.protection.max(axis=1))
