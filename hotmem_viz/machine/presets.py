"""Machines to start from, by name."""

from __future__ import annotations

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.spec import CLASSROOM_SCALE, Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.units import GIB, MIB

_CLASSROOM_SECTION = 1024
_PAE_SECTION = 131072
"""512 MiB (SECTION_SIZE_BITS 29, arch/x86/include/asm/sparsemem.h, 6.1)."""


def _pc_low(end_pfn: int) -> tuple[PfnRange, ...]:
    """Return a PC's memory up to `end_pfn`: page 0 and 636 KiB to 1 MiB are firmware's."""
    return (PfnRange(1, 159), PfnRange(256, end_pfn))


_CLASSROOM = MachineSpec(
    name="classroom",
    title="Classroom machine: 2 nodes, 256 MiB, every border at 1/32",
    nodes=(
        NodeSpec(0, (PfnRange(0, 32 * MIB), PfnRange(128 * MIB, 224 * MIB))),
        NodeSpec(1, (PfnRange(224 * MIB, 352 * MIB),)),
    ),
    section_pages=_CLASSROOM_SECTION,
    scale=CLASSROOM_SCALE,
    cpus=4,
)
_SERVER = MachineSpec(
    name="server",
    title="Server: 4 nodes of 16 GiB",
    nodes=(
        NodeSpec(0, (*_pc_low(3 * GIB), PfnRange(4 * GIB, 17 * GIB))),
        NodeSpec(1, (PfnRange(17 * GIB, 33 * GIB),)),
        NodeSpec(2, (PfnRange(33 * GIB, 49 * GIB),)),
        NodeSpec(3, (PfnRange(49 * GIB, 65 * GIB),)),
    ),
    cpus=4,
)
_PAE = MachineSpec(
    name="pae",
    title="32-bit PAE box: 16 GiB",
    nodes=(NodeSpec(0, (*_pc_low(3 * GIB), PfnRange(4 * GIB, 17 * GIB))),),
    arch=Arch.PAE,
    section_pages=_PAE_SECTION,
)
_MAIL = MachineSpec(
    name="mail",
    title="The mail's machine: node 0 normal, nodes 1 to 3 hot-pluggable (classroom scale)",
    nodes=(
        NodeSpec(0, (PfnRange(0, 32 * MIB), PfnRange(128 * MIB, 160 * MIB))),
        NodeSpec(1, (PfnRange(160 * MIB, 224 * MIB, hotpluggable=True),)),
        NodeSpec(2, (PfnRange(224 * MIB, 288 * MIB, hotpluggable=True),)),
        NodeSpec(3, (PfnRange(288 * MIB, 352 * MIB, hotpluggable=True),)),
    ),
    section_pages=_CLASSROOM_SECTION,
    scale=CLASSROOM_SCALE,
    cpus=4,
)

_SAME_SIZES = MachineSpec(
    name="64bit",
    title="64-bit machine: 16 GiB",
    nodes=(NodeSpec(0, (*_pc_low(880 * MIB), PfnRange(4 * GIB, 20 * GIB - 880 * MIB))),),
)
"""The PAE box of our time: 880 MiB below 4 GiB, as firmware can be told, the rest movable."""

USUAL: dict[str, str] = {"64bit": "kernelcore=512M"}
"""Boot options of presets that have their own: here all above 4 GiB becomes movable."""

PRESETS: dict[str, MachineSpec] = {
    m.name: m for m in (_CLASSROOM, _SERVER, _PAE, _MAIL, _SAME_SIZES)
}


def find_preset(name: str) -> MachineSpec:
    """Return a machine by name.

    Raises
    ------
    ParameterError
        When there is none.
    """
    if name not in PRESETS:
        raise ParameterError("machine", name, f"allowed are {', '.join(PRESETS)}")
    return PRESETS[name]
