"""Rows about the machine as it boots: zones, blocks, managed pages, lowmem, whether it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_pages import block_pages
from hotmem_viz.kernel.compare_machine import type_of, zone_subject
from hotmem_viz.kernel.compare_rows import ONE_PERCENT, TWO_PERCENT
from hotmem_viz.machine.spec import Arch
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.blocks import MemoryBlock
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row, Value
    from hotmem_viz.machine.zone_plan import ZonePlan

NONE = "none"
"""How the kernel writes that a block is in no single zone; here also: no such zone."""

BOOTS, DOES_NOT_BOOT = "boots", "does not boot"


def boot_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare whether the machine boots at all."""
    predicted = None
    if machine.profile:
        predicted = BOOTS if machine.layout else DOES_NOT_BOOT
    observed = BOOTS if machine.booted else DOES_NOT_BOOT
    yield machine.row("boots", "machine", predicted, observed, unit="word", why=machine.no_profile)


def movable_start_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare the first pfn of ZONE_MOVABLE of every node, with the log's."""
    seen = machine.capture.boot_log.movable_starts
    for node in machine.spec.nodes:
        predicted: Value | None = None
        if machine.plan:
            predicted = machine.plan.movable_starts.get(node.nid, NONE)
        observed = seen.get(node.nid, NONE)
        subject = f"node {node.nid}"
        yield machine.row(
            "movable-start", subject, predicted, observed, unit="pfn", why=machine.no_profile
        )


def zone_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare start, end, span and presence of every zone with zoneinfo."""
    if not machine.booted:
        return
    for zone in machine.zones:
        mine = machine.plan.find(zone.nid, type_of(zone)) if machine.plan else None
        start = zone.start_pfn
        values: list[tuple[str, str, Value, Value]] = [
            ("zone-spanned", "pages", mine.spanned_pages if mine else 0, zone.spanned),
            ("zone-present", "pages", mine.present_pages if mine else 0, zone.present),
        ]
        if mine or start is not None:
            ends = (start, start + zone.spanned) if start is not None else (NONE, NONE)
            values += [
                ("zone-start", "pfn", mine.start_pfn if mine else NONE, ends[0]),
                ("zone-end", "pfn", mine.end_pfn if mine else NONE, ends[1]),
            ]
        for quantity, unit, predicted, observed in values:
            yield machine.row(
                quantity,
                zone_subject(zone),
                predicted if machine.plan else None,
                observed,
                unit=unit,
                why=machine.no_profile,
            )


def block_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare the zone of every memory block with valid_zones; 64-bit kernels have blocks."""
    if not machine.booted or not machine.capture.has("boot/blocks"):
        return
    pages = block_pages(machine.capture)
    for block in machine.capture.blocks():
        predicted, why = None, machine.no_profile
        if block.state != "online":
            why = f"the block is {block.state} at boot"
        elif machine.plan:
            predicted = _zone_of(machine.plan, block, pages)
        yield machine.row(
            "block-valid-zones",
            f"memory{block.number}",
            predicted,
            ",".join(block.valid_zones) or NONE,
            unit="zone",
            why=why,
        )


def _zone_of(plan: ZonePlan, block: MemoryBlock, pages: int) -> str:
    """Name the only zone whose span meets the block (test_pages_in_a_zone, 6.1), or none."""
    start = block.phys_index * pages
    inside = [z for z in plan.zones if z.start_pfn < start + pages and start < z.end_pfn]
    return inside[0].zone.label if len(inside) == 1 else NONE


def managed_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare managed pages, laid out from the machine alone."""
    if not machine.booted:
        return
    managed = {}
    if machine.layout and machine.plan:
        managed = machine.layout.managed_pages(machine.plan)
    for zone in machine.zones:
        predicted = managed.get((zone.nid, type_of(zone)), 0) if machine.layout else None
        if zone.managed or predicted:
            yield machine.row(
                "managed",
                zone_subject(zone),
                predicted,
                zone.managed,
                tolerance=TWO_PERCENT,
                relative=True,
                why=machine.unpredicted,
            )


def lowmem_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare LowTotal of a 32-bit machine."""
    if not machine.booted or machine.spec.arch is not Arch.PAE:
        return
    observed = machine.capture.meminfo().get("LowTotal")
    if observed is None:
        where = machine.capture.where("boot/meminfo")
        raise CaptureError(where, "LowTotal is missing, on a kernel with high memory")
    predicted = None
    if machine.layout and machine.plan:
        managed = machine.layout.managed_pages(machine.plan)
        low = sum(pages for (_, zone), pages in managed.items() if zone <= ZoneType.NORMAL)
        predicted = low * PAGE_SIZE // 1024
    yield machine.row(
        "pae-lowmem-total",
        "machine",
        predicted,
        observed,
        unit="kB",
        tolerance=ONE_PERCENT,
        relative=True,
        why=machine.unpredicted,
    )
