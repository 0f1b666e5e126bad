"""Zones of a capture where an OOM report speaks, and where it is silent."""

from __future__ import annotations

from hotmem_viz.kernel.capture_oom import tell_oom
from hotmem_viz.kernel.capture_zones import ZoneState, kept_from, oom_states, unprinted_zones
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.moments import Moment
from hotmem_viz.kernel.oom_report import OomReport, OomZone

COLUMNS = ["DMA", "DMA32", "Normal", "Movable", "Device"]
MIB = 256
"""Pages of a MiB."""


def zone(name, free, least, protection, nid=0):
    return OomZone(nid, name, free, 0, least, least + 5, least + 9, 5000, 4000, 0, protection)


REPORT = OomReport(
    task="cp",
    gfp="GFP_KERNEL",
    order=2,
    zones=(
        zone("DMA", 300, 20, (0, 95, 250, 946, 946)),
        zone("Normal", 60, 61, (0, 0, 0, 850, 850)),
    ),
    free=360 + 3 * MIB,
)
BEFORE = {
    (0, "DMA"): ZoneState(free=900, min=10, useless=260, managed=4000, reserve=250),
    (0, "DMA32"): ZoneState(),
    (0, "Normal"): ZoneState(free=2000, min=61, useless=61, managed=4000),
    (0, "Movable"): ZoneState(free=5 * MIB, useless=5 * MIB, managed=9000),
}


def test_printed_zones_are_the_reports_and_the_sum_tells_of_the_other():
    states = oom_states(REPORT, BEFORE)
    assert (states[0, "DMA"].free, states[0, "DMA"].min, states[0, "DMA"].useless) == (300, 20, 270)
    assert (states[0, "Normal"].free, states[0, "Normal"].useless) == (60, 60)
    assert (states[0, "Movable"].free, states[0, "Movable"].useless) == (3 * MIB, 3 * MIB)
    assert states[0, "DMA32"] == ZoneState()


def test_zones_that_are_not_printed_are_those_above_the_request():
    assert unprinted_zones(REPORT, BEFORE) == [(0, "Movable")]
    several = {**BEFORE, (1, "Movable"): ZoneState(free=7, managed=8)}
    assert unprinted_zones(REPORT, several) == [(0, "Movable"), (1, "Movable")]
    # Of two the sum cannot tell which has what: both stay as they were.
    states = oom_states(REPORT, several)
    assert (states[0, "Movable"].free, states[1, "Movable"].free) == (5 * MIB, 7)


def test_a_reserve_is_that_against_the_highest_zone_printed():
    assert [kept_from(z, REPORT, COLUMNS) for z in REPORT.zones] == [250, 0]
    dma = OomReport("cp", "GFP_DMA", 0, REPORT.zones[:1])
    assert kept_from(dma.zones[0], dma, COLUMNS) == 0


def test_the_report_in_words():
    capture = open_capture("b-files-85")
    before = Moment("files/0001", operations=90, meminfo={"MemAvailable": 4096})
    moment = Moment("OOM report", operations=100, oom=REPORT)
    event = tell_oom(7, moment, before, oom_states(REPORT, BEFORE), COLUMNS, capture)
    assert event.title == "Out of memory with 4.41 MiB free"
    assert event.text == (
        "After 100 files cp asks for 4 pages in a row, GFP_KERNEL. The report prints, in free "
        "pages: DMA 300 (min 20, reserve 250); Normal 60 (min 61). It does not print ZONE_MOVABLE "
        "at all, 3 MiB free. Of what is free, 4.29 MiB is of no use to it. MemAvailable, 10 files "
        "before: 4 MiB."
    )
