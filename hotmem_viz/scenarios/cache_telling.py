"""Ends without an OOM kill, in words: a cache that is shrunk for ever, a workload that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.recording.recording import Event
from hotmem_viz.units import format_bytes, format_pages
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.outcome import Report
    from hotmem_viz.memory.physical import PhysicalMemory


def tell_cache_stops(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    """Tell at what share of memory a cache has stopped growing."""
    pages = int(r.facts["pages"])
    share = 100 * pages / int(mem.zones.managed.sum())
    free = format_bytes(int(mem.zones.free.sum()) * PAGE_SIZE)
    return {
        "title": f"The cache stops growing at {share:.0f} % of memory",
        "text": (
            f"{format_pages(pages)} are slab of the reclaimable type. From now on what comes in "
            f"pushes as much out: nothing is refused, and of the {free} that are free the cache "
            "gets no more, because kernel memory may use only some of the zones."
        ),
        "claims": ("S12",),
        "rule": "A8",
        "function": "shrink_slab()",
    }


def tell_done(mem: PhysicalMemory, tick: int, objects: str, made: int) -> Event:
    """Tell that the workload has been served to its end."""
    return Event(
        tick=tick,
        kind=EventKind.DONE.name,
        title="The workload fits",
        text=(
            f"The workload asked for {made:,} {objects}, and got them all; "
            f"{format_pages(int(mem.zones.free.sum()))} are free. Nothing was refused for good: "
            "either the zones that kernel memory may use are large enough, or what fills them can "
            "be shrunk."
        ),
        mark=True,
        claims=("S12", "S14"),
        rule="A8",
        function="__alloc_pages()",
    )
