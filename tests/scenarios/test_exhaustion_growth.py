"""Adding memory kills the machine: DIMM by DIMM as captured kernels did, and PAE box by PAE box."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.scenarios.exhaustion_machines import BOXES_GIB
from hotmem_viz.vocabulary import PageKind
from tests.scenarios.ledger import column, ends_with


def kinds(recording):
    return [e.kind for e in recording.event_list]


# --- DIMMs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d-grow-256M", "d-grow-320M-768M"])
def test_as_many_dimms_fit_as_a_real_kernel_took(name):
    capture = open_capture(name)
    mib = capture.args["mb"]
    recording = hotmem_viz.run("exhaustion", machine=name, then="dimms", dimm=mib, fill=0.0)
    assert kinds(recording).count("PLUGGED") == len(capture.growth())
    assert ends_with(recording) == "ADD_KILLS"


def test_a_real_kernel_that_lived_lives_here_too():
    capture = open_capture("d-grow-256M-small")
    recording = hotmem_viz.run(
        "exhaustion", machine="d-grow-256M-small", then="dimms", dimm=128, fill=0.0
    )
    assert kinds(recording).count("PLUGGED") >= len(capture.growth()) == capture.args["n"]


@pytest.fixture(scope="module")
def dimms():
    return hotmem_viz.run("exhaustion", then="dimms")


def test_each_dimm_costs_its_struct_pages_in_kernel_zones_and_gives_them_nothing(dimms):
    plugged = [e for e in dimms.event_list if e.kind == "PLUGGED"]
    maps, added = column(dimms, "kind.memmap"), column(dimms, "added")
    size = added[plugged[0].tick]
    assert size == dimms.meta["machine"]["present_pages"]
    for number, event in enumerate(plugged, 1):
        assert added[event.tick] == number * size
        assert maps[event.tick] - maps[0] == number * size * 64 // 4096
    for zone in dimms.meta["zones"]:
        managed = column(dimms, f"zone{zone['id']}.managed")
        assert (managed[-1] > managed[0]) == (zone["zone"] == "Movable" and zone["nid"] == 1)
        assert zone["managed"] == managed.max()


def test_room_for_objects_only_falls_as_dimms_come(dimms):
    told = [e.tick for e in dimms.event_list if e.kind in ("FILLED", "PLUGGED")]
    room = column(dimms, "room")[told]
    # 4 MiB of struct pages, and the reserve that grows by 1/256 and 1/32 of what was added.
    assert (np.diff(room) < -1000).all()
    assert room[0] > 1000
    assert room[-1] < 0.1 * room[0]


def test_the_end_comes_with_most_memory_free(dimms):
    assert kinds(dimms)[-3:] == ["REFUSED", "OOM", "ADD_KILLS"]
    last = dimms.event_list[-1]
    assert "S11" in last.claims
    assert column(dimms, "free")[-1] > 0.9 * column(dimms, "added")[-1]


def test_memory_is_whole_after_the_dimm_that_did_not_fit():
    run = build_run("exhaustion", then="dimms", movable=0.85, dimm=128, seed=3)
    for _ in run.ticks():
        pass
    assert run.is_over
    validate_memory(run.memory)


def test_a_cache_makes_room_for_more_dimms(dimms):
    cached = hotmem_viz.run("exhaustion", then="dimms", workload="disk")
    assert kinds(cached).count("PLUGGED") > kinds(dimms).count("PLUGGED")
    assert ends_with(cached) == "ADD_KILLS"


# --- larger boxes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def boxes():
    return hotmem_viz.run("exhaustion", machine="pae", then="reboots")


@pytest.mark.parametrize("gib", BOXES_GIB)
def test_a_box_has_the_lowmem_that_the_real_one_printed(gib):
    real = open_capture(f"e-boot-{gib:02d}G").meminfo()["LowTotal"] / 4
    run = build_run("exhaustion", machine="pae", then="reboots")
    run._boot(BOXES_GIB.index(gib)) if gib > 4 else None
    zones = run.machines[-1].zones
    managed = int(zones.managed[zones.type <= 2].sum()) * 32
    # The box of 64 GiB ends at 64 GiB, the real one above it; rounding up by 32 is the rest.
    assert managed == pytest.approx(real, rel=0.05)


def test_the_load_of_the_small_box_kills_the_large_one(boxes):
    told = [e for e in boxes.event_list if e.mark]
    fits = [e for e in told if e.kind == "LOAD_FITS"]
    made = column(boxes, "objects")
    assert [made[e.tick] for e in fits] == [made[fits[0].tick]] * 2
    assert ends_with(boxes) == "LOAD_KILLS"
    assert 0 < made[-1] < made[fits[0].tick]
    room = column(boxes, "room")
    boots = [e.tick for e in told if e.kind == "BOOTED_AGAIN"]
    assert len(boots) == len(BOXES_GIB)
    assert (np.diff(room[boots]) < 0).all(), "more memory, less room"
    assert (np.diff(column(boxes, "installed")) >= 0).all()


def test_each_boxes_map_describes_all_up_to_its_end(boxes):
    maps = column(boxes, "kind.memmap")
    boots = [e.tick for e in boxes.event_list if e.kind == "BOOTED_AGAIN"]
    ends = [5, 17, 64]  # GiB, the hole below 4 GiB included
    assert maps[boots].tolist() == [-(-gib * (1 << 18) // 32 * 40 // 4096) for gib in ends]


def test_with_less_lowmem_the_largest_box_does_not_boot():
    recording = hotmem_viz.run(
        "exhaustion", machine="pae", then="reboots", boot="vmalloc=512M", fill=0.003
    )
    assert ends_with(recording) == "NO_BOOT"
    assert "64 GiB" in recording.event_list[-1].title
    assert column(recording, "boots")[-1] == 2


def test_several_boxes_show_what_their_machines_hold():
    run = build_run("exhaustion", machine="pae", then="reboots", seed=3)
    for _ in run.ticks():
        pass
    pages = run.memory.kind.reshape(-1)
    for band, mem in enumerate(run.machines):
        n = mem.kind.size
        start = band * run.boots.band_pages
        assert (pages[start : start + n] == mem.kind.reshape(-1)).all()
        assert int((mem.kind == PageKind.SLAB).sum()) > 0


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        ({"then": "reboots"}, "then", "need machine pae"),
        ({"then": "dimms", "machine": "pae"}, "then", "choose classroom or mail"),
        ({"then": "dimms", "machine": "server"}, "then", "choose classroom or mail"),
        ({"then": "dimms", "machine": "e-sockets-04G"}, "then", "32-bit machines"),
        ({"then": "dimms", "dimm": 65536}, "dimm", "at most"),
        ({"then": "tea"}, "then", "allowed are"),
        ({"fill": 1.0}, "fill", "from 0 to 0.9"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given, name, words):
    with pytest.raises(ParameterError, match=words) as caught:
        hotmem_viz.run("exhaustion", **given)
    assert caught.value.name == name
