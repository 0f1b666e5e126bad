"""One lesson under two kernels: the same requests, and differences that real kernels show too."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_pair, build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.machine.profiles import PROFILES
from tests.scenarios.ledger import column

REQUESTS = ("operations", "anon", "cache", "buffers", "node", "exit_turn")
BALLAST = 40


def boot_marks(recording, mark):
    """Return a mark of every zone as the machine has booted, by node and name."""
    return {
        (z["nid"], z["zone"]): float(column(recording, f"zone{z['id']}.{mark}")[0])
        for z in recording.meta["zones"]
    }


def observed(capture, mark):
    """Return a mark of every zone with memory as the kernel printed it, its boost taken off."""
    return {
        (z.nid, z.name): getattr(z, mark) - z.boost
        for z in open_capture(capture).zoneinfo()
        if z.managed
    }


@pytest.mark.parametrize("profile", ["6.1", "6.12", "7.2", "2012"])
def test_a_kernel_can_be_chosen_and_the_boot_note_names_it(profile):
    recording = hotmem_viz.run("exhaustion", profile=profile)
    assert recording.meta["profile"] == profile
    assert recording.meta["parameters"]["profile"] == profile
    assert recording.meta["captions"][0]["text"].startswith(f"{PROFILES[profile].title}: ")


def test_a_machine_takes_the_build_for_its_architecture():
    assert build_run("exhaustion", machine="pae", profile="2012").memory.profile.name == "2012-pae"
    assert build_run("exhaustion", profile="2012-pae").memory.profile.name == "2012"


def test_a_capture_brings_its_own_kernel_unless_another_is_asked_for():
    own = build_run("exhaustion", machine="v612-b-pipes-2G-40")
    other = build_run("exhaustion", machine="v612-b-pipes-2G-40", profile="7.2")
    assert (own.memory.profile.name, other.memory.profile.name) == ("6.12", "7.2")
    assert own.memory.spec == other.memory.spec


def test_both_kernels_get_the_very_same_requests():
    left, right = build_pair("exhaustion", ("6.1", "7.2"), seed=3, workload="dirs")
    for name in REQUESTS:
        assert np.array_equal(getattr(left.workload, name), getattr(right.workload, name)), name
    sizes = [
        {s.name: s.cut for s in run.workload.stocks if s.name != "data"} for run in (left, right)
    ]
    assert sizes[0] != sizes[1], "a directory takes the room that each kernel's slabs give it"
    for run in (left, right):
        assert run.workload.stocks == run._stockpile.stocks


@pytest.fixture(scope="module")
def pair():
    """The lesson as it opens, under two kernels."""
    return hotmem_viz.beside("exhaustion", ("6.1", "7.2"))


def test_the_left_is_the_lesson_itself(pair):
    alone = hotmem_viz.run("exhaustion", profile="6.1")
    assert pair.left.meta == alone.meta
    assert np.array_equal(pair.left.counters_array, alone.counters_array)


def test_at_every_position_both_have_been_asked_for_the_same(pair):
    """Until one is out of memory, they differ by less than a turn's operations."""
    objects = [column(r, "objects")[t] for r, t in zip(pair.recordings, pair.ticks.T, strict=True)]
    alive = np.flatnonzero((pair.ticks < [pair.left.n_ticks - 1, pair.right.n_ticks - 1]).all(1))
    whole = objects[0][alive] == objects[1][alive]
    assert whole.mean() > 0.8
    turn = build_run("exhaustion").workload.operations.max()
    assert np.abs(objects[0] - objects[1])[alive].max() <= turn
    assert pair.titles == ("Linux 6.1", "Linux 7.2")
    assert pair.by == "objects"


def test_movable_has_a_large_min_up_to_6_1_and_a_small_one_since(pair):
    """KERNEL-CHECKED's rule for 6.12: managed / 1024, at least 32 and at most 128."""
    left, right = (boot_marks(r, "min") for r in pair.recordings)
    for zone in pair.right.meta["zones"]:
        key = (zone["nid"], zone["zone"])
        if zone["zone"] == "Movable":
            assert right[key] == np.clip(zone["managed"] // 1024, 32, 128)
            assert left[key] > 2 * right[key]
        else:
            # What Movable no longer takes of min_free_kbytes, the kernel zones share.
            assert left[key] < right[key]
    total = [sum(marks.values()) for marks in (left, right)]
    assert total[1] - total[0] < 0.3 * total[0]


@pytest.mark.parametrize("name", ["a-06G-kernelcore-37pct", "b-sockets-1536M-40"])
@pytest.mark.parametrize("mark", ["min", "low", "high"])
def test_marks_differ_as_two_kernels_on_one_machine_do(name, mark):
    """Captured on 6.12 and on 7.2; here both run on the machine of the first."""
    runs = build_pair("exhaustion", ("6.12", "7.2"), machine=f"v612-{name}")
    for run, capture in zip(runs, (f"v612-{name}", f"v72-{name}"), strict=True):
        zones, found = run.memory.zones, observed(capture, mark)
        assert {(int(n), t) for n, t in _zone_keys(run)} == set(found)
        for i, key in enumerate(_zone_keys(run)):
            predicted = int(getattr(zones, mark)[i])
            assert predicted == pytest.approx(found[key], rel=0.01, abs=1), (capture, key)


def _zone_keys(run):
    return [(zone["nid"], zone["zone"]) for zone in run.meta["zones"]]


def test_sockets_end_where_both_kernels_ended():
    name = "b-sockets-1536M-40"
    args = open_capture(f"v612-{name}").args
    parameters = {"workload": "sockets", "user": 0.0, "ballast": int(args.get("BALL", BALLAST))}
    pair = hotmem_viz.beside("exhaustion", ("6.12", "7.2"), machine=f"v612-{name}", **parameters)
    made = [column(r, "objects")[-1] for r in pair.recordings]
    load = str(args["kind"])
    real = [
        float(open_capture(capture).result(load)["ops"])
        for capture in (f"v612-{name}", f"v72-{name}")
    ]
    assert made == pytest.approx(real, rel=0.05)


@pytest.mark.parametrize("profiles", ["6.1", ("6.1",), ("6.1", "6.12", "7.2")])
def test_a_pair_is_two(profiles):
    with pytest.raises(ParameterError, match="names of two kernels"):
        hotmem_viz.beside("exhaustion", profiles)


def test_a_pair_says_its_kernels_once():
    with pytest.raises(ParameterError, match=r"profile: '6\.1' is not allowed; profiles already"):
        hotmem_viz.beside("exhaustion", ("6.1", "7.2"), profile="6.1")
    with pytest.raises(ParameterError, match=r"profile: '6\.0' is not allowed; allowed are 6\.1"):
        hotmem_viz.beside("exhaustion", ("6.1", "6.0"))


def test_two_maps_of_a_large_machine_have_the_cells_of_one():
    pair = hotmem_viz.beside("exhaustion", ("6.1", "7.2"), machine="server", user=0.9)
    cells = [len(r.frame(0)) for r in pair.recordings]
    assert sum(cells) <= 131_072
    assert [r.meta["pages_per_cell"] for r in pair.recordings] == [256, 256]


# --- two machines, or anything else ------------------------------------------------------------


def test_lowmem_then_and_a_movable_zone_now_die_of_the_same_load():
    pair = hotmem_viz.beside("exhaustion", machine=("pae", "64bit"))
    assert pair.titles == ("32-bit PAE box: 16 GiB", "64-bit machine: 16 GiB")
    kernel = [sum(z["present"] for z in r.meta["zones"] if z["kernel"]) for r in pair.recordings]
    assert kernel[0] == pytest.approx(kernel[1], rel=0.01), "zones of the same sizes"
    present = [r.meta["machine"]["present_pages"] for r in pair.recordings]
    assert present[0] == pytest.approx(present[1], rel=0.001)
    for recording in pair.recordings:
        assert recording.event_list[-1].kind == "OOM"
        assert column(recording, "free")[-1] > 0.85 * present[0]


def test_two_machines_get_the_very_same_requests():
    left, right = build_pair("exhaustion", machine=("pae", "64bit"), seed=3)
    for name in REQUESTS:
        assert np.array_equal(getattr(left.workload, name), getattr(right.workload, name)), name


def test_what_draws_the_requests_may_differ_too():
    left, right = build_pair("exhaustion", seed=(3, 4))
    assert not np.array_equal(left.workload.operations, right.workload.operations)


def test_a_machine_without_the_nodes_that_ask_is_refused():
    with pytest.raises(ParameterError, match=r"machine: 'pae' is not allowed; .*nodes \[0, 1\]"):
        hotmem_viz.beside("exhaustion", machine=("classroom", "pae"))


def test_a_pair_is_called_by_what_differs():
    pair = hotmem_viz.beside("exhaustion", movable=(0.5, 0.75), user=0.3)
    assert pair.titles == ("50% movable", "75% movable")
