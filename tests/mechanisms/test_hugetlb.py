"""Huge pages by hand: the pool, what offlining moves, dissolves, and cannot."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.costs import MIGRATE_HUGE_PAGE_NS
from hotmem_viz.mechanisms.hugetlb import (
    dissolve_free,
    find_used,
    grow_pool,
    migrate_huge_pages,
    release_huge_pages,
    use_huge_pages,
)
from hotmem_viz.mechanisms.isolation import VetoRule
from hotmem_viz.mechanisms.offline import Verdict, go_on, offline_block
from hotmem_viz.mechanisms.pins import pin_pages, unpin_pages
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import InvariantError, validate_memory
from hotmem_viz.vocabulary import HugeState, PageKind, SectionState
from tests.machines import make_machine, occupy
from tests.slots import slots_machine
from tests.vetoes import veto_of

FREE, USED = HugeState.FREE, HugeState.USED


def states(mem):
    return {
        int(s): np.flatnonzero(mem.huge_states == s).tolist()
        for s in (FREE, USED)
        if (mem.huge_states == s).any()
    }


@pytest.fixture
def mem():
    """A machine whose node 1 (pageblocks 40 to 47) has two free huge pages and two used ones."""
    mem = slots_machine()
    grow_pool(mem, 4, nid=1)
    use_huge_pages(mem, 2, owner=2, nid=1)
    return mem


def test_the_pool_takes_whole_pageblocks_and_gives_the_lowest(mem):
    assert states(mem) == {FREE: [42, 43], USED: [40, 41]}
    owners = mem.owner.reshape(-1, 512)
    assert (owners[[40, 41]] == 2).all()
    assert (owners[[42, 43]] == mem.owners.names.index("free huge pages")).all()
    assert (mem.kind.reshape(-1, 512)[40:44] == PageKind.HUGETLB).all()
    validate_memory(mem)
    more = use_huge_pages(mem, 5, owner=3, nid=1)
    assert (more.granted, more.refused) == (2, 3)
    back = release_huge_pages(mem, FrameSet.of_range(40 * 512, 41 * 512))
    assert back.granted == 1
    assert states(mem) == {FREE: [40], USED: [41, 42, 43]}
    validate_memory(mem)


def test_a_pool_grows_by_what_is_free_in_one_piece():
    mem = make_machine("plain")
    occupy(mem, np.array([5, 600, 1500, 4000]), PageKind.SLAB)
    out = grow_pool(mem, 20)
    assert (out.granted, out.refused) == (4, 16)
    assert states(mem) == {FREE: [3, 4, 5, 6]}


def test_free_huge_pages_are_dissolved_when_their_block_goes(mem):
    release_huge_pages(mem, FrameSet.of_range(40 * 512, 42 * 512))
    out = offline_block(mem, 10)
    assert (out.verdict, out.granted) == (Verdict.OK, 0)
    assert not states(mem)
    validate_memory(mem)


def test_used_ones_move_to_new_ones_where_the_pool_has_none_elsewhere(mem):
    out = offline_block(mem, 10)
    assert (out.verdict, out.granted, out.passes) == (Verdict.OK, 1024, 2)
    used = states(mem)[USED]
    assert len(used) == 2
    assert mem.zones.nid[mem.zone.reshape(-1, 512)[used, 0]].tolist() == [0, 0]
    assert (mem.owner.reshape(-1, 512)[used] == 2).all()
    assert FREE not in states(mem)
    (moves,) = out.moves
    assert moves.source.tolist() == list(range(40 * 512, 42 * 512))
    assert moves.target.tolist() == [p for b in used for p in range(b * 512, b * 512 + 512)]
    assert out.time_ns >= 2 * MIGRATE_HUGE_PAGE_NS
    validate_memory(mem)


def test_they_move_into_free_ones_of_the_pool_elsewhere(mem):
    grow_pool(mem, 1, nid=0)
    there = [b for b in states(mem)[FREE] if b < 40]
    out = migrate_huge_pages(mem, np.array([40, 41]), nid=1, nodes=[0])
    assert (out.granted, out.refused) == (1024, 0)
    assert there[0] in states(mem)[USED]
    # The one that came out of the pool leaves a free page behind, the other leaves free frames.
    assert states(mem)[FREE] == [40, 42, 43]
    assert (mem.kind.reshape(-1, 512)[41] == PageKind.FREE).all()
    validate_memory(mem)


def test_without_two_mebibytes_in_one_piece_it_never_ends(mem):
    outside = np.flatnonzero(mem.kind.ravel() == PageKind.FREE)
    outside = outside[(outside < 20480) & (outside % 512 == 7)]
    occupy(mem, outside, PageKind.SLAB)
    assert int(mem.zones.free[mem.zones.nid == 0].sum()) > 10_000
    out = offline_block(mem, 10)
    assert out.verdict is Verdict.NEVER_ENDS
    assert (veto_of(out).pfn, veto_of(out).kind) == (40 * 512, PageKind.HUGETLB)
    assert veto_of(out).rule is VetoRule.NO_ROOM
    validate_memory(mem)


def test_a_pinned_huge_page_stays_whole(mem):
    pin_pages(mem, FrameSet.of_range(41 * 512 + 3, 41 * 512 + 4))
    out = offline_block(mem, 10)
    assert (out.verdict, out.granted) == (Verdict.NEVER_ENDS, 512)
    assert (veto_of(out).pfn, veto_of(out).rule) == (41 * 512, VetoRule.PINNED)
    assert find_used(mem, 20480, 22528).tolist() == [41]
    unpin_pages(mem, FrameSet.of_range(41 * 512 + 3, 41 * 512 + 4))
    go_on(mem, out)
    assert out.verdict is Verdict.OK
    validate_memory(mem)


def test_promised_pages_cannot_be_dissolved_and_the_block_is_refused(mem):
    mem.huge_pool.reserved = 1
    release_huge_pages(mem, FrameSet.of_range(40 * 512, 42 * 512))
    out = offline_block(mem, 10)
    assert (out.verdict, out.reason) == (Verdict.EBUSY, "failure to dissolve huge pages")
    assert (veto_of(out).pfn, veto_of(out).rule) == (43 * 512, VetoRule.PROMISED)
    assert states(mem) == {FREE: [43]}
    assert mem.section_state[10] == SectionState.ONLINE
    validate_memory(mem)


def test_dissolving_starts_with_the_lowest(mem):
    mem.huge_pool.reserved = 1
    out = dissolve_free(mem, 20480, 22528)
    assert (out.granted, out.refused) == (1, 1)
    assert states(mem)[FREE] == [43]


def test_before_3_12_a_huge_page_vetoes_in_kernel_zones():
    mem = slots_machine("2012")
    grow_pool(mem, 30, nid=0)
    assert 28 in states(mem)[FREE]
    veto = veto_of(offline_block(mem, 7))
    assert (veto.pfn, veto.rule, veto.kind) == (28 * 512, VetoRule.HUGETLB, PageKind.HUGETLB)
    young = slots_machine("6.1")
    grow_pool(young, 30, nid=0)
    assert offline_block(young, 7).verdict is Verdict.OK


def test_huge_pages_are_pinned_for_short_only(mem):
    with pytest.raises(ParameterError, match=str(40 * 512)):
        pin_pages(mem, FrameSet.of_range(40 * 512, 41 * 512), long_term=True)


def test_pool_and_frames_tell_the_same(mem):
    mem.huge_states[42] = HugeState.NONE
    with pytest.raises(InvariantError, match=f"frame {42 * 512}"):
        validate_memory(mem)
