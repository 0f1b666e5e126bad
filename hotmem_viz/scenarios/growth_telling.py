"""Memory that is bought and makes things worse, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.scenarios.telling import tell_mark
from hotmem_viz.units import format_bytes, format_pages, percent
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Event


PAE_GIB = 64
"""All that PAE can address."""


class Purchase(NamedTuple):
    """A DIMM: its number from 1 on, its node and its frames."""

    number: int
    nid: int
    start_pfn: int
    end_pfn: int


def _size(pages: int) -> str:
    return format_bytes(pages * PAGE_SIZE)


def tell_short(mem: PhysicalMemory, room: int, objects: str) -> Event:
    """Tell why somebody buys memory."""
    return tell_mark(
        EventKind.FILLED,
        "Memory looks short, so memory is bought",
        (
            f"The metadata stops here. Kernel zones have room for {room:,} more {objects}, though "
            f"{_size(int(mem.zones.free.sum()))} are free in all. DIMMs will be plugged in and "
            "onlined movable, so that they can be pulled out again."
        ),
        claims=("S10", "S11"),
        rule="A5",
        function="add_memory_resource()",
    )


def tell_dimm(
    mem: PhysicalMemory, dimm: Purchase, paid: int, rooms: tuple[int, int], objects: str
) -> Event:
    """Tell what a DIMM has cost. rooms: objects that there was room for, before and after."""
    size = dimm.end_pfn - dimm.start_pfn
    maps = size * mem.profile.struct_page_bytes // PAGE_SIZE
    return tell_mark(
        EventKind.PLUGGED,
        f"DIMM {dimm.number}: {_size(size)} more, {_size(paid)} less for the kernel",
        (
            f"{_size(size)} at pfn {dimm.start_pfn:,} come to node {dimm.nid} and into ZONE_MOVABLE"
            f". Their struct pages ({maps:,} pages), tables and devices take {format_pages(paid)} "
            "of kernel zones at once, and the reserve that these keep from movable requests "
            f"grows: room for {rooms[0]:,} more {objects} before, for {rooms[1]:,} now."
        ),
        claims=("S10", "S11"),
        rule="A11",
        function="sparse_add_section()",
        pfn=dimm.start_pfn,
    )


def tell_killed(mem: PhysicalMemory, dimm: Purchase, added: int) -> Event:
    """Tell that a DIMM did not fit."""
    size = dimm.end_pfn - dimm.start_pfn
    maps = size * mem.profile.struct_page_bytes // PAGE_SIZE
    before = f"{_size(added)} came before it, all of it" if added else "What it would bring lies"
    return tell_mark(
        EventKind.ADD_KILLS,
        f"Adding memory kills the machine, with {_size(int(mem.zones.free.sum()))} free",
        (
            f"DIMM {dimm.number} needs {maps:,} pages of kernel memory for its struct pages alone, "
            "more than kernel zones can give above their marks. The request ends in the OOM "
            f"killer, which finds no victim that holds what is missing. {before} where kernel "
            "memory may not go. (From 5.13 on memmap_on_memory can put a map on its own memory.)"
        ),
        claims=("S10", "S11"),
        rule="A8, A11",
        function="vmemmap_populate()",
        pfn=dimm.start_pfn,
    )


def tell_all_fit(mem: PhysicalMemory, dimms: int, added: int) -> Event:
    """Tell that no slot is left."""
    return tell_mark(
        EventKind.DONE,
        "All slots are full",
        (
            f"All {dimms} DIMMs fit: {_size(added)} were added, all of it in ZONE_MOVABLE, and "
            f"{_size(int(mem.zones.free.sum()))} are free. Kernel zones only paid; more metadata, "
            "or larger DIMMs, would have ended this sooner."
        ),
        claims=("S10",),
        rule="A11",
        function="add_memory_resource()",
    )


def tell_box(mem: PhysicalMemory, gib: int, room: int, objects: str) -> Event:
    """Tell what a box of so many GiB has left of its lowmem once it has booted."""
    maps = int(mem.zone_kinds[:, PageKind.MEMMAP].sum())
    low = mem.zones.type <= ZoneType.NORMAL
    free, present = int(mem.zones.free[low].sum()), int(mem.zones.present[low].sum())
    return tell_mark(
        EventKind.BOOTED_AGAIN,
        f"A box of {gib} GiB boots: {percent(free / present)} of lowmem is left",
        (
            f"{mem.profile.title}, every border at 1/32. struct page, "
            f"{mem.profile.struct_page_bytes} bytes for each page up to the highest address, "
            f"takes {_size(maps)} of {_size(present)} of lowmem ({percent(maps / present)}); "
            f"{_size(free)} are free there, room for {room:,} {objects}."
        ),
        claims=("S11",),
        rule="A5",
        function="alloc_node_mem_map()",
    )


def tell_load(
    mem: PhysicalMemory, boxes: Sequence[int], made: int, objects: str, *, killed: bool
) -> Event:
    """Tell whether the load has fitted a box; boxes: the GiB of those so far, this one last."""
    gib = boxes[-1]
    free = _size(int(mem.zones.free.sum()))
    low = _size(int(mem.zones.free[mem.zones.type <= ZoneType.NORMAL].sum()))
    kind = EventKind.LOAD_KILLS if killed else EventKind.LOAD_FITS
    title = f"{gib} GiB: out of memory at {made:,} {objects}" if killed else f"{gib} GiB: it fits"
    whose = f"The load that {boxes[0]} GiB have served" if len(boxes) > 1 else "The load"
    if killed:
        text = (
            f"{whose} kills this box, with {free} free: those are HighMem, and the {low} left in "
            "lowmem are kept back by marks and reserve. The remedies of the time: less memory, "
            "another split of the address space, or a 64-bit kernel."
        )
    else:
        text = (
            f"{made:,} {objects} are made and {free} are free, {low} of them in lowmem. The same "
            "requests would go to a larger box, if PAE could address one."
            if gib == PAE_GIB
            else f"{made:,} {objects} are made and {free} are free, {low} of them in lowmem. "
            "The same requests go to the next box, which has more memory."
        )
    return tell_mark(
        kind,
        title,
        text,
        claims=("S11", "S12"),
        rule="A4, A8",
        function="__alloc_pages_may_oom()" if killed else "__alloc_pages()",
    )


def tell_no_boot(spec: MachineSpec, gib: int) -> Event:
    """Tell that a box does not come up."""
    return tell_mark(
        EventKind.NO_BOOT,
        f"A box of {gib} GiB does not boot",
        (
            f"With {format_pages(spec.present_pages)} the memory map and what else boot takes "
            "leave too little lowmem for a kernel to start in: adding memory has cost the machine."
        ),
        claims=("S11",),
        rule="A5",
        function="alloc_node_mem_map()",
    )
