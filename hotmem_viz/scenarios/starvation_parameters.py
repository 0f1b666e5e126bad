"""What a user may set of the starvation lesson."""

from __future__ import annotations

from dataclasses import dataclass

from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.scenarios.controls import check_parameters, choice, flag, seed, share, text, whole

USES = {
    "many processes, one segment": "shared",
    "one page in every 2 MiB": "sparse",
    "every page of one mapping": "dense",
    "many small processes": "processes",
}
ASKED = {"page fault": "fault", "populate or mlock": "populate"}

USUAL_PROCESSES = {"shared": 400, "sparse": 3, "dense": 1, "processes": 6000}
"""Processes of each use when none are asked for."""

KERNELS = {"the machine's own": "", **{name: name for name in PROFILES}}


@dataclass(frozen=True)
class StarvationParameters:
    """What a user may set.

    movable is for machines whose memory is one kind: on a PAE machine HighMem is what it is, the
    mail's machine has its hot-pluggable nodes, a capture its own command line, and boot options
    take its place everywhere.
    """

    machine: str = text("classroom", "machine", "classroom, server, pae, mail, or a capture")
    movable: float = share(0.75, "movable", "share of memory in ZONE_MOVABLE; 75 % is 3:1")
    boot: str = text("", "boot options", "take the place of the movable share")
    use: str = choice("shared", USES, "use", "how address space is used")
    asked: str = choice("fault", ASKED, "asked by", "a fault cannot say no; populate can")
    processes: int = whole(0, 0, 60_000, "processes", "0: as many as the use usually has")
    fill: float = share(0.9, "filled", "segment or mapping, as a share of movable memory")
    reach: int = whole(
        300, 1, 4000, "reach", "address space that sparse use spreads over", unit="x movable memory"
    )
    other: float = share(0.0, "other kernel use", "slab, as a share of memory", highest=0.3)
    highpte: bool = flag(True, "HIGHPTE", "a PAE kernel may put PTE tables in high memory")
    seed: int = seed()
    profile: str = choice("", KERNELS, "kernel")

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def count(self) -> int:
        """Processes of the run."""
        return self.processes or USUAL_PROCESSES[self.use]
