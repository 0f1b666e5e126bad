"""What was bought: a machine as nodes, pfn ranges and sizes. No arrays, nothing changes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import Enum

from hotmem_viz.errors import ParameterError
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES

CLASSROOM_SCALE = 32
"""A classroom machine's zone borders and sections are 1/32 of a real one's."""


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
    """

    name: str
    nodes: tuple[NodeSpec, ...]
    arch: Arch = Arch.X86_64
    section_pages: int = 32768
    scale: int = 1
    cpus: int = 1
    title: str = ""
    hotplug_end_pfn: int = 0

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ParameterError("nodes", self.nodes, "a machine has at least one node")
        if self.section_pages % (2 * PAGEBLOCK_PAGES):
            raise ParameterError(
                "section_pages", self.section_pages, "a multiple of 1024 pages is needed"
            )
        ranges = sorted((r.start_pfn, r.end_pfn) for n in self.nodes for r in n.ranges)
        for (_, end), (start, _) in itertools.pairwise(ranges):
            if start < end:
                raise ParameterError("nodes", start, "ranges may not overlap")

    @property
    def end_pfn(self) -> int:
        """End (exclusive) of the highest memory."""
        return max(n.end_pfn for n in self.nodes)

    @property
    def n_sections(self) -> int:
        """S: sections from pfn 0 up to the highest memory, holes included."""
        return -(-self.end_pfn // self.section_pages)

    @property
    def present_pages(self) -> int:
        """Pages of memory in the machine."""
        return sum(n.present_pages for n in self.nodes)
