"""What a user may set of the strategies scenario, and the one machine that all strategies get.

The machine is bought before any strategy is chosen: the same nodes at the same addresses, and a
slot for one more. A strategy decides what of it is there at boot and what is added later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotmem_viz.machine.boot_options import BootOptions, movable_share, parse_boot_options
from hotmem_viz.machine.spec import CLASSROOM_SCALE, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.scenarios.controls import (
    check_parameters,
    choice,
    flag,
    seed,
    share,
    whole,
)
from hotmem_viz.scenarios.hot_parameters import callback_ms, callback_success
from hotmem_viz.scenarios.remap_parameters import TARGETS, PauseConstants
from hotmem_viz.scenarios.setup import Setup
from hotmem_viz.units import MIB

if TYPE_CHECKING:
    from hotmem_viz.scenarios.setup import FindMachine

STRATEGIES = {
    "no ZONE_MOVABLE": "none",
    "movablecore=, a percent": "percent",
    "one node boots, the rest is added": "hot_add",
    "auto-movable policy": "auto",
    "release callbacks (hearsay)": "callbacks",
    "stop_machine remap (unproven)": "remap",
}
"""The six, by their titles, in the order of the design."""

ALL = "all"
"""Beside a strategy: every other."""

MACHINES = {"four nodes of 48 MiB": "nodes", "the mail's, four nodes of 64 MiB": "mail"}

ADDED_LATER = ("hot_add", "auto")
"""Strategies that boot with the first node alone."""

_NODES = MachineSpec(
    name="nodes",
    title="Four nodes of 48 MiB, a slot for a fifth; every border at 1/32",
    nodes=(
        NodeSpec(0, (PfnRange(0, 32 * MIB), PfnRange(128 * MIB, 144 * MIB))),
        *(
            NodeSpec(n, (PfnRange((96 + 48 * n) * MIB, (144 + 48 * n) * MIB, hotpluggable=True),))
            for n in (1, 2, 3)
        ),
    ),
    section_pages=1024,
    scale=CLASSROOM_SCALE,
    cpus=4,
)
"""Small enough that two of its maps stand side by side with a cell for every page."""


@dataclass(frozen=True)
class StrategiesParameters(PauseConstants):
    """What a user may set; the fields say what they mean.

    Shares are of the memory that the machine has before the fifth node comes.
    """

    strategy: str = choice("none", STRATEGIES, "strategy")
    machine: str = choice("nodes", MACHINES, "machine")
    movable: float = share(0.75, "movable", "what movablecore= asks for", 0.95)
    metadata: float = share(
        0.22, "metadata", "inodes, dentries, other slabs, stacks", 0.6, step=0.01
    )
    user: float = share(0.4, "user memory", "programs and files", 0.6)
    removals: int = whole(6, 0, 18, "single blocks", "asked to go before a node breaks")
    target: str = choice("section", TARGETS, "remap to", "what the mail leaves open (Q1)")
    reserve: float = share(
        0.02, "region for devices", "of the remap strategy alone", 0.2, step=0.01
    )
    seed: int = seed()
    device: float = share(
        0.01, "devices", "buffers that devices own", 0.1, step=0.01, advanced=True
    )
    processes: int = whole(12, 1, 500, "processes", advanced=True)
    mapped: int = whole(
        64, 2, 1 << 12, "mapped by each", "one page is touched in every 2 MiB", 2, unit="MiB",
        advanced=True,
    )  # fmt: skip
    residue: float = share(0.1, "residue", "metadata that outlives the burst", 0.5, advanced=True)
    cpus: int = whole(8, 1, 256, "CPUs", advanced=True)
    numa_aware: bool = flag(
        False,
        "auto-movable by node too",
        "the kernel's own default: then a node that had no kernel memory at boot gets no Movable",
        advanced=True,
    )
    callback_success: float = callback_success()
    callback_ms: float = callback_ms()

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def boot_text(self) -> str:
        """What a person has typed on the command line; "" for nothing."""
        if self.strategy == "percent":
            return movable_share(self.movable).text if self.movable else ""
        if self.strategy != "auto":
            return ""
        aware = "" if self.numa_aware else " memory_hotplug.auto_movable_numa_aware=0"
        return f"memory_hotplug.online_policy=auto-movable{aware}"

    @property
    def options(self) -> BootOptions:
        """The boot options; the reserve of the proposal is none that a kernel takes."""
        return parse_boot_options(self.boot_text, strict=True)

    @property
    def typed(self) -> int:
        """Values that a person typed: one an option, one for the proposal's percent."""
        return len(self.boot_text.split()) + (self.strategy == "remap")


def whole_machine(spec: MachineSpec) -> MachineSpec:
    """Return a machine with a slot above its memory for a node as large as its last one."""
    last, start = spec.nodes[-1], spec.end_pfn
    slot = PfnRange(start, start + last.present_pages, hotpluggable=True)
    return replace(spec, hotplug=True, pluggable=(NodeSpec(last.nid + 1, (slot,)),))


def prepare_machine(p: StrategiesParameters, find_machine: FindMachine) -> Setup:
    """Set up what boots: the whole machine, or its first node with slots for the others."""
    found = find_machine("classroom" if p.machine == "nodes" else p.machine, 0.0, "")
    spec = whole_machine(_NODES if p.machine == "nodes" else found.spec)
    if p.strategy in ADDED_LATER:
        spec = replace(spec, nodes=spec.nodes[:1], pluggable=(*spec.nodes[1:], *spec.pluggable))
    return Setup(spec, p.options, found.profile)
