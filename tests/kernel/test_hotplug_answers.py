"""What blocks and DIMMs answered: verdicts by hand from the captures' own files, and damage."""

from __future__ import annotations

from collections import Counter

import pytest

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captures import capture_names, open_capture
from hotmem_viz.kernel.hotplug_answers import (
    BUSY,
    INVALID,
    NEVER,
    OK,
    parse_growth,
    parse_onlining,
    parse_removals,
    parse_sweep,
    verdict_of,
)

SWEEP = (
    "sweep memory33 before=online zones=Movable removable=1 result: rc=-9 killed seconds=7.9853 "
    "gave-up after=online back=-\n"
)
ONLINE = "online_movable memory32 rc=0 ok seconds=0.0123 -> online Movable\n"
REMOVAL = "err not-deleted host_seconds=0.33 events=[('ACPI_DEVICE_OST', 3, 130)]\n"
GROWTH = "dimm1 ok added blocks 2->3 onlined=1 failed=0 MemFree: 256160 kB DMA=3808 DMA32=27490\n"


@pytest.mark.parametrize(
    ("name", "verdicts"),
    [
        ("d-sweep-fresh", {OK: 10, BUSY: 4, INVALID: 2}),
        ("d-sweep-movable50-pin", {OK: 8, BUSY: 3, INVALID: 3, NEVER: 2}),
        ("d-sweep-movable50-full", {BUSY: 3, INVALID: 3, NEVER: 10}),
    ],
)
def test_sweeps(name, verdicts):
    attempts = open_capture(name).sweep()
    assert Counter(a.verdict for a in attempts) == verdicts
    for attempt in attempts:
        assert (attempt.after == "offline") == (attempt.verdict == OK)
        assert (attempt.valid_zones == ()) <= (attempt.verdict == INVALID)


def test_one_attempt():
    (attempt,) = parse_sweep(f"# head\n{SWEEP}")
    assert (attempt.tag, attempt.block, attempt.valid_zones) == ("sweep", 33, ("Movable",))
    assert (attempt.errno, attempt.seconds, attempt.verdict) == (-9, 7.9853, NEVER)
    assert (attempt.before, attempt.after, attempt.back) == ("online", "online", "-")
    assert verdict_of(12) == "errno 12"


def test_onlining_and_removals():
    seen = {}
    for name in capture_names():
        capture = open_capture(name)
        if removals := capture.removals():
            states = {(o.how, *o.zones) for o in capture.onlining()}
            verdicts = [r.verdict for r in removals]
            seen[name] = (verdicts[0] if len(verdicts) == 1 else verdicts, states)
    assert seen == {
        "d-hot-auto-ratio100": (
            ["removed", "refused", "removed", "removed"],
            {("online", "Movable"), ("online", "Normal")},
        ),
        "d-hot-kernel-empty": ("refused", {("online_kernel", "Normal")}),
        "d-hot-kernel-files": ("refused", {("online_kernel", "Normal")}),
        "d-hot-memmap-128M": ("removed", {("online_movable", "Movable")}),
        "d-hot-memmap-on-memory": ("removed", {("online_movable", "Movable")}),
        "d-hot-movable-anon": ("removed", {("online_movable", "Movable")}),
        "d-hot-movable-empty": ("removed", {("online_movable", "Movable")}),
        "d-hot-movable-pin": (NEVER, {("online_movable", "Movable")}),
        "d-hot-online-default": ("refused", {("online", "Normal")}),
        "d-hot-online-policy-auto": ("removed", {("online", "Movable")}),
        "v612-d-hot-256-default": ("refused", set()),
        "v612-d-hot-768M-movable": ("removed", {("online_movable", "Movable")}),
        "v72-d-hot-256-default": ("refused", set()),
    }


def test_a_removal_that_had_come_true_meanwhile():
    capture = open_capture("d-hot-movable-pin")
    (again,) = parse_removals(capture.text("del2"))
    assert (again.missing, again.deleted, again.verdict) == (True, False, "removed")


def test_several_dimms_have_a_line_each():
    text = open_capture("d-hot-movable-empty").text("del")
    other = open_capture("d-hot-kernel-empty").text("del")
    assert [r.verdict for r in parse_removals(text + other + text)] == [
        "removed",
        "refused",
        "removed",
    ]


def test_growth():
    grown = open_capture("d-grow-256M-small").growth()
    assert [g.dimm for g in grown] == list(range(1, 13))
    assert [g.blocks for g in grown] == list(range(3, 15))
    assert (grown[0].free["DMA32"], grown[-1].free["DMA32"]) == (27490, 21905)
    assert (grown[-1].free_kib, grown[-1].onlined, grown[-1].failed) == (1675184, 1, 0)
    assert len(open_capture("d-grow-256M").growth()) == 7
    assert open_capture("a-none").growth() == ()


def test_blocks_that_are_offline_list_what_they_may_become():
    plain = open_capture("d-hot-movable-empty").blocks("added")
    policy = open_capture("d-hot-online-policy-auto").blocks("added")
    assert {b.valid_zones for b in plain if b.state == "offline"} == {("Normal", "Movable")}
    assert {b.valid_zones for b in policy if b.state == "offline"} == {("Movable", "Normal")}


@pytest.mark.parametrize(
    ("parse", "text", "old", "new", "says"),
    [
        (parse_sweep, SWEEP, "memory33", "memoryx", "line 1: not an attempt"),
        (parse_sweep, SWEEP, "after=online", "after=lost", "line 1: not an attempt"),
        (
            parse_sweep,
            SWEEP,
            "zones=Movable",
            "zones=Movable,Movable",
            "line 1: not a list of zones",
        ),
        (parse_sweep, SWEEP, " back=-", "", "line 1: not an attempt"),
        (parse_onlining, ONLINE, "-> online", "-> ", "line 1: not the onlining"),
        (parse_onlining, ONLINE, "Movable", "Elsewhere", "line 1: not a list of zones"),
        (parse_removals, REMOVAL, "err", "ok", "line 1: not the answer"),
        (parse_removals, REMOVAL, "130)]", "130), 'x']", "line 1: not a list of events"),
        (parse_removals, REMOVAL, "\n", "\nmore\n", "line 2: not the answer"),
        (parse_growth, GROWTH, "DMA32=27490", "DMA33=27490", "line 1: not a DIMM"),
        (parse_growth, GROWTH, "2->3", "2->", "line 1: not a DIMM"),
    ],
)
def test_damaged_answers(parse, text, old, new, says):
    parse(text)
    assert old in text
    with pytest.raises(CaptureError, match=f"^some/file, {says}"):
        parse(text.replace(old, new, 1), "some/file")
