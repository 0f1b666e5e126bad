"""No page is ever lost or in two places, whatever happens in whatever order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.reclaim import reclaim_directly, run_kswapd
from hotmem_viz.mechanisms.requests import GFP, GFP_OF_KIND
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType
from tests.machines import HELD_KINDS, NAMES, clone, fragment, make_machine
from tests.state_machine import MachineInUse

CACHES = (PageKind.PAGE_CACHE, PageKind.BUFFER)
SHRINKABLE = 2


class Memory(MachineInUse):
    """A machine under random use, beside two plain arrays that say what each frame must hold."""

    @initialize(name=st.sampled_from(NAMES), seed=st.integers(0, 10**6), full=st.booleans())
    def boot(self, name, seed, full):
        self.mem = make_machine(name)
        if full:
            fragment(self.mem, seed)
        self.sets = []
        self._remember()

    @rule(
        gfp=st.sampled_from(sorted(GFP)),
        kind=st.sampled_from(HELD_KINDS),
        order=st.integers(0, 10),
        count=st.integers(0, 900),
        nid=st.integers(0, 2),
        owner=st.integers(0, 3),
    )
    def alloc(self, gfp, kind, order, count, nid, owner):
        mem, request, nid = self.mem, GFP[gfp], nid % len(self.mem.spec.nodes)
        out = alloc_pages(mem, request, count, kind, order=order, owner=owner, nid=nid)
        zonelist = mem.zonelists[nid, request.highest]
        pfns = out.frames.pfns()
        assert out.granted + out.refused == count
        assert sum(out.by_zone.values()) == out.granted << order
        assert set(out.by_zone) <= set(zonelist)
        assert set(mem.zone.ravel()[pfns].tolist()) <= set(out.by_zone)
        self._released(out.released, self._mask(pfns), kind, owner)
        if out.released:
            assert len(pfns) <= out.granted << order
        else:
            blocks = pfns.reshape(out.granted, 1 << order)
            assert (blocks[:, 0] % (1 << order) == 0).all()
            assert (np.diff(blocks, axis=1) == 1).all()
        given = pfns[mem.kind.ravel()[pfns] > PageKind.FREE]
        self.kind[given], self.owner[given] = kind, owner
        if len(given):
            self.sets.append(given)
        verdicts = [r for r in out.reports if r.kind is EventKind.OOM]
        assert len(verdicts) == (out.refused > 0)
        if verdicts and order == 0:
            self._is_really_out(zonelist, request.highest)

    @precondition(lambda self: self.sets)
    @rule(data=st.data(), share=st.sampled_from([0.1, 0.5, 1]), seed=st.integers(0, 99))
    def free(self, data, share, seed):
        chosen = self.sets.pop(data.draw(st.integers(0, len(self.sets) - 1)))
        chosen = chosen[self.kind[chosen] > PageKind.FREE]
        part = chosen[np.random.default_rng(seed).random(len(chosen)) < share]
        if len(part):
            free_pages(self.mem, FrameSet.of_pfns(part))
        self.kind[part], self.owner[part] = PageKind.FREE, 0
        rest = np.setdiff1d(chosen, part)
        if len(rest):
            self.sets.append(rest)

    @rule(nid=st.integers(0, 2), highest=st.sampled_from(ZoneType))
    def kswapd(self, nid, highest):
        nid %= len(self.mem.spec.nodes)
        frames, _ = run_kswapd(self.mem, nid, highest)
        self._released([frames])
        zones = self.mem.zone.ravel()[frames.pfns()]
        assert set(self.mem.zones.nid[zones].tolist()) <= {nid}
        assert (self.mem.zones.type[zones] <= highest).all()

    @rule(pages=st.integers(0, 2000), nid=st.integers(0, 2), gfp=st.sampled_from(sorted(GFP)))
    def direct_reclaim(self, pages, nid, gfp):
        zonelist = self.mem.zonelists[nid % len(self.mem.spec.nodes), GFP[gfp].highest]
        frames = reclaim_directly(self.mem, zonelist, pages)
        assert len(frames) <= max(pages, 32)
        self._released([frames])

    @invariant()
    def everything_adds_up(self):
        validate_memory(self.mem)

    @invariant()
    def nothing_else_changed(self):
        assert np.array_equal(self.mem.kind.ravel(), self.kind)
        assert np.array_equal(self.mem.owner.ravel(), self.owner)

    def _remember(self):
        self.kind, self.owner = self.mem.kind.ravel().copy(), self.mem.owner.ravel().copy()

    def _mask(self, pfns):
        mask = np.zeros(self.mem.kind.size, bool)
        mask[pfns] = True
        return mask

    def _released(self, parts, given=None, kind=PageKind.ANON, owner=0):
        """Check and book what reclaim freed: only what it may, or what the same call had got."""
        gone = self._mask(union(parts).pfns())
        may = np.isin(self.kind, CACHES)
        may |= (self.kind == PageKind.RECLAIMABLE_SLAB) & (self.owner == SHRINKABLE)
        slab = kind is PageKind.RECLAIMABLE_SLAB and owner == SHRINKABLE
        if given is not None and (kind in CACHES or slab):
            may |= given
        assert not (gone & ~may).any()
        self.kind[gone], self.owner[gone] = PageKind.FREE, 0

    def _is_really_out(self, zonelist, highest):
        zones = self.mem.zones
        line = zones.min + zones.boost + zones.protection[:, highest]
        assert (zones.free[zonelist] <= line[zonelist]).all()
        assert not self.mem.zone_kinds[np.ix_(zonelist, CACHES)].any()


Memory.TestCase.settings = settings(
    deadline=None, derandomize=True, max_examples=40, stateful_step_count=25
)
TestMemory = Memory.TestCase


@pytest.mark.parametrize("name", NAMES)
def test_the_same_requests_give_the_same_memory(name):
    first = make_machine(name)
    fragment(first, 9)
    second = clone(first)
    for mem in (first, second):
        for kind, gfp in GFP_OF_KIND.items():
            alloc_pages(mem, gfp, 300, kind, owner=1)
    assert np.array_equal(first.kind, second.kind)
    assert np.array_equal(first.owner, second.owner)
    assert np.array_equal(first.types, second.types)


@pytest.mark.parametrize(
    ("machine", "options"),
    [("classroom", ""), ("classroom", "movablecore=50%"), ("mail", "movable_node"), ("pae", "")],
)
def test_a_booted_machine_adds_up_until_it_is_full(machine, options):
    spec = find_preset(machine)
    profile = find_profile("6.1-pae" if machine == "pae" else "6.1")
    mem = boot_machine(spec, parse_boot_options(options, strict=True), profile)
    validate_memory(mem)
    for kind in (PageKind.SLAB, PageKind.RECLAIMABLE_SLAB, PageKind.ANON):
        alloc_pages(mem, GFP_OF_KIND[kind], mem.spec.present_pages, kind, owner=1)
    alloc_pages(mem, GFP_OF_KIND[PageKind.PAGE_CACHE], 3000, PageKind.PAGE_CACHE, owner=1)
    validate_memory(mem)
    free = mem.zones.free <= mem.zones.min + mem.zones.boost + mem.zones.protection.max(axis=1)
    assert free.all()
