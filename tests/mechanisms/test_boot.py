"""The booted machine against real ones: where the kernel's own pages went when zones were small."""

from __future__ import annotations

import pytest

from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import MigrateType, ZoneType


@pytest.mark.parametrize(
    "name",
    [
        "c-dense-8G-low144M",
        "c-dense-8G-low160M",
        "c-boot-kernelcore-072M",
        "c-boot-kernelcore-096M",
        "c-curve-zero-80",
    ],
)
def test_small_kernel_zones_are_as_full_as_the_kernels_were(name):
    machine = ComparedMachine(open_capture(name))
    assert machine.profile is not None
    mem = boot_machine(machine.spec, machine.options, machine.profile)
    validate_memory(mem)
    seen = {zone.zone: zone.free for zone in machine.zones}
    for kind in (ZoneType.DMA, ZoneType.DMA32):
        mine = int(mem.zones.free[mem.zones.type == kind].sum())
        assert mine == pytest.approx(seen[kind], abs=256), kind.label


def test_boot_spills_into_dma_because_init_memory_comes_too_late():
    machine = ComparedMachine(open_capture("c-dense-8G-low144M"))
    assert machine.profile is not None
    mem = boot_machine(machine.spec, machine.options, machine.profile)
    plan = plan_zones(machine.spec, machine.options, machine.profile)
    layout = lay_out_boot(machine.spec, plan, machine.options, machine.profile)
    late = sum(end - start for start, end in layout.late)
    assert late == pytest.approx(machine.profile.footprint.image_freed, abs=16)
    dma, dma32 = mem.zones.free[:2].tolist()
    # DMA was drawn on although DMA32 has room by now.
    assert mem.zones.managed[0] - dma > 1500
    assert dma32 > late
    # The kernel's pageblocks: 8 and 14 that are not movable, of 8 and 64; see its pbt/boot.
    kept = [MigrateType.UNMOVABLE, MigrateType.RECLAIMABLE]
    assert mem.zone_types[:2][:, kept].sum(axis=1).tolist() == pytest.approx([7, 14], abs=2)
    assert mem.zone_types[0, MigrateType.RECLAIMABLE] == 2


def test_kswapd_tires_during_a_boot_that_mixes_types_and_in_no_other():
    for name, tired in (("c-dense-8G-low144M", True), ("c-curve-zero-80", False)):
        machine = ComparedMachine(open_capture(name))
        assert machine.profile is not None
        mem = boot_machine(machine.spec, machine.options, machine.profile)
        # The kernels' pageoutrun after boot: 12 and 0.
        assert (mem.kswapd_failures[0] > 8) is tired
        assert (machine.capture.vmstat()["pageoutrun"] > 8) is tired
