"""How a section comes to hold a few kernel pages among users' pages: a burst that left survivors.

Kernel memory is asked for in a burst, and most of it is freed again; what survives lies scattered
(a slab page stays while one object in it lives). Users' pages fill the gaps, and then a large
program exits. Page tables of processes that started in the burst lie among the survivors.

Everything is drawn from a seed before the run, as shares of the pages that boot left free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.memory.census import count_by_section
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.units import MIB
from hotmem_viz.vocabulary import MigrateType, Movability, PageKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.remap_parameters import StopMachineParameters

TURNS = 6
BURST, EXITS = 0.4, 0.55
"""Share of the free memory that the burst takes, and of users' memory that exits [our choice]."""

MIXTURE = (
    (PageKind.RECLAIMABLE_SLAB, 0.55, "inodes and dentries"),
    (PageKind.SLAB, 0.35, "other slabs"),
    (PageKind.KERNEL_STACK, 0.1, "kernel stacks"),
)
"""What the burst asks for [our choice]."""

REMAPPED = [kind for kind, _, _ in MIXTURE]
BEST = 3
"""Sections among which the seed chooses."""

MAP_START = 1 << 30
"""First page of what a process maps: inside one PUD and aligned to it, so that tables are few."""


class Filling:
    """Fills a machine in turns; `survivors` are the kernel pages that the burst leaves."""

    def __init__(self, spaces: AddressSpaces, parameters: StopMachineParameters) -> None:
        p = parameters
        self.spaces, self.mem = spaces, spaces.mem
        self.residue, self.pages = p.residue, p.mapped * MIB
        self._rng = np.random.default_rng(p.seed)
        self._starts = np.diff(np.arange(TURNS + 1) * p.processes // TURNS)
        self._burst: list[FrameSet] = []
        self._leaving: list[FrameSet] = []
        mem = self.mem
        self._owners = {kind: mem.owners.add(name) for kind, _, name in MIXTURE}
        self._program = mem.owners.add("processes")
        self._users, self._large = mem.owners.add("programs"), mem.owners.add("a large program")

    def burst(self) -> Iterator[tuple[Outcome, np.ndarray]]:
        """Ask for kernel memory turn by turn; each brings processes too: outcome and their rows."""
        nids = self.mem.spec.nids
        pages = int(self.mem.zones.free.sum() * BURST) // TURNS
        for turn, count in enumerate(self._starts.tolist()):
            nid = nids[turn % len(nids)]
            out = Outcome()
            for kind, part, _ in MIXTURE:
                got = alloc_pages(
                    self.mem,
                    GFP_OF_KIND[kind],
                    int(pages * part),
                    kind,
                    owner=self._owners[kind],
                    nid=nid,
                )
                self._burst.append(got.frames)
                out.frames |= got.frames
            rows = self._start(count, nid, out)
            yield out, rows

    def _start(self, count: int, nid: int, out: Outcome) -> np.ndarray:
        """Start processes that map memory and touch a page in each 2 MiB of it."""
        before = self._table_frames()
        rows, _ = start_processes(self.spaces, count, self._program, nid=nid)
        maps = map_regions(self.spaces, rows, np.full(len(rows), MAP_START), self.pages)
        touched = np.full(len(rows), -(-self.pages // (2 * MIB)))
        touch(self.spaces, Access(maps, np.zeros(len(rows), np.int64), touched, 2 * MIB, False))
        new = np.setdiff1d(self._table_frames(), before)
        out.frames |= FrameSet.of_pfns(new)
        return rows

    def _table_frames(self) -> np.ndarray:
        """Return the frames of all tables of processes: (n,) int64, ascending."""
        t, several = self.spaces.tables, self.spaces.geometry.top_pages
        rows = np.flatnonzero(t.level[: t.used] >= 0)
        tops = rows[t.level[rows] == self.spaces.geometry.top]
        more = [t.frame[tops] + i for i in range(1, several)]
        return np.sort(np.concatenate([t.frame[rows], *more]))

    def shrink(self) -> Outcome:
        """Free all that the burst brought but a share, drawn page by page."""
        pfns = union(self._burst).pfns()
        gone = FrameSet.of_pfns(pfns[self._rng.random(len(pfns)) >= self.residue])
        free_pages(self.mem, gone)
        return Outcome(released=[gone])

    def users(self) -> Iterator[Outcome]:
        """Let programs take what is free, down to a little above where reclaim would begin."""
        zones = self.mem.zones
        room = int((zones.free - zones.high - zones.boost - zones.managed // 64).sum())
        large = int(room * EXITS)
        for owner, pages in ((self._large, large), (self._users, room - large)):
            for turn in range(TURNS):
                share = pages * (turn + 1) // TURNS - pages * turn // TURNS
                kind = PageKind.PAGE_CACHE if turn % 3 == 2 else PageKind.ANON
                nid = self.mem.spec.nids[turn % len(self.mem.spec.nids)]
                got = alloc_pages(
                    self.mem, GFP_OF_KIND[kind], share, kind, owner=owner, nid=nid,
                    may_reclaim=False,
                )  # fmt: skip
                if owner == self._large:
                    self._leaving.append(got.frames)
                yield got

    def leave(self) -> Outcome:
        """Let the large program exit."""
        frames = union(self._leaving)
        free_pages(self.mem, frames)
        return Outcome(released=[frames])

    def choose(self, wish: int) -> int:
        """Choose the section that has to go: the one wished for, or by the seed one of the best.

        Those hold nothing that boot or a device holds, movable pages, about as much residue as
        was asked for, and many page tables of processes.
        """
        if wish >= 0:
            return check_section(self.mem, wish)
        size, found = self.mem.spec.section_pages, np.flatnonzero(_removable(self.mem))
        if not len(found):
            raise ParameterError("section", wish, "this run has no section that could go")
        kinds = count_by_section(self.mem)[found]
        movable = kinds[:, [k for k in PageKind if k.movability is Movability.MOVES]]
        movable = movable.sum(axis=1) - kinds[:, PageKind.FREE] - kinds[:, PageKind.HOLE]
        slabs = kinds[:, REMAPPED].sum(axis=1)
        tables = np.bincount(self._table_frames() // size, minlength=self.mem.spec.n_sections)
        far = np.abs(slabs - self.residue * size) // (size // 20)
        order = np.lexsort((-tables[found], far, tables[found] == 0, movable == 0))
        return int(found[order[int(self._rng.integers(min(BEST, len(found))))]])


def _removable(mem: PhysicalMemory) -> np.ndarray:
    """Say which sections are whole, in one zone, and hold nothing that never moves: (S,) bool."""
    counts = count_by_section(mem)
    never = [k for k in PageKind if k.movability is Movability.NEVER]
    zones = mem.zone.reshape(mem.kind.shape)
    fine = (counts.sum(axis=1) == mem.spec.section_pages) & (counts[:, never].sum(axis=1) == 0)
    fine &= (zones[:, 0] == zones[:, -1]) & (mem.section_state == SectionState.ONLINE)
    fine &= counts[:, [k for k in PageKind if k > PageKind.FREE]].sum(axis=1) > 0
    pins = mem.pinned_bits.reshape(mem.spec.n_sections, -1).any(axis=1)
    return np.asarray(fine & ~pins)


def check_section(mem: PhysicalMemory, section: int) -> int:
    """Return a section that can be asked for; raises ParameterError for any other."""
    counts = count_by_section(mem).sum(axis=1) if section < mem.spec.n_sections else None
    zones = mem.zone.reshape(mem.kind.shape)
    if counts is None or counts[section] < mem.spec.section_pages:
        raise ParameterError("section", section, "a section of the machine without holes")
    if (mem.migratetype[section] == MigrateType.ISOLATE).any():
        raise ParameterError("section", section, "a section that is not set aside for devices")
    if zones[section, 0] != zones[section, -1]:
        raise ParameterError("section", section, "a section that lies in one zone")
    return section
