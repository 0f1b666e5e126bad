"""The last steps of boot: watermarks, and what the started system has allocated.

Source: mm/page_alloc.c, 6.1: init_per_zone_wmark_min; KERNEL-CHECKED 2, 3, 5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.boot_use import USER_REQUESTS, BootUse
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.oom import total_reserve
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.watermarks import protection, settle_watermarks, watermark_rules
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory

TURN_PAGES = 64
"""Pages that the booting kernel asks for before another kind of them has its turn."""


def boot_machine(spec: MachineSpec, options: BootOptions, profile: KernelProfile) -> PhysicalMemory:
    """Boot a machine: zones, reserved memory, watermarks, the started system's own pages.

    Raises ParameterError where the machine is too small for the kernel to start.
    """
    plan = plan_zones(spec, options, profile)
    layout = lay_out_boot(spec, plan, options, profile)
    mem = build_memory(spec, plan, layout, profile)
    count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    set_watermarks(mem, layout.initial_pages(plan))
    kernel = mem.owners.add("kernel, since boot")
    park_on_lists(mem, owner=kernel)
    late = _hold_late(mem, layout.late, owner=kernel)
    kernels = [use for use in layout.used if use.gfp not in USER_REQUESTS]
    for use in _in_turns(kernels):
        alloc_pages(mem, GFP[use.gfp], use.pages, use.kind, owner=kernel, nid=use.nid)
    if len(late):
        free_pages(mem, late)
    init = mem.owners.add("start-up")
    for use in layout.used:
        if use not in kernels:
            gfp = GFP[use.gfp]
            owner = init if gfp.highest == ZoneType.MOVABLE else kernel
            alloc_pages(mem, gfp, use.pages, use.kind, owner=owner, nid=use.nid)
    return mem


def _hold_late(mem: PhysicalMemory, ranges: tuple[tuple[int, int], ...], *, owner: int) -> FrameSet:
    """Keep init memory from the allocator until the kernel is up."""
    late = union([FrameSet.of_range(*r) for r in ranges])
    late = FrameSet.of_nonzero(late.words, late.bits & mem.free_bits[late.words])
    if len(late):
        groups = np.unique(late.words // GROUP_WORDS)
        count_blocks(mem, groups, -1)
        mem.fill(late, PageKind.KERNEL_IMAGE, owner)
        count_blocks(mem, groups, +1)
    return late


def _in_turns(uses: list[BootUse]) -> Iterator[BootUse]:
    """Let what the kernel uses grow together, about 64 pages a turn, as it does: it boots but once.

    So pages of different types meet in one pageblock where there are few.
    """
    turns = max(1, sum(use.pages for use in uses) // TURN_PAGES)
    for turn in range(turns):
        for use in uses:
            pages = use.pages * (turn + 1) // turns - use.pages * turn // turns
            if pages:
                yield replace(use, pages=pages)


def park_on_lists(mem: PhysicalMemory, *, owner: int) -> None:
    """Take what boot leaves on per-CPU lists, free in name but out of a workload's reach.

    Blocks of the size of a huge page come back to the lists (since 5.13) and stay while a zone's
    lists hold no more than its low mark (zone_highsize, mm/page_alloc.c). How many there are was
    measured for each build.
    """
    zones, most = mem.zones, -(-mem.profile.footprint.percpu_lists // mem.spec.scale)
    first = int(zones.nid.min())
    for z in range(len(zones)):
        if most and (zones.nid[z], zones.type[z]) == (first, ZoneType.DMA32):
            pages = min(most, int(zones.low[z]))
            alloc_pages(mem, GFP["DMA32"], pages, PageKind.KERNEL_BUFFER, owner=owner, nid=first)


def set_watermarks(mem: PhysicalMemory, initial: Mapping[tuple[int, ZoneType], int]) -> None:
    """Write protection and marks, from the managed pages of the time (A3, A4).

    initial: pages by (node, zone), at boot those from before init memory was freed. Kernels
    whose protection follows the managed pages have it from what the zones manage now.
    """
    zones = mem.zones
    managed = np.array(
        [
            initial.get((int(n), ZoneType(int(t))), 0)
            for n, t in zip(zones.nid, zones.type, strict=True)
        ]
    )
    rules = watermark_rules(mem.profile, mem.spec.arch, int(managed.sum()))
    zones.thp = rules.thp
    marks = settle_watermarks(zones.type, managed, rules)
    zones.min[:], zones.low[:], zones.high[:] = marks.min, marks.low, marks.high
    if mem.profile.reserve_follows_managed:
        managed = zones.managed.astype(np.int64)
    zones.protection[:] = protection(zones.nid, zones.type, managed, mem.profile.reserve_ratios)
    zones.total_reserve = total_reserve(managed, marks.high, zones.protection.max(axis=1))
