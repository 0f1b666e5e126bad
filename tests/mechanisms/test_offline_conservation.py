"""Memory is used, pinned, isolated, offlined and brought back at random: nothing is lost.

Beside the machine stand plain arrays: what each frame must hold, for whom, and whether pinned.
"""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.hotplug import put_in
from hotmem_viz.mechanisms.hugetlb import grow_pool, release_huge_pages, use_huge_pages
from hotmem_viz.mechanisms.isolation import LRU_KINDS, VetoRule
from hotmem_viz.mechanisms.offline import (
    Verdict,
    cancel_offline,
    go_on,
    offline_block,
)
from hotmem_viz.mechanisms.pins import pin_pages, unpin_pages
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.memory.frames import FrameSet, union, unpack
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import HugeState, MigrateType, PageKind, SectionState, ZoneType
from tests.machines import fragment
from tests.slots import P, slots_machine
from tests.vetoes import veto_of

SWITCHABLE = (1, 2, 3, 7, 9, 10, 11)
"""Sections of one zone and without a hole; 0 has two zones, 8 a hole."""

NOBODY = (PageKind.HOLE, PageKind.FREE)


class Offlined(RuleBasedStateMachine):
    """A machine whose blocks go and come, beside what each frame must hold."""

    @initialize(
        profile=st.sampled_from(["6.1", "7.2"]), seed=st.integers(0, 10**6), full=st.booleans()
    )
    def boot(self, profile, seed, full):
        self.mem = slots_machine(profile)
        if full:
            fragment(self.mem, seed, runs=60, kinds=(*LRU_KINDS, PageKind.ANON, PageKind.SLAB))
        self.going = {}
        self._look()

    def _look(self):
        """Take the machine as it is for what must be; only after steps that say what they did."""
        mem = self.mem
        self.kind, self.owner = mem.kind.ravel().copy(), mem.owner.ravel().copy()
        self.pinned = unpack(mem.pinned_bits).ravel().astype(bool)

    def _follow(self, out):
        """Apply what a mechanism says it did, in its order: reclaim, then moves."""
        for frames in out.released:
            pfns = frames.pfns()
            moved = np.isin(pfns, np.concatenate([m.source for m in out.moves] or [[]]))
            gone = pfns[~moved]
            assert np.isin(self.kind[gone], (*LRU_KINDS, PageKind.RECLAIMABLE_SLAB)).all()
            assert not self.pinned[gone].any()
            self.kind[gone], self.owner[gone] = PageKind.FREE, 0
        for move in out.moves:
            source, target = move.source, move.target
            assert len(np.unique(source)) == len(source) == len(target) == len(np.unique(target))
            assert not self.pinned[source].any()
            huge = self.kind[source] == PageKind.HUGETLB
            assert (self.kind[target][~huge] == PageKind.FREE).all()
            for array, empty in ((self.kind, PageKind.FREE), (self.owner, 0)):
                array[target], array[source] = array[source], empty
            # A huge page that came out of the pool leaves a free one of the pool behind.
            left = source[huge]
            pooled = self.mem.kind.ravel()[left] == PageKind.HUGETLB
            self.kind[left[pooled]] = PageKind.HUGETLB
            self.owner[left] = self.mem.owner.ravel()[left]

    @rule(
        kind=st.sampled_from([PageKind.ANON, PageKind.PAGE_CACHE, PageKind.SLAB]),
        count=st.integers(1, 3000),
        nid=st.sampled_from([0, 1]),
        owner=st.integers(1, 3),
    )
    def alloc(self, kind, count, nid, owner):
        out = alloc_pages(self.mem, GFP_OF_KIND[kind], count, kind, owner=owner, nid=nid)
        given = union([out.frames]).pfns()
        assert (self.mem.types[given // 512] != MigrateType.ISOLATE).all()
        gone = union(out.released).pfns()
        assert not self.pinned[gone].any()
        assert (self.mem.types[gone // 512] != MigrateType.ISOLATE).all()
        self._look()

    @rule(seed=st.integers(0, 99), share=st.sampled_from([0.1, 0.6, 1.0]), owner=st.integers(1, 3))
    def free(self, seed, share, owner):
        mine = np.flatnonzero((self.owner == owner) & (self.kind != PageKind.HUGETLB))
        part = mine[np.random.default_rng(seed).random(len(mine)) < share]
        if len(part):
            free_pages(self.mem, FrameSet.of_pfns(part))
        self.kind[part], self.owner[part], self.pinned[part] = PageKind.FREE, 0, False

    @rule(seed=st.integers(0, 99), n=st.integers(1, 40), long_term=st.booleans())
    def pin(self, seed, n, long_term):
        mem = self.mem
        users = np.flatnonzero(np.isin(self.kind, LRU_KINDS))
        if not len(users):
            return
        chosen = np.unique(np.random.default_rng(seed).choice(users, n))
        before = self.pinned.copy()
        out = pin_pages(mem, FrameSet.of_pfns(chosen), long_term=long_term)
        self._follow(out)
        now = out.frames.pfns()
        assert len(now) == len(chosen)
        if out.refused:
            assert long_term
            assert self.pinned.sum() == before.sum()
        else:
            self.pinned[now] = True
            kept_free = mem.types[now // 512] == MigrateType.ISOLATE
            kept_free |= mem.zones.type[mem.zone.ravel()[now]] == ZoneType.MOVABLE
            assert not (long_term and kept_free.any())

    @rule(seed=st.integers(0, 99), share=st.sampled_from([0.3, 1.0]))
    def unpin(self, seed, share):
        pinned = np.flatnonzero(self.pinned)
        part = pinned[np.random.default_rng(seed).random(len(pinned)) < share]
        unpin_pages(self.mem, FrameSet.of_pfns(part))
        self.pinned[part] = False

    @rule(count=st.integers(1, 6), used=st.integers(0, 4), nid=st.sampled_from([0, 1]))
    def reserve_huge_pages(self, count, used, nid):
        grow_pool(self.mem, count, nid=nid)
        use_huge_pages(self.mem, used, owner=3, nid=nid)
        self._look()

    @rule(promised=st.integers(0, 2))
    def promise_huge_pages(self, promised):
        self.mem.huge_pool.reserved = promised

    @rule()
    def release_a_huge_page(self):
        used = np.flatnonzero(self.mem.huge_states == HugeState.USED)[:1]
        if len(used):
            start = int(used[0]) * 512
            release_huge_pages(self.mem, FrameSet.of_range(start, start + 512))
            self._look()

    @rule(section=st.sampled_from((*SWITCHABLE, 0, 8)), signal=st.booleans())
    def offline(self, section, signal):
        mem, start, end = self.mem, section * P, section * P + P
        if mem.section_state[section] != SectionState.ONLINE:
            return
        before = int(mem.zones.free.sum()), mem.types.copy()
        out = offline_block(mem, section, signal_at_ns=10**9 if signal else None)
        self._settle(out, start, end)
        torn = section in (0, 8)
        assert torn == (out.verdict is Verdict.EINVAL)
        if out.verdict in (Verdict.EINVAL, Verdict.EBUSY) and not out.granted:
            dissolved = out.reason == "failure to dissolve huge pages"
            assert dissolved or int(mem.zones.free.sum()) == before[0]
            if mem.profile.isolation_keeps_types and not dissolved:
                assert np.array_equal(mem.types, before[1])
        if out.verdict is Verdict.EBUSY and veto_of(out).rule is VetoRule.UNMOVABLE:
            assert veto_of(out).kind is PageKind.SLAB

    @precondition(lambda self: self.going)
    @rule(data=st.data(), give_up=st.booleans())
    def return_to_one_that_never_ended(self, data, give_up):
        start = data.draw(st.sampled_from(sorted(self.going)))
        out = self.going[start]
        out.moves, out.released = [], []
        if give_up:
            cancel_offline(self.mem, out)
        else:
            go_on(self.mem, out)
        self._settle(out, start, start + P)

    def _settle(self, out, start, end):
        """Book what an attempt did, and check that its verdict is the truth."""
        mem, part = self.mem, slice(start, end)
        self._follow(out)
        there = self.kind[part] == PageKind.HUGETLB
        dissolved = there & (mem.kind.ravel()[part] != PageKind.HUGETLB)
        self.kind[part][dissolved], self.owner[part][dissolved] = PageKind.FREE, 0
        if out.verdict is Verdict.NEVER_ENDS:
            self.going[start] = out
            left = ~np.isin(self.kind[part], NOBODY)
            assert left.any()
            if veto_of(out).rule is VetoRule.PINNED:
                assert self.pinned[part].any()
            assert (mem.types[start // 512 : end // 512] == MigrateType.ISOLATE).all()
            return
        self.going.pop(start, None)
        if out.verdict is Verdict.OK:
            assert (self.kind[part] == PageKind.FREE).all()
            self.kind[part] = PageKind.HOLE

    @rule(section=st.sampled_from(SWITCHABLE), movable=st.booleans())
    def online(self, section, movable):
        mem, start = self.mem, section * P
        if mem.section_state[section] != SectionState.OFFLINE:
            return
        zone = ZoneType.MOVABLE if movable else ZoneType.NORMAL
        put_in(mem, zone, start, start + P)
        self.kind[start : start + P] = PageKind.FREE

    @invariant()
    def everything_adds_up(self):
        validate_memory(self.mem)

    @invariant()
    def nothing_else_changed(self):
        mem = self.mem
        assert np.array_equal(mem.kind.ravel(), self.kind)
        assert np.array_equal(mem.owner.ravel(), self.owner)
        assert np.array_equal(unpack(mem.pinned_bits).ravel().astype(bool), self.pinned)

    @invariant()
    def what_is_isolated_is_what_is_going(self):
        isolated = (self.mem.types == MigrateType.ISOLATE).reshape(-1, P // 512)
        assert np.flatnonzero(isolated.any(axis=1)).tolist() == [s // P for s in sorted(self.going)]
        assert isolated[isolated.any(axis=1)].all()


Offlined.TestCase.settings = settings(
    deadline=None, derandomize=True, max_examples=60, stateful_step_count=30
)
TestOfflined = Offlined.TestCase
