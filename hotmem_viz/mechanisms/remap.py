"""The mail's proposal, step by step: a section's kernel pages move, their addresses stay.

Isolate, empty, classify, reserve; then, with the machine stopped: look again, copy, rewrite the
map, fix the page tables' parents; then go on. What may fail comes before the first write of the
map, and undoes everything (KERNEL.md 5.2, step 8). Nobody ever built it, and the mail leaves open
how: see the questions Q1 to Q15 there.

Left out: struct pages (Q3), the alias that the targets keep (Q5), tables of the kernel's own
half, which are copied like other pages, and what else knows physical addresses (Q8 to Q10).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.hotplug import take_out
from hotmem_viz.mechanisms.hugetlb import dissolve_free, find_used, migrate_huge_pages
from hotmem_viz.mechanisms.isolation import Isolation, undo_isolation
from hotmem_viz.mechanisms.migrate import (
    find_on_lru,
    migrate_pages,
    target_nodes,
    target_request,
)
from hotmem_viz.mechanisms.outcome import Moves, Outcome
from hotmem_viz.mechanisms.remap_targets import (
    Reservation,
    open_section,
    put_back,
    reserve_each,
    reserve_section,
)
from hotmem_viz.mechanisms.residue import Handling, Residue, classify
from hotmem_viz.mechanisms.table_walk import Walk, walk_all
from hotmem_viz.memory.address_map import NOWHERE, SCATTERED
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, PageKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.memory.address_map import AddressMap
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.memory.physical import PhysicalMemory


@unique
class Exit(Enum):
    """How an attempt ends; the value is how people write it."""

    OFFLINE = "offline"
    MIGRATED = "offline-migrated"
    EINTR = "EINTR"
    EBUSY = "EBUSY"
    ENOMEM = "ENOMEM"
    ABORTED = "ABORT"


@dataclass
class Remap:
    """One attempt on one section; the functions below take it from state to state.

    residue: what stayed. room: the frames reserved. walk: what the walk over all tables read.
    pfn: the page that ended it, -1 if none did. moved: pages that migrated.
    """

    amap: AddressMap
    section: int
    isolation: Isolation
    zone: int
    residue: Residue = field(default_factory=Residue.empty)
    room: Reservation = field(default_factory=Reservation)
    walk: Walk | None = None
    verdict: Exit | None = None
    pfn: int = -1
    moved: int = 0
    touched: list[FrameSet] = field(default_factory=list)

    @property
    def mem(self) -> PhysicalMemory:
        """The machine's memory."""
        return self.amap.mem

    @property
    def ended(self) -> bool:
        """Whether there is a verdict."""
        return self.verdict is not None

    @property
    def frames(self) -> FrameSet:
        """All frames of the section."""
        size = self.mem.spec.section_pages
        return FrameSet.of_range(self.section * size, (self.section + 1) * size)

    def enter(self, state: SectionState) -> None:
        """Set the section's state."""
        self.mem.section_state[self.section] = state


def start(amap: AddressMap, section: int) -> Remap:
    """Isolate a section; kernel pages do not veto it, as they do today (5.2, step 1).

    A target of other sections can leave as well (Q7). Raises ParameterError unless the section is
    online, whole and in one zone.
    """
    mem, size = amap.mem, amap.mem.spec.section_pages
    if not 0 <= section < mem.spec.n_sections or mem.section_state[section] not in (
        SectionState.ONLINE,
        SectionState.FAILED,
        SectionState.TARGET,
    ):
        raise ParameterError("section", section, "a section that is online")
    start_pfn, end_pfn = section * size, (section + 1) * size
    zones = {s.zone for s in mem.segments if s.start_pfn < end_pfn and start_pfn < s.end_pfn}
    if len(zones) != 1 or (mem.kind[section] == PageKind.HOLE).any():
        raise ParameterError("section", section, "a section without holes, in one zone")
    blocks = np.arange(start_pfn // PAGEBLOCK_PAGES, end_pfn // PAGEBLOCK_PAGES)
    types = amap.targets.get(section, mem.types[blocks].copy())
    buddy.set_types(mem, blocks, MigrateType.ISOLATE)
    remap = Remap(amap, section, Isolation(start_pfn, end_pfn, None, types), zones.pop())
    remap.enter(SectionState.ISOLATING)
    return remap


def empty(remap: Remap, pages: int) -> Outcome:
    """Migrate up to so many pages away, lowest first, huge ones whole; see `is_emptied`."""
    mem, iso = remap.mem, remap.isolation
    remap.enter(SectionState.EMPTYING)
    nid = int(mem.zones.nid[remap.zone])
    gfp, nodes = target_request(mem, remap.zone), target_nodes(mem, nid)
    movable = _without_pins(mem, find_on_lru(mem, iso.start_pfn, iso.end_pfn)).lowest(pages)
    out: Outcome = migrate_pages(mem, movable, gfp, nid=nid, nodes=nodes)
    huge = find_used(mem, iso.start_pfn, iso.end_pfn)
    if not len(movable) and len(huge):
        out = migrate_huge_pages(mem, huge, nid=nid, nodes=nodes)
    dissolve_free(mem, iso.start_pfn, iso.end_pfn)
    remap.moved += out.granted
    return out


def is_emptied(remap: Remap) -> bool:
    """Say whether nothing is left but kernel pages and pages that are pinned."""
    iso = remap.isolation
    return not len(_without_pins(remap.mem, find_on_lru(remap.mem, iso.start_pfn, iso.end_pfn)))


def find_residue(remap: Remap) -> Residue:
    """Classify what stayed, and tag its content.

    A page that a device or boot holds ends the attempt with EBUSY, one that could have migrated
    but found no room with ENOMEM.
    """
    remap.residue = found = classify(remap.mem, remap.section)
    untagged = found.pfns[remap.amap.contents.read(found.pfns) == 0]
    remap.amap.contents.write_new(untagged)
    remap.enter(SectionState.RESIDUAL)
    stays, no_room = found.only(Handling.DEVICE, Handling.BOOT), found.only(Handling.NO_ROOM)
    if len(stays):
        fail(remap, Exit.EBUSY, int(stays[0]))
    elif len(no_room):
        fail(remap, Exit.ENOMEM, int(no_room[0]))
    return found


def reserve(
    remap: Remap, spaces: AddressSpaces, *, whole: bool, leaving: Collection[int] = ()
) -> Outcome:
    """Reserve frames for the residue, with whatever else the stop may not ask for (5.2, step 6).

    whole: one empty section, else a frame for each page (Q1). leaving: nodes that have to go
    themselves, so that nothing may go there. ENOMEM ends the attempt.
    """
    remap.enter(SectionState.RESERVING)
    find = reserve_section if whole else reserve_each
    room = find(remap.amap, spaces, remap.residue, remap.zone, leaving)
    remap.room = room
    if room.refused:
        fail(remap, Exit.ENOMEM, int(remap.residue.pfns[0]))
        return Outcome(refused=room.refused, released=room.touched)
    return Outcome(granted=len(room.targets), frames=room.frames, released=room.touched)


def look_again(remap: Remap) -> bool:
    """With all CPUs stopped, look whether the residue is what it was; else end with no harm.

    Pages that were freed meanwhile are dropped from the list; one that a device has got since
    ends the attempt (5.2, step 7).
    """
    remap.enter(SectionState.STOPPED)
    now = classify(remap.mem, remap.section)
    if len(now.stuck) or len(np.setdiff1d(now.pfns, remap.residue.pfns)):
        guilty = [*now.stuck.tolist(), *np.setdiff1d(now.pfns, remap.residue.pfns).tolist()]
        fail(remap, Exit.ABORTED, guilty[0])
        return False
    still = np.isin(remap.residue.pfns, now.pfns)
    if not still.all():
        remap.touched.append(remap.room.keep(remap.mem, still))
        remap.residue = now
    return True


def copy(remap: Remap) -> Outcome:
    """Copy the residue into the frames reserved; the old frames keep what they contained."""
    mem, source, target = remap.mem, remap.residue.pfns, remap.room.targets
    if not len(source):
        return Outcome()
    by_pfn = np.argsort(target)
    kinds, owners = mem.kind.reshape(-1)[source], mem.owner.reshape(-1)[source]
    frames = FrameSet.of_pfns(target[by_pfn])
    mem.relabel(frames, kinds[by_pfn], owners[by_pfn])
    contents = remap.amap.contents
    contents.write(target, contents.read(source))
    old = FrameSet.of_pfns(source)
    return Outcome(
        granted=len(source), frames=frames, released=[old], moves=[Moves(source, target)]
    )


def write_map(remap: Remap) -> list[int]:
    """Rewrite the virtual-to-physical map; returns the virtual sections that it concerns (S28)."""
    amap, room, size = remap.amap, remap.room, remap.mem.spec.section_pages
    names = amap.names_of(remap.residue.pfns)
    moved: list[int] = np.unique(names // size).tolist()
    for slow in moved:
        mine = names // size == slow
        frames = amap.pages.setdefault(slow, np.full(size, NOWHERE, np.int64))
        frames[names[mine] % size] = room.targets[mine]
        # What had gone page by page to the section that leaves now stays scattered.
        whole = room.section >= 0 and remap.section in (slow, amap.found_in[slow])
        amap.found_in[slow] = room.section if whole else SCATTERED
    amap.targets.pop(remap.section, None)
    if room.section >= 0 and room.section in amap.found_in[moved]:
        amap.targets[room.section] = room.types
    elif room.section >= 0:
        open_section(remap.mem, room.section, room.types)
    if len(room.splits):
        amap.splits[remap.section] = room.splits
    return moved


def fix_tables(remap: Remap, spaces: AddressSpaces) -> Walk:
    """Walk all processes' tables and rewrite what points at a table that moved (S35, A15).

    Entries are rewritten where the walk finds them; a top table has CR3 instead of a parent.
    """
    remap.walk = rewrite_parents(spaces, remap.residue.pfns, remap.room.targets)
    return remap.walk


def rewrite_parents(spaces: AddressSpaces, source: np.ndarray, target: np.ndarray) -> Walk:
    """Point at tables where they lie now; source ascending, target: (n,) pfns."""
    t, walk = spaces.tables, walk_all(spaces, source)
    children = spaces.entries.entries[t.slot[walk.parents], walk.entry]
    for rows in (children, walk.tops):
        at = np.minimum(np.searchsorted(source, t.frame[rows]), max(len(source) - 1, 0))
        hit = source[at] == t.frame[rows] if len(source) else np.zeros(len(rows), bool)
        t.frame[rows[hit]] = target[at[hit]]
    return walk


def leave(remap: Remap) -> Outcome:
    """Take the section's frames out: OFFLINE if nothing of it lives on, else OFFLINE_MIGRATED."""
    mem, iso = remap.mem, remap.isolation
    if len(remap.residue):
        free_pages(mem, FrameSet.of_pfns(remap.residue.pfns))
    out = take_out(mem, iso.start_pfn, iso.end_pfn)
    lives = remap.section in remap.amap.pages
    remap.verdict = Exit.MIGRATED if lives else Exit.OFFLINE
    remap.enter(SectionState.OFFLINE_MIGRATED if lives else SectionState.OFFLINE)
    return out


def fail(remap: Remap, verdict: Exit, pfn: int = -1) -> None:
    """End an attempt: the section is back in use, what was reserved is free again.

    What has migrated stays where it went. A target stays a target.
    """
    remap.verdict, remap.pfn = verdict, pfn
    remap.touched += put_back(remap.mem, remap.room)
    if remap.section in remap.amap.targets:
        remap.enter(SectionState.TARGET)
        return
    undo_isolation(remap.mem, remap.isolation)
    remap.enter(SectionState.FAILED)


def _without_pins(mem: PhysicalMemory, frames: FrameSet) -> FrameSet:
    return FrameSet.of_nonzero(frames.words, frames.bits & ~mem.pinned_bits[frames.words])
