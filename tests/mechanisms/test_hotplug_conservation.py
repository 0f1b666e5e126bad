"""Memory is plugged in, onlined, used, offlined and pulled out at random: nothing is lost."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory, remove_memory
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.hotplug import take_out
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind, SectionState, ZoneType
from tests.machines import fragment
from tests.slots import SLOTS, P, slots_machine
from tests.state_machine import MachineInUse

OPTIONS = [
    parse_boot_options(text, strict=True)
    for text in (
        "",
        "movable_node",
        "memory_hotplug.online_policy=auto-movable",
        "memory_hotplug.online_policy=auto-movable memory_hotplug.auto_movable_ratio=30",
        "memhp_default_state=online_movable",
    )
]
SWITCHABLE = (1, 2, 3, 7, 9, 10, 11)
"""Boot sections of one zone and without a hole; section 0 has two zones, 8 a hole."""


class Slots(MachineInUse):
    """A machine with slots, beside plain lists of what each section is and was paid with."""

    @initialize(
        profile=st.sampled_from(["6.1", "6.12"]),
        wish=st.sampled_from(OPTIONS),
        seed=st.integers(0, 10**6),
        full=st.booleans(),
    )
    def boot(self, profile, wish, seed, full):
        self.mem, self.wish = slots_machine(profile), wish
        if full:
            fragment(self.mem, seed, runs=40)
        self.paid = {}
        # What zone each frame lies in, frame by frame; -1 is nothing.
        self.zone_of = np.full(self.mem.kind.size, -1)
        for start, end, zone in self.mem.segments:
            self.zone_of[start:end] = zone

    @rule(
        kind=st.sampled_from(sorted(GFP_OF_KIND)),
        order=st.integers(0, 4),
        count=st.integers(1, 900),
        nid=st.sampled_from([0, 1, 4]),
    )
    def alloc(self, kind, order, count, nid):
        kind = PageKind(kind)
        out = alloc_pages(self.mem, GFP_OF_KIND[kind], count, kind, order=order, owner=1, nid=nid)
        assert (self.zone_of[out.frames.pfns()] >= 0).all()
        assert set(out.by_zone) <= set(self.mem.zonelists[nid, GFP_OF_KIND[kind].highest])

    @rule(seed=st.integers(0, 99), share=st.sampled_from([0.2, 0.9]))
    def free(self, seed, share):
        mine = np.flatnonzero(self.mem.owner.ravel() == 1)
        part = mine[np.random.default_rng(seed).random(len(mine)) < share]
        if len(part):
            free_pages(self.mem, FrameSet.of_pfns(part))

    @rule(slot=st.sampled_from(SLOTS), section=st.integers(0, 3), n=st.integers(1, 2))
    def add(self, slot, section, n):
        _, low, high = slot
        start = min(low + section * P, high - P)
        end = min(start + n * P, high)
        mem, state = self.mem, self.mem.section_state[start // P : end // P]
        if (state != SectionState.ABSENT).any():
            return
        free = int(mem.zones.free.sum())
        out = add_memory(mem, start, end, self.wish)
        assert out.granted + out.refused == 1
        if out.refused:
            assert out.reports
            assert (state == SectionState.ABSENT).all()
            return
        self.paid[start, end] = len(mem.added[-1].held)
        assert self.paid[start, end] >= 32 * (end - start) // P + 3
        self._came(start, end, free - self.paid[start, end], out)

    @precondition(lambda self: (self.mem.section_state == SectionState.OFFLINE).any())
    @rule(data=st.data(), how=st.sampled_from(["online", "online_kernel", "online_movable"]))
    def online(self, data, how):
        mem = self.mem
        offline = np.flatnonzero(mem.section_state == SectionState.OFFLINE).tolist()
        start = data.draw(st.sampled_from(offline)) * P
        out = online_memory(mem, start, start + P, self.wish, how=how)
        if how == "online_movable":
            assert (mem.zones.type[list(out.by_zone)] == ZoneType.MOVABLE).all()
        if how == "online_kernel":
            assert (mem.zones.type[list(out.by_zone)] != ZoneType.MOVABLE).all()
        self._came(start, start + P, int(mem.zones.free.sum()) - P, out)

    def _came(self, start, end, free, out):
        """Check what came online of a range, and that the rest of free memory is as it was."""
        mem = self.mem
        pages = sum(out.by_zone.values())
        for section in range(start // P, end // P):
            if mem.section_state[section] == SectionState.ONLINE:
                self.zone_of[section * P : section * P + P] = mem.zone[section]
                assert set(np.unique(mem.zone[section])) <= set(out.by_zone)
        assert pages in (0, end - start)
        assert int(mem.zones.free.sum()) >= free + pages

    @rule(data=st.data())
    def offline(self, data):
        mem = self.mem
        online = mem.section_state == SectionState.ONLINE
        allowed = [
            s for s in np.flatnonzero(online).tolist() if s in SWITCHABLE or s == 6 or s > 11
        ]
        if not allowed:
            return
        start = data.draw(st.sampled_from(allowed)) * P
        held = start + np.flatnonzero(mem.kind[start // P] > PageKind.FREE)
        if (mem.owner[start // P] > 1).any() or any(self._maps(held)):
            return
        if len(held):
            free_pages(mem, FrameSet.of_pfns(held))
        zone = int(mem.zone[start // P, 0])
        out = take_out(mem, start, start + P)
        assert out.by_zone == {zone: P}
        self._check_span(zone, start, start + P)
        self.zone_of[start : start + P] = -1

    def _maps(self, pfns):
        """Say of which frames somebody else is sure that they are held."""
        return (np.isin(pfns, added.held.pfns()).any() for added in self.mem.added)

    def _check_span(self, zone, start, end):
        """The span's ends lie on the zone's first and last 2 MiB, looked up frame by frame."""
        mine = self.zone_of == zone
        mine[start:end] = False
        low, high = int(self.mem.zones.start_pfn[zone]), int(self.mem.zones.end_pfn[zone])
        if not mine.any():
            assert not self.mem.zones.present[zone]
            return
        assert low <= np.flatnonzero(mine)[0]
        assert high >= np.flatnonzero(mine)[-1] + 1
        # An end that the section was at has moved to where the zone's memory begins or ends.
        assert start != low
        assert end != high

    @precondition(lambda self: self.paid)
    @rule(data=st.data())
    def remove(self, data):
        mem = self.mem
        start, end = data.draw(st.sampled_from(sorted(self.paid)))
        states = mem.section_state[start // P : end // P]
        free = int(mem.zones.free.sum())
        out = remove_memory(mem, start, end)
        if out.refused:
            assert (states == SectionState.ONLINE).any()
            return
        assert (states == SectionState.ABSENT).all()
        assert int(mem.zones.free.sum()) == free + self.paid.pop((start, end))

    @invariant()
    def everything_adds_up(self):
        mem = self.mem
        validate_memory(mem)
        there = mem.kind.ravel() != PageKind.HOLE
        assert np.array_equal(there, self.zone_of >= 0)
        assert np.array_equal(mem.zone.ravel()[there], self.zone_of[there])
        counted = np.bincount(self.zone_of[there], minlength=len(mem.zones))
        assert mem.zones.present.tolist() == counted.tolist()
        assert mem.zones.managed.tolist() == counted.tolist()

    @invariant()
    def zonelists_name_the_zones_that_have_memory(self):
        mem = self.mem
        for (_, highest), zonelist in mem.zonelists.items():
            expected = np.flatnonzero((mem.zones.managed > 0) & (mem.zones.type <= highest))
            assert sorted(zonelist) == expected.tolist()


Slots.TestCase.settings = settings(
    deadline=None, derandomize=True, max_examples=60, stateful_step_count=30
)
TestSlots = Slots.TestCase
