"""Room for what has to move with the machine stopped: a whole section, or a frame for each page.

"Update the kernel virt->phys mapping for the section" reads like one base a section, hence a whole
empty section however little stayed; "those unmovable pages" like a frame each, hence another table
and broken 2 MiB mappings. The mail does not say (Q1, Q4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.census import count_by_section
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, PageKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.mechanisms.residue import Residue
    from hotmem_viz.memory.address_map import AddressMap
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.memory.physical import PhysicalMemory

OWNER = "reserved for a remap"
SPLITS = "broken 2 MiB mappings"


@dataclass
class Reservation:
    """Frames for the residue: targets (n,) int64, one a page in its order.

    section: the section that is reserved whole, -1 for a frame each; types: what its pageblocks
    were. splits: page tables for the mappings that have to be broken. refused: requests that
    found no room; nothing is held then.
    """

    targets: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    section: int = -1
    types: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))
    splits: FrameSet = field(default_factory=FrameSet.empty)
    refused: int = 0
    touched: list[FrameSet] = field(default_factory=list)

    @property
    def frames(self) -> FrameSet:
        """All frames that were taken."""
        return FrameSet.of_pfns(np.sort(self.targets)) | self.splits

    def keep(self, mem: PhysicalMemory, wanted: np.ndarray) -> FrameSet:
        """Give back the frames of pages that need none any more. wanted: (n,) bool."""
        spare = FrameSet.of_pfns(np.sort(self.targets[~wanted]))
        free_pages(mem, spare)
        self.targets = self.targets[wanted]
        return spare


def reserve_section(
    amap: AddressMap,
    _spaces: AddressSpaces,
    residue: Residue,
    zone: int,
    leaving: Collection[int] = (),
) -> Reservation:
    """Reserve a whole empty section: of the same node (Q14) and zone first, the lowest of them.

    Its zone must stay above its min mark. The frames that nothing is copied to stay free, but
    isolated: of no use to anybody until the section is drained. leaving: nodes to keep off.
    """
    mem, size = amap.mem, amap.mem.spec.section_pages
    section = find_empty_section(mem, zone, leaving)
    if section < 0:
        return Reservation(refused=1)
    targets = section * size + residue.pfns % size
    frames = FrameSet.of_pfns(targets)
    groups = np.unique(frames.words // GROUP_WORDS)
    count_blocks(mem, groups, -1)
    mem.fill(frames, PageKind.KERNEL_BUFFER, mem.owners.add(OWNER))
    count_blocks(mem, groups, +1)
    blocks = _blocks(mem, section)
    types = mem.types[blocks].copy()
    buddy.set_types(mem, blocks, MigrateType.ISOLATE)
    mem.section_state[section] = SectionState.TARGET
    return Reservation(targets, section, types)


def find_empty_section(mem: PhysicalMemory, zone: int, leaving: Collection[int] = ()) -> int:
    """Find a section that is online, whole, free and on none of some nodes, or else -1."""
    size = mem.spec.section_pages
    free = count_by_section(mem)[:, PageKind.FREE] == size
    free &= mem.section_state == SectionState.ONLINE
    free &= ~(mem.migratetype == MigrateType.ISOLATE).any(axis=1)
    found = np.flatnonzero(free)
    zones = mem.zone.reshape(mem.kind.shape)[found, 0]
    spare = mem.zones.free - size >= mem.zones.min + mem.zones.boost
    spare &= ~np.isin(mem.zones.nid, list(leaving))
    found, zones = found[spare[zones]], zones[spare[zones]]
    far = 2 * (mem.zones.nid[zones] != mem.zones.nid[zone]) + (zones != zone)
    return int(found[np.argsort(far, kind="stable")][0]) if len(found) else -1


def reserve_each(
    amap: AddressMap,
    spaces: AddressSpaces,
    residue: Residue,
    zone: int,
    leaving: Collection[int] = (),
) -> Reservation:
    """Reserve a frame for each page, and a page table for each 2 MiB mapping to be broken.

    A top table of two frames gets two that lie side by side. All ask as the kernel does, without
    reclaim: nothing may be half reserved. leaving: nodes to keep off.
    """
    mem, owner = amap.mem, amap.mem.owners.add(OWNER)
    nid, room = int(mem.zones.nid[zone]), Reservation(np.full(len(residue), -1, np.int64))
    nodes = [n for n in mem.spec.nids if n not in leaving]
    pairs = _paired(spaces, residue)
    single = np.ones(len(residue), bool)
    single[pairs.ravel()] = False
    split = len(np.unique(residue.pfns // PAGEBLOCK_PAGES))
    wishes = (
        (len(pairs), max(pairs.shape[1].bit_length() - 1, 0), PageKind.KERNEL_BUFFER, owner),
        (int(single.sum()), 0, PageKind.KERNEL_BUFFER, owner),
        (split, 0, PageKind.PAGE_TABLE, mem.owners.add(SPLITS)),
    )
    got = []
    for count, order, kind, whose in wishes:
        out = alloc_pages(
            mem,
            GFP["KERNEL"],
            count,
            kind,
            order=order,
            owner=whose,
            nid=nid,
            nodes=nodes,
            may_reclaim=False,
        )
        got.append(out.frames)
        room.refused += out.refused
    if room.refused:
        room.touched = [frames for frames in got if len(frames)]
        for frames in room.touched:
            free_pages(mem, frames)
        room.targets = room.targets[:0]
        return room
    room.targets[pairs.ravel()] = got[0].pfns()
    room.targets[single] = got[1].pfns()
    room.splits = got[2]
    return room


def put_back(mem: PhysicalMemory, room: Reservation) -> list[FrameSet]:
    """Give up a reservation: all its frames are free and in use again; returns them."""
    if room.refused:
        return []
    frames = room.frames
    if len(frames):
        free_pages(mem, frames)
    if room.section >= 0:
        open_section(mem, room.section, room.types)
    return [frames]


def open_section(mem: PhysicalMemory, section: int, types: np.ndarray) -> None:
    """Open a section that was reserved whole to requests again."""
    buddy.set_types(mem, _blocks(mem, section), types, merge=True)
    mem.section_state[section] = SectionState.ONLINE


def _paired(spaces: AddressSpaces, residue: Residue) -> np.ndarray:
    """Find the frames of top tables that have several: (n, top_pages) places in the residue."""
    several, t = spaces.geometry.top_pages, spaces.tables
    if several < 2:
        return np.empty((0, 1), np.int64)
    rows = np.flatnonzero(t.level[: t.used] == spaces.geometry.top)
    heads = t.frame[rows][np.isin(t.frame[rows], residue.pfns)]
    return np.searchsorted(residue.pfns, np.sort(heads))[:, None] + np.arange(several)


def _blocks(mem: PhysicalMemory, section: int) -> np.ndarray:
    per = mem.spec.section_pages // PAGEBLOCK_PAGES
    return np.arange(section * per, (section + 1) * per)
