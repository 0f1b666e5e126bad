"""Offlining: every refusal reached, in order; endless attempts told honestly; hand counts."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.costs import FAILED_PAGE_NS, MIGRATE_PAGE_NS, OFFLINE_PAGE_NS
from hotmem_viz.mechanisms.hotplug import put_in
from hotmem_viz.mechanisms.isolation import VetoRule
from hotmem_viz.mechanisms.offline import (
    Verdict,
    cancel_offline,
    go_on,
    offline_block,
    start_offline,
)
from hotmem_viz.mechanisms.pins import pin_pages, unpin_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, SECTION_FIELDS, ZONE_FIELDS
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import EventKind, MigrateType, PageKind, SectionState, ZoneType
from tests.machines import make_machine, occupy
from tests.slots import slots_machine
from tests.vetoes import verdict_of, veto_of

P = 2048


def block_of(pfn):
    """Return the memory block of a frame of the machine with slots."""
    return pfn // P


def state(mem):
    fields = PAGE_FIELDS + SECTION_FIELDS + COUNT_FIELDS
    arrays = {f.name: getattr(mem, f.name).tobytes() for f in fields}
    return arrays | {f.name: getattr(mem.zones, f.name).tobytes() for f in ZONE_FIELDS}


def fill_all_but(mem, start, end, spare):
    """Fill what lies outside a range but for its `spare` highest frames; no zone keeps any back."""
    mem.zones.min[:] = mem.zones.low[:] = mem.zones.high[:] = 0
    mem.zones.protection[:] = 0
    free = np.flatnonzero(mem.kind.ravel() == PageKind.FREE)
    outside = free[(free < start) | (free >= end)]
    occupy(mem, outside[: len(outside) - spare], PageKind.SLAB, 3)


@pytest.fixture
def mem():
    return slots_machine()


def test_an_empty_block_leaves(mem):
    zone = mem.zones.row(1, ZoneType.MOVABLE)
    free, managed = int(mem.zones.free[zone]), int(mem.zones.managed[zone])
    out = offline_block(mem, block_of(20480))
    assert (out.verdict, out.passes, out.granted, out.veto) == (Verdict.OK, 1, 0, None)
    assert out.time_ns == P * OFFLINE_PAGE_NS
    assert (mem.zones.free[zone], mem.zones.managed[zone]) == (free - P, managed - P)
    assert mem.zones.start_pfn[zone] == 22528
    assert mem.section_state[10] == SectionState.OFFLINE
    assert (mem.kind[10] == PageKind.HOLE).all()
    assert [r.kind for r in out.reports] == [EventKind.ISOLATED, EventKind.OFFLINED]
    validate_memory(mem)


def test_a_used_block_leaves_after_its_pages_have_moved(mem):
    occupy(mem, np.arange(20500, 21500), PageKind.ANON, 2)
    out = offline_block(mem, block_of(20480))
    assert (out.verdict, out.passes, out.granted) == (Verdict.OK, 2, 1000)
    assert out.time_ns == 1000 * MIGRATE_PAGE_NS + P * OFFLINE_PAGE_NS
    assert out.moves[0].source.tolist() == list(range(20500, 21500))
    assert (mem.kind.ravel()[out.moves[0].target] == PageKind.ANON).all()
    validate_memory(mem)


def test_a_block_of_several_sections(mem):
    big = slots_machine(block_sections=2, pluggable=(), hotplug=True)
    occupy(big, np.arange(24000, 24300), PageKind.ANON, 2)
    out = offline_block(big, 20480 // (2 * P))
    assert (out.verdict, out.end_pfn - out.start_pfn, out.granted) == (Verdict.OK, 2 * P, 300)
    assert (big.section_state[10:12] == SectionState.OFFLINE).all()
    assert big.zones.present[big.zones.row(1, ZoneType.MOVABLE)] == 0
    validate_memory(big)


@pytest.mark.parametrize(
    ("pfn", "reason"),
    [(0, "multizone range"), (12288 - 8192, "ok"), (16384, "memory holes")],
)
def test_two_zones_and_holes_are_refused_before_any_scan(mem, pfn, reason):
    occupy(mem, np.array([17000]), PageKind.SLAB)
    before = state(mem)
    out = offline_block(mem, block_of(pfn))
    if reason == "ok":
        assert out.verdict is Verdict.OK
        return
    assert (out.verdict, out.reason, out.veto) == (Verdict.EINVAL, reason, None)
    assert (out.passes, out.time_ns) == (0, 0)
    assert state(mem) == before
    assert [r.kind for r in out.reports] == [EventKind.OFFLINE_REFUSED]


def test_memory_of_several_nodes_belongs_to_no_single_zone():
    out = offline_block(make_machine("woven"), 1)
    assert (out.verdict, out.reason) == (Verdict.EINVAL, "multizone range")


def test_a_kernel_page_vetoes_and_all_is_as_before():
    mem = slots_machine("7.2")
    occupy(mem, np.array([14500]), PageKind.PAGE_TABLE, 1)
    occupy(mem, np.arange(15000, 15500), PageKind.ANON, 2)
    before = state(mem)
    out = offline_block(mem, block_of(14336))
    assert (out.verdict, out.reason) == (Verdict.EBUSY, "failure to isolate range")
    veto = veto_of(out)
    assert (veto.pfn, veto.kind, veto.owner) == (14500, PageKind.PAGE_TABLE, "cache")
    assert veto.rule is VetoRule.UNMOVABLE
    assert state(mem) == before
    facts = out.reports[-1].facts
    assert (facts["kind"], facts["rule"], facts["verdict"]) == ("PAGE_TABLE", "UNMOVABLE", "EBUSY")


def test_boot_memory_vetoes_in_zone_movable_too(mem):
    mem.kind[10, 5] = PageKind.MEMMAP
    assert veto_of(offline_block(mem, 10)).rule is VetoRule.RESERVED


def test_a_signal_ends_it_and_what_moved_stays_moved():
    mem = slots_machine("7.2")
    occupy(mem, np.arange(20500, 20600), PageKind.ANON, 2)
    pin_pages(mem, FrameSet.of_range(20510, 20512))
    free = int(mem.zones.free[mem.zones.row(1, ZoneType.MOVABLE)])
    out = offline_block(mem, 10, signal_at_ns=10**9)
    assert (out.verdict, out.reason, out.granted) == (Verdict.EINTR, "signal backoff", 98)
    first = 98 * MIGRATE_PAGE_NS + 2 * 10 * FAILED_PAGE_NS
    round_ns = 2 * 10 * FAILED_PAGE_NS
    assert out.passes == 1 + -(-(10**9 - first) // round_ns)
    assert out.time_ns == first + (out.passes - 1) * round_ns
    assert 10**9 <= out.time_ns < 10**9 + round_ns
    assert (veto_of(out).pfn, veto_of(out).rule) == (20510, VetoRule.PINNED)
    assert (mem.types[40:44] == MigrateType.MOVABLE).all()
    assert mem.section_state[10] == SectionState.ONLINE
    assert mem.zones.free[mem.zones.row(1, ZoneType.MOVABLE)] == free + 98
    assert out.reports[-1].kind is EventKind.INTERRUPTED
    validate_memory(mem)


def test_a_signal_before_the_first_round_moves_nothing():
    mem = slots_machine("7.2")
    occupy(mem, np.arange(20500, 20600), PageKind.ANON, 2)
    before = state(mem)
    out = offline_block(mem, 10, signal_at_ns=0)
    assert (out.verdict, out.passes, out.granted) == (Verdict.EINTR, 0, 0)
    assert state(mem) == before


def test_a_pin_makes_it_endless_until_it_is_dropped(mem):
    occupy(mem, np.arange(20500, 20600), PageKind.ANON, 2)
    pin_pages(mem, FrameSet.of_range(20510, 20512))
    out = offline_block(mem, 10, patience_ns=10**9)
    assert (out.verdict, out.granted) == (Verdict.NEVER_ENDS, 98)
    assert (veto_of(out).pfn, veto_of(out).rule) == (20510, VetoRule.PINNED)
    assert out.time_ns >= 10**9
    assert mem.section_state[10] == SectionState.GOING_OFFLINE
    assert (mem.types[40:44] == MigrateType.ISOLATE).all()
    assert (out.reports[-1].kind, out.reports[-1].pfn) == (EventKind.NEVER_ENDS, 20510)
    validate_memory(mem)
    tried = out.time_ns
    unpin_pages(mem, FrameSet.of_range(20510, 20512))
    go_on(mem, out)
    assert (out.verdict, out.granted, out.veto) == (Verdict.OK, 100, None)
    assert out.time_ns == tried + 2 * MIGRATE_PAGE_NS + P * OFFLINE_PAGE_NS
    validate_memory(mem)


def test_without_room_it_is_endless_and_a_little_room_is_used_first():
    mem = slots_machine()
    occupy(mem, np.arange(20480, 21480), PageKind.ANON, 2)
    fill_all_but(mem, 20480, 24576, 0)
    free_pages(mem, FrameSet.of_range(14400, 14700))
    out = offline_block(mem, 10)
    assert (out.verdict, out.granted) == (Verdict.NEVER_ENDS, 300)
    assert (veto_of(out).pfn, veto_of(out).rule) == (20780, VetoRule.NO_ROOM)
    assert mem.zones.free[mem.zones.row(1, ZoneType.MOVABLE)] == 2048
    validate_memory(mem)


def test_a_kernel_page_in_zone_movable_that_boot_did_not_reserve_is_waited_for(mem):
    occupy(mem, np.array([20600]), PageKind.PINNED, 3)
    out = offline_block(mem, 10)
    assert (out.verdict, veto_of(out).rule) == (Verdict.NEVER_ENDS, VetoRule.UNMOVABLE)
    cancel_offline(mem, out)
    assert out.verdict is Verdict.EINTR
    validate_memory(mem)


def test_the_oom_killer_ends_what_has_no_room():
    """A Movable DIMM whose pages find no room: what is free is isolated, so the hog dies.

    KERNEL-CHECKED 16, seen on 6.1 and 6.12.
    """
    mem = slots_machine()
    hog = mem.owners.add("hog")
    dimm = (24576, 26624)
    mem.section_state[12] = SectionState.OFFLINE
    put_in(mem, ZoneType.MOVABLE, *dimm)
    fill_all_but(mem, *dimm, 100)
    occupy(mem, np.arange(dimm[0], dimm[0] + 1500), PageKind.ANON, hog)
    out = offline_block(mem, 12)
    assert out.verdict is Verdict.NEVER_ENDS
    in_dimm = FrameSet.of_range(*dimm)
    free_there = int(np.bitwise_count(mem.free_bits[in_dimm.words]).sum())
    assert free_there > 500
    one = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 1, PageKind.ANON)
    assert (one.granted, one.reports[-1].kind) == (0, EventKind.OOM)
    assert mem.zones.free.sum() == 0
    free_pages(mem, FrameSet.of_pfns(np.flatnonzero(mem.owner.ravel() == hog)))
    assert alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 1, PageKind.ANON).granted == 1
    go_on(mem, out)
    assert verdict_of(out) is Verdict.OK
    validate_memory(mem)


@pytest.mark.parametrize("verdict", [Verdict.OK, Verdict.EINVAL])
def test_an_attempt_that_is_over_cannot_go_on(mem, verdict):
    out = offline_block(mem, 10 if verdict is Verdict.OK else 0)
    assert out.verdict is verdict
    for again in (go_on, cancel_offline):
        with pytest.raises(ParameterError, match="not ended"):
            again(mem, out)


def test_what_is_not_online_or_no_section_is_misuse(mem):
    offline_block(mem, 10)
    with pytest.raises(ParameterError, match="online"):
        offline_block(mem, 10)
    with pytest.raises(ParameterError, match="whole sections"):
        start_offline(mem, 0, 1024)
    with pytest.raises(ParameterError, match="whole sections"):
        offline_block(mem, 500)


def test_a_full_real_block_takes_what_was_published():
    """128 MiB full of anonymous memory: between the empty block and the slowest migration."""
    spec = MachineSpec(
        "two nodes",
        (
            NodeSpec(0, (PfnRange(0, 131072),)),
            NodeSpec(1, (PfnRange(131072, 262144),)),
        ),
    )
    mem = boot_machine(
        spec, parse_boot_options("movablecore=50%", strict=True), find_profile("6.1")
    )
    start = 32768 * 5
    occupy(mem, np.arange(start, start + 32768), PageKind.ANON, 1)
    out = offline_block(mem, 5)
    assert (out.verdict, out.granted) == (Verdict.OK, 32768)
    assert out.time_ns == 32768 * (4800 + 242)
    assert 0.127 < out.time_ns / 1e9 < 0.429
    validate_memory(mem)
