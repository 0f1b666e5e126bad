"""The device-only region: filled lowest first, spilt when it is full, sound in between."""

from __future__ import annotations

import numpy as np

from hotmem_viz.catalog import choose_setup
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.device_reserve import OWNER, DeviceReserve
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind


def booted():
    setup = choose_setup("mail", 0.0, "")
    return boot_machine(setup.spec, setup.options, setup.profile)


def test_devices_fill_the_region_and_the_rest_spills():
    mem = booted()
    reserve = DeviceReserve(mem, 300, nid=0)
    owner = mem.owners.add("devices")
    aside = mem.owners.add(OWNER)
    kinds, owners = mem.kind.reshape(-1), mem.owner.reshape(-1)
    frames = np.flatnonzero(owners == aside)
    assert len(frames) == 300 == len(reserve.pfns)
    assert (kinds[frames] == PageKind.KERNEL_BUFFER).all()
    first = reserve.take(220, owner, nid=2)
    assert first.frames.pfns().tolist() == frames[:220].tolist()
    validate_memory(mem)
    second = reserve.take(130, owner, nid=2)
    assert (second.granted, second.refused, reserve.used, reserve.spilt) == (130, 0, 300, 50)
    assert (kinds[frames] == PageKind.PINNED).all()
    away = np.setdiff1d(np.flatnonzero(owners == owner), frames)
    assert len(away) == 50
    assert {mem.spec.node_of(int(p)) for p in away} == {2}
    validate_memory(mem)


def test_a_region_larger_than_its_node_is_what_the_node_has():
    mem = booted()
    before = int(mem.zones.free[mem.zones.nid == 0].sum())
    reserve = DeviceReserve(mem, mem.kind.size, nid=0)
    assert 0 < len(reserve.pfns) < before
    assert {mem.spec.node_of(int(p)) for p in reserve.pfns} == {0}
    validate_memory(mem)
