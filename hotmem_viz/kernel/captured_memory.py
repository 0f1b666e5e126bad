"""Builds the model's memory from what a capture says about every page at one stage.

Frames, pageblock types and memory blocks are those of the stage, marks and protection those of its
zoneinfo. What flags cannot tell stays untold: owners are unknown, and a pin does not show
(`captured_pins` finds those that a workload is known to have made).
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel.captured_pages import block_pages, stored_path
from hotmem_viz.kernel.captured_state import write_state
from hotmem_viz.kernel.captures import spec_from_capture
from hotmem_viz.kernel.page_words import KERNEL_ZONES, NO_ZONE, zone_numbers
from hotmem_viz.machine.boot_layout import BootLayout
from hotmem_viz.machine.profiles import PROFILES, find_profile
from hotmem_viz.machine.spec import Arch, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.mechanisms import hotplug
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.oom import total_reserve
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import (
    PAGE_SIZE,
    PageKind,
    SectionState,
    ZoneType,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.blocks import MemoryBlock
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.zoneinfo import ZoneInfo
    from hotmem_viz.machine.spec import MachineSpec

COLUMNS = {
    Arch.X86_64: (ZoneType.DMA, ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE),
    Arch.PAE: (ZoneType.DMA, ZoneType.NORMAL, ZoneType.HIGHMEM, ZoneType.MOVABLE),
}
"""The zones that a kernel prints a column of protection for; 64-bit ones add ZONE_DEVICE."""

MAX_PAGES = 1 << 25
"""128 GiB: a model of every page of more is not worth its memory here."""


def load_memory(capture: Capture, stage: str = "boot") -> PhysicalMemory:
    """Return the captured machine's memory as it was at a stage that has page flags.

    A build whose series has no profile gets the rules of 6.1.

    Raises
    ------
    CaptureError
        When the capture lacks the stage's files, or they do not fit together.
    """
    spec = _with_slots(capture, stage)
    frames = spec.n_sections * spec.section_pages
    if frames > MAX_PAGES:
        raise CaptureError(capture.path, "the machine is too large to model every page of it")
    name = capture.profile_name
    profile = find_profile(name if name in PROFILES else "6.1", capture.arch)
    nothing = BootLayout((), (), MappingProxyType({}))
    try:
        mem = build_memory(spec, _boot_plan(capture), nothing, profile)
        count_blocks(mem, all_groups(mem), +1)
        _follow_blocks(mem, capture, stage)
    except ParameterError as error:
        where = capture.where(f"{stage}/blocks")
        raise CaptureError(where, f"blocks and zones do not fit together: {error}") from None
    write_state(mem, capture, stage)
    _write_marks(mem, capture.zoneinfo(stage))
    build_all_zonelists(mem)
    return mem


def _with_slots(capture: Capture, stage: str) -> MachineSpec:
    """Return the machine, with slots for the memory blocks that came after boot."""
    spec, _ = spec_from_capture(capture)
    if not capture.has(f"{stage}/blocks"):
        return spec
    size, booted = block_pages(capture), spec.end_pfn
    slots: dict[int, list[PfnRange]] = {}
    for block in sorted(capture.blocks(stage), key=lambda b: b.phys_index):
        first = block.phys_index * size
        if first >= booted:
            slots.setdefault(block.nid, []).append(PfnRange(first, first + size))
    nodes = tuple(NodeSpec(nid, tuple(ranges)) for nid, ranges in sorted(slots.items()))
    try:
        return replace(
            spec, pluggable=nodes, hotplug=True, block_sections=size // spec.section_pages
        )
    except ParameterError as error:
        raise CaptureError(capture.where(f"{stage}/blocks"), str(error)) from None


def _boot_plan(capture: Capture) -> ZonePlan:
    """Return the zones as they were at boot."""
    spans = [
        ZoneSpan(z.nid, z.zone, z.start_pfn, z.start_pfn + z.spanned, z.present)
        for z in capture.zoneinfo()
        if z.zone is not None and z.start_pfn is not None
    ]
    starts = {s.nid: s.start_pfn for s in spans if s.zone is ZoneType.MOVABLE}
    return ZonePlan(tuple(sorted(spans, key=lambda s: (s.nid, s.zone))), MappingProxyType(starts))


def _follow_blocks(mem: PhysicalMemory, capture: Capture, stage: str) -> None:
    """Take boot memory out that is offline at the stage, and put added memory into its zone."""
    size = mem.spec.block_pages
    for block in capture.blocks(stage):
        start = block.phys_index * size
        sections = slice(start // mem.spec.section_pages, (start + size) // mem.spec.section_pages)
        states = mem.section_state[sections]
        if (states == SectionState.ABSENT).all():
            states[:] = SectionState.OFFLINE
            if block.state != "offline":
                zone = _zone_of(capture, stage, block, start)
                own = _own_map(mem, capture, stage, start)
                hotplug.put_in(mem, zone, start, start + size, own_map=own)
        elif block.state == "offline":
            hotplug.take_out(mem, start, start + size)
        if block.state == "going-offline":
            states[:] = SectionState.GOING_OFFLINE


def _own_map(mem: PhysicalMemory, capture: Capture, stage: str, start: int) -> int:
    """Pages at the start of an added block that hold its own memory map; 0 where it has none.

    Only memmap_on_memory puts reserved pages there (mhp_init_memmap_on_memory,
    mm/memory_hotplug.c, 6.1): nothing else of a block that was added is reserved.
    """
    if not spec_from_capture(capture)[1].hotplug.memmap_on_memory:
        return 0
    pages = mem.spec.block_pages * mem.profile.struct_page_bytes // PAGE_SIZE
    told = capture.page_kinds(stage).part(start, start + pages).expand()
    kept = np.isin(told, (PageKind.RESERVED, PageKind.MEMMAP))
    return pages if len(told) == pages and kept.all() else 0


def _zone_of(capture: Capture, stage: str, block: MemoryBlock, start: int) -> ZoneType:
    """Return the zone that an added block is in, by its page structs or its valid_zones."""
    if capture.has(stored_path("pages", stage)):
        run = capture.page_words(stage).part(start, start + 1)
        number = int(zone_numbers(run)[0]) if run.total else NO_ZONE
        if number < len(KERNEL_ZONES):
            return KERNEL_ZONES[number]
    by_label = {zone.label: zone for zone in ZoneType}
    names = [name for name in block.valid_zones if name in by_label]
    if not names:
        where = capture.where(f"{stage}/blocks")
        raise CaptureError(where, f"memory{block.number} is online in no zone that is modelled")
    return by_label[names[0]]


def _write_marks(mem: PhysicalMemory, told: Sequence[ZoneInfo]) -> None:
    """Give the zones their marks, protection and managed pages; boost is taken off the marks."""
    zones = mem.zones
    columns = COLUMNS[mem.spec.arch]
    for z in told:
        row = zones.row(z.nid, z.zone) if z.zone is not None else -1
        if row < 0:
            continue
        zones.managed[row], zones.boost[row] = z.managed, z.boost
        for name in ("min", "low", "high"):
            getattr(zones, name)[row] = max(0, getattr(z, name) - z.boost)
        for column in ZoneType:
            at = max([i for i, c in enumerate(columns) if c <= column], default=-1)
            if 0 <= at < len(z.protection):
                zones.protection[row, column] = z.protection[at]
    zones.total_reserve = total_reserve(zones.managed, zones.high, zones.protection.max(axis=1))
