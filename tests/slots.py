"""A small machine whose memory comes and goes, unequal in every axis, and its twins.

slots   node 0: DMA 0..128, DMA32 to 8,192, Normal to 20,480 (a hole from 18,000 to 18,432), its
        own slots 24,576..28,672 above it and 12,288..14,336 in the hole between DMA32 and Normal;
        node 1: Movable 20,480..24,576; node 4: slots only, 28,672..34,816. Sections of 2,048.
"""

from __future__ import annotations

from types import MappingProxyType

from hotmem_viz.machine.boot_layout import BootLayout
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan, plan_zones
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import ZoneType
from tests.machines import CACHE, SHRINKABLE, STUBBORN, set_marks

P = 2048
GIB, BLOCK = 1 << 18, 32768
SLOTS = ((0, 12288, 14336), (0, 24576, 28672), (4, 28672, 34816))


def slots_spec(**changes: object) -> MachineSpec:
    """Return the machine described above."""
    nodes = (
        NodeSpec(0, (PfnRange(0, 8192), PfnRange(14336, 18000), PfnRange(18432, 20480))),
        NodeSpec(1, (PfnRange(20480, 24576),)),
    )
    slots = (
        NodeSpec(0, (PfnRange(12288, 14336), PfnRange(24576, 28672))),
        NodeSpec(4, (PfnRange(28672, 34816),)),
    )
    settings = {"section_pages": P, "pluggable": slots, **changes}
    return MachineSpec("slots", nodes, **settings)  # type: ignore[arg-type]


def slots_plan() -> ZonePlan:
    """Return its zones at boot."""
    spans = (
        ZoneSpan(0, ZoneType.DMA, 0, 128, 128),
        ZoneSpan(0, ZoneType.DMA32, 128, 13000, 8064),
        ZoneSpan(0, ZoneType.NORMAL, 13000, 20480, 3664 + 2048),
        ZoneSpan(1, ZoneType.MOVABLE, 20480, 24576, 4096),
    )
    return ZonePlan(spans, MappingProxyType({1: 20480}))


def slots_machine(profile: str = "6.1", **changes: object) -> PhysicalMemory:
    """Build it, all memory free, with unequal marks."""
    spec = slots_spec(**changes)
    layout = BootLayout((), (), MappingProxyType({}))
    mem = build_memory(spec, slots_plan(), layout, PROFILES[profile])
    count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    mem.owners.add(CACHE)
    mem.owners.add(SHRINKABLE, shrinkable=True)
    mem.owners.add(STUBBORN)
    set_marks(mem)
    return mem


def real_machine(
    boot_gib: int, slot_blocks: int, *, second: int = 0, profile: str = "6.1"
) -> tuple[PhysicalMemory, int]:
    """Build a machine of real sections, all memory free: boot memory, then slots above.

    second: blocks of boot memory of a second node, whose the slots are then. Returns the machine
    and the first pfn of its slots.
    """
    top = boot_gib * GIB
    nodes = [NodeSpec(0, (PfnRange(0, top),))]
    if second:
        nodes.append(NodeSpec(1, (PfnRange(top, top + second * BLOCK),)))
        top += second * BLOCK
    slots = (NodeSpec(len(nodes) - 1, (PfnRange(top, top + slot_blocks * BLOCK),)),)
    spec = MachineSpec("real", tuple(nodes), pluggable=slots)
    kernel = PROFILES[profile]
    plan = plan_zones(spec, parse_boot_options("", strict=True), kernel)
    mem = build_memory(spec, plan, BootLayout((), (), MappingProxyType({})), kernel)
    count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    return mem, top
