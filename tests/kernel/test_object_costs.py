"""The object tables of the profiles, against the slabinfo of the kernels themselves."""

from __future__ import annotations

import pytest

from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.samples import last_sample
from hotmem_viz.machine.profiles import find_profile

CASES = [
    ("6.1", "b-files-85"),
    ("6.1", "b-sockets-85"),
    ("6.1-pae", "e-sockets-04G"),
    ("6.12", "v612-b-sockets-1536M-40"),
    ("6.12", "v612-b-pipes-2G-40"),
    ("7.2", "v72-b-sockets-1536M-40"),
]


@pytest.mark.parametrize(("profile", "name"), CASES)
def test_every_cache_is_cut_as_slabinfo_says(profile, name):
    listed = open_capture(name).slabinfo()
    for cache in find_profile(profile).caches.values():
        if cache.name not in listed:
            assert cache.name == "kmalloc-cg-128", "merged caches must be listed by their name"
            continue
        found = listed[cache.name]
        mine = (cache.object_bytes, cache.objects_per_slab, cache.pages_per_slab)
        assert mine == (found.object_bytes, found.objects_per_slab, found.pages_per_slab), (
            cache.name
        )


@pytest.mark.parametrize(
    ("profile", "operation", "bytes_each"),
    [
        ("6.1", "files", 1046),
        ("6.1", "dirs", 1046),
        ("6.1", "sockets", 48340),
        ("6.1", "pipes", 19073),
        ("6.1", "cache", 390),
        ("6.1-pae", "files", 656),
        ("6.1-pae", "sockets", 46640),
        ("6.1-pae", "pipes", 1637 + 4 * 4096),
    ],
)
def test_cost_of_an_operation_in_bytes(profile, operation, bytes_each):
    kernel = find_profile(profile)
    op = kernel.operations[operation]
    pages = op.slab_pages(kernel.caches) + op.data_pages
    assert round(pages * 4096) == pytest.approx(bytes_each, abs=2)


@pytest.mark.parametrize(
    ("profile", "name", "load"),
    [
        ("6.1", "b-files-85", "files"),
        ("6.1", "b-dirs-85", "dirs"),
        ("6.1", "b-sockets-85", "sockets"),
        ("6.1", "b-pipes-85", "pipes"),
        ("6.1-pae", "e-sockets-04G", "sockets"),
        ("6.1-pae", "e-pipes-04G", "pipes"),
        ("6.12", "v612-b-dirs-1536M-75", "dirs"),
        ("6.12", "v612-b-pipes-2G-40", "pipes"),
        ("6.12", "v612-b-sockets-1536M-40", "sockets"),
        ("7.2", "v72-b-sockets-1536M-40", "sockets"),
    ],
)
def test_reclaimable_slab_grows_by_what_the_reclaimable_caches_cost(profile, name, load):
    capture, kernel = open_capture(name), find_profile(profile)
    last = last_sample(capture)
    ops = last.operations
    grown = last.meminfo()["SReclaimable"] - capture.meminfo()["SReclaimable"]
    cost = {
        r: sum(
            n * kernel.caches[c].pages_per_object
            for c, n in kernel.operations[load].caches.items()
            if kernel.caches[c].reclaimable is r
        )
        for r in (True, False)
    }
    pairs = capture.args.get("BALL", kernel.ballast_pairs)
    parked = pairs * sum(
        n * kernel.caches[c].pages_per_object
        for c, n in kernel.operations["ballast"].caches.items()
        if kernel.caches[c].reclaimable
    )
    # A few pages more are the load's own process and the reader of the sample.
    assert grown / 4 == pytest.approx(ops * cost[True] + parked, rel=0.01, abs=24)
