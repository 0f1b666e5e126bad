"""Compaction: pages go up, pageblocks become whole, nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.compaction import compact_zone, whole_blocks
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind
from tests.machines import NAMES, clone, fragment, make_machine, occupy

B = 512


def whole(mem, zone):
    kinds = mem.kind.reshape(-1, B)[whole_blocks(mem, zone)]
    return int((kinds == PageKind.FREE).all(axis=1).sum())


def test_by_hand():
    """Blocks 0 to 7: two half full, one spoilt by a slab, one half full at the top."""
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 100), PageKind.ANON, 1)
    occupy(mem, np.arange(B, B + 50), PageKind.PAGE_CACHE, 2)
    occupy(mem, np.arange(2 * B, 2 * B + 1), PageKind.SLAB, 3)
    occupy(mem, np.arange(2 * B + 7, 2 * B + 17), PageKind.ANON, 1)
    occupy(mem, np.arange(7 * B, 7 * B + 300), PageKind.ANON, 2)
    out = compact_zone(mem, 0)
    assert out.granted == 150
    # 150 of the 212 free frames at the very top; blocks 3 to 6 are wholly free and no target.
    assert out.moves[0].source.tolist() == [*range(100), *range(B, B + 50)]
    assert out.moves[0].target.tolist() == list(range(8 * B - 150, 8 * B))
    assert (
        mem.kind.reshape(-1)[8 * B - 150 :].tolist()
        == [PageKind.ANON] * 100 + [PageKind.PAGE_CACHE] * 50
    )
    assert mem.owner.reshape(-1)[8 * B - 50 :].tolist() == [2] * 50
    assert whole(mem, 0) == 6
    assert mem.kind.reshape(-1)[2 * B + 7] == PageKind.ANON, "a spoilt pageblock is passed over"
    validate_memory(mem)


def test_where_the_scanners_meet_nothing_more_moves():
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 8 * B, 2), PageKind.ANON, 1)
    first = compact_zone(mem, 0)
    assert first.granted == 4 * B // 2
    assert whole(mem, 0) == 4
    assert compact_zone(mem, 0).granted == 0
    validate_memory(mem)


def test_targets_lie_in_pageblocks_of_the_movable_type():
    mem = make_machine("plain")
    occupy(mem, np.arange(0, 10), PageKind.ANON, 1)
    occupy(mem, np.arange(7 * B, 7 * B + 10), PageKind.SLAB, 3)
    buddy.set_types(mem, np.array([7]), MigrateType.UNMOVABLE)
    assert compact_zone(mem, 0).granted == 0


def test_pinned_pages_and_isolated_pageblocks_stay():
    mem = make_machine("plain")
    for block in (0, 1, 2):
        occupy(mem, np.arange(block * B, block * B + 9), PageKind.ANON, 1)
    occupy(mem, np.arange(7 * B, 7 * B + 9), PageKind.ANON, 1)
    mem.pinned_bits[0] |= np.uint64(1 << 3)
    buddy.set_types(mem, np.array([1]), MigrateType.ISOLATE)
    out = compact_zone(mem, 0)
    assert out.moves[0].source.tolist() == list(range(2 * B, 2 * B + 9))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_on_any_machine(name, seed):
    mem = make_machine(name)
    fragment(mem, seed, runs=20, kinds=(PageKind.ANON, PageKind.PAGE_CACHE), mix=False)
    fragment(mem, seed + 10, runs=3, kinds=(PageKind.SLAB,), mix=False)
    before = clone(mem)
    total = 0
    for zone in range(len(mem.zones)):
        had = whole(mem, zone)
        out = compact_zone(mem, zone)
        total += out.granted
        assert whole(mem, zone) >= had
        for move in out.moves:
            assert (np.diff(move.source) > 0).all()
            assert move.source.max() // B < move.target.min() // B
            for field in ("kind", "owner"):
                old, new = (getattr(m, field).reshape(-1) for m in (before, mem))
                assert (new[move.target] == old[move.source]).all()
    validate_memory(mem)
    assert (mem.zone_kinds == before.zone_kinds).all()
    assert total > 100
