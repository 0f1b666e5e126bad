"""Where ZONE_MOVABLE starts on each node: algorithm A1, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.vocabulary import MAX_ORDER_PAGES, ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.spec import MachineSpec, NodeSpec

KERNEL_START_PFN = 4096
"""Where the kernel's image is loaded, 16 MiB (CONFIG_PHYSICAL_START, arch/x86/Kconfig)."""


@dataclass(frozen=True)
class Borders:
    """Each zone's possible span, lowest zone first, and where 4 GiB lies at this scale."""

    spans: Mapping[ZoneType, tuple[int, int]]
    four_gib_pfn: int

    @property
    def movable_zone(self) -> ZoneType:
        """The zone that ZONE_MOVABLE is cut from: the highest that is not empty.

        find_usable_zone_for_movable (mm/page_alloc.c, 6.1).
        """
        return max(zone for zone, (start, end) in self.spans.items() if end > start)

    @property
    def usable_pfn(self) -> int:
        """The first pfn that may become movable; what lies below counts as the kernel's."""
        return self.spans[self.movable_zone][0]


def find_movable_starts(
    spec: MachineSpec, options: BootOptions, borders: Borders
) -> dict[int, int]:
    """Return the first pfn of ZONE_MOVABLE of each node that gets one.

    find_zone_movable_pfns_for_nodes (mm/page_alloc.c, 6.1). The order is the kernel's:
    movable_node outranks kernelcore=mirror, which outranks sizes. Named ranges, of an option that
    no released kernel has, stand alone.
    """
    nodes = sorted(spec.nodes, key=lambda n: n.nid)
    if options.movable_ranges:
        starts = _from_ranges(nodes, options.movable_ranges)
    elif options.movable_node:
        starts = _from_hotplug_marks(nodes, kernel_node(spec))
    elif options.kernelcore_mirror:
        starts = _from_mirror_marks(nodes, borders.four_gib_pfn)
    else:
        starts = _from_sizes(nodes, _required_kernelcore(spec, options), borders.usable_pfn)
    return _round_up(nodes, starts)


def kernel_node(spec: MachineSpec) -> int:
    """Return the node that holds the kernel's image, whose hot-plug marks do not count.

    numa_clear_kernel_node_hotplug (arch/x86/mm/numa.c, 6.1). A machine without memory at
    the usual address has its kernel in the first memory above it, or in the lowest.
    """
    image = -(-KERNEL_START_PFN // spec.scale)
    ranges = sorted((r.start_pfn, r.end_pfn, n.nid) for n in spec.nodes for r in n.ranges)
    return next((nid for _, end, nid in ranges if end > image), ranges[0][2])


def hotplug_nodes(spec: MachineSpec, options: BootOptions) -> frozenset[int]:
    """Return the nodes that movable_node keeps free of boot memory.

    Empty unless the option is set. A node counts when any range of it bears the mark.
    """
    if not options.movable_node:
        return frozenset()
    kernel = kernel_node(spec)
    marked = (n.nid for n in spec.nodes if any(r.hotpluggable for r in n.ranges))
    return frozenset(nid for nid in marked if nid != kernel)


def _from_hotplug_marks(nodes: list[NodeSpec], kernel: int) -> dict[int, int]:
    marked = {
        n.nid: [r.start_pfn for r in n.ranges if r.hotpluggable] for n in nodes if n.nid != kernel
    }
    return {nid: min(pfns) for nid, pfns in marked.items() if pfns}


def _from_ranges(nodes: list[NodeSpec], asked: tuple[tuple[int, int], ...]) -> dict[int, int]:
    """Cut each node at the lowest address of its memory that a range names (2012 proposal).

    The zone reaches from there to the end of the node, whatever else is named or not. A start of
    pfn 0 is none: so the kernel writes that a node has no ZONE_MOVABLE.
    """
    named = {
        n.nid: [
            max(r.start_pfn, start)
            for r in n.ranges
            for start, end in asked
            if max(r.start_pfn, start) < min(r.end_pfn, end)
        ]
        for n in nodes
    }
    return {nid: min(pfns) for nid, pfns in named.items() if pfns}


def _from_mirror_marks(nodes: list[NodeSpec], four_gib_pfn: int) -> dict[int, int]:
    plain = {
        n.nid: [r.start_pfn for r in n.ranges if not r.mirrored and r.start_pfn >= four_gib_pfn]
        for n in nodes
    }
    return {nid: min(pfns) for nid, pfns in plain.items() if pfns}


def _required_kernelcore(spec: MachineSpec, options: BootOptions) -> int:
    """Pages that must stay kernel memory; 0 when no ZONE_MOVABLE is to be made."""
    total = spec.present_pages
    core = options.kernelcore_pages(total)
    movable = options.movablecore_pages(total)
    if movable:
        movable = min(-(-movable // MAX_ORDER_PAGES) * MAX_ORDER_PAGES, total)
        core = max(core, total - movable)
    return core if core < total else 0


def _from_sizes(nodes: list[NodeSpec], required: int, usable: int) -> dict[int, int]:
    """Spread `required` pages over the nodes, again and again until all is placed."""
    starts = dict.fromkeys((n.nid for n in nodes), 0)
    divisor = len(nodes) if required else 0
    while divisor:
        share = required // divisor
        for node in nodes:
            if required < share:
                share = required // divisor
            required = _take_share(node, share, required, usable, starts)
        divisor -= 1
        if required <= divisor:
            break
    return {nid: pfn for nid, pfn in starts.items() if pfn}


def _take_share(
    node: NodeSpec, share: int, required: int, usable: int, starts: dict[int, int]
) -> int:
    """Give `share` pages of one node to the kernel; returns what is required thereafter.

    Memory below `usable` goes to the kernel whatever the share, and may exceed it.
    """
    left = share
    for r in node.ranges:
        start = max(r.start_pfn, starts[node.nid])
        if start >= r.end_pfn:
            continue
        if start < usable:
            below = min(r.end_pfn, usable) - start
            left -= min(below, left)
            required -= min(below, required)
            if r.end_pfn <= usable:
                starts[node.nid] = r.end_pfn
                continue
            start = usable
        taken = min(r.end_pfn - start, left)
        starts[node.nid] = start + taken
        required -= min(required, taken)
        left -= taken
        if not left:
            break
    return required


def _round_up(nodes: list[NodeSpec], starts: Mapping[int, int]) -> dict[int, int]:
    """Align each start to a largest buddy block; a start at the node's end is none."""
    rounded = {nid: -(-pfn // MAX_ORDER_PAGES) * MAX_ORDER_PAGES for nid, pfn in starts.items()}
    ends = {n.nid: n.end_pfn for n in nodes}
    return {nid: pfn for nid, pfn in rounded.items() if 0 < pfn < ends[nid]}
