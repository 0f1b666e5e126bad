"""Hot-remove: each verdict with its guilty page found again, content kept, clocks that add up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.recording import Recording
from hotmem_viz.scenarios.hot_remove import HotRemove
from hotmem_viz.vocabulary import PageKind, ZoneType
from tests.scenarios.ledger import column

ON_LRU = (PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER)
BOOT = (PageKind.HOLE, PageKind.RESERVED, PageKind.MEMMAP, PageKind.KERNEL_IMAGE)

VERDICTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing in the way": ({}, ["ok"]),
    "slab, freed": ({"where": "kernel", "obstacle": "slab"}, ["EBUSY", "EBUSY", "ok"]),
    "slab, kept": (
        {"where": "kernel", "obstacle": "slab", "ending": "signal"},
        ["EBUSY", "EBUSY"],
    ),
    "page table": (
        {"where": "kernel", "obstacle": "page_table", "ending": "never", "seed": 2},
        ["EBUSY", "EBUSY"],
    ),
    "a device's buffer": (
        {"where": "kernel", "obstacle": "device", "ending": "signal"},
        ["EBUSY", "EBUSY"],
    ),
    "own map": ({"obstacle": "memmap"}, ["EBUSY", "EBUSY"]),
    "pin, released": ({"obstacle": "pin"}, ["ok"]),
    "pin, signal": ({"obstacle": "pin", "ending": "signal"}, ["EINTR"]),
    "pin, for ever": ({"obstacle": "pin", "ending": "never", "seed": 5}, ["never ends"]),
    "no room": ({"obstacle": "no_room", "ending": "never"}, ["never ends"]),
    "huge page": ({"obstacle": "huge"}, ["ok"]),
}


def made(parameters: dict[str, Any]) -> tuple[HotRemove, Recording]:
    run: HotRemove = build_run("hot_remove", **parameters)
    return run, record(run)


@pytest.fixture(params=VERDICTS)
def story(request):
    parameters, verdicts = VERDICTS[request.param]
    return (*made(parameters), verdicts)


def test_each_verdict_is_reached(story):
    run, recording, verdicts = story
    found = [o.verdict.value for a in run.attempts for o in a.outcomes if o.verdict]
    assert found == verdicts
    validate_memory(run.memory)
    assert recording.event_list[-1].kind == "CORNER"


def guilty_by_hand(recording: Recording, tick: int, start: int, end: int) -> int:
    """Return the page that the rules name first, in a kernel zone, from the recorded cells."""
    assert recording.meta["pages_per_cell"] == 1
    kinds = recording.frame(tick)
    sections = np.array(recording.meta["sections"])
    size = recording.meta["machine"]["section_pages"]
    first = int(np.flatnonzero(sections == start // size)[0]) * size
    for block in (start, end - 512):
        for pfn in range(block, block + 512):
            kind = PageKind(int(kinds[first + pfn - start]) & 0x3F)
            if kind not in (PageKind.FREE, PageKind.HUGETLB, *ON_LRU):
                return pfn
    return -1


@pytest.mark.parametrize("obstacle", ["slab", "page_table", "device"])
@pytest.mark.parametrize("seed", [1, 4, 9])
def test_the_guilty_page_is_the_one_that_was_left(obstacle, seed):
    run, recording = made({"where": "kernel", "obstacle": obstacle, "seed": seed})
    refused = [e for e in recording.event_list if e.kind == "OFFLINE_REFUSED"]
    block, size = run.attempts[0].block, run.memory.spec.block_pages
    assert [e.pfn for e in refused] == [run.obstacle_pfn]
    start = block * size
    assert guilty_by_hand(recording, refused[0].tick, start, start + size) == run.obstacle_pfn
    assert f"pfn {run.obstacle_pfn:,}" in refused[0].text


@pytest.mark.parametrize("parameters", [{"obstacle": "pin"}, {"obstacle": "no_room"}, {}])
def test_moves_keep_content_and_owners(parameters):
    run = build_run("hot_remove", **parameters)
    mem, moved = run.memory, 0
    kinds, owners = mem.kind.ravel().copy(), mem.owner.ravel().copy()
    for tick in run.ticks():
        for source, target in tick.moves:
            moved += len(source)
            assert (mem.kind.ravel()[target] == kinds[source]).all()
            assert (mem.owner.ravel()[target] == owners[source]).all()
            assert len(np.unique(target)) == len(target)
        if tick.moves:
            held = (mem.kind.ravel() > PageKind.FREE).sum()
            assert held == (kinds > PageKind.FREE).sum()
        kinds, owners = mem.kind.ravel().copy(), mem.owner.ravel().copy()
        validate_memory(mem)
    assert moved == run.clocks.moved == sum(o.granted for a in run.attempts for o in a.outcomes)


def test_clocks_are_those_of_the_outcomes(story):
    run, recording, _ = story
    sides: Counter[bool] = Counter()
    for a in run.attempts:
        zone = a.outcomes[0].zone
        movable = bool(run.memory.zones.type[zone] == ZoneType.MOVABLE)
        sides[movable] += sum(o.time_ns for o in a.outcomes) + int(a.waited_ns)
    assert column(recording, "timer.movable")[-1] == pytest.approx(sides[True] / 1e9)
    assert column(recording, "timer.kernel")[-1] == pytest.approx(sides[False] / 1e9)
    passes = sum(o.passes for a in run.attempts for o in a.outcomes)
    assert column(recording, "passes")[-1] == passes
    assert (np.diff(recording.time_ns) >= 0).all()


def test_movable_leaves_sooner_than_a_kernel_block_with_a_residue():
    _, recording = made({"where": "both", "obstacle": "slab", "ending": "signal"})
    assert column(recording, "timer.movable")[-1] < 1
    assert column(recording, "timer.kernel")[-1] >= 60
    assert column(recording, "emptied")[-1] == 1


def test_a_fresh_dimm_in_a_kernel_zone_is_held_and_a_movable_one_is_not():
    held, recording = made({"machine": "small", "what": "dimm"})
    assert [o.verdict.value for o in held.attempts[0].outcomes if o.verdict] == ["EBUSY"] * 2
    start = held.dimm.start_pfn if held.dimm else -1
    refused = next(e for e in recording.event_list if e.kind == "OFFLINE_REFUSED")
    assert refused.pfn == start, "the very first page of the new memory"
    gone, _ = made({"machine": "small", "what": "dimm", "online": "online_movable"})
    assert {a.out.verdict.value for a in gone.attempts if a.out.verdict} == {"ok"}
    assert gone.memory.added == []
    idle, _ = made({"machine": "small", "what": "dimm", "idle": 0.0})
    assert {a.out.verdict.value for a in idle.attempts if a.out.verdict} == {"ok"}


def test_callbacks_are_unproven_and_only_ever_help():
    where = {"machine": "small", "what": "dimm"}
    for success, emptied in ((0.0, 2), (1.0, 4)):
        _, with_ = made({**where, "callbacks": True, "callback_success": success})
        told = [e for e in with_.event_list if e.kind == "CALLBACK"]
        assert told
        assert all(e.unproven and e.claims == ("S19",) for e in told)
        assert column(with_, "emptied")[-1] == emptied
        assert column(with_, "emptied_without")[-1] == 2


@pytest.mark.parametrize(("machine", "title"), [("mail", "has left"), ("classroom", "stays")])
def test_a_node_leaves_when_all_its_blocks_do(machine, title):
    run, recording = made({"what": "node", "machine": machine})
    told = next(e for e in recording.event_list if e.kind == "NODE_LEFT")
    assert told.title == f"Node {run.nid} {title}"
    gone = [e for e in recording.event_list if e.kind == "OFFLINED"]
    of = {e.title for e in recording.event_list if e.kind in ("OFFLINED", "OFFLINE_REFUSED")}
    assert told.text.startswith(f"{len(gone)} of {len(run.attempts)} memory blocks of node")
    assert (len(gone) == len(run.attempts) == len(of)) == (machine == "mail")


def test_what_leaves_a_kernel_zone_does_not_speak_for_zone_movable():
    _, recording = made({"where": "both", "obstacle": "slab"})
    seen = {(" Movable " in e.text, e.claims) for e in recording.event_list if e.kind == "OFFLINED"}
    assert seen == {(True, ("S45",)), (False, ("S24",))}


def test_the_corner_is_counted_page_by_page():
    run, recording = made({"where": "both", "obstacle": "slab", "ending": "never"})
    mem, counts = run.memory, Counter[str]()
    for section in np.flatnonzero(mem.section_state == 2).tolist():
        zones = set(mem.zone[section].tolist())
        kinds = [PageKind(k) for k in mem.kind[section].tolist()]
        if len(zones) > 1 or PageKind.HOLE in kinds:
            continue
        movable = mem.zones.type[zones.pop()] == ZoneType.MOVABLE
        fine = {PageKind.FREE, PageKind.HUGETLB, *ON_LRU}
        bad = any(k in BOOT for k in kinds) if movable else any(k not in fine for k in kinds)
        side = "movable" if movable else "kernel"
        counts[f"corner.{side}" + ("_held" if bad else "")] += 1
        if movable and not bad:
            counts["corner.movable_used"] += sum(k in (*ON_LRU, PageKind.HUGETLB) for k in kinds)
    for name in ("corner.movable", "corner.movable_used", "corner.kernel", "corner.kernel_held"):
        assert column(recording, name)[-1] == counts[name], name


def test_marks_are_captioned_in_words(story):
    _, recording, _ = story
    captions = {c["tick"]: c for c in recording.meta["captions"]}
    marks = [e for e in recording.event_list if e.mark]
    assert len({e.tick for e in marks}) == len(marks)
    for event in marks:
        assert captions[event.tick]["text"] == event.text
        assert len(event.text) > 60
        assert event.claims
        assert event.rule
        assert event.function.endswith("()")


def test_it_stays_small_and_repeats_itself(tmp_path):
    files = [hotmem_viz.run("hot_remove", what="node").save(tmp_path / f"{i}.npz") for i in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < 300_000
    assert hotmem_viz.run("hot_remove", what="node").n_ticks < 300


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"machine": "toaster"}, "machine"),
        ({"user": 0.95}, "user"),
        ({"obstacle": "slab"}, "obstacle"),
        ({"what": "dimm", "online": "online_movable", "obstacle": "page_table"}, "obstacle"),
        ({"machine": "mail", "obstacle": "memmap"}, "obstacle"),
        ({"machine": "mail", "what": "dimm", "online": "online", "obstacle": "slab"}, "obstacle"),
        ({"where": "both", "obstacle": "pin"}, "obstacle"),
        ({"machine": "small"}, "where"),
        ({"machine": "small", "what": "node"}, "what"),
        ({"obstacle": "pin", "user": 0.0}, "user"),
        ({"patience": 0}, "patience"),
        ({"callbacks": 1}, "callbacks"),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_line(given, named):
    with pytest.raises(ParameterError) as caught:
        hotmem_viz.run("hot_remove", **given)
    assert str(caught.value).startswith(f"{named}: ")
    assert "\n" not in str(caught.value)
