"""What a user may set of the stop_machine scenario; every constant of its pause has its source."""

from __future__ import annotations

from dataclasses import dataclass

from hotmem_viz.mechanisms.stop_machine import StopCosts, TaxOrStall
from hotmem_viz.memory.address_map import Style
from hotmem_viz.scenarios.controls import (
    check_parameters,
    choice,
    flag,
    number,
    seed,
    share,
    whole,
)

MACHINES = {
    "classroom, 256 MiB": "classroom",
    "the mail's, four nodes": "mail",
    "server, 64 GiB": "server",
}
TARGETS = {"a whole section": "section", "a frame for each page": "page"}
FAILURES = {
    "none": "none",
    "the user gives up (EINTR)": "eintr",
    "a page is a device's (EBUSY)": "ebusy",
    "no frames to copy to (ENOMEM)": "enomem",
    "a device comes in between (abort)": "abort",
    "a page was taken for virtual-only (corrupt)": "corrupt",
}
AFTER = {
    "the residue is freed": "drain",
    "the memory comes back": "home",
    "the target has to go as well": "target",
}
CHOSEN = "chosen inside the published 0.7 ms of Ksplice and few ms of kpatch; not measured"


@dataclass(frozen=True)
class PauseConstants:
    """The constants of a pause and of the tax beside it: assumptions of KERNEL.md 4.5."""

    rendezvous_us: float = number(
        100, 0, 10_000, "all CPUs arrive", unit="us", source=CHOSEN, advanced=True
    )
    rendezvous_cpu_us: float = number(
        1, 0, 1000, "and for each CPU", unit="us", source=CHOSEN, advanced=True
    )
    copy_us: float = number(
        1.651, 0.01, 100, "copying a page", step=0.05, unit="us", advanced=True,
        source="2.481 GB/s, the copy part of a 2 MiB migration (Zi Yan, 2019, Xeon)",
    )  # fmt: skip
    copiers: int = whole(
        1, 1, 256, "CPUs that copy", source="stop_machine runs one function", advanced=True
    )
    scan_ns: float = number(
        1.0, 0.1, 100, "reading an entry", step=0.1, unit="ns", advanced=True,
        source="1 ns in cache; 12.5 from memory, 100 ns a line of 8 entries (assumed)",
    )  # fmt: skip
    fix_ns: float = number(
        10, 0, 1000, "rewriting an entry", unit="ns", source="assumed", advanced=True
    )
    flush_us: float = number(
        10, 0, 1000, "flushing the TLBs", unit="us", source="assumed; A16", advanced=True
    )
    tax: float = share(
        0.016, "tax of table migration", "on every page fault, all the time", 0.1, step=0.002,
        source="1.6 % of lmbench's fault test, patches of 29 April 2008; 3 % two weeks before",
        advanced=True,
    )  # fmt: skip
    fault_ns: float = number(
        500, 1, 100_000, "a page fault", step=50, unit="ns", source="assumed", advanced=True
    )

    @property
    def costs(self) -> StopCosts:
        """The constants of the pause."""
        return StopCosts(
            self.rendezvous_us * 1000,
            self.rendezvous_cpu_us * 1000,
            self.copy_us * 1000,
            self.copiers,
            self.scan_ns,
            self.fix_ns,
            self.flush_us * 1000,
        )


@dataclass(frozen=True)
class StopMachineParameters(PauseConstants):
    """What a user may set; the fields say what they mean.

    section: -1 lets the seed choose. Costs are assumptions of KERNEL.md 4.5: nobody built this.
    """

    machine: str = choice("classroom", MACHINES, "machine")
    section: int = whole(-1, -1, 8191, "section", "which section has to go; -1: the seed chooses")
    residue: float = share(0.1, "residue", "kernel pages that outlive the burst", 0.5)
    target: str = choice("section", TARGETS, "target", "what the mail leaves open (Q1)")
    cpus: int = whole(8, 1, 256, "CPUs")
    processes: int = whole(12, 1, 2000, "processes")
    mapped: int = whole(
        16, 2, 1 << 16, "mapped by each", "one page is touched in every 2 MiB", 2, unit="MiB"
    )
    device: float = share(0.02, "for devices alone", "set aside on the first node (S43)", 0.2)
    devices: float = share(0.012, "devices ask for", "share of memory; what spills stays", 0.2)
    failure: str = choice("none", FAILURES, "failure", "which exit to provoke")
    after: str = choice("drain", AFTER, "afterwards", "not in the mail")
    seed: int = seed()
    faults: float = number(
        10_000, 1, 1e8, "page faults", step=1000, unit="a second", source="assumed", advanced=True
    )
    removals: float = number(
        1, 0.001, 10_000, "sections removed", unit="a day", source="assumed", advanced=True
    )
    kaslr: bool = flag(
        True, "base in a global", "a fast lookup then has one load (KASLR)", advanced=True
    )
    extreme: bool = flag(
        False, "two-level section table", "as SPARSEMEM_EXTREME has", advanced=True
    )

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def tax_ns(self) -> float:
        """What always-on table migration would cost, in ns of each second."""
        return self.tax * self.fault_ns * self.faults

    @property
    def price(self) -> TaxOrStall:
        """What an always-on tax costs, and what pauses do."""
        return TaxOrStall(self.tax, self.fault_ns, self.faults, self.removals)

    @property
    def style(self) -> Style:
        """How the map of sections is laid out."""
        return Style(self.kaslr, self.extreme)
