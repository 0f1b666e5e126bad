"""A DIMM that is plugged in, onlined, left idle for a while, and pulled out again if it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.add_memory import add_memory, online_memory, remove_memory
from hotmem_viz.units import counted, format_pages
from hotmem_viz.vocabulary import EventKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.hot_filling import Filling
    from hotmem_viz.scenarios.story import Story


class Dimm:
    """The DIMM of a run, in the only slot of its machine."""

    def __init__(self, story: Story, filling: Filling, options: BootOptions) -> None:
        self.story, self.memory, self.filling = story, story.mem, filling
        self.parameters, self.options = filling.parameters, options
        node = self.memory.spec.pluggable[0]
        self.nid, slot = node.nid, node.ranges[0]
        self.start_pfn, self.end_pfn = slot.start_pfn, slot.end_pfn

    def plug_in(self) -> Iterator[Tick]:
        """Add the DIMM, online it, and let the system idle for a while."""
        mem, story, how = self.memory, self.story, self.parameters.online
        start, end = self.start_pfn, self.end_pfn
        added = add_memory(mem, start, end, self.options)
        story.take(added)
        text = (
            f"{format_pages(end - start)} come to node {self.nid}, offline still. Their memory map "
            f"and tables cost {format_pages(len(added.frames))} of kernel memory at once."
        )
        yield from story.tell(
            EventKind.PLUGGED,
            "A DIMM is plugged in",
            text,
            claims=("S8",),
            rule="A11",
            function="add_memory_resource()",
            pfn=start,
        )
        yield story.flush()
        online = online_memory(mem, start, end, self.options, how=how)
        story.take(online)
        zone = next(iter(online.by_zone))
        text = (
            f"“{how}” is written to the state of its {online.granted} memory blocks: all of them "
            f"come into {mem.zones.label(zone)}, which manages "
            f"{format_pages(int(mem.zones.managed[zone]))} now."
        )
        yield from story.tell(
            EventKind.ONLINED,
            f"It comes into {mem.zones.label(zone)}",
            text,
            claims=("S8",),
            rule="A11",
            function="zone_for_pfn_range()",
            pfn=start,
            zone=zone,
        )
        yield story.flush()
        yield from self._idle(start, end)

    def _idle(self, start: int, end: int) -> Iterator[Tick]:
        mem, story = self.memory, self.story
        landed = self.filling.idle(self.nid)
        if not landed.granted:
            return
        pfns = landed.frames.pfns()
        inside = pfns[(pfns >= start) & (pfns < end)]
        story.take(landed, self.parameters.idle * 1e9)
        text = (
            f"In {self.parameters.idle:g} s an idle system's kernel asks for "
            f"{counted(len(pfns), 'page')}; in the new memory land {len(inside):,} of them"
        )
        text += f", the first at pfn {int(inside[0]):,}" if len(inside) else ""
        text += (
            ". The allocator tries the highest kernel zone of a node first, so memory that comes "
            "into an empty one is used before any other."
        )
        where = int(inside[0]) if len(inside) else int(pfns[0])
        yield from story.tell(
            EventKind.IDLED,
            f"Kernel pages land in it: {len(inside):,}",
            text,
            claims=("S16",),
            rule="A2",
            function="get_page_from_freelist()",
            pfn=where,
            zone=int(mem.zone.reshape(-1)[where]),
        )
        yield story.flush()

    def pull_out(self) -> Iterator[Tick]:
        """Pull the DIMM out, if all of its blocks are offline."""
        mem, start, end = self.memory, self.start_pfn, self.end_pfn
        out = remove_memory(mem, start, end)
        self.story.take(out)
        size = mem.spec.block_pages
        online = [b for b in list_online_blocks(mem) if start <= b * size < end]
        blocks = (end - start) // size
        if out.refused:
            title = "The DIMM stays in its slot"
            text = (
                f"Only {blocks - len(online)} of its {blocks} memory blocks are offline, so "
                f"nothing is pulled out: {format_pages(end - start)} stay, with what they cost."
            )
        else:
            title = "The DIMM is out"
            freed = sum(len(f) for f in out.released)
            text = (
                "All of its memory blocks are offline, so it can be pulled out; "
                f"{format_pages(freed)} of kernel memory that it cost are free again."
            )
        yield from self.story.tell(
            EventKind.UNPLUGGED,
            title,
            text,
            claims=("S45",),
            rule="A10",
            function="try_remove_memory()",
            pfn=start,
        )
        yield self.story.flush()


def list_online_blocks(mem: PhysicalMemory) -> list[int]:
    """List memory blocks of which something is online, ascending."""
    states = mem.section_state == SectionState.ONLINE
    pfns = np.flatnonzero(states) * mem.spec.section_pages
    return [int(b) for b in np.unique(pfns // mem.spec.block_pages)]
