"""Where memory for tables or pages ends: how far it comes, who is killed, what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.page_geometry import GEOMETRIES, count_tables
from hotmem_viz.mechanisms.address_spaces import add_segment, map_regions, start_processes
from hotmem_viz.mechanisms.faults import badness, choose_victim, fault, populate
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.mechanisms.unmapping import drop_segment, exit_process, unmap_region
from hotmem_viz.memory.address_spaces import AddressSpaces, HugeUse
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.vocabulary import EventKind, PageKind, TableLevel, ZoneType
from tests.machines import make_machine

FOUR, PAE = GEOMETRIES["4-level"], GEOMETRIES["pae"]
GIB = 1 << 18


def make_spaces(name="plain", geometry=FOUR, **more):
    mem = make_machine(name)
    mem.owners.add("a process")
    if name == "plain":
        # No zone of less than four pageblocks is boosted, so every frame can be had.
        mem.zones.managed[:] = 2047
    return AddressSpaces(mem, geometry, **more)


def start(s, count=1, **more):
    return start_processes(s, count, s.mem.owners.names.index("a process"), **more)[0].tolist()


def access(rows, first, pages, step=1, *, write=True):
    n = len(rows)
    return Access(np.array(rows), np.full(n, first), np.full(n, pages), step, write)


def check(s):
    validate_spaces(s)
    validate_memory(s.mem)


def reach_slowly(free, start, count, step, *, write):
    """Touch page by page, one frame for each table that is missing and one for the page."""
    seen = set()
    for i in range(count):
        vpn = start + i * step
        for order in (27, 18, 9):
            if (order, vpn >> order) not in seen:
                if not free:
                    return i, 0
                free -= 1
                seen.add((order, vpn >> order))
        if write:
            if not free:
                return i, 0
            free -= 1
    return count, free


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("step", [1, 7, 511, 512, 1300, 3 * GIB])
@pytest.mark.parametrize("first", [0, GIB - 300, 512 * GIB - 9000])
def test_memory_ends_where_it_does_page_by_page(first, step, write):
    s = make_spaces()
    (space,) = start(s)
    (row,) = map_regions(s, [space], [first], 29999 * step + 1)
    free = int(s.mem.zones.free.sum())
    expected, left = reach_slowly(free, first, 30000, step, write=write)
    done = populate(s, access([row], 0, 30000, step, write=write))
    assert (done.pages, done.refused) == (expected, expected < 30000)
    assert s.mem.zones.free.sum() == left
    check(s)


def test_populate_says_enomem_and_keeps_what_it_got():
    s = make_spaces("odd")
    (space,) = start(s)
    rows = map_regions(s, [space] * 2, [512 * i for i in (0, 100)], 20000)
    done = populate(s, access(rows[:1], 0, 20000))
    assert done.refused
    assert 0 < done.pages < 20000
    assert not done.killed
    assert s.spaces.rss[space] == done.pages
    kernel = s.mem.zones.type <= ZoneType.NORMAL
    lines = s.mem.zones.min + s.mem.zones.protection[:, ZoneType.NORMAL]
    assert (s.mem.zones.free[kernel] <= (lines + s.mem.zones.boost)[kernel]).all()
    check(s)
    again = map_regions(s, [space], [GIB * 1000], GIB * 512)
    assert len(again), "mmap itself does not fail"
    exit_process(s, space)
    assert not s.mem.zone_kinds[:, [PageKind.ANON, PageKind.PAGE_TABLE]].any()


def test_a_fault_kills_the_worst_process_and_goes_on():
    s = make_spaces()
    small, large = start(s, 2)
    rows = map_regions(s, [small, large], [0, 0], 4096)
    fault(s, access(rows[1:], 0, 2100))
    done = fault(s, access(rows[:1], 0, 2600))
    assert (done.killed, done.pages, done.refused) == ([large], 2600, False)
    assert s.alive().tolist() == [small]
    assert EventKind.OOM in [r.kind for r in done.outcome.reports]
    check(s)


def test_a_process_that_is_killed_itself_touches_no_more():
    s = make_spaces()
    small, large = start(s, 2)
    rows = map_regions(s, [small, large], [0, 0], 9000)
    fault(s, access(rows[:1], 0, 100))
    done = fault(s, access(rows[1:], 0, 9000))
    assert done.killed == [large]
    # 4,096 frames less two top tables, three tables and 100 pages of the small one, and of its own
    # PUD, PMD and eight PTE tables, of which the last has one page less than it might have.
    assert done.pages == 4096 - 2 - 103 - 10
    assert s.alive().tolist() == [small]
    check(s)


def test_where_nobody_may_be_killed_the_fault_is_refused():
    s = make_spaces()
    (space,) = start(s, score_adj=-1000)
    (row,) = map_regions(s, [space], [0], 9000)
    done = fault(s, access([row], 0, 9000))
    assert done.refused
    assert not done.killed
    assert choose_victim(s) is None


def test_badness_counts_pages_and_tables_and_the_adjustment():
    s = make_spaces()
    one, two, three = start(s, 3)
    s.spaces.score_adj[two] = 20
    rows = map_regions(s, [one, two, three], [0, 0, 0], 600)
    touch(s, access(rows[:1], 0, 600))
    touch(s, access(rows[2:], 0, 600, write=False))
    # Two PTE tables, PMD and PUD; not the top one. 20 of 1000 parts of 2,047 pages are 20 * 2.
    assert badness(s, np.array([one, two, three])).tolist() == [604, 40, 4]
    assert choose_victim(s) == one


def test_shared_memory_has_its_frames_once_and_its_tables_for_each():
    s = make_spaces()
    spaces = start(s, 5)
    segment = add_segment(s, 1500, s.mem.owners.names.index("a process"))
    # The third maps it out of step with the tables.
    rows = map_regions(s, spaces, [0, 512, 700, 0, 0], 1000, segment=segment, offset=500)
    done = touch(s, access(rows, 0, 1000))
    assert not done.outcome.refused
    assert (done.pages, done.refused) == (5000, False)
    kinds = s.mem.zone_kinds.sum(axis=0)
    assert kinds[PageKind.ANON] == 1000
    # Each has a top table, PUD, PMD and two PTE tables, the third three: it ends at 1,700.
    assert kinds[PageKind.PAGE_TABLE] == 5 * 5 + 1
    assert s.spaces.rss[spaces].tolist() == [1000] * 5
    frames = s.segments[segment].frames
    assert (frames[:500] < 0).all()
    assert (frames[500:] >= 0).all()
    check(s)
    unmap_region(s, spaces[2], 0, 5000)
    check(s)
    with pytest.raises(ParameterError, match="nobody maps"):
        drop_segment(s, segment)
    for space in spaces:
        exit_process(s, space)
    assert s.segments[segment] is None
    assert s.mem.zones.free.sum() == 4096


def test_high_tables_lie_in_high_memory_and_spill():
    s = make_spaces("pae", PAE, high_tables=True)
    (space,) = start(s)
    # The top table is part of a slab; three tables below it come with it, from lowmem.
    assert s.spaces.levels[space].tolist() == [0, 3, 1]
    assert s.table_pages(space) == 3
    (row,) = map_regions(s, [space], [0], 3 * GIB)
    done = populate(s, access([row], 0, 1500, 512, write=False))
    zone_of = dict(
        zip(s.mem.zones.type.tolist(), s.mem.zone_kinds[:, PageKind.PAGE_TABLE], strict=True)
    )
    assert (done.refused, done.pages) == (False, 1500)
    assert zone_of[ZoneType.HIGHMEM] == 1500
    assert zone_of[ZoneType.NORMAL] == 3
    low = make_spaces("pae", PAE)
    (space,) = start(low)
    (row,) = map_regions(low, [space], [0], 3 * GIB)
    populate(low, access([row], 0, 1500, 512, write=False))
    assert low.mem.zone_kinds[low.mem.zones.type == ZoneType.HIGHMEM, PageKind.PAGE_TABLE] == 0
    check(s)
    check(low)


@pytest.mark.parametrize(("use", "aside"), [(HugeUse.TRANSPARENT, 3), (HugeUse.HUGETLB, 0)])
def test_a_huge_page_needs_no_lowest_table_but_may_put_one_aside(use, aside):
    s = make_spaces()
    (space,) = start(s)
    (row,) = map_regions(s, [space], [GIB - 1024], 4 * 512, huge=use)
    done = fault(s, access([row], 1, 3))
    assert (done.pages, done.refused) == (3 * 512, False)
    # The range straddles a GiB: two PMD tables.
    assert s.spaces.levels[space].tolist() == [aside, 2, 1, 1]
    assert s.spaces.rss[space] == 3 * 512
    check(s)
    assert fault(s, access([row], 1, 3)).outcome.granted == 0, "touched again, nothing is asked for"
    with pytest.raises(ParameterError, match="may not be cut"):
        unmap_region(s, space, GIB, 100)
    unmap_region(s, space, GIB, 512)
    assert s.spaces.levels[space].tolist() == [aside - (aside > 0), 2, 1, 1]
    check(s)
    exit_process(s, space)
    assert s.mem.zones.free.sum() == 4096


def test_one_tebibyte_in_huge_pages_by_the_count():
    counts = count_tables(FOUR, 0, 1 << 28)
    assert (counts[TableLevel.PMD], counts[TableLevel.PUD]) == (1024, 2)


def test_huge_pages_end_when_no_whole_one_is_left():
    s = make_spaces()
    (space,) = start(s)
    (row,) = map_regions(s, [space], [0], 512 * 100, huge=HugeUse.TRANSPARENT)
    done = populate(s, access([row], 0, 100))
    # Eight huge pages' worth of frames, of which tables take from the first.
    assert done.refused
    assert done.pages == 7 * 512
    assert s.spaces.levels[space].tolist() == [7, 1, 1, 1]
    check(s)


@pytest.mark.parametrize(
    ("start_vpn", "pages", "more", "says"),
    [
        (FOUR.user_pages - 1, 2, {}, "pages 0 to"),
        (0, 0, {}, "at least one"),
        (3, 512, {"huge": HugeUse.HUGETLB}, "whole huge pages"),
        (100, 10, {}, "may not overlap"),
        (5000, 11, {"segment": 0}, "the segment has 10 pages"),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_the_reason(start_vpn, pages, more, says):
    s = make_spaces()
    (space,) = start(s)
    add_segment(s, 10, 0)
    map_regions(s, [space], [105], 10)
    with pytest.raises(ParameterError, match=says):
        map_regions(s, [space], [start_vpn], pages, **more)


def test_a_page_outside_the_mapping_cannot_be_touched():
    s = make_spaces()
    (space,) = start(s)
    (row,) = map_regions(s, [space], [105], 10)
    with pytest.raises(ParameterError, match="pages of the mapping alone"):
        touch(s, access([row], 5, 6))


def test_a_process_that_cannot_have_its_top_table_does_not_start():
    s = make_spaces()
    first = start(s, 5000)
    assert len(first) == 4096
    assert s.mem.zones.free.sum() == 0
    check(s)
    pae = make_spaces("pae", PAE)
    made, outcome = start_processes(pae, 3000, 4)
    kernel = pae.mem.zones.type <= ZoneType.NORMAL
    assert outcome.refused
    assert len(made) == pae.mem.zone_kinds[kernel, PageKind.PAGE_TABLE].sum() // 3
    check(pae)
