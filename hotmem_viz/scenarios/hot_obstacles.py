"""What stands in the way of a block, asked for as the kernel's users would ask, and told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.hugetlb import release_huge_pages
from hotmem_viz.mechanisms.isolation import find_veto
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.pins import unpin_pages
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.scenarios.hot_parameters import KERNEL_OBSTACLES
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.hot_filling import Filling


@dataclass(frozen=True)
class Obstacle:
    """A block that has to go, and what is in its way.

    title "" says that nothing was put there. release lets it go; None where nobody can.
    """

    block: int
    pfn: int = -1
    outcome: Outcome | None = None
    release: Callable[[], Outcome] | None = None
    title: str = ""
    text: str = ""
    claims: tuple[str, ...] = ()
    function: str = ""


def place_obstacle(filling: Filling, blocks: list[int]) -> Obstacle:
    """Let the parameters' obstacle come into one of some blocks, and choose that block."""
    mem, what = filling.mem, filling.parameters.obstacle
    if what in KERNEL_OBSTACLES:
        kernel = [b for b in blocks if _is_free_to_go(mem, b)]
        if not kernel:
            allowed = "memory in a kernel zone that nothing else keeps; there is none to go"
            raise ParameterError("obstacle", what, allowed)
        return _survivor(filling, SURVIVORS[what], kernel)
    place = {"pin": _pin, "no_room": _no_room, "huge": _huge_page, "memmap": _memory_map}
    return place[what](filling, blocks) if what in place else Obstacle(filling.choose(blocks))


def _is_free_to_go(mem: PhysicalMemory, block: int) -> bool:
    """Say whether a block lies in a kernel zone and nothing vetoes."""
    start = block * mem.spec.block_pages
    in_kernel = mem.zones.type[mem.zone.reshape(-1)[start]] <= ZoneType.NORMAL
    return bool(in_kernel) and find_veto(mem, start, start + mem.spec.block_pages) is None


class Survivor(NamedTuple):
    """A page that a burst of kernel memory leaves: its kind, why it stays, who asked for it."""

    kind: PageKind
    word: str
    why: str
    claim: str
    function: str


SURVIVORS = {
    "slab": Survivor(
        PageKind.SLAB, "slab page", "one object in it is still in use; the others are free",
        "S16", "allocate_slab()",
    ),
    "page_table": Survivor(
        PageKind.PAGE_TABLE, "page table", "its process lives on, asleep", "S17",
        "pte_alloc_one()",
    ),
    "device": Survivor(
        PageKind.PINNED, "page of a ring buffer",
        "its device knows it by its physical address and may write to it at any time", "S18",
        "dma_alloc_coherent()",
    ),
}  # fmt: skip


def _survivor(filling: Filling, left: Survivor, blocks: list[int]) -> Obstacle:
    mem = filling.mem
    nid = int(mem.zones.nid[mem.zone.reshape(-1)[blocks[0] * mem.spec.block_pages]])
    pfn, out = filling.leave_survivor(left.kind, blocks, nid)
    text = (
        f"A burst of kernel memory, {format_pages(len(out.frames))}, has come and gone. Left of it "
        f"is one {left.word} at pfn {pfn:,}: {left.why}. It lies in "
        f"memory{pfn // mem.spec.block_pages}, and there alone."
    )
    release = partial(_free, mem, FrameSet.of_pfns(np.array([pfn])))
    return Obstacle(
        pfn // mem.spec.block_pages,
        pfn,
        out,
        release,
        f"One {left.word} stays behind",
        text,
        (left.claim,),
        left.function,
    )


def _free(mem: PhysicalMemory, frames: FrameSet) -> Outcome:
    free_pages(mem, frames)
    return Outcome(granted=len(frames), frames=frames)


def _pin(filling: Filling, blocks: list[int]) -> Obstacle:
    mem, block = filling.mem, filling.choose(blocks)
    out = filling.pin(block)
    pfn = int(out.frames.pfns()[0])
    text = (
        f"A device fills pfn {pfn:,} (direct I/O): until it is done, the kernel holds one more "
        "reference to the page. A short pin leaves it where it is, in ZONE_MOVABLE too; only "
        "before a long one is a page moved out (since 5.13)."
    )
    title, function = "A page is pinned", "get_user_pages_fast()"
    release = partial(unpin_pages, mem, out.frames)
    return Obstacle(block, pfn, out, release, title, text, ("S18", "S38"), function)


def _no_room(filling: Filling, blocks: list[int]) -> Obstacle:
    mem, block = filling.mem, filling.choose(blocks)
    pfn = block * mem.spec.block_pages
    nid = int(mem.zones.nid[mem.zone.reshape(-1)[pfn]])
    out = filling.take_room(nid)
    text = (
        f"A program takes {format_pages(len(out.frames))} elsewhere, down to the min marks. "
        f"{filling.count_users(block):,} used pages of memory{block} would have to go there."
    )
    release = partial(_free, mem, out.frames)
    return Obstacle(
        block, pfn, out, release, "No room is left elsewhere", text, ("S45",), "alloc_pages()"
    )


def _huge_page(filling: Filling, blocks: list[int]) -> Obstacle:
    mem, size = filling.mem, filling.mem.spec.block_pages
    nid = mem.spec.node_of(blocks[0] * size)
    frames, out = filling.use_huge_page(nid, blocks)
    pfn = int(frames.pfns()[0])
    text = (
        f"A database uses the huge page at pfn {pfn:,}, 2 MiB in one piece. It migrates whole: "
        "where no free huge page and no 2 MiB in one piece is found, it stays."
    )
    release = partial(release_huge_pages, mem, frames)
    title, function = "A huge page is in use", "alloc_huge_page()"
    return Obstacle(pfn // size, pfn, out, release, title, text, ("S15",), function)


def _memory_map(filling: Filling, blocks: list[int]) -> Obstacle:
    mem, size = filling.mem, filling.mem.spec.block_pages
    kinds = mem.kind.reshape(-1)
    holding = [b for b in blocks if (kinds[b * size : (b + 1) * size] == PageKind.MEMMAP).any()]
    if not holding:
        raise ParameterError("obstacle", "memmap", "a node whose own map lies in its Movable zone")
    block = holding[-1]
    pfn = block * size + int(np.argmax(kinds[block * size : (block + 1) * size] == PageKind.MEMMAP))
    text = (
        f"memory{block} lies in ZONE_MOVABLE and holds the array of struct page that describes its "
        "own node: boot took it there before the zone existed. It is reserved, which counts in "
        "every zone."
    )
    title, function = "The node's own memory map", "memmap_alloc()"
    return Obstacle(block, pfn, None, None, title, text, ("S45",), function)
