"""Everything at once: requests, processes and their tables, pins, memory that goes and comes.

One machine with slots; beside it stands only how many frames each owner holds. Whatever the order,
every kept count is a recount, no page is lost or in two places, and mappings find their pages.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.page_geometry import GEOMETRIES
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory, remove_memory
from hotmem_viz.mechanisms.address_spaces import add_segment, map_regions, start_processes
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.faults import fault, populate
from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.mechanisms.offline import Verdict, cancel_offline, go_on, offline_block
from hotmem_viz.mechanisms.outcome import Moves
from hotmem_viz.mechanisms.pins import pin_pages, unpin_pages
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.mechanisms.reverse_map import follow_moves
from hotmem_viz.mechanisms.touching import Access
from hotmem_viz.mechanisms.unmapping import exit_process, unmap_region
from hotmem_viz.memory.address_spaces import AddressSpaces, HugeUse
from hotmem_viz.memory.frames import FrameSet, unpack
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.vocabulary import MigrateType, PageKind, SectionState
from tests.slots import SLOTS, P, slots_machine
from tests.state_machine import MachineInUse

PROCESS = 4
PLACES = st.sampled_from([0, 700, 262144 - 300, 400_000])
OPTIONS = [
    parse_boot_options(text, strict=True)
    for text in ("", "memory_hotplug.online_policy=auto-movable", "memhp_default_state=online")
]
KINDS = (
    PageKind.ANON,
    PageKind.PAGE_CACHE,
    PageKind.RECLAIMABLE_SLAB,
    PageKind.SLAB,
    PageKind.KERNEL_STACK,
)


class Everything(MachineInUse):
    """A machine on which everything happens that the mechanisms know."""

    @initialize(
        profile=st.sampled_from(["6.1", "6.12", "7.2"]),
        geometry=st.sampled_from(["4-level", "5-level"]),
        wish=st.sampled_from(OPTIONS),
    )
    def boot(self, profile, geometry, wish):
        self.mem, self.wish = slots_machine(profile), wish
        assert self.mem.owners.add("a process") == PROCESS
        self.s = AddressSpaces(self.mem, GEOMETRIES[geometry])
        self.shared = add_segment(self.s, 900, PROCESS)
        segment = self.s.segments[self.shared]
        assert segment is not None
        segment.users = 1
        self.going, self.added = {}, set()
        rows, _ = start_processes(self.s, 3, PROCESS)
        maps = map_regions(self.s, rows, [700, 5000, 262144 - 300], 1100)
        fault(self.s, Access(maps, np.zeros(3, int), np.array([367, 300, 3]), 3, True))

    @rule(
        kind=st.sampled_from(KINDS),
        order=st.integers(0, 3),
        count=st.integers(1, 1200),
        nid=st.sampled_from([0, 1, 4]),
        owner=st.integers(1, 3),
    )
    def alloc(self, kind, order, count, nid, owner):
        before = self._held()
        out = alloc_pages(
            self.mem, GFP_OF_KIND[kind], count, kind, order=order, owner=owner, nid=nid
        )
        gone = sum(len(f) for f in out.released)
        assert self._held().sum() == before.sum() + (out.granted << order) - gone
        inside = out.frames.pfns() // 512
        assert (self.mem.types[inside] != MigrateType.ISOLATE).all()

    @rule(seed=st.integers(0, 99), share=st.sampled_from([0.1, 0.7, 1.0]), owner=st.integers(1, 3))
    def free(self, seed, share, owner):
        mem = self.mem
        mine = np.flatnonzero(mem.owner.ravel() == owner)
        part = mine[np.random.default_rng(seed).random(len(mine)) < share]
        before = self._held()
        if len(part):
            free_pages(mem, FrameSet.of_pfns(part))
        before[owner] -= len(part)
        assert np.array_equal(self._held(), before)

    @rule(count=st.integers(1, 3))
    def start(self, count):
        if len(self.s.alive()) < 6:
            start_processes(self.s, count, PROCESS)

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(data=st.data(), place=PLACES, pages=st.integers(1, 1500), shared=st.booleans())
    def map(self, data, place, pages, shared):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        segment, pages = (self.shared, min(pages, 900)) if shared else (-1, pages)
        m = self.s.mappings
        mine = m.space[: m.used] == space
        if (mine & (m.start[: m.used] < place + pages) & (m.end[: m.used] > place)).any():
            with pytest.raises(ParameterError, match="overlap"):
                map_regions(self.s, [space], [place], pages, segment=segment)
        else:
            map_regions(self.s, [space], [place], pages, segment=segment)

    @precondition(lambda self: bool(len(self.s.mappings)))
    @rule(data=st.data(), step=st.sampled_from([1, 3, 512]), ahead=st.booleans())
    def touch(self, data, step, ahead):
        m = self.s.mappings
        row = data.draw(st.sampled_from(np.flatnonzero(m.space[: m.used] >= 0).tolist()))
        pages = -(-int(m.end[row] - m.start[row]) // step)
        access = Access(np.array([row]), np.array([0]), np.array([pages]), step, True)
        done = (populate if ahead else fault)(self.s, access)
        assert done.refused or done.killed or done.pages == done.wanted

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(data=st.data(), place=PLACES, pages=st.integers(0, 1500))
    def unmap(self, data, place, pages):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        unmap_region(self.s, space, place, pages)

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(data=st.data())
    def exit(self, data):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        freed = exit_process(self.s, space)
        assert (self.mem.kind.ravel()[freed.pfns()] == PageKind.FREE).all()

    @rule(seed=st.integers(0, 99), n=st.integers(1, 20), long_term=st.booleans())
    def pin(self, seed, n, long_term):
        users = np.flatnonzero(np.isin(self.mem.kind.ravel(), LRU_KINDS))
        if len(users):
            chosen = np.unique(np.random.default_rng(seed).choice(users, n))
            out = pin_pages(self.mem, FrameSet.of_pfns(chosen), long_term=long_term)
            follow_moves(self.s, out.moves)

    @rule()
    def unpin(self):
        bits = self.mem.pinned_bits
        unpin_pages(self.mem, FrameSet.of_nonzero(np.arange(len(bits)), bits.copy()))

    @rule(data=st.data(), where_processes_are=st.booleans())
    def offline(self, data, where_processes_are):
        mem = self.mem
        online = mem.section_state == SectionState.ONLINE
        theirs = online & (mem.owner == PROCESS).any(axis=1)
        chosen = theirs if where_processes_are and theirs.any() else online
        section = data.draw(st.sampled_from(np.flatnonzero(chosen).tolist()))
        self._settle(section, offline_block(mem, section))

    @precondition(lambda self: self.going)
    @rule(data=st.data(), give_up=st.booleans())
    def return_to_one_that_never_ended(self, data, give_up):
        section = data.draw(st.sampled_from(sorted(self.going)))
        out = self.going.pop(section)
        out.moves = []
        (cancel_offline if give_up else go_on)(self.mem, out)
        self._settle(section, out)

    def _settle(self, section, out):
        """Let mappings follow, and check that the verdict is the truth about the section."""
        follow_moves(self.s, out.moves)
        kinds = self.mem.kind[section]
        if out.verdict is Verdict.NEVER_ENDS:
            self.going[section] = out
            assert (kinds > PageKind.FREE).any()
        elif out.verdict is Verdict.OK:
            assert (kinds == PageKind.HOLE).all()

    @rule(slot=st.sampled_from(SLOTS), section=st.integers(0, 2))
    def add(self, slot, section):
        start = min(slot[1] + section * P, slot[2] - P)
        if self.mem.section_state[start // P] == SectionState.ABSENT:
            out = add_memory(self.mem, start, start + P, self.wish)
            if not out.refused:
                self.added.add(start)

    @precondition(lambda self: (self.mem.section_state == SectionState.OFFLINE).any())
    @rule(data=st.data(), how=st.sampled_from(["online", "online_kernel", "online_movable"]))
    def online(self, data, how):
        offline = np.flatnonzero(self.mem.section_state == SectionState.OFFLINE).tolist()
        start = data.draw(st.sampled_from(offline)) * P
        online_memory(self.mem, start, start + P, self.wish, how=how)
        assert (self.mem.kind[start // P] == PageKind.FREE).all()

    @precondition(lambda self: self.added)
    @rule(data=st.data())
    def remove(self, data):
        start = data.draw(st.sampled_from(sorted(self.added)))
        state = self.mem.section_state[start // P]
        out = remove_memory(self.mem, start, start + P)
        assert bool(out.refused) == (state != SectionState.OFFLINE)
        if not out.refused:
            self.added.discard(start)

    @invariant()
    def everything_adds_up(self):
        mem = self.mem
        validate_memory(mem)
        validate_spaces(self.s)
        pinned = unpack(mem.pinned_bits).ravel().astype(bool)
        assert np.isin(mem.kind.ravel()[pinned], LRU_KINDS).all()

    @invariant()
    def processes_hold_what_they_map_and_nothing_else(self):
        mem, s = self.mem, self.s
        kinds = mem.kind.ravel()[mem.owner.ravel() == PROCESS]
        private = sum(len(vpn) for pieces in s.pages.values() for vpn, _ in pieces)
        segment = s.segments[self.shared]
        assert segment is not None
        assert (kinds == PageKind.ANON).sum() == private + (segment.frames >= 0).sum()
        tables = sum(s.table_pages(int(space)) for space in s.alive())
        assert (kinds == PageKind.PAGE_TABLE).sum() == tables

    @invariant()
    def only_what_is_going_is_isolated(self):
        isolated = (self.mem.types == MigrateType.ISOLATE).reshape(-1, P // 512)
        assert np.flatnonzero(isolated.any(axis=1)).tolist() == sorted(self.going)

    def _held(self):
        """Frames in use by owner; owner 0 includes what the machine itself took."""
        used = self.mem.kind.ravel() > PageKind.FREE
        return np.bincount(self.mem.owner.ravel()[used], minlength=16)


Everything.TestCase.settings = settings(
    deadline=None, derandomize=True, max_examples=60, stateful_step_count=40
)
TestEverything = Everything.TestCase


def test_part_of_a_huge_page_is_not_followed():
    mem = slots_machine()
    owner = mem.owners.add("a process")
    s = AddressSpaces(mem, GEOMETRIES["4-level"])
    (space,), _ = start_processes(s, 1, owner)
    maps = map_regions(s, [int(space)], [512], 512, huge=HugeUse.TRANSPARENT)
    fault(s, Access(maps, np.array([0]), np.array([1]), 1, True))
    head = int(s.huge_pages[int(space)][0][1][0])
    with pytest.raises(ParameterError, match=f"moves.*{head}"):
        follow_moves(s, [Moves(np.array([head + 3]), np.array([5]))])
