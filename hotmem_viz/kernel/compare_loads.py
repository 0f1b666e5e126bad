"""Rows about loads that fill the kernel's zones with metadata, and about how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.compare_rows import FIVE_PERCENT, THREE_PERCENT, page_measure
from hotmem_viz.kernel.load_run import LoadRun, run_load
from hotmem_viz.kernel.samples import last_sample, peak_sample
from hotmem_viz.kernel.table_loads import TABLE_LOADS
from hotmem_viz.machine.spec import Arch
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row
    from hotmem_viz.kernel.oom_report import OomReport, OomZone
    from hotmem_viz.machine.profiles import KernelProfile

LOADS = ("files", "dirs", "sockets", "pipes", "vmas", "procs", "negdentry")
"""Loads that fill the kernel's zones with objects; `table_loads` are the others."""

OOM, NO_OOM = "OOM", "no OOM"
HOLDS = "holds"
SIGKILL = 9
MAX_PAGES, MAX_BALLAST = 1 << 28, 100_000
"""Bounds of what is run: 1 TiB of memory, and socket pairs parked before the load."""


def load_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare where a load ends, and what is left free that it could not have."""
    capture = machine.capture
    load = str(capture.args.get("kind", ""))
    if not load or not machine.booted:
        return
    if is_table_load(capture):
        return
    operations, killed = load_result(machine, load)
    if load not in LOADS:
        why = f"the load {load!r} is not modelled yet"
        yield machine.row(
            "steps-until-oom",
            load,
            None,
            operations,
            unit="operations",
            tolerance=THREE_PERCENT,
            relative=True,
            why=why,
        )
        return
    run, why = None, machine.unpredicted
    if machine.layout and machine.profile:
        if load in machine.profile.operations:
            run = _run(machine, machine.profile, load)
        else:
            why = f"no costs of the load {load!r} in profile {machine.profile.name}"
    outcome = (OOM if run.out_of_memory else NO_OOM) if run else None
    observed = OOM if killed else NO_OOM
    yield machine.row("load-outcome", load, outcome, observed, unit="word", why=why)
    if killed:
        yield machine.row(
            "objects-until-oom",
            load,
            run.operations if run else None,
            operations,
            unit="operations",
            tolerance=FIVE_PERCENT,
            relative=True,
            why=why,
        )
    else:
        most = peak_sample(capture).meminfo().get("SReclaimable", 0) * 1024 // PAGE_SIZE
        tolerance, relative = page_measure(most)
        yield machine.row(
            "cache-stops-growing",
            load,
            run.peak_reclaimable if run else None,
            most,
            tolerance=tolerance,
            relative=relative,
            why=why,
        )
    yield from free_rows(machine, run.free if run else None, why)


def is_table_load(capture: Capture) -> bool:
    """Tell whether a capture's load fills the kernel's zones with page tables above all.

    Processes do when they have a segment to share.
    """
    load = str(capture.args.get("kind", ""))
    return load in TABLE_LOADS and (load != "procs" or "mb" in capture.args)


def load_result(machine: ComparedMachine, load: str) -> tuple[int, bool]:
    """Return the operations that a load did, and whether the OOM killer ended it."""
    capture = machine.capture
    if not capture.has(f"result/{load}") and capture.status == "guest-ended":
        # The whole machine died: the last sample is all that it said.
        return last_sample(capture).operations, bool(capture.boot_log.ooms)
    result = capture.result(load)
    operations, signal = result.get("ops"), result.get("signal")
    if not isinstance(operations, int) or not isinstance(signal, int):
        where = capture.where(f"result/{load}")
        raise CaptureError(where, "ops and signal must be whole numbers")
    return operations, signal == SIGKILL


def _run(machine: ComparedMachine, profile: KernelProfile, load: str) -> LoadRun:
    """Run the load in the model, on a machine of which only the inputs are known."""
    most, ballast = load_bounds(machine, profile)
    return run_load(machine.spec, machine.options, profile, load, most=most, ballast=ballast)


def load_bounds(machine: ComparedMachine, profile: KernelProfile) -> tuple[int, int]:
    """Return how many operations a load does at most, and the socket pairs parked before it.

    Raises CaptureError where an argument makes no sense, or the machine is too large to run on.
    """
    if machine.spec.present_pages > MAX_PAGES:
        raise CaptureError(machine.capture.path, "the machine is too large to run a load on")
    args = machine.capture.args
    ballast = 0 if args.get("NOBALLAST") else args.get("BALL", profile.ballast_pairs)
    most = args.get("max", 1 << 40)
    for name, value, limit in (("BALL", ballast, MAX_BALLAST), ("max", most, 1 << 40)):
        if not isinstance(value, int) or not 0 <= value <= limit:
            where = machine.capture.where("manifest.json")
            raise CaptureError(where, f"{name} is no number from 0 to {limit}: {value!r}"[:120])
    return most, ballast


def free_rows(
    machine: ComparedMachine, left: Mapping[ZoneType, int] | None, why: str
) -> Iterator[Row]:
    """Compare what is left of the zones that a load of kernel memory cannot use.

    left: free pages by zone type at the model's end; None without a prediction.
    """
    kinds = {z.zone for z in machine.zones if z.managed}
    seen: list[tuple[str, ZoneType, int]] = []
    if ZoneType.MOVABLE in kinds:
        zones = last_sample(machine.capture).zoneinfo()
        free = sum(z.free for z in zones if z.zone is ZoneType.MOVABLE)
        seen.append(("free-movable", ZoneType.MOVABLE, free))
    reports = machine.capture.boot_log.ooms
    if ZoneType.HIGHMEM in kinds and reports:
        high = _high_free(reports[0])
        if high is not None:
            seen.append(("free-highmem", ZoneType.HIGHMEM, high))
    for quantity, zone, free in seen:
        tolerance, relative = page_measure(free)
        yield machine.row(
            quantity,
            "all nodes",
            left.get(zone, 0) if left is not None else None,
            free,
            tolerance=tolerance,
            relative=relative,
            why=why,
        )


def _high_free(report: OomReport) -> int | None:
    """Return free pages of HighMem: printed, or what the printed zones leave of the sum."""
    printed = [z.free for z in report.zones if z.name == ZoneType.HIGHMEM.label]
    return sum(printed) if printed else report.unprinted_free


def inequality_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Check free <= min + boost + protection in every zone of the first OOM report."""
    reports = machine.capture.boot_log.ooms
    if not reports:
        return
    report = reports[0]
    column = _column(report.gfp, machine.spec.arch)
    for zone in report.zones:
        yield machine.row(
            "oom-inequality",
            f"node {zone.nid} {zone.name}",
            HOLDS,
            _inequality(zone, column, report.order),
            unit="word",
        )


def _inequality(zone: OomZone, column: int, order: int) -> str:
    """Say that the inequality holds, or by how much it does not."""
    kept = zone.protection[column] if column < len(zone.protection) else 0
    line = zone.min + kept + (1 << order) - 1
    return HOLDS if zone.free <= line else f"free {zone.free} > {line}"


def _column(gfp: str, arch: Arch) -> int:
    """Return the column of protection of a request: that of the highest zone it may use."""
    order = (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE)
    if arch is Arch.PAE:
        order = (ZoneType.DMA, ZoneType.NORMAL, ZoneType.HIGHMEM, ZoneType.MOVABLE)
    words = set(gfp.split("|"))
    highest = ZoneType.NORMAL
    if "GFP_HIGHUSER_MOVABLE" in words or {"GFP_HIGHUSER", "__GFP_MOVABLE"} <= words:
        highest = ZoneType.MOVABLE
    elif words & {"GFP_HIGHUSER", "__GFP_HIGHMEM"} and arch is Arch.PAE:
        highest = ZoneType.HIGHMEM
    elif words & {"GFP_DMA", "__GFP_DMA"}:
        highest = ZoneType.DMA
    elif words & {"GFP_DMA32", "__GFP_DMA32"} and arch is not Arch.PAE:
        highest = ZoneType.DMA32
    return order.index(highest)
