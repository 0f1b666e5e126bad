"""The lesson on captured machines: as many objects fit as the real kernel made, within 5 %.

Each machine boots from what its capture says about it (ranges, SRAT, command line); the workload
and the socket pairs parked beforehand are the capture's own; sizes of objects come from slabinfo.
Shown with `-s`: predicted, observed, error.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.samples import last_sample
from hotmem_viz.vocabulary import ZoneType
from tests.scenarios.ledger import column, ends_with, per_zone

TOLERANCE = 0.05
BALLAST = 40
"""Socket pairs that the loads parked where the arguments say nothing else."""

ON_X86_64 = (
    "b-curve-files-00",
    "b-curve-files-50",
    "b-curve-files-80",
    "b-dirs-85",
    "b-files-85",
    "b-pipes-85",
    "b-sockets-85",
)
ON_PAE = ("e-sockets-01G", "e-sockets-04G", "e-sockets-16G", "e-files-04G-panic")
CONFINED = (ZoneType.MOVABLE, ZoneType.HIGHMEM)


@dataclass(frozen=True)
class Comparison:
    """One number of one capture: as the model has it, and as the kernel printed it."""

    capture: str
    what: str
    predicted: float
    observed: float

    @property
    def error(self) -> float:
        """How far the model is off, as a share of the observed; 0 where both are 0."""
        if not self.observed:
            return 0.0 if not self.predicted else float("inf")
        return self.predicted / self.observed - 1

    def __str__(self) -> str:
        return (
            f"{self.capture:20} {self.what:22} "
            f"{self.predicted:12,.0f} {self.observed:12,.0f} {self.error:+8.2%}"
        )


def run_as_captured(lesson, name):
    """Run the lesson on a captured machine, with the capture's own load."""
    args = open_capture(name).args
    ballast = int(args.get("BALL", BALLAST))
    return lesson(machine=name, workload=str(args["kind"]), user=0.0, ballast=ballast)


def compare(lesson, name):
    """Compare objects made, and free pages where kernel memory may not go."""
    recording, capture = run_as_captured(lesson, name), open_capture(name)
    load = str(capture.args["kind"])
    free = sum(
        per_zone(recording, "free")[-1, z["id"]] for z in recording.meta["zones"] if not z["kernel"]
    )
    seen = sum(z.free for z in last_sample(capture).zoneinfo() if z.zone in CONFINED)
    made = float(column(recording, "objects")[-1])
    rows = (
        Comparison(name, load, made, capture.result(load)["ops"]),
        Comparison(name, "free Movable/HighMem", float(free), seen),
    )
    for row in rows:
        print(row)  # noqa: T201 - the table that -s shows
    return rows


@pytest.mark.parametrize("name", ON_X86_64 + ON_PAE)
def test_as_many_objects_fit_as_the_kernel_made(lesson, name):
    capture = open_capture(name)
    result = capture.result(str(capture.args["kind"]))
    assert result["signal"] == 9, "the OOM killer ended it"
    assert ends_with(run_as_captured(lesson, name)) == "OOM"
    for row in compare(lesson, name):
        assert abs(row.error) <= TOLERANCE, str(row)


@pytest.mark.parametrize("name", ON_X86_64 + ON_PAE)
def test_the_machine_is_the_captured_one(lesson, name):
    """The comparison is about the captured zones, not about some preset of like size."""
    recording = run_as_captured(lesson, name)
    real = {(z.nid, z.name): z for z in open_capture(name).zoneinfo("boot") if z.present}
    mine = {(z["nid"], z["zone"]): z for z in recording.meta["zones"] if z["present"]}
    assert set(mine) == set(real)
    for key, zone in mine.items():
        assert zone["present"] == real[key].present, key
        assert zone["managed"] == pytest.approx(real[key].managed, rel=0.01), key


@pytest.mark.parametrize("name", ["b-files-85", "b-pipes-85", "e-files-04G-panic"])
def test_the_free_memory_that_is_of_no_use_is_the_captured_one(lesson, name):
    """Lesson 4 of the captures: nearly all that is free at the OOM lies where it is of no use."""
    recording = run_as_captured(lesson, name)
    useless, free = (column(recording, n)[-1] for n in ("useless", "free"))
    last = {z.zone: z for z in last_sample(open_capture(name)).zoneinfo()}
    confined = sum(z.free for kind, z in last.items() if kind in CONFINED)
    assert useless / free > 0.99
    assert confined / free > 0.95


def test_pipes_may_use_highmem_but_not_movable(lesson):
    """Their pages are HIGHUSER without MOVABLE: the old split was kinder to them (lesson 6)."""
    wall = run_as_captured(lesson, "b-pipes-85")
    free = per_zone(wall, "free")
    movable = next(z["id"] for z in wall.meta["zones"] if z["zone"] == "Movable")
    assert free[-1, movable] == free[0, movable]
    open_field = run_as_captured(lesson, "e-pipes-04G")
    free = per_zone(open_field, "free")
    high = next(z["id"] for z in open_field.meta["zones"] if z["zone"] == "HighMem")
    assert free[-1, high] < free[0, high]
    seen = open_capture("e-pipes-04G")
    before, after = (
        next(z.free for z in zones if z.zone is ZoneType.HIGHMEM)
        for zones in (seen.zoneinfo("boot"), last_sample(seen).zoneinfo())
    )
    assert after < before / 50, "and so it was on the real machine"


def test_more_memory_means_fewer_objects_on_pae(lesson):
    """Lesson 13: the memory map is paid in lowmem, so a larger machine holds fewer sockets."""
    names = ("e-sockets-01G", "e-sockets-04G", "e-sockets-16G")
    mine = [column(run_as_captured(lesson, n), "objects")[-1] for n in names]
    real = [open_capture(n).result("sockets")["ops"] for n in names]
    assert real == sorted(real, reverse=True)
    assert mine == sorted(mine, reverse=True)
