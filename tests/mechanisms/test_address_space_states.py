"""Processes that start, map, touch, unmap and exit at random, under conservation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.page_geometry import GEOMETRIES
from hotmem_viz.mechanisms.address_spaces import add_segment, map_regions, start_processes
from hotmem_viz.mechanisms.faults import fault, populate
from hotmem_viz.mechanisms.table_walk import tables_of
from hotmem_viz.mechanisms.touching import Access
from hotmem_viz.mechanisms.unmapping import exit_process, unmap_region
from hotmem_viz.memory.address_spaces import AddressSpaces, HugeUse
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.vocabulary import PageKind
from tests.machines import NAMES, make_machine

OWNER = 4
PLACES = st.sampled_from([0, 400, 1536, 262144 - 900, 262144 * 2 + 77, 700_000])


class Processes(RuleBasedStateMachine):
    """A machine whose memory is given to processes alone, until nothing is left of it."""

    @initialize(
        name=st.sampled_from(NAMES),
        geometry=st.sampled_from(sorted(GEOMETRIES)),
        high=st.booleans(),
        tops=st.sampled_from([1, 2]),
    )
    def boot(self, name, geometry, high, tops):
        self.mem = make_machine(name)
        self.mem.owners.add("a process")
        chosen = GEOMETRIES[geometry]
        if geometry == "4-level":
            chosen = replace(chosen, top_pages=tops)
        self.free = self.mem.free_bits.copy()
        self.s = AddressSpaces(self.mem, chosen, high)
        self.shared = add_segment(self.s, 3000, OWNER)
        segment = self.s.segments[self.shared]
        assert segment is not None
        segment.users = 1

    @rule(count=st.integers(0, 3), adj=st.sampled_from([0, 0, 900, -1000]))
    def start(self, count, adj):
        if len(self.s.alive()) < 6:
            start_processes(self.s, count, OWNER, score_adj=adj)

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(
        data=st.data(),
        place=PLACES,
        off=st.integers(0, 900),
        pages=st.integers(1, 2500),
        how=st.sampled_from(["private", "private", "shared", "thp", "hugetlb"]),
    )
    def map(self, data, place, off, pages, how):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        more, start = {}, place + off
        if how == "shared":
            pages = min(pages, 2000)
            more = {"segment": self.shared, "offset": off}
        elif how != "private":
            size = 1 << self.s.geometry.huge_order
            start, pages = start // size * size, -(-pages // size) * size
            more = {"huge": HugeUse.TRANSPARENT if how == "thp" else HugeUse.HUGETLB}
        taken = self._meets(space, start, start + pages)
        if taken or start + pages > self.s.geometry.user_pages:
            with pytest.raises(ParameterError, match=r"overlap|pages 0 to"):
                map_regions(self.s, [space], [start], pages, **more)
        else:
            map_regions(self.s, [space], [start], pages, **more)

    @precondition(lambda self: bool(len(self.s.mappings)))
    @rule(
        data=st.data(),
        step=st.sampled_from([1, 1, 5, 512, 700]),
        write=st.booleans(),
        ahead=st.booleans(),
        part=st.floats(0, 1),
    )
    def touch(self, data, step, write, ahead, part):
        m = self.s.mappings
        row = data.draw(st.sampled_from(np.flatnonzero(m.space[: m.used] >= 0).tolist()))
        pages = int(m.end[row] - m.start[row])
        if m.huge[row]:
            pages, step = pages >> self.s.geometry.huge_order, 1
        first = int(part * (pages - 1))
        count = max(1, int(part * (pages - first) / step))
        access = Access(np.array([row]), np.array([first]), np.array([count]), step, write)
        done = (populate if ahead else fault)(self.s, access)
        assert 0 <= done.pages <= done.wanted
        assert done.refused or done.killed or done.pages == done.wanted
        assert not (ahead and done.killed)
        assert not set(done.killed) & set(self.s.alive().tolist())

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(data=st.data(), place=PLACES, off=st.integers(0, 900), pages=st.integers(0, 3000))
    def unmap(self, data, place, off, pages):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        pages = min(pages, self.s.geometry.user_pages - place - off)
        cut = [self._cuts_huge(space, border) for border in (place + off, place + off + pages)]
        if any(cut):
            with pytest.raises(ParameterError, match="may not be cut"):
                unmap_region(self.s, space, place + off, pages)
        else:
            unmap_region(self.s, space, place + off, pages)

    def _meets(self, space, start, end):
        m = self.s.mappings
        mine = m.space[: m.used] == space
        return bool((mine & (m.start[: m.used] < end) & (m.end[: m.used] > start)).any())

    def _cuts_huge(self, space, border):
        row = self.s.find_mapping(space, border)
        inside = row >= 0 and self.s.mappings.start[row] < border and self.s.mappings.huge[row]
        return bool(inside and border % (1 << self.s.geometry.huge_order))

    @precondition(lambda self: bool(len(self.s.alive())))
    @rule(data=st.data())
    def exit(self, data):
        space = data.draw(st.sampled_from(self.s.alive().tolist()))
        freed = exit_process(self.s, space)
        assert (self.mem.kind.ravel()[freed.pfns()] == PageKind.FREE).all()

    @invariant()
    def everything_adds_up(self):
        if not hasattr(self, "s"):
            return
        validate_memory(self.mem)
        validate_spaces(self.s)
        tables = sum(self.s.table_pages(int(space)) for space in self.s.alive())
        assert self.mem.zone_kinds[:, PageKind.PAGE_TABLE].sum() == tables
        for space in self.s.alive():
            rows = tables_of(self.s, int(space))
            assert len(rows) == self.s.spaces.levels[space].sum()

    def teardown(self):
        if hasattr(self, "s"):
            for space in self.s.alive():
                exit_process(self.s, int(space))
            segment = self.s.segments[self.shared]
            assert segment is not None
            frames = segment.frames
            assert self.mem.zone_kinds[:, PageKind.ANON].sum() == (frames >= 0).sum()
            assert not self.mem.zone_kinds[:, PageKind.PAGE_TABLE].any()


Processes.TestCase.settings = settings(
    deadline=None, derandomize=True, max_examples=60, stateful_step_count=30
)
TestProcesses = Processes.TestCase
