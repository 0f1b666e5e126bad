"""The machine of a capture, rebuilt from the capture's inputs alone, for a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel.captures import Capture, spec_from_capture
from hotmem_viz.kernel.compare_rows import EXACT, Row, Value
from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.profiles import PROFILES, find_profile
from hotmem_viz.machine.spec import Arch
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.zoneinfo import ZoneInfo
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.booted import BootLayout
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan

MAX_PFN, MAX_RANGES, MAX_CPUS = 1 << 34, 4096, 8192
"""64 TiB, the ranges of a long e820 table, and CONFIG_NR_CPUS of CONFIG_MAXSMP: a log that has
more is damaged, and laying it out would take for ever."""


@dataclass(frozen=True)
class ComparedMachine:
    """A capture and what the model makes of its inputs: ranges, SRAT and command line.

    Raises CaptureError when the capture is no machine.
    """

    capture: Capture

    def __post_init__(self) -> None:
        where, log = self.capture.where("console.txt"), self.capture.boot_log
        if log.cpus > MAX_CPUS or sum(map(len, log.node_ranges.values())) > MAX_RANGES:
            raise CaptureError(where, "it lists more CPUs or memory ranges than any machine has")
        if self.spec.end_pfn > MAX_PFN:
            raise CaptureError(where, "it lists memory above 64 TiB: damaged")

    @cached_property
    def _inputs(self) -> tuple[MachineSpec, BootOptions]:
        return spec_from_capture(self.capture)

    @property
    def spec(self) -> MachineSpec:
        """The machine."""
        return self._inputs[0]

    @property
    def options(self) -> BootOptions:
        """Its boot options, read as the kernel reads them."""
        return self._inputs[1]

    @cached_property
    def profile(self) -> KernelProfile | None:
        """The profile of the kernel's series; None for a series that has none."""
        return PROFILES.get(self.capture.profile_name)

    @property
    def no_profile(self) -> str:
        """Why rows that need a profile predict nothing; empty when there is one."""
        if self.profile:
            return ""
        known = ", ".join(PROFILES)
        return f"no profile for kernel {self.capture.kernel}; there are {known}"

    @cached_property
    def plan(self) -> ZonePlan | None:
        """The zones; None where the rules of an unknown kernel decide them.

        Zones of x86-64 have been cut alike since 2012, except for kernelcore=mirror; on
        32-bit the end of lowmem is the build's.
        """
        profile = self.profile
        if profile is None:
            if self.spec.arch is Arch.PAE or self.options.kernelcore_mirror:
                return None
            profile = find_profile("6.1")
        return plan_zones(self.spec, self.options, profile)

    @cached_property
    def layout(self) -> BootLayout | None:
        """What boot leaves; None without a profile, or where the machine does not boot."""
        if self.profile is None or self.plan is None:
            return None
        try:
            return lay_out_boot(self.spec, self.plan, self.options, self.profile)
        except ParameterError:
            return None

    @property
    def unpredicted(self) -> str:
        """Why rows that need the laid-out boot predict nothing; empty when they do."""
        if self.profile and not self.layout:
            return "the model's machine does not boot"
        return self.no_profile

    @cached_property
    def booted(self) -> bool:
        """Whether the real machine came up.

        Raises
        ------
        CaptureError
            When it did, by the manifest, but the zones of that moment are missing.
        """
        if not self.capture.has("boot/zoneinfo") and self.capture.status != "guest-ended":
            raise CaptureError(self.capture.path, "the capture has no boot/zoneinfo: truncated?")
        return self.capture.has("boot/zoneinfo")

    @cached_property
    def zones(self) -> tuple[ZoneInfo, ...]:
        """The real machine's zones after boot, empty ones too, without ZONE_DEVICE."""
        return tuple(z for z in self.capture.zoneinfo() if z.zone is not None)

    def row(
        self,
        quantity: str,
        subject: str,
        predicted: Value | None,
        observed: Value,
        *,
        unit: str = "pages",
        tolerance: float = EXACT,
        relative: bool = False,
        why: str = "",
    ) -> Row:
        """Make a row of this capture."""
        return Row(
            self.capture.name,
            quantity,
            unit,
            subject,
            predicted,
            observed,
            tolerance,
            relative,
            why if predicted is None else "",
        )


def type_of(zone: ZoneInfo) -> ZoneType:
    """Return the type of one of a machine's zones, which are all modelled ones."""
    if zone.zone is None:
        raise CaptureError("zoneinfo", f"zone {zone.name} is not modelled")
    return zone.zone


def zone_subject(zone: ZoneInfo) -> str:
    """Name a zone as /proc/zoneinfo does, in one line."""
    return f"node {zone.nid} {zone.name}"
