"""How large a memory block is, and which machines may have memory that comes and goes."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.memory_blocks import probe_memory_block_size
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange

GIB = 1 << 18
SECTION = 32768


@pytest.mark.parametrize(
    ("end_gib", "hypervisor", "sections"),
    [
        (1, False, 1),
        (63.875, False, 1),
        (64, False, 16),
        (64.125, False, 16),
        (64, True, 16),
        (65, True, 8),
        (66, True, 16),
        (64.25, True, 2),
        (64.125, True, 1),
    ],
)
def test_block_size_of_a_real_machine(end_gib, hypervisor, sections):
    end = int(end_gib * GIB)
    assert probe_memory_block_size(end, SECTION, hypervisor=hypervisor) == sections * SECTION


def test_a_classroom_machine_meets_the_border_at_2_gib():
    assert probe_memory_block_size(2 * GIB - 1024, 1024, scale=32) == 1024
    assert probe_memory_block_size(2 * GIB, 1024, scale=32) == 16 * 1024


def machine(**changes):
    settings = {"nodes": (NodeSpec(2, (PfnRange(0, 8192),)),), "section_pages": 1024, **changes}
    return MachineSpec("m", **settings)


def test_slots_reach_beyond_boot_memory():
    spec = machine(pluggable=(NodeSpec(5, (PfnRange(12288, 14336),)),), block_sections=2)
    assert (spec.end_pfn, spec.highest_pfn, spec.n_sections) == (8192, 14336, 14)
    assert (spec.block_pages, spec.can_hotplug, spec.nids) == (2048, True, [2, 5])
    assert (spec.node_of(0), spec.node_of(12288)) == (2, 5)
    with pytest.raises(ParameterError, match="pfn"):
        spec.node_of(8192)


def test_a_machine_without_a_wish_has_nothing_of_it():
    spec = machine()
    assert (spec.can_hotplug, spec.n_sections, spec.nids) == (False, 8, [2])
    assert machine(hotplug=True).can_hotplug
    assert machine(hotplug_end_pfn=20000).n_sections == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pluggable": (NodeSpec(0, (PfnRange(8192, 9000),)),)}, "pluggable: 9000"),
        ({"pluggable": (NodeSpec(0, (PfnRange(7168, 9216),)),)}, "may not overlap"),
        ({"block_sections": 3}, "block_sections: 3"),
        ({"block_sections": 32}, "block_sections: 32"),
        ({"hotplug": True, "arch": Arch.PAE}, "64-bit"),
        (
            {"block_sections": 2, "pluggable": (NodeSpec(0, (PfnRange(9216, 11264),)),)},
            "multiples of 2048",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        machine(**changes)
