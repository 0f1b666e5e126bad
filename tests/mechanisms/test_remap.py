"""The proposal on a small machine: content follows, names stay, the walk finds every parent.

The walk is compared with one that reads every entry of every table, one by one.
"""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import remap
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.mechanisms.remap_after import (
    copy_home,
    free_moved,
    live_pages,
    note_freed,
    pull_out,
)
from hotmem_viz.mechanisms.residue import Handling
from hotmem_viz.mechanisms.unmapping import exit_process
from hotmem_viz.memory.address_map import Style
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PageKind, SectionState, ZoneType
from tests.machines import clone
from tests.remap_machine import SECTION, SIZE, finish, make_remap, names_and_tags, prepare, sound


@pytest.fixture(params=[1, 2], ids=["one-frame top", "two-frame top"])
def machine(request):
    return make_remap(request.param)


def walk_slowly(s, wanted):
    """Read every entry of every upper table of every process, one by one."""
    read, hits, tops = 0, set(), set()
    for row in range(s.tables.used):
        if s.tables.level[row] <= 0:
            continue
        if s.tables.level[row] == s.geometry.top and any(
            int(s.tables.frame[row]) + i in wanted for i in range(s.geometry.top_pages)
        ):
            tops.add(row)
        for entry in range(s.geometry.levels[int(s.tables.level[row])].entries):
            read += 1
            child = int(s.entries.entries[s.tables.slot[row], entry])
            if child >= 0 and int(s.tables.frame[child]) in wanted:
                hits.add((row, entry, int(s.tables.frame[child])))
    return read, hits, tops


@pytest.mark.parametrize("whole", [True, False])
def test_every_moved_page_reads_as_before_under_its_old_name(machine, whole):
    amap, s = machine
    attempt = prepare(amap, s, whole=whole)
    names, tags = names_and_tags(amap)
    assert len(names) == len(np.unique(tags)) > 60
    assert (names == attempt.residue.pfns).all()
    kinds = amap.mem.kind.reshape(-1)[names].copy()
    slow = walk_slowly(s, set(names.tolist()))
    finish(attempt, s)
    now = amap.translate(names)
    assert not np.isin(now, names).any()
    assert (amap.mem.kind.reshape(-1)[now] == kinds).all()
    assert amap.read(names).tolist() == tags.tolist()
    walk = attempt.walk
    found = zip(walk.parents.tolist(), walk.entry.tolist(), walk.frames.tolist(), strict=True)
    assert (walk.entries, set(found), set(walk.tops.tolist())) == slow
    assert len(slow[1]) > 15
    assert slow[2]
    assert attempt.verdict is Exit.MIGRATED
    assert amap.mem.section_state[SECTION] == SectionState.OFFLINE_MIGRATED
    assert (amap.mem.kind[SECTION] == PageKind.HOLE).all()
    assert amap.names_of(now).tolist() == names.tolist()
    sound(amap, s)


def test_a_whole_target_keeps_the_offsets_and_a_frame_each_breaks_the_mapping(machine):
    amap, s = machine
    attempt = prepare(amap, s, whole=True)
    target = attempt.room.section
    assert amap.mem.section_state[target] == SectionState.TARGET
    free = amap.mem.zones.free.sum()
    finish(attempt, s)
    names, _ = names_and_tags(amap, target)
    assert amap.translate(names).tolist() == (names - SECTION * SIZE + target * SIZE).tolist()
    assert amap.found_in[SECTION] == target
    assert not amap.splits
    # What the target has beside the residue is free but of no use.
    assert amap.mem.zones.free.sum() == free


@pytest.mark.parametrize("whole", [True, False])
def test_nothing_goes_to_a_node_that_is_leaving(machine, whole):
    amap, s = machine
    spec = amap.mem.spec
    assert spec.node_of(SECTION * SIZE) == 0
    attempt = prepare(amap, s, whole=whole, leaving=(0,))
    taken = [*attempt.room.targets.tolist(), *attempt.room.splits.pfns().tolist()]
    assert {spec.node_of(pfn) for pfn in taken} == {1}


def test_frames_of_their_own_need_tables_for_the_broken_mappings(machine):
    amap, s = machine
    attempt = prepare(amap, s, whole=False)
    finish(attempt, s)
    blocks = np.unique(attempt.residue.pfns // 512)
    assert len(amap.splits[SECTION]) == len(blocks) == 2
    assert amap.found_in[SECTION] == -1
    assert not amap.targets
    tops = s.tables.frame[s.spaces.top[s.alive()]]
    pages = s.geometry.top_pages
    kinds = amap.mem.kind.reshape(-1)
    assert all((kinds[tops + i] == PageKind.PAGE_TABLE).all() for i in range(pages))
    assert not (tops % pages).any()


@pytest.mark.parametrize(
    ("style", "whole", "loads"),
    [
        (Style(kaslr=False), True, (0, 1)),
        (Style(), True, (1, 2)),
        (Style(extreme=True), True, (1, 3)),
        (Style(), False, (1, 3)),
        (Style(kaslr=False, extreme=True), False, (0, 3)),
    ],
)
def test_loads_of_a_lookup(machine, style, whole, loads):
    amap, s = machine
    amap.style = style
    finish(prepare(amap, s, whole=whole), s)
    assert (amap.count_loads(SECTION + 1), amap.count_loads(SECTION)) == loads
    assert amap.slow == [SECTION]


@pytest.mark.parametrize("whole", [True, False])
def test_a_page_freed_before_the_stop_is_dropped(machine, whole):
    amap, s = machine
    attempt = prepare(amap, s, whole=whole)
    gone = attempt.residue.only(Handling.REMAP)[2:5]
    free_pages(amap.mem, FrameSet.of_pfns(gone))
    wanted = len(attempt.residue) - 3
    finish(attempt, s)
    assert len(live_pages(amap, SECTION)) == wanted
    assert (amap.translate(gone) < 0).all()
    sound(amap, s)


@pytest.mark.parametrize("whole", [True, False])
def test_the_section_is_drained_when_its_last_page_is_freed(machine, whole):
    amap, s = machine
    before = clone(amap.mem)
    attempt = prepare(amap, s, whole=whole)
    finish(attempt, s)
    for space in s.alive().tolist():
        freed = exit_process(s, space)
        note_freed(amap, [freed])
    rest = live_pages(amap, SECTION)
    assert len(rest)
    free_moved(amap, rest[:-1])
    assert amap.slow == [SECTION]
    free_moved(amap, rest[-1:])
    assert amap.slow == []
    assert amap.mem.section_state[SECTION] == SectionState.OFFLINE
    assert amap.mem.zones.present.sum() == before.zones.present.sum() - SIZE
    sound(amap, s)


@pytest.mark.parametrize("whole", [True, False])
def test_copied_home_all_is_as_it_was(machine, whole):
    amap, s = machine
    attempt = prepare(amap, s, whole=whole)
    names, tags = names_and_tags(amap)
    counts = amap.mem.zone_kinds.copy()
    finish(attempt, s)
    pull_out(amap, SECTION)
    assert amap.read(names).tolist() == tags.tolist()
    out, walk = copy_home(amap, s, SECTION, ZoneType.NORMAL)
    assert out.granted == len(names)
    assert len(walk.tops)
    assert amap.translate(names).tolist() == names.tolist()
    assert amap.read(names).tolist() == tags.tolist()
    assert amap.slow == []
    sound(amap, s)
    lost = counts.sum(axis=0) - amap.mem.zone_kinds.sum(axis=0)
    split = 0 if whole else 2
    assert lost[PageKind.PAGE_TABLE] == split
    assert lost[PageKind.SLAB] == lost[PageKind.RECLAIMABLE_SLAB] == 0


def test_the_target_leaves_too_and_the_name_stays(machine):
    amap, s = machine
    first = prepare(amap, s)
    names, tags = names_and_tags(amap)
    finish(first, s)
    second = prepare(amap, s, first.room.section)
    finish(second, s)
    assert second.verdict is Exit.OFFLINE
    assert amap.slow == [SECTION]
    assert amap.found_in[SECTION] == second.room.section
    assert amap.read(names).tolist() == tags.tolist()
    sound(amap, s)


def test_scattered_pages_of_others_stay_theirs_when_their_host_leaves(machine):
    amap, s = machine
    first = prepare(amap, s, whole=False)
    names, tags = names_and_tags(amap)
    finish(first, s)
    host = int(np.bincount(first.room.targets // SIZE).argmax())
    second = prepare(amap, s, host, whole=True)
    if second.verdict:
        pytest.skip(f"section {host} holds what boot left there")
    finish(second, s)
    assert amap.read(names).tolist() == tags.tolist()
    sound(amap, s)


def test_who_knows_the_old_frame_reads_what_it_was(machine):
    amap, s = machine
    attempt = prepare(amap, s)
    page = attempt.residue.only(Handling.REMAP)[:1]
    tag = amap.read(page)
    finish(attempt, s)
    amap.contents.write_new(amap.translate(page))
    assert amap.contents.read(page).tolist() == tag.tolist()
    assert amap.read(page).tolist() != tag.tolist()
    pull_out(amap, SECTION)
    assert amap.contents.read(page).tolist() == [0]


def test_only_a_whole_online_section_can_be_asked(machine):
    amap, s = machine
    for section in (0, 10, 999):
        with pytest.raises(ParameterError, match="section"):
            remap.start(amap, section)
    finish(prepare(amap, s), s)
    with pytest.raises(ParameterError, match="online"):
        remap.start(amap, SECTION)
