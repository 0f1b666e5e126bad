"""What was bought: a machine as nodes, pfn ranges and sizes. No arrays, nothing changes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import Enum

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.memory_blocks import MAX_BLOCK_SECTIONS, probe_memory_block_size
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES

CLASSROOM_SCALE = 32
"""A classroom machine's zone borders and sections are 1/32 of a real one's."""

LOCAL_DISTANCE, REMOTE_DISTANCE = 10, 20
"""How far a node is from itself, and from any other where firmware has no SLIT: those of
include/linux/topology.h (6.1), which ACPI's table has for the first as well."""


class Arch(Enum):
    """The two architectures modelled; the value is the command line's word for it."""

    X86_64 = "x86-64"
    PAE = "pae"


@dataclass(frozen=True)
class PfnRange:
    """Memory from start_pfn up to, not including, end_pfn, with its firmware marks."""

    start_pfn: int
    end_pfn: int
    hotpluggable: bool = False
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.start_pfn < self.end_pfn:
            raise ParameterError(
                "range",
                (self.start_pfn, self.end_pfn),
                "a range starts at pfn 0 or above and ends after its start",
            )

    @property
    def pages(self) -> int:
        """Pages in the range."""
        return self.end_pfn - self.start_pfn


@dataclass(frozen=True)
class NodeSpec:
    """A NUMA node: its id and its memory, as sorted ranges that do not touch."""

    nid: int
    ranges: tuple[PfnRange, ...]

    @property
    def start_pfn(self) -> int:
        """First pfn of the node's hull."""
        return self.ranges[0].start_pfn

    @property
    def end_pfn(self) -> int:
        """End (exclusive) of the node's hull."""
        return self.ranges[-1].end_pfn

    @property
    def present_pages(self) -> int:
        """Pages of memory in the node, holes not counted."""
        return sum(r.pages for r in self.ranges)


@dataclass(frozen=True)
class MachineSpec:
    """A machine before it boots.

    `scale` is 1 for a real machine and 32 for a classroom one: pages stay 4 KiB, zone
    borders and sections shrink, ratios (64 B of struct page a page, 512 pages a pageblock)
    stay. `section_pages` is P. `hotplug_end_pfn` is the end (exclusive) of the window where
    firmware may add memory later; 0 when nothing can be added.

    `pluggable` are the ranges of the memory slots: absent at boot, whole memory blocks, by the
    node that they would belong to (which may have no other memory). `hotplug` says that boot
    memory, too, may go offline and come back in another zone; slots imply it. Both cost rows
    and counts, so a machine has neither unless asked. `block_sections` overrides the kernel's
    choice of a memory block's size; `hypervisor` is a guest's side of that choice.

    `distances` is the SLIT: rows and columns in order of `nids`; without one every other node is
    equally far.
    """

    name: str
    nodes: tuple[NodeSpec, ...]
    arch: Arch = Arch.X86_64
    section_pages: int = 32768
    scale: int = 1
    cpus: int = 1
    title: str = ""
    hotplug_end_pfn: int = 0
    pluggable: tuple[NodeSpec, ...] = ()
    hotplug: bool = False
    block_sections: int = 0
    hypervisor: bool = False
    distances: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ParameterError("nodes", self.nodes, "a machine has at least one node")
        if self.section_pages % (2 * PAGEBLOCK_PAGES):
            raise ParameterError(
                "section_pages", self.section_pages, "a multiple of 1024 pages is needed"
            )
        every = (*self.nodes, *self.pluggable)
        ranges = sorted((r.start_pfn, r.end_pfn) for n in every for r in n.ranges)
        for (_, end), (start, _) in itertools.pairwise(ranges):
            if start < end:
                raise ParameterError("nodes", start, "ranges may not overlap")
        self._check_hotplug()
        self._check_distances()

    def _check_distances(self) -> None:
        """Refuse a SLIT that the kernel would refuse (slit_valid, drivers/acpi/numa/srat.c)."""
        n = len(self.nids)
        for i, row in enumerate(self.distances):
            others = [d for j, d in enumerate(row) if j != i]
            fine = len(row) == n == len(self.distances) and row[i] == LOCAL_DISTANCE
            if not fine or any(d <= LOCAL_DISTANCE for d in others):
                allowed = f"{n} rows of {n}: {LOCAL_DISTANCE} for a node itself, more for others"
                raise ParameterError("distances", row, allowed)

    def _check_hotplug(self) -> None:
        """Refuse slots that are no whole memory blocks, and hot-plug on 32-bit."""
        sizes = [0, *(1 << i for i in range(MAX_BLOCK_SECTIONS.bit_length()))]
        if self.block_sections not in sizes:
            raise ParameterError(
                "block_sections", self.block_sections, f"allowed are {', '.join(map(str, sizes))}"
            )
        if self.can_hotplug and self.arch is Arch.PAE:
            raise ParameterError("arch", self.arch.value, "hot-plug is for 64-bit kernels")
        for pfn in (p for n in self.pluggable for r in n.ranges for p in (r.start_pfn, r.end_pfn)):
            if pfn % self.block_pages:
                raise ParameterError(
                    "pluggable", pfn, f"slots begin and end at multiples of {self.block_pages}"
                )

    @property
    def end_pfn(self) -> int:
        """End (exclusive) of the highest memory."""
        return max(n.end_pfn for n in self.nodes)

    @property
    def can_hotplug(self) -> bool:
        """Whether memory blocks may change zones, or come later, on this machine."""
        return self.hotplug or bool(self.pluggable)

    @property
    def highest_pfn(self) -> int:
        """End (exclusive) of the highest memory that the machine can ever have."""
        return max([self.end_pfn, self.hotplug_end_pfn, *(n.end_pfn for n in self.pluggable)])

    @property
    def n_sections(self) -> int:
        """S: sections from pfn 0 up to the highest memory or slot, holes included."""
        end = max([self.end_pfn, *(n.end_pfn for n in self.pluggable)])
        return -(-end // self.section_pages)

    @property
    def block_pages(self) -> int:
        """Pages of a memory block."""
        if self.block_sections:
            return self.block_sections * self.section_pages
        return probe_memory_block_size(
            self.end_pfn, self.section_pages, hypervisor=self.hypervisor, scale=self.scale
        )

    @property
    def nids(self) -> list[int]:
        """Ids of all nodes, those that have slots only too, ascending."""
        return sorted({n.nid for n in (*self.nodes, *self.pluggable)})

    def distance(self, nid: int, other: int) -> int:
        """Return how far a node is from another, in the SLIT's units (node_distance)."""
        if nid == other:
            return LOCAL_DISTANCE
        if not self.distances:
            return REMOTE_DISTANCE
        return self.distances[self.nids.index(nid)][self.nids.index(other)]

    def node_of(self, pfn: int) -> int:
        """Return the node that a frame or slot belongs to; ParameterError where there is none."""
        for node in (*self.nodes, *self.pluggable):
            if any(r.start_pfn <= pfn < r.end_pfn for r in node.ranges):
                return node.nid
        raise ParameterError("pfn", pfn, "memory of the machine, or one of its slots")

    @property
    def present_pages(self) -> int:
        """Pages of memory in the machine."""
        return sum(n.present_pages for n in self.nodes)
