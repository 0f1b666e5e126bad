"""The exhaustion lesson ends as the kernel's rules say, for the reasons that they give.

Expected values come from the zones' own numbers and from the sizes that /proc/slabinfo prints.
"""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import CLASSROOM_SCALE, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.recording.recorder import record
from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.scenarios.parameters import ExhaustionParameters
from hotmem_viz.scenarios.setup import Setup
from hotmem_viz.vocabulary import PageKind
from tests.scenarios.conftest import LESSONS
from tests.scenarios.ledger import column, ends_with, per_zone, zone_of_cells

ORDER_SLACK = {"files": 2, "dirs": 2, "pipes": 2, "sockets": 8}
"""Pages of the largest slab, from slabinfo: a request for 2**n pages fails with 2**n - 1 to go."""


@pytest.mark.parametrize(
    "parameters",
    [p for p in LESSONS.values() if p.get("workload") != "cache" and p.get("user", 0.5) < 0.9],
)
def test_out_of_memory_means_that_no_zone_can_serve(lesson, parameters):
    recording = lesson(**parameters)
    assert ends_with(recording) == "OOM"
    slack = ORDER_SLACK[parameters.get("workload", "files")] - 1
    free, low_line = per_zone(recording, "free")[-1], per_zone(recording, "min")[-1]
    kernel = [z for z in recording.meta["zones"] if z["kernel"]]
    for zone in kernel:
        line = low_line[zone["id"]] + zone["reserve"]
        assert free[zone["id"]] <= line + slack, f"zone {zone['id']}"
    left = column(recording, "free")[-1] - column(recording, "useless")[-1]
    assert 0 <= left <= slack * len(kernel)
    # Nothing is left to reclaim there either: neither page cache nor buffers.
    if recording.meta["pages_per_cell"] == 1:
        inside = np.isin(zone_of_cells(recording), [z["id"] for z in kernel])
        last = recording.frame(recording.n_ticks - 1)[inside]
        assert not np.isin(last, (PageKind.PAGE_CACHE, PageKind.BUFFER)).any()


def test_the_zones_are_not_empty_when_memory_is_out(lesson):
    """The watermark and the reserve stay: "free" is not zero in what ran dry."""
    recording = lesson()
    for zone in recording.meta["zones"]:
        if zone["kernel"]:
            assert per_zone(recording, "free")[-1, zone["id"]] > 0


def test_user_memory_that_runs_out_is_told_as_such(lesson):
    # Little metadata and all zones alike: it is a program's page that finds nothing.
    recording = lesson(movable=0.0, user=0.95)
    assert ends_with(recording) == "OOM"
    oom = recording.event_list[-1]
    assert "HIGHUSER_MOVABLE" in oom.text
    # Such a request may use every zone, so all that is left is what the zones keep back.
    amount = oom.title.removeprefix("Out of memory with ").removesuffix(" free")
    assert amount in oom.text
    refused = next(e for e in recording.event_list if e.kind == "REFUSED")
    who = "user" if "anonymous" in refused.text or "page cache" in refused.text else "kernel"
    assert refused.title == f"A {who} allocation is refused"


def test_memory_lies_free_beside_it(lesson):
    for parameters in ({}, {"machine": "mail"}, {"machine": "pae"}, {"movable": 0.85}):
        recording = lesson(**parameters)
        free = column(recording, "free")[-1]
        assert free > 0.4 * recording.meta["machine"]["present_pages"]
        assert column(recording, "mem_available")[-1] > 0.9 * free, "and MemAvailable is wrong"


def test_names_that_can_be_shrunk_never_end_in_oom(lesson):
    # Programs' memory cannot be shrunk; where it has a zone of its own, it does no harm here.
    for parameters in ({}, {"movable": 0.0, "user": 0.0}, {"movable": 0.9}):
        recording = lesson(workload="cache", **parameters)
        assert ends_with(recording) == "DONE"
        assert "OOM" not in {e.kind for e in recording.event_list}
        assert recording.n_ticks < 500
    kinds = {e.kind for e in recording.event_list}
    assert {"KSWAPD_WAKE", "RECLAIM"} <= kinds, "it did come under pressure"


@pytest.mark.parametrize("workload", ["files", "dirs", "sockets", "pipes"])
def test_more_kernel_memory_holds_more_objects(lesson, workload):
    counts = [
        column(lesson(workload=workload, movable=m, user=0.0), "objects")[-1]
        for m in (0.85, 0.5, 0.0)
    ]
    assert counts == sorted(counts)
    assert counts[2] > 3 * counts[0]


@pytest.mark.parametrize(
    ("workload", "pages"),
    [
        # /proc/slabinfo of 6.1.0-56-cloud-amd64: pages per slab over objects per slab, summed.
        ("files", 2 / 10 + 1 / 21 + 1 / 128),
        ("pipes", 4 + 2 / 8 + 2 / 12 + 2 / 16 + 2 / 21 + 2 / 170 + 1 / 128),
        (
            "sockets",
            10 * 8 / 8 + 10 / 16 + 2 * 2 / 8 + 2 * 4 / 19 + 2 / 16
            + 2 / 21 + 2 / 128 + 2 / 170 + 2 / 256,
        ),
    ],
)  # fmt: skip
def test_an_object_costs_what_slabinfo_says(lesson, workload, pages):
    recording = lesson(workload=workload, movable=0.0, user=0.0)
    names = ("slab", "reclaimable_slab", "kernel_buffer")
    grown = sum(
        column(recording, f"kind.{n}")[-1] - column(recording, f"kind.{n}")[0] for n in names
    )
    objects = column(recording, "objects")[-1]
    # The last operation is refused halfway, and each cache's last slab is not full.
    assert grown / objects == pytest.approx(pages, rel=0.01)


@pytest.mark.parametrize("user", [0.2, 0.5, 0.8])
def test_the_user_share_is_that_of_the_pages_asked_for(lesson, user):
    recording = lesson(user=user)
    mid = recording.n_ticks // 2
    users = column(recording, "user_pages")[mid]
    kinds = ("slab", "reclaimable_slab")
    kernel = sum(
        column(recording, f"kind.{k}")[mid] - column(recording, f"kind.{k}")[0] for k in kinds
    )
    assert users / (users + kernel) == pytest.approx(user, abs=0.06)


def classroom_with(movable_mib):
    """Build a one-node classroom machine: the same kernel zones, ZONE_MOVABLE of any size."""
    mib = 1 << 8
    node = NodeSpec(0, (PfnRange(0, 32 * mib), PfnRange(128 * mib, (160 + movable_mib) * mib)))
    spec = MachineSpec("one", (node,), section_pages=1024, scale=CLASSROOM_SCALE, cpus=4)
    options = parse_boot_options("kernelcore=64M", strict=True)
    setup = Setup(spec, options, find_profile("6.1"))
    return record(Exhaustion(ExhaustionParameters(user=0.0), setup))


def test_files_depend_on_the_kernels_zones_and_not_on_total_memory():
    """The real kernel's: the same number of files whatever the size of ZONE_MOVABLE."""
    small, large = classroom_with(128), classroom_with(256)
    zones = [
        {z["zone"]: z["present"] for z in recording.meta["zones"]} for recording in (small, large)
    ]
    assert zones[1].pop("Movable") == 2 * zones[0].pop("Movable")
    assert zones[0] == zones[1]
    objects = [column(r, "objects")[-1] for r in (small, large)]
    assert objects[1] == pytest.approx(objects[0], rel=0.05)
    free = [per_zone(r, "free")[-1, -1] for r in (small, large)]
    assert free[1] > 1.9 * free[0]


def test_pae_has_the_same_trouble(lesson):
    """Lowmem runs dry and HighMem lies free, as Normal and Movable do: one problem (S11)."""
    recording = lesson(machine="pae")
    assert ends_with(recording) == "OOM"
    zones = recording.meta["zones"]
    assert [z["zone"] for z in zones if not z["kernel"]] == ["HighMem"]
    free = per_zone(recording, "free")[-1]
    high = next(z["id"] for z in zones if z["zone"] == "HighMem")
    assert free[high] > 0.85 * zones[high]["managed"]
    assert free[high] > 0.99 * free.sum()


def test_the_server_runs(lesson):
    recording = lesson(machine="server")
    assert ends_with(recording) == "OOM"
    assert recording.meta["machine"]["present_pages"] > 60 << 18
    assert recording.meta["pages_per_cell"] > 1
    assert recording.kind.keys.shape[1] <= 1 << 17
    named = {d.section for d in recording.details}
    assert named <= set(recording.meta["sections"])
    assert named


def test_remote_pages_are_counted(lesson):
    assert column(lesson(machine="mail"), "remote")[-1] > 0, "node 0 serves the others"
    assert column(lesson(machine="pae"), "remote")[-1] == 0, "there is one node"


def test_ballast_is_held_before_the_first_tick(lesson):
    plain, parked = lesson(user=0.0), lesson(user=0.0, ballast=100)
    taken = column(plain, "free")[0] - column(parked, "free")[0]
    assert taken == pytest.approx(100 * 11.8, rel=0.05)
    assert column(parked, "objects")[0] == 0
    assert column(parked, "objects")[-1] < column(plain, "objects")[-1]
