"""Which pages lie in which zone: the machine's nodes cut by borders and boot options (A1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.machine.lowmem import lowmem_end_pfn
from hotmem_viz.machine.movable_start import Borders, find_movable_starts
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile

DMA_END_PFN = 4096
"""16 MiB, the reach of ISA DMA (MAX_DMA_PFN, arch/x86/include/asm/dma.h)."""

PAE_END_PFN = 1 << 24
"""64 GiB, all that PAE can address; memory above it is left unused."""

FOUR_GIB_PFN = 1 << 20
"""4 GiB: the end of DMA32, and what kernelcore=mirror measures against."""


@dataclass(frozen=True)
class ZoneSpan:
    """One zone of one node: its span in pfns, and how much of it is memory."""

    nid: int
    zone: ZoneType
    start_pfn: int
    end_pfn: int
    present_pages: int

    @property
    def spanned_pages(self) -> int:
        """Pages from start to end, holes included (spanned_pages of struct zone)."""
        return self.end_pfn - self.start_pfn


@dataclass(frozen=True)
class ZonePlan:
    """The zones of a machine, by node and zone; empty ones are left out.

    `movable_starts` maps each node that has a ZONE_MOVABLE to its first pfn. `notes` are
    sentences about options that did not do what their text suggests.
    """

    zones: tuple[ZoneSpan, ...]
    movable_starts: Mapping[int, int]
    notes: tuple[str, ...] = ()

    def find(self, nid: int, zone: ZoneType) -> ZoneSpan | None:
        """Return the zone of a node, or None where it is empty."""
        for span in self.zones:
            if span.nid == nid and span.zone is zone:
                return span
        return None


def zone_borders(
    spec: MachineSpec, profile: KernelProfile, options: BootOptions | None = None
) -> Borders:
    """Return the pfns where a machine's zones may lie, whatever ZONE_MOVABLE is to be.

    The borders are those of the architecture, divided by the machine's scale, and clipped to
    its memory: the lowest zone starts at the lowest memory, the highest ends with the highest
    (free_area_init, mm/page_alloc.c; zone_sizes_init, arch/x86/mm/init.c; 6.1).
    """
    first = min(node.start_pfn for node in spec.nodes)
    last = spec.end_pfn
    if spec.arch is Arch.PAE:
        low = min(last, scaled(lowmem_end_pfn(profile, options), spec.scale))
        ends = {
            ZoneType.DMA: min(scaled(DMA_END_PFN, spec.scale), low),
            ZoneType.NORMAL: low,
            ZoneType.HIGHMEM: min(last, scaled(PAE_END_PFN, spec.scale)),
        }
    else:
        ends = {
            ZoneType.DMA: min(scaled(DMA_END_PFN, spec.scale), last),
            ZoneType.DMA32: min(scaled(FOUR_GIB_PFN, spec.scale), last),
            ZoneType.NORMAL: last,
        }
    spans = {}
    start = first
    for zone, end in ends.items():
        spans[zone] = (start, max(start, end))
        start = max(start, end)
    return Borders(MappingProxyType(spans), scaled(FOUR_GIB_PFN, spec.scale))


def scaled(amount: int, scale: int) -> int:
    """Divide a real machine's amount by the scale of a classroom one, rounded up."""
    return -(-amount // scale)


def has_mirrored(spec: MachineSpec) -> bool:
    """Tell whether any memory of the machine is mirrored."""
    return any(r.mirrored for node in spec.nodes for r in node.ranges)


def plan_zones(spec: MachineSpec, options: BootOptions, profile: KernelProfile) -> ZonePlan:
    """Compute every node's zones as the kernel does at boot; exact (A1).

    find_zone_movable_pfns_for_nodes, zone_spanned_pages_in_node and
    zone_absent_pages_in_node (mm/page_alloc.c, 6.1; mm/mm_init.c from 6.4).
    """
    if not profile.mirror_without_mirrored and not has_mirrored(spec):
        options = replace(options, kernelcore_mirror=False)
    borders = zone_borders(spec, profile, options)
    starts = find_movable_starts(spec, options, borders)
    zones: list[ZoneSpan] = []
    for node in sorted(spec.nodes, key=lambda n: n.nid):
        start = starts.get(node.nid, 0)
        for zone in ZoneType:
            span = _cut(node, zone, borders, start, options)
            if span is not None:
                zones.append(span)
    notes = _notes(spec, options, borders, starts)
    return ZonePlan(tuple(zones), MappingProxyType(starts), notes)


def _cut(
    node: NodeSpec, zone: ZoneType, borders: Borders, movable: int, options: BootOptions
) -> ZoneSpan | None:
    """Cut one zone out of a node; None when it is empty."""
    mirror = options.kernelcore_mirror
    if zone is ZoneType.MOVABLE:
        start, end = movable, min(node.end_pfn, borders.spans[borders.movable_zone][1])
        if not movable:
            return None
    elif zone in borders.spans:
        low, high = borders.spans[zone]
        start, end = max(low, node.start_pfn), min(high, node.end_pfn)
        if movable and start >= movable:
            return None
        if movable and not mirror:
            end = min(end, movable)
    else:
        return None
    if start >= end:
        return None
    present = _present(node, start, end)
    if mirror and movable:
        present -= _on_the_other_side(node, zone, start, end)
    return ZoneSpan(node.nid, zone, start, end, present) if present else None


def _present(node: NodeSpec, start: int, end: int) -> int:
    return sum(max(0, min(end, r.end_pfn) - max(start, r.start_pfn)) for r in node.ranges)


def _on_the_other_side(node: NodeSpec, zone: ZoneType, start: int, end: int) -> int:
    """Pages that kernelcore=mirror gives to the other one of Normal and Movable.

    With mirrored memory the two zones overlap; a page belongs to Normal when it is mirrored.
    """
    if zone not in (ZoneType.NORMAL, ZoneType.MOVABLE):
        return 0
    return sum(
        max(0, min(end, r.end_pfn) - max(start, r.start_pfn))
        for r in node.ranges
        if r.mirrored == (zone is ZoneType.MOVABLE)
    )


def _notes(
    spec: MachineSpec, options: BootOptions, borders: Borders, starts: Mapping[int, int]
) -> tuple[str, ...]:
    """Say where an option did not do what its text suggests."""
    notes: list[str] = []
    total = spec.present_pages
    core, movable = options.kernelcore_pages(total), options.movablecore_pages(total)
    if options.movable_node:
        if core or movable or options.kernelcore_mirror:
            notes.append("movable_node is set, so kernelcore and movablecore are ignored")
        if not starts:
            notes.append("movable_node found no hot-pluggable memory apart from the kernel's node")
        return tuple(notes)
    if options.kernelcore_mirror:
        if not has_mirrored(spec):
            notes.append("no memory is mirrored, so everything from 4 GiB up became movable (6.1)")
        return tuple(notes)
    if movable >= total:
        notes.append(
            f"movablecore asks for {format_pages(movable)} of {format_pages(total)}: "
            "with nothing left for the kernel there is no ZONE_MOVABLE"
        )
    if core >= total:
        notes.append("kernelcore asks for all of the memory: there is no ZONE_MOVABLE")
    if core and movable:
        notes.append("both options are set: the one that leaves more to the kernel counts")
    _note_nodes(spec, borders, starts, notes)
    return tuple(notes)


def _note_nodes(
    spec: MachineSpec, borders: Borders, starts: Mapping[int, int], notes: list[str]
) -> None:
    """Add what a student should see about the nodes of a size-cut machine."""
    if not starts:
        return
    for node in spec.nodes:
        if node.end_pfn <= borders.usable_pfn:
            notes.append(f"node {node.nid} lies below the zone that is cut: all kernel memory")
        elif starts.get(node.nid, node.end_pfn) <= node.start_pfn:
            notes.append(f"node {node.nid} has no kernel memory of its own")
