"""What a user may set of the hot-remove scenario, and the machine with the slot for its DIMM."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.spec import NodeSpec, PfnRange
from hotmem_viz.scenarios.controls import (
    check_parameters,
    choice,
    flag,
    number,
    seed,
    share,
)
from hotmem_viz.scenarios.setup import Setup

if TYPE_CHECKING:
    from hotmem_viz.scenarios.setup import FindMachine

MACHINES = {
    "classroom, 256 MiB": "classroom",
    "the mail's, four nodes": "mail",
    "small, one node of 32 MiB": "small",
}
WHAT = {"a memory block": "block", "a whole node": "node", "a DIMM just added": "dimm"}
WHERE = {
    "in ZONE_MOVABLE": "movable",
    "in a kernel zone": "kernel",
    "one of each, Movable first": "both",
}
OBSTACLES = {
    "nothing": "nothing",
    "one slab page": "slab",
    "a page table": "page_table",
    "a device's buffer": "device",
    "a pinned page": "pin",
    "no room elsewhere": "no_room",
    "a huge page": "huge",
    "the node's own memory map": "memmap",
}
ENDINGS = {
    "the cause goes away": "released",
    "a signal": "signal",
    "nothing: it goes on": "never",
}
ONLINE = ("online", "online_kernel", "online_movable")
KERNEL_OBSTACLES = ("slab", "page_table", "device")

SMALL_PAGES, DIMM_BLOCKS = 8192, 4
"""The small machine: 1 GiB at 1/32, all of it below 4 GiB, so that a DIMM is its first Normal."""

SMALL_DIMM_PFN = 1 << 15
"""4 GiB at 1/32, where a PC's memory goes on above its hole."""

IDLE_SOURCE = "capture d-hot-kernel-empty: 33 kernel pages in a block after a second (6.1)"
UNMEASURED = "chosen, not measured"


def callback_success() -> Any:
    """Declare the share of release callbacks that succeed."""
    return share(0.5, "callbacks that succeed", source=UNMEASURED, advanced=True)


def callback_ms() -> Any:
    """Declare how long a release callback takes."""
    return number(
        5.0,
        0.0,
        10000.0,
        "latency of a callback",
        step=1,
        unit="ms",
        source=UNMEASURED,
        advanced=True,
    )


@dataclass(frozen=True)
class HotRemoveParameters:
    """What a user may set; the fields say what they mean.

    Raises ParameterError also for pairs that no kernel can bring together.
    """

    machine: str = choice("classroom", MACHINES, "machine")
    what: str = choice("block", WHAT, "what has to go")
    where: str = choice("movable", WHERE, "where a block lies", "of a memory block alone")
    obstacle: str = choice("nothing", OBSTACLES, "in the way")
    ending: str = choice("released", ENDINGS, "how the wait ends")
    online: str = choice("online_kernel", ONLINE, "how the DIMM is onlined")
    user: float = share(0.4, "user share", "of the free memory that users fill", 0.9)
    idle: float = number(
        1.0, 0.0, 60.0, "idle time", "between onlining and the request", step=0.5, unit="s"
    )
    callbacks: bool = flag(
        False, "release callbacks", "as the mail has heard of other systems; nobody measured them"
    )
    seed: int = seed()
    patience: float = number(
        60.0, 1.0, 86400.0, "patience", "how long to watch before the wait ends", step=1, unit="s"
    )
    kernel_rate: float = number(
        33.0,
        0.0,
        1000.0,
        "kernel pages of an idle system",
        step=1,
        unit="pages a second",
        source=IDLE_SOURCE,
        advanced=True,
    )
    callback_success: float = callback_success()
    callback_ms: float = callback_ms()

    def __post_init__(self) -> None:
        check_parameters(self)
        _check_place(self)
        _check_obstacle(self)


def _check_place(p: HotRemoveParameters) -> None:
    if p.machine == "small" and p.what == "node":
        raise ParameterError("what", p.what, "the small machine has only the node of its kernel")
    if p.machine == "small" and p.what == "block" and p.where != "kernel":
        raise ParameterError("where", p.where, "the small machine has no ZONE_MOVABLE; use kernel")


def _check_obstacle(p: HotRemoveParameters) -> None:
    movable = {"block": p.where == "movable", "dimm": p.online == "online_movable"}
    if p.obstacle in KERNEL_OBSTACLES and movable.get(p.what, p.machine == "mail"):
        allowed = "kernel pages never come into ZONE_MOVABLE; choose a kernel zone"
        raise ParameterError("obstacle", p.obstacle, allowed)
    if p.what == "block" and p.where == "both" and p.obstacle not in ("nothing", *KERNEL_OBSTACLES):
        allowed = "beside a Movable block, a kernel zone's residue: nothing, " + ", ".join(
            KERNEL_OBSTACLES
        )
        raise ParameterError("obstacle", p.obstacle, allowed)
    if p.obstacle == "huge" and p.what == "block" and p.where == "kernel" and p.machine != "small":
        allowed = "huge pages come from ZONE_MOVABLE while it has room; choose movable"
        raise ParameterError("obstacle", p.obstacle, allowed)
    if p.obstacle != "memmap":
        return
    if p.what == "dimm" or p.machine != "classroom":
        allowed = "only nodes of the classroom keep their own map in memory that may have to go"
        raise ParameterError("obstacle", p.obstacle, allowed)
    if p.what == "block" and p.where != "movable":
        raise ParameterError("obstacle", p.obstacle, "the map lies in ZONE_MOVABLE here")


def prepare_machine(p: HotRemoveParameters, find_machine: FindMachine) -> Setup:
    """Set up the machine, with memory that may change zones and a free slot for the DIMM."""
    small = p.machine == "small"
    found = find_machine("classroom" if small else p.machine, None, "")
    spec, options = found.spec, found.options
    if small:
        node = NodeSpec(0, (PfnRange(0, SMALL_PAGES),))
        title = "Small machine: one node of 32 MiB, every border at 1/32"
        spec, options = replace(spec, name="small", title=title, nodes=(node,)), BootOptions()
    start = SMALL_DIMM_PFN if small else spec.end_pfn
    slot = PfnRange(start, start + DIMM_BLOCKS * spec.block_pages)
    slots = (NodeSpec(spec.nodes[-1].nid, (slot,)),) if p.what == "dimm" else ()
    return Setup(replace(spec, hotplug=True, pluggable=slots), options, found.profile)
