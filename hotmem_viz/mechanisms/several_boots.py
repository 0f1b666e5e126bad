"""One memory in whose arrays several boots stand, each in a band of addresses of its own.

A recording has one memory of fixed extents, but a machine whose boards changed has others. So each
boot is a machine of its own, and its page arrays are copied to where its band begins: a frame's
number here is its number on that machine plus `band * BAND_SECTIONS * P`. Only page arrays and
section states are copied; counts and zones are read from the machines themselves.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.spec import NodeSpec
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.memory.frames import WORD, FrameSet
from hotmem_viz.memory.physical import PhysicalMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec

BAND_SECTIONS = 128
"""Sections from the beginning of one band to that of the next: 512 MiB on a classroom machine."""

BAND_NIDS = 100
"""Node n of band b has the number 100 b + n in the common memory, so that no two are one."""


class SeveralBoots:
    """The common memory of several boots. `memory` is what a recorder reads.

    specs, plans: what stands in each band, with the zones that it will have in the end. Raises
    ParameterError for a machine that does not fit into a band, or of another section size.
    """

    def __init__(
        self, specs: Sequence[MachineSpec], plans: Sequence[ZonePlan], profile: KernelProfile
    ) -> None:
        size = specs[0].section_pages
        for spec in specs:
            if spec.n_sections > BAND_SECTIONS or spec.section_pages != size:
                raise ParameterError("nodes", spec.name, f"at most {BAND_SECTIONS} sections")
        self.band_pages = BAND_SECTIONS * size
        nodes = tuple(self._shift(node, b) for b, s in enumerate(specs) for node in s.nodes)
        spans = tuple(
            ZoneSpan(
                b * BAND_NIDS + z.nid,
                z.zone,
                b * self.band_pages + z.start_pfn,
                b * self.band_pages + z.end_pfn,
                z.present_pages,
            )
            for b, plan in enumerate(plans)
            for z in plan.zones
        )
        whole = replace(specs[0], name="several boots", nodes=nodes)
        self.memory = PhysicalMemory(whole, ZonePlan(spans, MappingProxyType({})), profile)

    def _shift(self, node: NodeSpec, band: int) -> NodeSpec:
        by = band * self.band_pages
        ranges = tuple(
            replace(r, start_pfn=r.start_pfn + by, end_pfn=r.end_pfn + by) for r in node.ranges
        )
        return NodeSpec(band * BAND_NIDS + node.nid, ranges)

    def show(self, band: int, mem: PhysicalMemory, frames: FrameSet | None = None) -> FrameSet:
        """Copy a machine's pages, or those near some frames of it, to its band.

        frames: by their numbers on the machine itself. Answers with the frames of the band.
        """
        here, first = self.memory, band * BAND_SECTIONS
        if frames is None:
            frames = FrameSet.of_range(0, mem.spec.n_sections * mem.spec.section_pages)
        owners = np.array([here.owners.add(n) for n in mem.owners.names], here.owner.dtype)
        there = frames.words + band * self.band_pages // WORD
        here.kind_words[there] = mem.kind_words[frames.words]
        here.owner_words[there] = owners[mem.owner_words[frames.words]]
        here.free_bits[there] = mem.free_bits[frames.words]
        here.pinned_bits[there] = mem.pinned_bits[frames.words]
        sections = np.unique(frames.words * WORD // mem.spec.section_pages)
        here.migratetype[first + sections] = mem.migratetype[sections]
        here.section_state[first + sections] = mem.section_state[sections]
        return FrameSet(there, frames.bits)
