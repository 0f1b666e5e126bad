"""The machine that a scenario starts from: what was bought, how it boots, which kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from hotmem_viz.machine.boot_options import BootOptions, movable_share, parse_boot_options
from hotmem_viz.machine.presets import USUAL, find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recorder import Tick


@dataclass(frozen=True)
class Setup:
    """What boots: a machine, its boot options and a kernel profile."""

    spec: MachineSpec
    options: BootOptions
    profile: KernelProfile


class FindMachine(Protocol):
    """Finds a machine, by the name of a preset or of a capture: the catalog's own way."""

    def __call__(self, machine: str, movable: float | None, boot: str, profile: str = "") -> Setup:
        """Set up a machine; raises ParameterError for what is not allowed."""
        ...


class Scenario(Protocol):
    """What the catalog can run: a class made of checked parameters and a machine.

    parameters_type is the dataclass of its parameters. `meta` and `memory` stand before the first
    tick; see `hotmem_viz.recording.recorder.Run`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    parameters_type: ClassVar[type[Any]]
    memory: PhysicalMemory
    meta: dict[str, Any]

    def __init__(self, parameters: Any, setup: Setup) -> None: ...

    @classmethod
    def prepare(cls, parameters: Any, find_machine: FindMachine) -> Setup:
        """Set up the machine that the parameters ask for."""
        ...

    def ticks(self) -> Iterable[Tick]:
        """Run, and yield one tick after another."""
        ...


def choose_options(
    movable: float | None, boot: str, otherwise: BootOptions | None = None
) -> BootOptions:
    """Choose boot options: a share, or text typed by a person, or else the given ones."""
    if movable is not None:
        return movable_share(movable) if movable else BootOptions()
    if boot.strip():
        return parse_boot_options(boot, strict=True)
    return otherwise or BootOptions()


def choose_preset(
    name: str, movable: float | None, boot: str, share: float, profile: str = ""
) -> Setup:
    """Set up a preset machine, with the kernel of some name or else with 6.1.

    Without movable and boot, an x86-64 machine boots with `share` of its memory movable, the
    mail's machine with movable_node, and a PAE machine as it is: HighMem is its Movable.
    """
    spec = find_preset(name)
    kernel = find_profile(profile or "6.1", spec.arch)
    if any(r.hotpluggable for n in spec.nodes for r in n.ranges):
        usual = BootOptions(movable_node=True, text="movable_node")
    elif spec.arch is Arch.PAE:
        usual = BootOptions()
    elif name in USUAL:
        usual = parse_boot_options(USUAL[name], strict=True)
    else:
        usual = movable_share(share)
    return Setup(spec, choose_options(movable, boot, usual), kernel)
