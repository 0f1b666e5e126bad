"""Rows about loads that starve the kernel of page tables: how far they come, and their tables.

The load is run with the model's own page tables on the machine booted from inputs alone.
Transparent huge pages are switched off first, as those loads do, which sets the watermarks anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel import compare_loads
from hotmem_viz.kernel.captured_pages import page_stages
from hotmem_viz.kernel.compare_loads import NO_OOM, OOM
from hotmem_viz.kernel.compare_machine import type_of, zone_subject
from hotmem_viz.kernel.compare_marks import initial_pages, protected_columns
from hotmem_viz.kernel.compare_rows import THREE_PERCENT, list_value
from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.kernel.samples import (
    last_sample,
    read_sample,
    sample_before_near,
    sample_names,
)
from hotmem_viz.kernel.table_loads import SPAN, TABLE_LOADS
from hotmem_viz.kernel.table_run import TableLoad, TableRun, run_table_load
from hotmem_viz.mechanisms.watermarks import marks_without_thp, settle_watermarks, watermark_rules
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row
    from hotmem_viz.kernel.samples import Sample
    from hotmem_viz.machine.profiles import KernelProfile

TABLE_SLACK = 2
"""Pages: where the kernel lays a mapping at random, it can need one PMD more or less, and PUD."""

NEAR_KIB = 6144
"""What kernel zones have left above their min marks when the snapshot `near` is taken, unless the
scenario's NEAR_KB says otherwise. Consistent with every capture that has one."""

HUGE_PAGES_OFF = "hm.scen=pt"
"""The scenario whose first step is to switch transparent huge pages off."""

MAX_MIB, MAX_SEGMENT_MIB = 1 << 20, 1 << 16
"""Bounds of `mb`: of a mapping, and of a segment that processes share."""


def table_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare where a page-table load ends, and how many tables it had near the end."""
    load = str(machine.capture.args.get("kind", ""))
    if load not in TABLE_LOADS or not machine.booted:
        return
    near, last = near_sample(machine.capture), last_sample(machine.capture)
    operations, killed = compare_loads.load_result(machine, load)
    run = _run(machine, load, table_stops(machine.capture))
    if compare_loads.is_table_load(machine.capture):
        yield from _end_rows(machine, run, load, operations, killed=killed)
        yield from compare_loads.free_rows(machine, _left(run, last), machine.unpredicted)
    # Flags of the last moment of all were read while the load was giving its tables back.
    if near and near.operations < operations:
        yield _tables_row(machine, run, load, near)


def table_stops(capture: Capture) -> tuple[int, ...]:
    """Return after how many operations the model is looked at: the kernel was, just then."""
    near = near_sample(capture)
    return (last_sample(capture).operations, *([near.operations] if near else []))


def _run(machine: ComparedMachine, load: str, count_at: tuple[int, ...]) -> TableRun | None:
    """Run the load in the model; None where nothing can be predicted."""
    if not machine.layout or not machine.profile:
        return None
    told = told_load(machine, machine.profile, load)
    return run_table_load(machine.spec, machine.options, machine.profile, told, count_at=count_at)


def told_load(machine: ComparedMachine, profile: KernelProfile, load: str) -> TableLoad:
    """Return what a capture's load was told.

    Raises
    ------
    CaptureError
        Where an argument makes no sense.
    """
    most, ballast = compare_loads.load_bounds(machine, profile)
    mib = machine.capture.args.get("mb", 0)
    limit = MAX_SEGMENT_MIB if load == "procs" else MAX_MIB
    if not isinstance(mib, int) or not 0 <= mib <= limit:
        where = machine.capture.where("manifest.json")
        raise CaptureError(where, f"mb is no number from 0 to {limit}: {mib!r}"[:120])
    return TableLoad(
        load,
        mib * (1 << 20) // PAGE_SIZE,
        most,
        ballast,
        huge_pages=HUGE_PAGES_OFF not in machine.capture.cmdline.split(),
    )


def _end_rows(
    machine: ComparedMachine, run: TableRun | None, load: str, operations: int, *, killed: bool
) -> Iterator[Row]:
    """Compare outcome, operations, address space, and what was left free that it could not have."""
    # A child of the load may have been the one that was killed.
    killed = killed or bool(machine.capture.boot_log.ooms)
    outcome = (OOM if run.out_of_memory else NO_OOM) if run else None
    why = machine.unpredicted
    observed = OOM if killed else NO_OOM
    yield machine.row("load-outcome", load, outcome, observed, unit="word", why=why)
    done = run.operations if run else None
    mib = reach_mib(machine.capture, load)
    if killed:
        yield _measured(machine, "steps-until-oom", load, done, operations, 1, "operations")
    if mib:
        reached = None if done is None else done * mib
        yield _measured(
            machine, "address-space-reached", load, reached, operations * mib, mib, "MiB"
        )


def _left(run: TableRun | None, last: Sample) -> dict[ZoneType, int] | None:
    """Return free pages by zone type: ZONE_MOVABLE at the last sample, the others at the end."""
    if run is None:
        return None
    then = run.free_at.get(last.operations, run.free)
    return {**run.free, ZoneType.MOVABLE: then.get(ZoneType.MOVABLE, 0)}


def reach_mib(capture: Capture, load: str) -> int:
    """Return the address space that one operation adds, in MiB; 0 where that is not its point."""
    if load in ("procs", "procs-sparse"):
        mib = capture.args.get("mb", 0)
        return mib if isinstance(mib, int) else 0
    return SPAN * PAGE_SIZE >> 20


def _measured(
    machine: ComparedMachine,
    quantity: str,
    load: str,
    predicted: int | None,
    observed: int,
    one: int,
    unit: str,
) -> Row:
    """Make a row held to 3 %, or to one operation where that is more."""
    relative = observed * THREE_PERCENT > one
    return machine.row(
        quantity,
        load,
        predicted,
        observed,
        unit=unit,
        tolerance=THREE_PERCENT if relative else one,
        relative=relative,
        why=machine.unpredicted,
    )


def _tables_row(machine: ComparedMachine, run: TableRun | None, load: str, near: Sample) -> Row:
    """Compare the page tables near the end with the flags of that moment."""
    stage = f"near/{load}"
    predicted, why = None, machine.unpredicted
    if run and machine.profile:
        if near.operations in run.counted:
            rest = _tables_at_rest(machine, machine.profile)
            predicted = rest + run.counted[near.operations]
        else:
            why = f"the model's load ends before {near.operations} operations"
    observed = machine.capture.page_runs(stage).count(PageFlag.PGTABLE)
    subject = f"{load}, {near.operations} operations"
    return machine.row(
        "page-table-pages", subject, predicted, observed, tolerance=TABLE_SLACK, why=why
    )


def near_sample(capture: Capture) -> Sample | None:
    """Return the sample at which the flags of the stage `near` were taken; None without them.

    It is the one that the manifest names, or the first that finds kernel zones with less above
    their min marks than NEAR_KB.
    """
    load = str(capture.args.get("kind", ""))
    if named := sample_before_near(capture):
        sample = read_sample(capture, named)
        return None if sample.note == "dead" else sample
    limit = capture.args.get("NEAR_KB", NEAR_KIB)
    if f"near/{load}" not in page_stages(capture) or not isinstance(limit, int):
        return None
    for name in sample_names(capture):
        sample = read_sample(capture, name)
        zones = [z for z in sample.zoneinfo() if z.zone is not None and z.zone <= ZoneType.NORMAL]
        left = sum(max(0, z.free - z.min) for z in zones)
        if left * PAGE_SIZE < limit * 1024:
            return None if sample.note == "dead" else sample
    return None


def _tables_at_rest(machine: ComparedMachine, profile: KernelProfile) -> int:
    """Pages of tables that there are while a load runs, without its own.

    Those of the started system are counted right after boot; the processes that run the load and
    read its state are the build's own addition.
    """
    added = profile.footprint.loaded_tables - profile.footprint.booted_tables
    if "boot" in page_stages(machine.capture):
        return machine.capture.page_runs("boot").count(PageFlag.PGTABLE) + added
    return profile.footprint.loaded_tables


def late_mark_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare protection and marks after transparent huge pages were switched off.

    Marks come from the managed pages of the moment, and from the high marks before; protection
    stays as boot made it. Boost is taken off.
    """
    capture = machine.capture
    off = HUGE_PAGES_OFF in capture.cmdline.split()
    if not off or not machine.booted or not sample_names(capture):
        return
    zones = tuple(z for z in last_sample(capture).zoneinfo() if z.zone is not None)
    types, marks = [type_of(z) for z in zones], None
    if machine.profile:
        booted = initial_pages(machine)
        rules = watermark_rules(machine.profile, machine.spec.arch, sum(booted))
        before = settle_watermarks([type_of(z) for z in machine.zones], booted, rules).high
        managed = [z.managed for z in zones]
        runs = machine.profile.thp_off_runs
        marks = marks_without_thp(types, managed, rules, before, runs)
    columns = protected_columns(machine)
    for i, zone in enumerate(zones):
        subject = f"{zone_subject(zone)}, huge pages off"
        yield machine.row(
            "protection",
            subject,
            list_value(columns[i]) if columns else None,
            list_value(zone.protection),
            why=machine.no_profile,
        )
        for name in ("min", "low", "high"):
            yield machine.row(
                f"watermark-{name}",
                subject,
                int(getattr(marks, name)[i]) if marks else None,
                getattr(zone, name) - zone.boost,
                why=machine.no_profile,
            )
