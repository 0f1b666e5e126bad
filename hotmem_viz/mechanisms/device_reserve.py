"""A region that only devices' pages may use, on memory that never leaves (S39, S43).

"A variation of kernelcore= to reserve a percentage of memory for allocations we *really* cannot
migrate". Nobody built it. The mail does not say how a page gets there: DMA use is often decided
after a page was allocated (Q15), so here the driver says so when it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

OWNER = "device-only reserve"


class DeviceReserve:
    """Frames set aside on one node; to others they are held, by `OWNER`."""

    def __init__(self, mem: PhysicalMemory, pages: int, nid: int) -> None:
        """Set pages aside; as many as the node has, where those are fewer."""
        self.mem = mem
        got = alloc_pages(
            mem,
            GFP["KERNEL"],
            pages,
            PageKind.KERNEL_BUFFER,
            owner=mem.owners.add(OWNER),
            nid=nid,
            nodes=(nid,),
            may_reclaim=False,
        )
        self.pfns = self._left = got.frames.pfns()
        self.frames = got.frames
        self.spilt = 0

    @property
    def used(self) -> int:
        """Pages of the region that devices have."""
        return len(self.pfns) - len(self._left)

    def take(self, count: int, owner: int, nid: int) -> Outcome:
        """Serve a driver from the region, lowest frames first; what does not fit spills.

        What spills comes from anywhere, as "where possible" has it: there it keeps its section.
        """
        part = FrameSet.of_pfns(self._left[:count])
        self._left = self._left[count:]
        kinds = np.full(len(part), PageKind.PINNED, np.uint8)
        self.mem.relabel(part, kinds, np.full(len(part), owner, np.uint16))
        out = Outcome(granted=len(part), frames=part)
        if len(part) == count:
            return out
        kernel, kind = GFP["KERNEL"], PageKind.PINNED
        more = alloc_pages(self.mem, kernel, count - len(part), kind, owner=owner, nid=nid)
        self.spilt += more.granted
        more.granted += out.granted
        more.frames |= part
        return more
