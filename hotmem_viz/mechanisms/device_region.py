"""A region for devices' pages alone: the mail's answer to pages that nothing can move (S39, S43).

A device knows its pages by their physical address, so they are confined, "where possible", to
memory that is never removed. Nobody built it; KERNEL.md 5.5, Q15 asks how pages would get there.
Here a driver says beforehand that a page will be a device's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.census import count_by_section
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, PageKind, SectionState


@dataclass
class DeviceRegion:
    """Whole sections that only devices' pages may use.

    sections: (n,) int64, ascending. held: pages of devices in it; spilled: those that found no
    room there and lie anywhere, so far.
    """

    mem: PhysicalMemory
    sections: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    held: int = 0
    spilled: int = 0

    @property
    def pages(self) -> int:
        """How large it is."""
        return len(self.sections) * self.mem.spec.section_pages

    def free_pfns(self, count: int) -> np.ndarray:
        """Return up to `count` of its free frames, the lowest first: (n,) int64."""
        size = self.mem.spec.section_pages
        at, page = np.nonzero(self.mem.kind[self.sections] == PageKind.FREE)
        return (self.sections[at] * size + page)[:count]


def set_aside(mem: PhysicalMemory, share: float, nid: int) -> DeviceRegion:
    """Set a share of memory aside on a node that stays, as whole sections, the highest free ones.

    Of 0 there is none; else it is rounded, and one section at least. Its free pages are of no use
    to anybody else: their pageblocks are isolated.
    """
    size = mem.spec.section_pages
    wanted = max(1, round(share * mem.spec.present_pages / size)) if share else 0
    free = count_by_section(mem)[:, PageKind.FREE] == size
    free &= mem.section_state == SectionState.ONLINE
    zones = mem.zone.reshape(mem.kind.shape)
    free &= (mem.zones.nid[zones[:, 0]] == nid) & (zones[:, 0] == zones[:, -1])
    sections = np.flatnonzero(free)[::-1][:wanted][::-1]
    if len(sections):
        per = size // PAGEBLOCK_PAGES
        blocks = (sections[:, None] * per + np.arange(per)).ravel()
        buddy.set_types(mem, blocks, MigrateType.ISOLATE)
    return DeviceRegion(mem, sections)


def alloc_for_device(region: DeviceRegion, count: int, owner: int, nid: int) -> Outcome:
    """Give a device pages, out of the region while it lasts; the rest is an ordinary request.

    owner: id; nid: node that asks. What spilled is in `by_zone` like any other page, and keeps the
    section where it lies for ever.
    """
    mem = region.mem
    pfns = region.free_pfns(count)
    frames = FrameSet.of_pfns(pfns)
    if len(frames):
        groups = np.unique(frames.words // GROUP_WORDS)
        count_blocks(mem, groups, -1)
        mem.fill(frames, PageKind.PINNED, owner)
        # Free pages of isolated blocks never counted as free, so they do not count as taken.
        mem.zones.free[:] += mem.count_by_zone(frames)
        count_blocks(mem, groups, +1)
    region.held += len(pfns)
    out = Outcome(len(pfns), frames=frames)
    rest = count - len(pfns)
    if not rest:
        return out
    spilt = alloc_pages(
        mem, GFP["KERNEL"], rest, PageKind.PINNED, owner=owner, nid=nid, may_reclaim=False
    )
    region.spilled += spilt.granted
    spilt.granted += len(pfns)
    spilt.frames |= frames
    return spilt
