"""What is known of memory that was added after boot: its groups, and what was paid for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotmem_viz.memory.frames import FrameSet


@dataclass(frozen=True)
class MemoryGroup:
    """A device whose memory belongs together (struct memory_group, include/linux/memory.h).

    unit_pages is 0 for a static group, a DIMM, which is added whole; else the memory comes and
    goes in units of so many pages, as with virtio-mem, and the group is dynamic.
    """

    start_pfn: int
    end_pfn: int
    unit_pages: int = 0


@dataclass(frozen=True)
class AddedMemory:
    """Memory added at one time: its range, and the frames that its map and its devices hold.

    own_map: pages at the start of each memory block that hold the block's own map; else 0.
    """

    start_pfn: int
    end_pfn: int
    held: FrameSet
    own_map: int
