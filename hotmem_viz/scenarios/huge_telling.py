"""A pool of huge pages that is asked for late, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.scenarios.telling import confined_zone_name, tell_mark
from hotmem_viz.units import counted, format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE, PAGEBLOCK_PAGES, EventKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Event


class Blocks(NamedTuple):
    """Pageblocks outside kernel zones and in them: in all, wholly free, and spoilt.

    Spoilt is one that holds a page that can neither move nor be dropped.
    """

    movable: int
    movable_free: int
    movable_spoilt: int
    kernel: int
    kernel_free: int
    kernel_spoilt: int


def _sides(mem: PhysicalMemory, new: tuple[int, int]) -> str:
    """Name what came from where."""
    name = confined_zone_name(mem)
    if not name:
        return f"{new[1]:,} from kernel zones, which are all there are"
    return f"{new[0]:,} from {name}, {new[1]:,} from kernel zones"


def _event(kind: EventKind, title: str, text: str, rule: str, function: str) -> Event:
    return tell_mark(kind, title, text, claims=("S15",), rule=rule, function=function)


def tell_fragmented(mem: PhysicalMemory, blocks: Blocks) -> Event:
    """Tell how memory lies before anybody asks."""
    free = int(mem.zones.free.sum())
    whole = blocks.movable_free + blocks.kernel_free
    text = (
        "Programs, file readers and metadata have filled memory together; now half of the "
        "programs' pages are given back and most of the metadata. "
        f"{format_bytes(free * PAGE_SIZE)} are free, as much as {free // PAGEBLOCK_PAGES:,} huge "
        f"pages of 2 MiB, but of pageblocks only {whole:,} "
        "lie free as a whole. Next: a large number is written to nr_hugepages."
    )
    return _event(
        EventKind.FRAGMENTED, "Memory is free in pieces", text, "A6, A7", "__rmqueue_smallest()"
    )


def tell_found(mem: PhysicalMemory, new: tuple[int, int]) -> Event:
    """Tell what the pool gets as memory lies."""
    text = (
        f"What lies there whole, above the marks, is taken: {_sides(mem, new)}. A huge page that "
        "can migrate may come from any zone, since 3.12; before that hugepages_treat_as_movable "
        "had to be set, the switch that came with the zone in 2007 and went in 4.16."
    )
    title = f"{counted(sum(new), 'huge page')} as memory lies"
    return _event(EventKind.ASKED_HUGE, title, text, "A5, A6", "alloc_fresh_huge_page()")


def tell_compacted(mem: PhysicalMemory, moved: int, new: tuple[int, int]) -> Event:
    """Tell what compaction has brought."""
    text = (
        f"{moved:,} pages have moved to the tops of their zones. Pageblocks in which everything "
        "can move become whole; one with a page of metadata in it does not, whatever else "
        f"leaves it. More huge pages: {sum(new):,}, {_sides(mem, new)}."
    )
    title = f"Compaction: {sum(new):,} more"
    return _event(EventKind.COMPACTED, title, text, "A6", "compact_zone()")


def tell_dropped(mem: PhysicalMemory, dropped: int, moved: int, new: tuple[int, int]) -> Event:
    """Tell what dropping caches has brought."""
    text = (
        f"{dropped:,} pages of file data and of slab that can be shrunk are dropped, then "
        f"{counted(moved, 'page')} {'moves' if moved == 1 else 'move'}. More huge pages: "
        f"{sum(new):,}, {_sides(mem, new)}."
    )
    title = f"Caches dropped: {sum(new):,} more"
    return _event(EventKind.COMPACTED, title, text, "A8", "drop_slab()")


def tell_pool(mem: PhysicalMemory, pool: tuple[int, int], blocks: Blocks) -> Event:
    """Tell what the pool has come to, and what the zone was made for."""
    name = confined_zone_name(mem)
    if name:
        text = (
            f"{name} has given {pool[0]:,} of its {blocks.movable:,} pageblocks. What boot put "
            f"there for good spoils {blocks.movable_spoilt:,}, and no workload adds to them; the "
            f"rest holds programs. Kernel zones have given {pool[1]:,} of {blocks.kernel:,}; "
            f"metadata and boot spoil {blocks.kernel_spoilt:,}. For this ZONE_MOVABLE was made, "
            "and not for normal use."
        )
    else:
        text = (
            f"Without ZONE_MOVABLE {pool[1]:,} of {blocks.kernel:,} pageblocks could be had; "
            f"metadata and boot spoil {blocks.kernel_spoilt:,}. Grouping by mobility (2.6.24) "
            "keeps such pages together where it can, and does well here; but nothing bounds how "
            "far metadata spreads, as the zone does."
        )
    title = f"The pool: {counted(sum(pool), 'huge page')}, {format_bytes(sum(pool) << 21)}"
    return _event(EventKind.POOL_FULL, title, text, "A5", "set_max_huge_pages()")
