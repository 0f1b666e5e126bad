"""The starvation lesson in words, from the model's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.machine.boundary import find_boundary, find_mapped
from hotmem_viz.mechanisms.oom import count_useless
from hotmem_viz.scenarios.telling import confined_zone_name, kernel_zones
from hotmem_viz.units import counted, format_bytes, format_pages, percent
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.starvation_gauges import Gauges
    from hotmem_viz.scenarios.starvation_uses import Use

FUNCTIONS = {
    "a page table": "__pte_alloc()",
    "a page of its own": "do_anonymous_page()",
    "a task's memory": "dup_task_struct()",
}
"""What can be refused, and the kernel function that asks for it."""

NEAR = 64
"""Pages by which a zone may stand above its mark when a turn ends that reached it."""

Words = dict[str, Any]
"""Arguments of `Story.tell`."""


def tell_boot(mem: PhysicalMemory, gauges: Gauges, high_tables: bool) -> Words:
    """Tell how the machine came up, and what is left to page tables."""
    kernel = int(mem.zones.managed[kernel_zones(mem)].sum())
    total = int(mem.zones.managed.sum())
    confined = confined_zone_name(mem)
    text = (
        f"{mem.profile.title}: of {format_pages(total)} managed, {format_pages(kernel)} "
        f"or {percent(kernel / total)} lie in zones that kernel memory may use. "
    )
    if not confined:
        text += "No zone is closed to page tables on this machine."
    elif high_tables:
        text += (
            "This kernel has HIGHPTE: tables of the lowest level may lie in high memory, "
            "those above them may not."
        )
    else:
        text += (
            f"The rest, {gauges.ratio:.1f} times as much, is {confined}: a program's pages go "
            "there, the page tables that map them never do."
        )
    return {
        "kind": EventKind.BOOT,
        "title": "Booted",
        "text": text,
        "mark": False,
        "claims": ("S13",),
        "rule": "A1, A5",
        "function": "__pte_alloc_one()",
    }


def tell_mapped(use: Use, kind: str) -> Words:
    """Tell what is asked for, and that mmap grants it."""
    pages = format_bytes(use.pages * PAGE_SIZE)
    many = f"{use.count:,} processes" if use.count > 1 else "One process"
    s, es, each = ("", "", "each ") if use.count > 1 else ("s", "es", "")
    does = {
        "shared": f"{many} map{s} one segment of {pages} and touch{es} all of it",
        "sparse": f"{many} map{s} {pages} {each}and touch{es} one page in every 2 MiB",
        "dense": f"{many} map{s} {pages} {each}and touch{es} every page",
        "processes": f"{many} start{s}, each with four places of its address space in use",
    }[kind]
    return {
        "kind": EventKind.MAPPED,
        "title": "mmap succeeds",
        "text": (
            f"{does}. mmap itself only notes a range and is not refused for lack of page tables; "
            "those are built when a page is first touched. That is where memory can end."
        ),
        "claims": ("S13",),
        "rule": "A6",
        "function": "mmap_region()",
    }


def tell_tables_spill(mem: PhysicalMemory, zone: int, below: int) -> Words:
    """Tell that tables go on in a lower zone, or on another node."""
    z = mem.zones
    line = int(z.low[zone] + z.boost[zone] + z.protection[zone, ZoneType.NORMAL])
    free = int(z.free[zone])
    if free > line + NEAR:
        why = (
            f"{z.label(zone)} has {free:,} pages free, but none in a pageblock for unmovable "
            "pages: before types mix there, the kernel looks further down its list. "
        )
    else:
        why = (
            f"{z.label(zone)} has {free:,} pages free, and at first a kernel request leaves "
            f"{line:,} (low mark, boost and reserve). "
        )
    return {
        "kind": EventKind.TABLES_SPILL,
        "title": f"Page tables spill into {z.label(below)}",
        "text": (
            f"{why}New tables go to {z.label(below)}. Movable memory is not on that list, "
            "however much is free."
        ),
        "claims": ("S13",),
        "rule": "A2, A4, A7",
        "function": "get_page_from_freelist()",
        "zone": below,
    }


def tell_refused(mem: PhysicalMemory, gauges: Gauges, what: str, high_tables: bool) -> Words:
    """Tell the first touch that memory does not suffice for."""
    does = "Starting a process" if what == "a task's memory" else "Touching a page"
    return {
        "kind": EventKind.REFUSED,
        "title": f"No frame for {what}",
        "text": (
            f"{does} needs {what}, and every zone that may hold it is at its min mark "
            f"plus reserve. {_useless(mem, what, high_tables)} Tables take "
            f"{format_pages(int(gauges.levels().sum()))} and map "
            f"{format_bytes(gauges.mapped * PAGE_SIZE)} of address space."
        ),
        "claims": ("S13",),
        "rule": "A4, A6",
        "function": FUNCTIONS[what],
    }


def _useless(mem: PhysicalMemory, what: str, high_tables: bool) -> str:
    highest = ZoneType.HIGHMEM if high_tables else ZoneType.NORMAL
    if what == "a page of its own":
        highest = ZoneType.MOVABLE
    free = int(mem.zones.free.sum())
    useless = int(count_useless(mem, highest).sum())
    return (
        f"Of {format_bytes(free * PAGE_SIZE)} free, {format_bytes(useless * PAGE_SIZE)} "
        "is of no use to it."
    )


def tell_enomem(gauges: Gauges, use: Use) -> Words:
    """Tell that populate or mlock answers ENOMEM, and that nobody is killed."""
    return {
        "kind": EventKind.ENOMEM,
        "title": "ENOMEM: nobody is killed",
        "text": (
            "mlock, and a fork whose tables cannot be copied, report the shortage as ENOMEM; "
            "MAP_POPULATE stops quietly short. The program keeps "
            f"what it got: {format_bytes(gauges.mapped * PAGE_SIZE)} of address space have "
            f"tables, {counted(len(use.alive), 'process', 'processes')} still alive. A kernel "
            "calls the OOM killer before it lets a request for one page fail; here it may fail."
        ),
        "claims": ("S13",),
        "rule": "A8",
        "function": "populate_vma_page_range()",
    }


def tell_oom(mem: PhysicalMemory, gauges: Gauges, use: Use) -> Words:
    """Tell that the OOM killer is called."""
    free = int(mem.zones.free.sum())
    return {
        "kind": EventKind.OOM,
        "title": f"Out of memory with {format_bytes(free * PAGE_SIZE)} free",
        "text": (
            "A page fault cannot return ENOMEM to the program, and reclaim finds nothing in the "
            "zones that count: page tables cannot be swapped out or moved. The OOM killer looks "
            f"for the worst of {counted(len(use.alive), 'process', 'processes')}. Tables take "
            f"{format_pages(int(gauges.levels().sum()))} and could map {gauges.demand:.1f} times "
            "the movable memory (p)."
        ),
        "claims": ("S13", "S14"),
        "rule": "A8",
        "function": "out_of_memory()",
    }


def tell_killed(name: int, held: int, tables: int, freed: int) -> Words:
    """Tell who was killed and what that gives back."""
    kept = ""
    if freed < held:
        kept = " The pages that it shares with others stay where they are."
    return {
        "kind": EventKind.KILLED,
        "title": f"Process {name} is killed",
        "text": (
            f"Its resident pages and its tables make it the worst: {held:,} in all, {tables:,} of "
            f"them tables. Its end frees {freed:,} frames.{kept} The fault is tried again, and "
            "the run goes on."
        ),
        "claims": ("S13",),
        "rule": "A8",
        "function": "oom_kill_process()",
    }


def tell_starved(gauges: Gauges, p: float, other: float) -> Words:
    """Tell where it stopped, held against the closed form. p, other: at the first refusal."""
    where = "" if other >= 0 else ", and that part of the memory map lies in movable memory"
    at, whole = find_mapped(other, gauges.ratio), find_boundary(other, p)
    return {
        "kind": EventKind.STARVED,
        "title": "Mapped so far: it stops here",
        "text": (
            f"The first refusal came at p = {p:.1f}: tables that could map so many times the "
            f"movable memory. With u, all else in kernel zones, at {percent(other, 1)} of "
            f"memory the closed form says {at:.1f}, or r* = {whole:.2f} at this p; the machine has "
            f"r = {gauges.ratio:.2f}. "
            f"The closed form leaves out what min marks and reserves keep back{where}."
        ),
        "claims": ("S13", "S14"),
        "rule": "7.3",
        "function": "__pte_alloc()",
    }


def tell_full(gauges: Gauges, tables: int) -> Words:
    """Tell that memory ended, though not for want of tables."""
    return {
        "kind": EventKind.STARVED,
        "title": "Memory is full, tables are not why",
        "text": (
            "The request that was refused was for a page of the program's own, which may lie in "
            f"any zone: there is no memory left. Page tables take {format_pages(tables)} of "
            f"{format_pages(gauges.total)}. This is not starvation."
        ),
        "claims": ("S13", "S14"),
        "rule": "A8",
        "function": "do_anonymous_page()",
    }


def _count(processes: int) -> str:
    return f"{processes:,} processes have" if processes != 1 else "The process has"


def tell_fits(mem: PhysicalMemory, gauges: Gauges, use: Use) -> Words:
    """Tell that everything could be mapped."""
    room = int(np.maximum(mem.zones.free, 0)[gauges.kernel].sum())
    whole = find_boundary(gauges.other, gauges.demand)
    return {
        "kind": EventKind.DONE,
        "title": "It fits",
        "text": (
            f"{_count(use.finished)} what was asked for. Tables take "
            f"{format_pages(int(gauges.levels().sum()))}, the kernel zones have "
            f"{format_pages(room)} free. At p = {gauges.demand:.2f} the closed form allows "
            f"r up to {whole:.1f}; the machine has {gauges.ratio:.2f}."
        ),
        "claims": ("S13", "S14"),
        "rule": "7.3",
        "function": "__pte_alloc()",
    }
