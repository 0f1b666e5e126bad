"""A story's ticks: everything taken is in one of them, marks never share one, time never falls."""

from __future__ import annotations

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.offline import offline_block
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import union
from hotmem_viz.scenarios.story import Story
from hotmem_viz.vocabulary import EventKind, PageKind
from tests.slots import P, slots_machine


def make_story():
    mem = slots_machine()
    return mem, Story(mem, lambda: [float(mem.zones.free.sum())])


def test_what_is_taken_is_in_the_tick_that_is_flushed():
    mem, story = make_story()
    first = story.flush()
    used = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], 70, PageKind.ANON, nid=1)
    story.take(used, time_ns=250.0)
    out = offline_block(mem, 20480 // P)
    story.take(out)
    tick = story.flush()
    assert first.touched == []
    touched = union(tick.touched).pfns()
    assert set(used.frames.pfns()) <= set(touched)
    (source, target), *more = tick.moves
    assert len(source) == len(target) == 70
    assert not more
    assert set(source) | set(target) <= set(touched)
    assert tick.time_ns == 250 + out.time_ns > 250
    assert tick.counters == [float(mem.zones.free.sum())]
    assert story.is_empty
    assert story.flush().touched == []


def test_a_second_mark_ends_the_tick_before_it():
    _, story = make_story()
    assert story.tell(EventKind.BOOT, "booted", "x", mark=False) == []
    ticks = [story.flush()]
    ticks += story.tell(EventKind.ISOLATED, "one", "the first mark", pfn=5 * P + 3)
    ticks += story.tell(EventKind.MIGRATED, "aside", "no mark of its own", mark=False)
    ticks += story.tell(EventKind.OFFLINED, "two", "the second", unproven=True, questions=("Q1",))
    ticks.append(story.flush())
    assert [[e.title for e in t.events] for t in ticks] == [["booted"], ["one", "aside"], ["two"]]
    assert [e.tick for t in ticks for e in t.events] == [0, 1, 1, 2]
    assert [c["title"] for t in ticks for c in t.captions] == ["booted", "one", "two"]
    assert [c["tick"] for t in ticks for c in t.captions] == [0, 1, 2]
    assert ticks[1].details == [5]
    assert ticks[2].captions[0]["unproven"] is True
    assert ticks[2].captions[0]["questions"] == ["Q1"]


def test_a_look_up_belongs_to_one_tick_and_is_a_copy():
    _, story = make_story()
    lookup = np.arange(4)
    story.set_lookup(lookup)
    lookup[2] = 9
    assert story.flush().lookup.tolist() == [0, 1, 2, 3]
    assert story.flush().lookup is None
