"""Which zones a request may use and which pageblocks it belongs in: the table of A5, by hand."""

from __future__ import annotations

import pytest

from hotmem_viz.mechanisms.requests import GFP, GFP_OF_KIND
from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType
from tests.machines import make_machine

U, M, R = MigrateType.UNMOVABLE, MigrateType.MOVABLE, MigrateType.RECLAIMABLE


@pytest.mark.parametrize(
    ("kind", "zones_64", "zones_pae", "migratetype"),
    [
        ("ANON", {"NORMAL", "MOVABLE"}, {"DMA", "NORMAL", "HIGHMEM"}, M),
        ("PAGE_CACHE", {"NORMAL", "MOVABLE"}, {"DMA", "NORMAL", "HIGHMEM"}, M),
        ("BUFFER", {"NORMAL"}, {"DMA", "NORMAL"}, M),
        ("RECLAIMABLE_SLAB", {"NORMAL"}, {"DMA", "NORMAL"}, R),
        ("SLAB", {"NORMAL"}, {"DMA", "NORMAL"}, U),
        ("KERNEL_STACK", {"NORMAL"}, {"DMA", "NORMAL"}, U),
        ("PAGE_TABLE", {"NORMAL"}, {"DMA", "NORMAL"}, U),
        ("PINNED", {"NORMAL"}, {"DMA", "NORMAL"}, U),
    ],
)
def test_zones_of_a_kind(kind, zones_64, zones_pae, migratetype):
    gfp = GFP_OF_KIND[PageKind[kind]]
    assert gfp.migratetype == migratetype
    for name, nid, expected in (("odd", 1, zones_64), ("pae", 0, zones_pae)):
        mem = make_machine(name)
        rows = [z for z in mem.zonelists[nid, gfp.highest] if mem.zones.nid[z] == nid]
        assert {ZoneType(int(mem.zones.type[z])).name for z in rows} == expected


def test_pipe_buffers_may_use_highmem_but_not_movable():
    gfp = GFP["HIGHUSER"]
    assert (gfp.highest, gfp.migratetype) == (ZoneType.HIGHMEM, U)


def test_every_name_is_its_own():
    assert all(name == gfp.name for name, gfp in GFP.items())


def test_whatever_may_use_movable_is_movable():
    for gfp in GFP.values():
        assert gfp.highest < ZoneType.MOVABLE or gfp.migratetype == M


def test_the_never_movable_kinds_of_boot_are_never_requested():
    assert not {PageKind.HOLE, PageKind.FREE, PageKind.KERNEL_IMAGE} & set(GFP_OF_KIND)
