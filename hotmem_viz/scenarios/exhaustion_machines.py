"""The machine of an exhaustion run: with slots where DIMMs come, or the first of several boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.spec import CLASSROOM_SCALE, Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import FOUR_GIB_PFN, plan_zones, scaled
from hotmem_viz.scenarios.parameters import DIMMS, REBOOTS, SHRINKABLE
from hotmem_viz.units import GIB as GIB_PAGES
from hotmem_viz.units import MIB as MIB_PAGES
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import FindMachine, Setup

MOST_DIMMS = 16
MOST_PAGES = 1 << 22
"""Frames that a machine may have with all of its slots: 16 GiB of cells and rows."""

BOXES_GIB = (4, 16, 64)
"""What the PAE box is bought with, in GiB, one after the other; the last is all it can address."""

_BOX_SECTION = 4096
"""512 MiB at 1/32."""


def find_setup(p: ExhaustionParameters, find_machine: FindMachine) -> Setup:
    """Set up the machine that the parameters ask for."""
    found = find_machine(p.machine, p.movable, p.boot, p.profile)
    if p.then == DIMMS:
        return replace(found, spec=_with_slots(found, p))
    if p.then == REBOOTS:
        return replace(found, spec=pae_box(BOXES_GIB[0]))
    return found


def _with_slots(setup: Setup, p: ExhaustionParameters) -> MachineSpec:
    """Return a machine with empty slots for DIMMs above its memory, and above 4 GiB.

    There are as many as its kernel zones could pay for, and one more.
    """
    spec, mib = setup.spec, p.dimm
    if spec.arch is Arch.PAE:
        raise ParameterError("then", DIMMS, "32-bit machines take no DIMMs while they run")
    block = spec.block_pages
    wanted = mib * MIB_PAGES or spec.present_pages
    size = -(-wanted // block) * block
    above = max(spec.end_pfn, scaled(FOUR_GIB_PFN, spec.scale))
    start = -(-above // block) * block
    slots = min(MOST_DIMMS, (MOST_PAGES - spec.present_pages) // size)
    zones = plan_zones(spec, setup.options, setup.profile).zones
    kernel = sum(z.present_pages for z in zones if z.zone <= ZoneType.NORMAL)
    metadata = 0 if p.workload in SHRINKABLE else int(p.fill * spec.present_pages)
    paid = size * setup.profile.struct_page_bytes // PAGE_SIZE
    slots = min(slots, max(0, kernel - metadata) // paid + 1)
    if slots < 1:
        allowed = f"a DIMM of at most {MOST_PAGES // MIB_PAGES} MiB with the machine"
        raise ParameterError("dimm", mib, allowed)
    ranges = tuple(PfnRange(start + i * size, start + (i + 1) * size) for i in range(slots))
    return replace(spec, pluggable=(NodeSpec(spec.nodes[-1].nid, ranges),))


def pae_box(gib: int) -> MachineSpec:
    """Return a PAE box with so much memory, at classroom scale.

    Memory that the hole below 4 GiB displaces lies above it, up to the 64 GiB that PAE can
    address; what would lie beyond is lost.
    """
    low, hole = 3, 1
    top = min(gib + hole, 64) if gib > low else gib
    ranges = [PfnRange(0, min(gib, low) * GIB_PAGES // CLASSROOM_SCALE)]
    if gib > low:
        above = (low + hole) * GIB_PAGES // CLASSROOM_SCALE
        ranges.append(PfnRange(above, top * GIB_PAGES // CLASSROOM_SCALE))
    return MachineSpec(
        "pae",
        (NodeSpec(0, tuple(ranges)),),
        arch=Arch.PAE,
        section_pages=_BOX_SECTION,
        scale=CLASSROOM_SCALE,
        title=f"32-bit PAE box, {gib} GiB at 1/32: {gib * 32} MiB",
    )
