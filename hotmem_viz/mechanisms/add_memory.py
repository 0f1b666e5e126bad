"""Memory that is plugged in, comes online, and is pulled out again.

Adding pays at once, in kernel memory: the memory map (64 bytes a page), page tables that map the
block and its map, and the devices in sysfs. Onlining only moves the block into a zone.

Left out: node data of a new node, and the kernel's own large pages of 1 GiB, which would save
the page tables.

Sources: mm/memory_hotplug.c, 6.1: add_memory_resource, mhp_supports_memmap_on_memory,
try_remove_memory; 6.12: create_altmaps_and_memory_blocks; arch/x86/mm/init_64.c:
vmemmap_populate; drivers/base/memory.c: memory_block_online. KERNEL-CHECKED 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE, ONLINE_MOVABLE
from hotmem_viz.machine.zone_plan import scaled
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.hotplug import put_in
from hotmem_viz.mechanisms.online_zone import choose_zone
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.added import AddedMemory, MemoryGroup
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.vocabulary import (
    PAGE_SIZE,
    PAGEBLOCK_ORDER,
    PAGEBLOCK_PAGES,
    PageKind,
    SectionState,
)

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.memory.physical import PhysicalMemory

MAPPED_BY_A_TABLE = (1 << 18, 1 << 27, 1 << 24)
"""Pages of memory whose direct map one PMD table serves (1 GiB in 2 MiB pages), one PUD table
(512 GiB), and whose memory map one PMD table serves (64 GiB)."""

OWNER = "added memory"


def add_memory(
    mem: PhysicalMemory,
    start_pfn: int,
    end_pfn: int,
    options: BootOptions,
    group: MemoryGroup | None = None,
) -> Outcome:
    """Plug in the memory [start_pfn, end_pfn), whole memory blocks of a slot.

    group: the device that it belongs to; by default a DIMM of just this range. The blocks are
    offline then, unless options or kernel online them at once. An Outcome with `refused` 1 says
    that kernel memory did not suffice: all that was taken is free again, and reports tell of OOM.
    Raises ParameterError for what is no empty slot.
    """
    sections = _blocks(mem, start_pfn, end_pfn)
    if (mem.section_state[sections] != SectionState.ABSENT).any():
        raise ParameterError("range", (start_pfn, end_pfn), "slots that are empty")
    if len({mem.spec.node_of(p) for p in (start_pfn, end_pfn - 1)}) > 1:
        raise ParameterError("range", (start_pfn, end_pfn), "slots of one node")
    group = group or MemoryGroup(start_pfn, end_pfn)
    own_map = own_map_pages(mem, end_pfn - start_pfn, options, group)
    bill = _Bill(mem, mem.spec.node_of(start_pfn))
    bill.take(_new_tables(mem, start_pfn, end_pfn), PageKind.PAGE_TABLE)
    if not own_map:
        bill.take_maps(len(sections))
    bill.take(_device_pages(mem, end_pfn - start_pfn), PageKind.SLAB)
    out = bill.out
    if out.refused:
        free_pages(mem, union(bill.parts))
        return out
    out.frames = union(bill.parts)
    mem.added.append(AddedMemory(start_pfn, end_pfn, out.frames, own_map))
    if group not in mem.groups:
        mem.groups.append(group)
    mem.section_state[sections] = SectionState.OFFLINE
    state = options.hotplug.default_state or mem.profile.default_state
    if state != OFFLINE:
        online = online_memory(mem, start_pfn, end_pfn, options, how=state)
        out.frames, out.by_zone = out.frames | online.frames, online.by_zone
    return out


def online_memory(
    mem: PhysicalMemory, start_pfn: int, end_pfn: int, options: BootOptions, *, how: str = ONLINE
) -> Outcome:
    """Online offline memory blocks one after another; `how` is written to each block's state.

    Each block's zone is chosen when its turn comes (`choose_zone`); where `how` says it, and the
    memory was added as one, the blocks come in together. Answers with the frames and the pages
    that came into each zone. Raises ParameterError as `choose_zone` and `put_in` do.
    """
    _blocks(mem, start_pfn, end_pfn)
    out, size, step = Outcome(), mem.spec.block_pages, mem.spec.block_pages
    if how == ONLINE_MOVABLE and any(
        a.start_pfn <= start_pfn and end_pfn <= a.end_pfn for a in mem.added
    ):
        step = end_pfn - start_pfn
    for start in range(start_pfn, end_pfn, step):
        own = next((a.own_map for a in mem.added if a.start_pfn <= start < a.end_pfn), 0)
        zone_type = choose_zone(mem, start, start + size, how, options)
        done = put_in(mem, zone_type, start, start + step, own_map=own, blocks=step // size)
        for zone, pages in done.by_zone.items():
            out.by_zone[zone] = out.by_zone.get(zone, 0) + pages
        out.granted += step // size
    out.frames = FrameSet.of_range(start_pfn, end_pfn)
    return out


def remove_memory(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Outcome:
    """Pull out memory that was added as one; what was paid for it becomes free.

    All its blocks must be offline: else the answer is a refusal, as the kernel's -EBUSY. Raises
    ParameterError for a range that was not added as one.
    """
    added = next((a for a in mem.added if (a.start_pfn, a.end_pfn) == (start_pfn, end_pfn)), None)
    if added is None:
        raise ParameterError("range", (start_pfn, end_pfn), "memory that was added as one")
    sections = _blocks(mem, start_pfn, end_pfn)
    if (mem.section_state[sections] != SectionState.OFFLINE).any():
        return Outcome(refused=1)
    mem.section_state[sections] = SectionState.ABSENT
    mem.added.remove(added)
    left = [a.start_pfn for a in mem.added]
    mem.groups[:] = [g for g in mem.groups if any(g.start_pfn <= a < g.end_pfn for a in left)]
    out = Outcome(granted=1)
    if len(added.held):
        free_pages(mem, added.held)
        out.released.append(added.held)
    return out


def own_map_pages(mem: PhysicalMemory, pages: int, options: BootOptions, group: MemoryGroup) -> int:
    """Pages at the start of each added block that hold its own map; 0 where they cannot.

    The map must fill whole 2 MiB pages and leave whole pageblocks, which classroom blocks do
    not; on 6.1 the added size must be one block. virtio-mem does not ask for it.
    """
    block = mem.spec.block_pages
    size = block * mem.profile.struct_page_bytes
    fits = size % (PAGEBLOCK_PAGES * PAGE_SIZE) == 0 and block % PAGEBLOCK_PAGES == 0
    one = pages == block or mem.profile.own_map_per_block
    wanted = options.hotplug.memmap_on_memory and not group.unit_pages
    return size // PAGE_SIZE if wanted and fits and one else 0


class _Bill:
    """What adding memory takes from kernel zones, so that it can be given back."""

    def __init__(self, mem: PhysicalMemory, nid: int) -> None:
        self.mem, self.nid = mem, nid
        self.owner = mem.owners.add(OWNER)
        self.out = Outcome(granted=1)
        self.parts: list[FrameSet] = []

    def take(self, pages: int, kind: PageKind) -> None:
        """Take single pages, reclaiming if need be; nothing more once something was refused."""
        if self.out.refused:
            return
        got = alloc_pages(self.mem, GFP["KERNEL"], pages, kind, owner=self.owner, nid=self.nid)
        self.parts.append(got.frames)
        self.out.reports += got.reports
        self.out.released += got.released
        if got.refused:
            self.out.granted, self.out.refused = 0, 1

    def take_maps(self, sections: int) -> None:
        """Take the memory maps: in one piece each, or in single pages with a table to map them."""
        if self.out.refused:
            return
        mem = self.mem
        pages = mem.spec.section_pages * mem.profile.struct_page_bytes // PAGE_SIZE
        order = min((pages - 1).bit_length(), PAGEBLOCK_ORDER)
        pieces = sections * -(-pages >> order)
        got = alloc_pages(
            mem,
            GFP["KERNEL"],
            pieces,
            PageKind.MEMMAP,
            order=order,
            owner=self.owner,
            nid=self.nid,
            may_reclaim=False,
        )
        self.parts.append(got.frames)
        self.out.reports += got.reports
        if got.refused:
            single = got.refused << order
            self.take(single, PageKind.MEMMAP)
            self.take(-(-single // PAGEBLOCK_PAGES), PageKind.PAGE_TABLE)


def _new_tables(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> int:
    """Count the page tables that mapping new memory needs and no older memory has brought."""
    old = [(r.start_pfn, r.end_pfn) for n in mem.spec.nodes for r in n.ranges]
    old += [(a.start_pfn, a.end_pfn) for a in mem.added]
    tables = 0
    for pages in MAPPED_BY_A_TABLE:
        new = set(range(start_pfn // pages, (end_pfn - 1) // pages + 1))
        for start, end in old:
            new -= set(range(start // pages, (end - 1) // pages + 1))
        tables += len(new)
    return tables


def _device_pages(mem: PhysicalMemory, pages: int) -> int:
    """Count the pages that block devices and their sysfs nodes cost, measured for the build."""
    blocks = pages // mem.spec.block_pages
    profile = mem.profile
    cost = blocks * profile.added_block_bytes + profile.added_device_bytes
    return scaled(-(-cost // PAGE_SIZE), mem.spec.scale)


def _blocks(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> np.ndarray:
    """Return the sections of whole memory blocks: (n,) int64; refuses anything else."""
    size, block = mem.spec.section_pages, mem.spec.block_pages
    inside = 0 <= start_pfn < end_pfn <= mem.spec.n_sections * size
    if start_pfn % block or end_pfn % block or not inside:
        raise ParameterError("range", (start_pfn, end_pfn), f"memory blocks of {block} pages")
    return np.arange(start_pfn // size, end_pfn // size)
