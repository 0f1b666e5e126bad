"""Metadata that can be shrunk against metadata in use: the same objects, another end."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.scenarios.exhaustion_held import HeldObjects
from hotmem_viz.scenarios.workloads import find_stocks
from hotmem_viz.vocabulary import PageKind
from tests.machines import make_machine, occupy
from tests.scenarios.ledger import column, ends_with


@pytest.mark.parametrize("workload", ["cache", "disk"])
def test_a_cache_that_nobody_uses_stops_growing_and_never_kills(lesson, workload):
    recording = lesson(workload=workload)
    assert ends_with(recording) == "DONE"
    stops = next(e for e in recording.event_list if e.kind == "CACHE_STOPS")
    assert stops.mark
    assert "S12" in stops.claims
    cached = column(recording, "kind.reclaimable_slab")
    made = column(recording, "objects")
    at = cached[stops.tick]
    assert made[-1] > 2 * made[stops.tick], "the load goes on all the same"
    assert cached[stops.tick :].max() < 1.02 * at
    kernel = sum(z["managed"] for z in recording.meta["zones"] if z["kernel"])
    assert at < kernel, "and other memory stays free"


def test_objects_in_use_end_as_files_of_tmpfs_do(lesson):
    recording = lesson(workload="disk", held=1.0)
    assert ends_with(recording) == "OOM"
    kinds = {e.kind for e in recording.event_list}
    assert "CACHE_STOPS" not in kinds


def test_few_objects_in_use_hold_most_slabs_and_kill_later(lesson):
    all_used, few = lesson(workload="disk", held=1.0), lesson(workload="disk", held=0.1)
    assert ends_with(few) == "OOM"
    assert column(few, "objects")[-1] > 1.3 * column(all_used, "objects")[-1]


@pytest.mark.parametrize(("cache", "order"), [("dentry", 0), ("ext4_inode_cache", 2)])
def test_a_slab_stays_if_any_of_its_objects_is_in_use(cache, order):
    mem = make_machine("plain")
    profile = find_profile("6.1")
    stock = next(s for s in find_stocks(profile, profile.operations["disk"]) if s.name == cache)
    assert stock.cut.order == order
    loose, share = mem.owners.names.index("dentries"), 0.05
    pages = np.arange(64, 4032)
    occupy(mem, pages, PageKind.RECLAIMABLE_SLAB, loose)
    held = HeldObjects(mem, share, loose, seed=5)
    held.keep(FrameSet.of_pfns(pages), stock)
    kept = (mem.owner.reshape(-1)[pages] == held.owner).reshape(-1, 1 << order)
    assert (kept.all(axis=1) == kept.any(axis=1)).all(), "slabs go whole"
    expected = 1 - (1 - share) ** profile.caches[cache].objects_per_slab
    spread = (expected * (1 - expected) / len(kept)) ** 0.5
    assert kept[:, 0].mean() == pytest.approx(expected, abs=4 * spread)
    assert not mem.owners.shrinkable[held.owner]
    validate_memory(mem)


def test_what_reclaim_took_back_is_not_marked():
    run = build_run("exhaustion", workload="disk", held=0.3, seed=3)
    for _ in run.ticks():
        pass
    validate_memory(run.memory)


def test_objects_that_are_always_in_use_have_no_share():
    with pytest.raises(ParameterError, match=r"held: 0\.5 is not allowed; what files makes"):
        hotmem_viz.run("exhaustion", held=0.5)


def test_both_sides_of_a_pair_ask_for_the_same():
    pair = hotmem_viz.beside("exhaustion", workload="disk", held=(0.0, 1.0))
    assert pair.by == "objects"
    assert [ends_with(r) for r in pair.recordings] == ["DONE", "OOM"]
    assert column(pair.left, "objects").max() > column(pair.right, "objects").max()
