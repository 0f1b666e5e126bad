"""Several boots in one memory: each in its band, page by page as on the machine itself."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.several_boots import BAND_SECTIONS, SeveralBoots
from hotmem_viz.vocabulary import PageKind

KERNEL = PROFILES["6.1"]
P = 1024


def machine(sections: int) -> MachineSpec:
    node = NodeSpec(0, (PfnRange(0, sections * P),))
    return MachineSpec("one node", (node,), section_pages=P, scale=32)


SPECS = (machine(12), machine(16))


@pytest.fixture
def boots():
    plans = [plan_zones(spec, BootOptions(), KERNEL) for spec in SPECS]
    return SeveralBoots(SPECS, plans, KERNEL)


def test_nothing_is_there_before_it_is_shown(boots):
    assert not boots.memory.kind.any()
    assert np.unique(boots.memory.extents.section).tolist() == [*range(12), *range(128, 144)]


def test_a_machine_is_shown_in_its_band_alone(boots):
    second = boot_machine(SPECS[1], BootOptions(), KERNEL)
    alloc_pages(second, GFP["KERNEL"], 77, PageKind.SLAB, owner=second.owners.add("later"), nid=0)
    frames = boots.show(1, second)
    band = slice(BAND_SECTIONS, BAND_SECTIONS + 16)
    assert not boots.memory.kind[:12].any()
    assert (boots.memory.kind[band] == second.kind).all()
    assert (boots.memory.migratetype[band] == second.migratetype).all()
    names = np.array(boots.memory.owners.names)[boots.memory.owner[band]]
    assert (names == np.array(second.owners.names)[second.owner]).all()
    assert len(frames) == 16 * P
    assert frames.pfns()[0] == BAND_SECTIONS * P


def test_later_changes_are_shown_by_their_frames(boots):
    first, second = (boot_machine(spec, BootOptions(), KERNEL) for spec in SPECS)
    # Owners have other numbers on the other machine.
    first.owners.add("somebody else")
    boots.show(0, first)
    boots.show(1, second)
    owner = second.owners.add("pairs")
    done = alloc_pages(second, GFP["KERNEL"], 100, PageKind.SLAB, owner=owner, nid=0)
    shown = boots.show(1, second, done.frames)
    assert (shown.pfns() == done.frames.pfns() + BAND_SECTIONS * P).all()
    assert (boots.memory.kind[128:144] == second.kind).all()
    here = boots.memory.owner.reshape(-1)[shown.pfns()]
    assert {boots.memory.owners.names[n] for n in here} == {"pairs"}


def test_a_machine_larger_than_a_band_is_refused():
    spec = machine(BAND_SECTIONS + 1)
    with pytest.raises(ParameterError, match="at most 128 sections"):
        SeveralBoots([spec], [plan_zones(spec, BootOptions(), KERNEL)], KERNEL)
