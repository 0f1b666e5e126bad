"""Who points at a page-table page: the gather, and the walk that a stopped machine would do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.machine.page_geometry import GEOMETRIES
from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.table_walk import find_pointers, map_frames, tables_in, walk_all
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.mechanisms.unmapping import exit_process
from hotmem_viz.memory.address_spaces import NONE, AddressSpaces
from tests.machines import make_machine

GIB = 1 << 18
FOUR, FIVE, PAE = (GEOMETRIES[n] for n in ("4-level", "5-level", "pae"))


def crowd(name, geometry, seed, count=7):
    """Processes whose memory is touched here and there, one of which has exited again."""
    mem = make_machine(name)
    mem.owners.add("a process")
    s = AddressSpaces(mem, geometry)
    rows, _ = start_processes(s, count, 4)
    rng = np.random.default_rng(seed)
    for space in rows.tolist():
        slot = geometry.user_pages // 25
        for place in rng.permutation(24)[:4].tolist():
            first = place * slot + int(rng.integers(0, slot))
            (mapping,) = map_regions(s, [space], [first], 20 * 613)
            touch(s, Access(np.array([mapping]), np.array([0]), np.array([20]), 613, False))
    exit_process(s, int(rows[2]))
    return s


CASES = [
    ("odd", FOUR, 1),
    ("odd", replace(FOUR, top_pages=2), 2),
    ("woven", FIVE, 3),
    ("pae", PAE, 4),
]


@pytest.mark.parametrize(("name", "geometry", "seed"), CASES)
def test_the_gather_and_the_walk_agree(name, geometry, seed):
    s = crowd(name, geometry, seed)
    rows = np.flatnonzero(s.tables.level[: s.tables.used] >= 0)
    rng = np.random.default_rng(seed)
    wanted = rng.permutation(s.tables.frame[rows[s.tables.frame[rows] >= 0]])[::3]
    found = map_frames(s).find(wanted)
    assert (s.tables.frame[found] == wanted).all()
    pointers = find_pointers(s, found)
    below = pointers.parents >= 0
    assert (
        s.entries.entries[s.tables.slot[pointers.parents[below]], pointers.entry[below]]
        == found[below]
    ).all()
    walk = walk_all(s, wanted)
    by_walk = set(
        zip(walk.frames.tolist(), walk.parents.tolist(), walk.entry.tolist(), strict=True)
    )
    by_gather = zip(
        wanted[below].tolist(),
        pointers.parents[below].tolist(),
        pointers.entry[below].tolist(),
        strict=True,
    )
    assert by_walk == set(by_gather)
    assert sorted(walk.tops.tolist()) == sorted(found[~below].tolist())


def test_the_walk_reads_upper_tables_only_and_counts_their_entries():
    s = crowd("odd", FOUR, 5)
    walk = walk_all(s, np.array([], np.int64))
    upper = int((s.tables.level[: s.tables.used] > 0).sum())
    assert (walk.tables, walk.entries) == (upper, upper * 512)
    pae = crowd("pae", PAE, 6)
    # Six processes, each with a top table of four entries and three of 512.
    assert (walk_all(pae, np.array([], np.int64)).entries) == 6 * (4 + 3 * 512)


def test_a_dense_mapping_is_walked_in_a_512th_of_its_entries():
    mem = make_machine("odd")
    mem.owners.add("a process")
    s = AddressSpaces(mem, FOUR)
    (space,), _ = start_processes(s, 1, 4)
    (row,) = map_regions(s, [space], [0], 4 * GIB)
    touch(s, Access(np.array([row]), np.array([0]), np.array([4 * GIB]), 1, False))
    walk = walk_all(s, s.tables.frame[:1])
    assert (walk.tables, walk.entries) == (1 + 1 + 4, 6 * 512)
    assert walk.tops.tolist() == [s.spaces.top[space]]


def test_frames_without_a_table_are_not_found():
    s = crowd("odd", replace(FOUR, top_pages=2), 7)
    frames = map_frames(s)
    assert (np.diff(frames.frames) > 0).all()
    tops = s.spaces.top[s.alive()]
    assert (frames.find(s.tables.frame[tops] + 1) == tops).all(), "the second half of a top table"
    # CR3 points into the second half while the program runs: it has to be reloaded, too.
    assert walk_all(s, s.tables.frame[tops[1:2]] + 1).tops.tolist() == tops[1:2].tolist()
    held = set(frames.frames.tolist())
    others = np.array([p for p in range(0, 9000, 7) if p not in held])
    assert (frames.find(others) == NONE).all()
    assert (find_pointers(s, frames.find(others)).parents == NONE).all()
    none = AddressSpaces(make_machine("odd"), FOUR)
    assert map_frames(none).find(np.array([5])).tolist() == [NONE]


def test_tables_in_a_range_are_those_that_cover_it():
    s = crowd("odd", FOUR, 8)
    space = int(s.alive()[0])
    found = tables_in(s, space, 3, 3)
    assert [t.level for t in found] == [3, 2, 1, 0]
    assert [len(t.rows) for t in found[1:]] == [0, 0, 0]
    whole = tables_in(s, space)
    assert sum(len(t.rows) for t in whole) == s.spaces.levels[space].sum()
    one = int(whole[3].spans[0])
    part = tables_in(s, space, one * 512 + 511, one * 512 + 512)
    assert [t.spans.tolist() for t in part] == [[0], [one >> 18], [one >> 9], [one]]
