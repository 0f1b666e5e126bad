"""Migration and pins by hand: where pages go, what stays and why, what a pin does first."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.costs import FAILED_PAGE_NS, MIGRATE_PAGE_NS
from hotmem_viz.mechanisms.isolation import isolate
from hotmem_viz.mechanisms.migrate import (
    find_on_lru,
    migrate_pages,
    target_nodes,
    target_request,
)
from hotmem_viz.mechanisms.pins import pin_pages, unpin_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import InvariantError, validate_memory
from hotmem_viz.vocabulary import EventKind, MigrateType, PageKind, ZoneType
from tests.machines import make_machine, occupy

NORMAL_0, NORMAL_1, MOVABLE_1 = 2, 3, 4
BLOCK = (12288, 14336)


def leave(mem, start, end, zone):
    nid = int(mem.zones.nid[zone])
    return migrate_pages(
        mem,
        find_on_lru(mem, start, end),
        target_request(mem, zone),
        nid=nid,
        nodes=target_nodes(mem, nid),
    )


def test_content_follows_the_page():
    mem = make_machine("odd")
    occupy(mem, np.arange(12300, 12340), PageKind.ANON, 2)
    occupy(mem, np.arange(12340, 12350), PageKind.PAGE_CACHE, 1)
    occupy(mem, np.arange(12350, 12353), PageKind.BUFFER, 3)
    isolate(mem, *BLOCK)
    out = leave(mem, *BLOCK, MOVABLE_1)
    assert (out.granted, out.refused, out.pinned, out.no_room) == (53, 0, 0, 0)
    (moves,) = out.moves
    assert moves.source.tolist() == list(range(12300, 12353))
    assert moves.target.tolist() == sorted(moves.target.tolist())
    kinds, owners = mem.kind.ravel(), mem.owner.ravel()
    assert (kinds[moves.source] == PageKind.FREE).all()
    assert not owners[moves.source].any()
    a, c, b = PageKind.ANON, PageKind.PAGE_CACHE, PageKind.BUFFER
    assert kinds[moves.target].tolist() == [a] * 40 + [c] * 10 + [b] * 3
    assert owners[moves.target].tolist() == [2] * 40 + [1] * 10 + [3] * 3
    assert out.time_ns == 53 * MIGRATE_PAGE_NS
    validate_memory(mem)


def test_other_nodes_take_what_leaves_a_node_even_if_it_has_room_itself():
    mem = make_machine("odd")
    occupy(mem, np.arange(12300, 12400), PageKind.ANON, 1)
    isolate(mem, *BLOCK)
    assert mem.zones.free[MOVABLE_1] > 1000
    out = leave(mem, *BLOCK, MOVABLE_1)
    assert out.by_zone == {NORMAL_0: 100}


def test_a_node_without_others_takes_its_own_pages():
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 100), PageKind.ANON)
    isolate(mem, 0, 1024)
    out = leave(mem, 0, 1024, 0)
    assert out.granted == 100
    assert out.moves[0].target.min() >= 1024


def test_pages_of_a_kernel_zone_go_to_kernel_zones_only():
    mem = make_machine("odd")
    occupy(mem, np.arange(3072, 3172), PageKind.ANON)
    isolate(mem, 3072, 4096)
    out = leave(mem, 3072, 4096, NORMAL_0)
    assert set(out.by_zone) == {NORMAL_1}
    rest = make_machine("odd")
    occupy(rest, np.arange(3072, 3172), PageKind.ANON)
    occupy(rest, np.arange(7170, 11264), PageKind.SLAB)
    isolate(rest, 3072, 4096)
    out = leave(rest, 3072, 4096, NORMAL_0)
    assert (out.granted, out.no_room) == (0, 100)
    assert rest.zones.free[MOVABLE_1] > 3000
    assert EventKind.OOM not in {r.kind for r in out.reports}
    validate_memory(rest)


def test_without_enough_room_the_lowest_pages_move():
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 500), PageKind.ANON, 1)
    occupy(mem, np.arange(1024, 3796), PageKind.ANON, 1)
    isolate(mem, 0, 1024)
    out = leave(mem, 0, 1024, 0)
    assert (out.granted, out.refused, out.no_room) == (300, 200, 200)
    assert out.moves[0].source.tolist() == list(range(300))
    assert find_on_lru(mem, 0, 1024).pfns().tolist() == list(range(300, 500))
    validate_memory(mem)


def test_a_pinned_page_stays_and_costs_ten_tries():
    mem = make_machine("plain")
    occupy(mem, np.arange(100, 110), PageKind.ANON)
    pin_pages(mem, FrameSet.of_range(103, 105))
    isolate(mem, 0, 1024)
    out = leave(mem, 0, 1024, 0)
    assert (out.granted, out.refused, out.pinned, out.no_room) == (8, 2, 2, 0)
    assert find_on_lru(mem, 0, 1024).pfns().tolist() == [103, 104]
    assert out.time_ns == 8 * MIGRATE_PAGE_NS + 2 * 10 * FAILED_PAGE_NS
    unpin_pages(mem, FrameSet.of_range(104, 105))
    assert leave(mem, 0, 1024, 0).granted == 1
    assert find_on_lru(mem, 0, 1024).pfns().tolist() == [103]


def test_a_full_machine_reclaims_cache_for_what_must_move():
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 500), PageKind.ANON, 1)
    occupy(mem, np.arange(1024, 4096), PageKind.PAGE_CACHE, 1)
    isolate(mem, 0, 1024)
    out = leave(mem, 0, 1024, 0)
    assert out.granted == 500
    assert sum(len(r) for r in out.released) >= 1000
    validate_memory(mem)


def test_freeing_a_page_drops_its_pin():
    mem = make_machine("plain")
    occupy(mem, np.arange(64, 70), PageKind.ANON)
    pin_pages(mem, FrameSet.of_range(64, 70))
    free_pages(mem, FrameSet.of_range(66, 70))
    assert mem.pinned_bits[1] == 3
    mem.pinned_bits[1] |= np.uint64(1 << 9)
    with pytest.raises(InvariantError, match="frame 73"):
        validate_memory(mem)


@pytest.mark.parametrize("kind", [PageKind.SLAB, PageKind.RESERVED, PageKind.PINNED, None])
def test_only_users_pages_can_be_pinned(kind):
    mem = make_machine("plain")
    occupy(mem, np.arange(64, 70), PageKind.ANON)
    if kind:
        occupy(mem, np.arange(70, 71), kind)
    with pytest.raises(ParameterError, match="70"):
        pin_pages(mem, FrameSet.of_range(64, 71))
    assert not mem.pinned_bits.any()


def test_a_short_pin_stays_in_zone_movable_and_a_long_one_leaves_it():
    mem = make_machine("odd")
    frames = FrameSet.of_range(12300, 12310) | FrameSet.of_range(8000, 8005)
    occupy(mem, frames.pfns(), PageKind.ANON, 2)
    short = pin_pages(mem, frames, nid=1)
    assert (short.granted, short.moves) == (15, [])
    assert short.frames == frames
    unpin_pages(mem, frames)
    long = pin_pages(mem, frames, long_term=True, nid=1)
    assert (long.granted, long.refused) == (15, 0)
    assert long.moves[0].source.tolist() == list(range(12300, 12310))
    pfns = long.frames.pfns()
    assert len(pfns) == 15
    assert set(range(8000, 8005)) <= set(pfns.tolist())
    assert (mem.zones.type[mem.zone.ravel()[pfns]] == ZoneType.NORMAL).all()
    assert (mem.owner.ravel()[pfns] == 2).all()
    moved = long.moves[0].target
    assert (mem.types[moved // 512] == MigrateType.UNMOVABLE).all()
    validate_memory(mem)
    assert np.bitwise_count(mem.pinned_bits).sum() == 15


def test_a_long_pin_without_room_pins_nothing():
    mem = make_machine("odd", tired=True)
    alloc_pages(mem, GFP["KERNEL"], 20_000, PageKind.SLAB)
    assert mem.zones.free[MOVABLE_1] > 3000
    occupy(mem, np.arange(12300, 12310), PageKind.ANON, 2)
    pin_pages(mem, FrameSet.of_range(12301, 12302))
    out = pin_pages(mem, FrameSet.of_range(12300, 12310), long_term=True)
    assert (out.granted, out.refused) == (0, 10)
    assert np.flatnonzero(mem.pinned_bits).tolist() == [12301 // 64]
    assert mem.pinned_bits[12301 // 64] == 1 << 12301 % 64
    validate_memory(mem)


def test_a_long_pin_fails_on_a_page_in_zone_movable_that_is_pinned_already():
    mem = make_machine("odd")
    occupy(mem, np.arange(12300, 12310), PageKind.ANON, 2)
    pin_pages(mem, FrameSet.of_range(12301, 12302))
    out = pin_pages(mem, FrameSet.of_range(12300, 12310), long_term=True)
    assert (out.granted, out.refused) == (0, 10)
    assert len(out.moves[0].source) == 9
    assert np.bitwise_count(mem.pinned_bits).sum() == 1
    validate_memory(mem)
