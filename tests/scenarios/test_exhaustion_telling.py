"""Ticks, marks, captions and counters of the exhaustion lesson hang together."""

from __future__ import annotations

import numpy as np

import hotmem_viz
from tests.scenarios.ledger import column, per_zone


def test_ticks_are_few_enough_to_watch(any_lesson):
    assert 50 <= any_lesson.n_ticks <= 500


def test_time_and_objects_never_fall(any_lesson):
    assert (np.diff(any_lesson.time_ns) >= 0).all()
    for name in ("objects", "user_pages", "remote"):
        assert (np.diff(column(any_lesson, name)) >= 0).all(), name
    assert column(any_lesson, "objects")[0] == 0
    assert column(any_lesson, "objects")[-1] > 100


def test_events_ascend_and_no_two_marks_share_a_tick(any_lesson):
    ticks = [e.tick for e in any_lesson.event_list]
    assert ticks == sorted(ticks)
    assert ticks[0] == 0
    assert ticks[-1] < any_lesson.n_ticks
    marks = [e.tick for e in any_lesson.event_list if e.mark]
    assert len(marks) == len(set(marks)) >= 3
    assert any_lesson.last_mark == any_lesson.n_ticks - 1


def test_each_kind_of_mark_stands_once_at_its_first_occurrence(any_lesson):
    events = any_lesson.event_list
    marked = [e.kind for e in events if e.mark]
    assert len(marked) == len(set(marked))
    for kind in {e.kind for e in events} - {"BOOT"}:
        assert next(e for e in events if e.kind == kind).mark, kind


def test_marks_come_in_the_order_in_which_the_kernel_gets_there(any_lesson):
    tick = {e.kind: e.tick for e in reversed(any_lesson.event_list)}
    assert tick["BOOT"] == 0 < tick["FALLBACK"]
    if "KSWAPD_WAKE" in tick and "RECLAIM" in tick:
        assert tick["KSWAPD_WAKE"] < tick["RECLAIM"]
    if "OOM" in tick:
        assert tick["KSWAPD_WAKE"] < tick["REFUSED"] < tick["OOM"] == any_lesson.n_ticks - 1


def test_marks_are_captioned_in_words_at_their_tick(any_lesson):
    captions = {c["tick"]: c for c in any_lesson.meta["captions"]}
    assert [c["tick"] for c in any_lesson.meta["captions"]] == sorted(captions)
    for event in any_lesson.event_list:
        if event.mark or event.kind == "BOOT":
            caption = captions[event.tick]
            assert caption["title"] == event.title
            assert caption["text"] == event.text
            assert len(event.text) > 60
            assert event.rule
            assert event.function.endswith("()")


def test_a_reclaim_mark_frees_pages_at_its_tick(lesson):
    recording = lesson()
    tick = next(e.tick for e in recording.event_list if e.kind == "KSWAPD_WAKE")
    # A kernel request wakes kswapd here; only buffers can go in the zones that it may use.
    buffers = column(recording, "kind.buffer")
    assert buffers[tick] < buffers[tick - 1]


def test_counters_of_marks_are_ordered(any_lesson):
    low, boost = per_zone(any_lesson, "low"), per_zone(any_lesson, "boost")
    assert (per_zone(any_lesson, "min") <= low).all()
    assert (low <= per_zone(any_lesson, "high")).all()
    assert (boost <= per_zone(any_lesson, "min")).all(), "marks include the boost"


def test_useless_is_what_the_zones_say(any_lesson):
    free, low_line = per_zone(any_lesson, "free"), per_zone(any_lesson, "min")
    for zone in any_lesson.meta["zones"]:
        wanted = free[:, zone["id"]]
        if zone["kernel"]:
            wanted = np.minimum(wanted, low_line[:, zone["id"]] + zone["reserve"])
        assert column(any_lesson, f"zone{zone['id']}.useless").tolist() == wanted.tolist()
    total = per_zone(any_lesson, "useless").sum(axis=1)
    assert column(any_lesson, "useless").tolist() == total.tolist()
    assert {z["zone"] for z in any_lesson.meta["zones"] if not z["kernel"]} <= {
        "Movable",
        "HighMem",
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    made = [
        hotmem_viz.run("exhaustion", movable=0.6, seed=11).save(tmp_path / f"{i}.npz")
        for i in range(2)
    ]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_another_seed_gives_another_run(lesson):
    a, b = lesson(seed=1), lesson(seed=2)
    assert a.counters_array.shape != b.counters_array.shape or not np.array_equal(
        a.counters_array, b.counters_array
    )
    assert np.array_equal(a.frame(0), b.frame(0)), "but the same machine"
