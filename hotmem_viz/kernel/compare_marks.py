"""Rows about what zones keep back: protection and watermarks.

Both come from the managed pages of the time when the kernel computed them, so the capture's
managed pages, and what its log says was freed later, are inputs here; min_free_kbytes is not
printed by any kernel, so the sum of all min marks stands in for it, from the machine alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.compare_machine import type_of, zone_subject
from hotmem_viz.kernel.compare_rows import ONE_PERCENT, list_value
from hotmem_viz.machine.movable_start import KERNEL_START_PFN
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.watermarks import (
    protection,
    settle_watermarks,
    watermark_rules,
)
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row

COLUMNS = {
    Arch.X86_64: (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE),
    Arch.PAE: (ZoneType.DMA, ZoneType.NORMAL, ZoneType.HIGHMEM, ZoneType.MOVABLE),
}
"""The zones that a kernel prints a column of protection for; 64-bit ones add ZONE_DEVICE."""


def initial_pages(machine: ComparedMachine) -> list[int]:
    """Return each zone's managed pages from before the ramdisk and init memory were freed."""
    log = machine.capture.boot_log
    pages = []
    for zone in machine.zones:
        start = zone.start_pfn if zone.start_pfn is not None else 0
        end, late = start + zone.spanned, 0
        if start <= KERNEL_START_PFN < end:
            late += log.image_freed_pages
        if log.ramdisk and start <= log.ramdisk[0] < end:
            late += log.ramdisk_freed_pages
        pages.append(max(0, zone.managed - late))
    return pages


def protection_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare lowmem_reserve, all columns of a zone at once, as the kernel prints them."""
    if not machine.booted:
        return
    expected = protected_columns(machine)
    for i, zone in enumerate(machine.zones):
        yield machine.row(
            "protection",
            zone_subject(zone),
            list_value(expected[i]) if expected else None,
            list_value(zone.protection),
            why=machine.no_profile,
        )


def protected_columns(machine: ComparedMachine) -> list[list[int]]:
    """Compute each zone's lowmem_reserve as the kernel prints it; nothing without a profile."""
    if machine.profile is None:
        return []
    zones, pages = machine.zones, initial_pages(machine)
    if machine.profile.reserve_follows_managed:
        pages = [z.managed for z in zones]
    table = protection([z.nid for z in zones], [type_of(z) for z in zones], pages)
    rows = []
    for zone, row in zip(zones, table, strict=True):
        mine = [int(row[c]) for c in COLUMNS[machine.spec.arch]]
        # ZONE_DEVICE comes last and is empty at boot: its column repeats the one before.
        rows.append(mine + mine[-1:] * (len(zone.protection) - len(mine)))
    return rows


def mark_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare min, low and high of every zone, boost taken off."""
    if not machine.booted:
        return
    zones, pages = machine.zones, initial_pages(machine)
    marks = None
    if machine.profile:
        rules = watermark_rules(machine.profile, machine.spec.arch, sum(pages))
        marks = settle_watermarks([type_of(z) for z in zones], pages, rules)
    for i, zone in enumerate(zones):
        for name in ("min", "low", "high"):
            yield machine.row(
                f"watermark-{name}",
                zone_subject(zone),
                int(getattr(marks, name)[i]) if marks else None,
                getattr(zone, name) - zone.boost,
                why=machine.no_profile,
            )


def sum_of_min_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare the sum of all min marks, from the machine alone."""
    if not machine.booted:
        return
    predicted = None
    if machine.layout and machine.plan and machine.profile:
        initial = machine.layout.initial_pages(machine.plan)
        types, pages = [zone for _, zone in initial], list(initial.values())
        rules = watermark_rules(machine.profile, machine.spec.arch, sum(pages))
        predicted = int(settle_watermarks(types, pages, rules).min.sum())
    # A zone without memory has no mark that counts, though some kernels print one.
    observed = sum(z.min - z.boost for z in machine.zones if z.managed)
    yield machine.row(
        "sum-of-min",
        "all zones",
        predicted,
        observed,
        tolerance=ONE_PERCENT,
        relative=True,
        why=machine.unpredicted,
    )
