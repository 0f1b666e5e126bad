"""The strategies scenario in words: what each strategy is, what fits, what left, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.scenarios.remap_telling import ms
from hotmem_viz.units import counted, format_bytes, format_pages, percent
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import NodeSpec
    from hotmem_viz.mechanisms.device_region import DeviceRegion
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.strategy_counters import Tally
    from hotmem_viz.scenarios.strategy_load import Load
    from hotmem_viz.scenarios.strategy_parameters import StrategiesParameters
    from hotmem_viz.scenarios.strategy_plan import Plan

Told = dict[str, Any]

ZONED = ("percent", "hot_add", "auto")
"""Strategies that have a ZONE_MOVABLE."""

UNPROVEN: dict[str, tuple[str, ...]] = {"callbacks": (), "remap": ("Q11", "Q12", "Q13", "Q15")}
"""What nobody has built for Linux, and the questions that stand open."""

TITLES = {
    "none": "No ZONE_MOVABLE",
    "percent": "movablecore=, a percent at boot",
    "hot_add": "One node boots, the rest is added",
    "auto": "The auto-movable policy",
    "callbacks": "Release callbacks, as on other systems",
    "remap": "stop_machine remap",
}

WHAT = {
    "none": (
        "Kernel memory may lie anywhere. Nobody had to type anything, and nothing is promised about"
        " any block."
    ),
    "percent": (
        "{typed} was typed, and every node above the kernel's low zones gives a like share to"
        " ZONE_MOVABLE: nobody asks where nodes end, so no node is free of kernel memory."
    ),
    "hot_add": (
        "Only node 0 has booted. A person will write online_movable to the state of every block of"
        " the others: clumsy, and better than addresses."
    ),
    "auto": (
        "Only node 0 has booted. {typed} was typed: added memory comes into ZONE_MOVABLE while that"
        " is at most 301% of the kernel memory of boot, and into a kernel zone after that. Unless"
        " numa_aware is off, a node that had no kernel memory at boot gets no Movable at all."
    ),
    "callbacks": (
        "No ZONE_MOVABLE. When a block has to go, every owner of its kernel pages is asked to let"
        " go. Hearsay in the mail; success and latency are chosen, not measured."
    ),
    "remap": (
        "No ZONE_MOVABLE, and one number typed: the share that only devices' pages may use. What"
        " cannot migrate will move with the machine stopped. Nobody ever built it."
    ),
}


def tell_boot(p: StrategiesParameters) -> Told:
    """Say which strategy this is."""
    claims = {
        "none": ("S44",),
        "percent": ("S14",),
        "hot_add": ("S8", "S9"),
        "auto": ("S8",),
        "callbacks": ("S19",),
        "remap": ("S43", "S44"),
    }
    return {
        "kind": EventKind.BOOT,
        "title": TITLES[p.strategy],
        "text": WHAT[p.strategy].format(typed=f"“{p.boot_text}”" if p.boot_text else "Nothing"),
        "claims": claims[p.strategy],
        "rule": "A11" if p.strategy in ("hot_add", "auto") else "A1",
        "function": "find_zone_movable_pfns_for_nodes()",
        "unproven": p.strategy in UNPROVEN,
        "questions": UNPROVEN.get(p.strategy, ()),
    }


def tell_added(mem: PhysicalMemory, node: NodeSpec, held: int, written: int, how: str) -> Told:
    """Say what a node that was added has become."""
    r = node.ranges[0]
    zone = int(mem.zone.reshape(-1)[r.start_pfn])
    blocks = (r.end_pfn - r.start_pfn) // mem.spec.block_pages
    who = (
        f"A person wrote “{how}” to {written} files: {written} decisions"
        if written
        else f"“{how}” was written to {blocks} files by a rule that chooses nothing"
    )
    text = (
        f"{format_pages(node.present_pages)} in {blocks} memory blocks come into"
        f" {mem.zones.label(zone)}. {who}. Their memory map and tables took {format_pages(held)} of"
        " kernel memory, which come from a node that has any."
    )
    return {
        "kind": EventKind.NODE_ADDED,
        "title": f"Node {node.nid} is added",
        "text": text,
        "claims": ("S8", "S9") if written else ("S8",),
        "rule": "A11",
        "function": "zone_for_pfn_range()",
        "pfn": r.start_pfn,
        "zone": zone,
    }


def tell_not_added(mem: PhysicalMemory, node: NodeSpec) -> Told:
    """Say that a node could not be added, because adding memory takes memory."""
    maps = node.present_pages * mem.profile.struct_page_bytes // PAGE_SIZE
    text = (
        f"Its memory map alone would take {format_pages(maps)} of kernel memory, and no zone that"
        f" may serve them has so many, while {format_pages(int(mem.zones.free.sum()))} lie free."
        " Memory that would help cannot come."
    )
    return {
        "kind": EventKind.NODE_ADDED,
        "title": f"Node {node.nid} cannot be added",
        "text": text,
        "claims": ("S12",),
        "rule": "A11",
        "function": "add_memory_resource()",
        "pfn": node.start_pfn,
    }


def tell_region(region: DeviceRegion, p: StrategiesParameters) -> Told:
    """Say what the device-only region is, and what a region for all kernel memory would be."""
    size = region.mem.spec.section_pages
    text = (
        f"{percent(p.reserve)} of memory was typed: {format_pages(region.pages)} of node 0 are for"
        " pages that devices own, and for nothing else. kernelcore= has to hold all kernel memory:"
        f" this load's metadata is {percent(p.metadata)} of the machine, its devices'"
        f" pages {percent(p.device)}. How a page gets there is open: DMA is often decided after a"
        " page was allocated."
    )
    return {
        "kind": EventKind.DEVICE_REGION,
        "title": "A region for devices alone",
        "text": text,
        "claims": ("S39", "S43"),
        "rule": "5.3",
        "pfn": int(region.sections[0]) * size if region.pages else -1,
        "unproven": True,
        "questions": ("Q15",),
    }


def tell_capacity(mem: PhysicalMemory, p: StrategiesParameters, usable: int, mappable: int) -> Told:
    """Say what metadata and page tables can have on the machine as it stands."""
    zones = mem.zones
    total = int(zones.managed.sum()) * PAGE_SIZE
    movable = int(zones.managed[zones.type == ZoneType.MOVABLE].sum()) * PAGE_SIZE
    text = (
        f"Of {format_bytes(total)} managed, {format_bytes(movable)} lie in ZONE_MOVABLE."
        f" Metadata could fill {format_bytes(usable)}; with all of that in page tables,"
        f" {format_bytes(mappable)} of address space could be mapped, at one table for 2 MiB."
    )
    if p.strategy in ZONED:
        text += " The rest is of no use to the kernel, however much of it lies free."
    return {
        "kind": EventKind.CAPACITY,
        "title": f"Metadata may fill {percent(usable / total)} of memory",
        "text": text,
        "claims": ("S10", "S12", "S13") if p.strategy in ZONED else ("S44",),
        "rule": "7.3",
        "function": "__zone_watermark_ok()",
        "unproven": p.strategy == "remap",
        "questions": ("Q15",) if p.strategy == "remap" else (),
    }


def tell_refused(mem: PhysicalMemory, what: str, load: Load) -> Told:
    """Say that the load was first refused something."""
    free = int(mem.zones.free.sum())
    title = {"metadata": "Metadata is refused", "processes": "A process cannot start"}
    text = (
        f"A request for {what} finds no zone that may serve it, while {format_pages(free)} lie"
        f" free. So far {load.given['metadata']:,} of {load.asked['metadata']:,} pages of metadata"
        " were given. The plan goes on: what is refused stays refused."
    )
    return {
        "kind": EventKind.REFUSED,
        "title": title.get(what, f"A request for {what} is refused"),
        "text": text,
        "claims": ("S13",) if what == "processes" else ("S12",),
        "rule": "A8",
        "function": "__alloc_pages_slowpath()",
    }


def tell_loaded(load: Load, strategy: str) -> Told:
    """Say what the load has come to."""
    asked, given = load.asked, load.given
    part = given["metadata"] / asked["metadata"] if asked["metadata"] else 1.0
    text = (
        f"Given so far: {given['metadata']:,} of {asked['metadata']:,} pages of metadata,"
        f" {given['user']:,} of {asked['user']:,} of users, {given['device']:,} of"
        f" {asked['device']:,} for devices; {given['processes']} of {asked['processes']} processes"
        f" hold {load.mapped_tables:,} page tables of the lowest level. Every strategy was asked"
        " for the same, in the same order."
    )
    return {
        "kind": EventKind.LOADED,
        "title": f"The load is over: {percent(part)} of its metadata",
        "text": text,
        "claims": ("S12",) if strategy in ZONED else ("S12", "S44"),
        "rule": "A5",
        "function": "alloc_pages()",
    }


def tell_survivors(freed: int, kept: int, gone: int) -> Told:
    """Say what the burst has left behind."""
    text = (
        f"{freed:,} pages of metadata are free again and {kept:,} stay, scattered: a slab page"
        f" stays while one object in it lives. A large program exits with {format_pages(gone)}."
    )
    return {
        "kind": EventKind.BURST_OVER,
        "title": "Survivors of a burst",
        "text": text,
        "claims": ("S16",),
        "rule": "A5",
        "function": "kmem_cache_free()",
    }


def tell_breaks(node: NodeSpec, blocks: int) -> Told:
    """Say that a node has to go."""
    text = (
        f"Corrected memory errors of node {node.nid} grow: its {format_pages(node.present_pages)}"
        f" have to go before one cannot be corrected. All {blocks} memory blocks are asked, lowest"
        " first. Which node it is was drawn before any strategy ran."
    )
    return {
        "kind": EventKind.NODE_BREAKS,
        "title": f"Node {node.nid} breaks",
        "text": text,
        "claims": ("S5", "S20"),
        "rule": "A10",
        "function": "try_remove_memory()",
        "pfn": node.start_pfn,
    }


def tell_left(plan: Plan, left: int, of: int, usable: int, idle: int, strategy: str) -> Told:
    """Say how much of the broken node has left. idle: frames of no use in targets of a remap."""
    stays = (
        "Nothing of it is in use any more."
        if not left
        else f"Still in use: {left}, and what {'it' if left == 1 else 'they'}"
        f" {'holds' if left == 1 else 'hold'} goes down with the node."
    )
    text = (
        f"{of - left} of {of} sections of node {plan.broken.nid} have left. {stays} Metadata could"
        f" fill {format_bytes(usable)} on the machine that is left, node {plan.added.nid} included."
    )
    if idle:
        text += f" {format_pages(idle)} lie free in sections reserved whole, of no use (Q1)."
    return {
        "kind": EventKind.NODE_LEFT,
        "title": f"{of - left} of {of} sections have left",
        "text": text,
        "claims": ("S20", "S45") if strategy in ZONED else ("S20",),
        "rule": "A10",
        "function": "offline_pages()",
        "pfn": plan.broken.start_pfn,
        "unproven": strategy in UNPROVEN,
        "questions": UNPROVEN.get(strategy, ()),
    }


def tell_measures(p: StrategiesParameters, tally: Tally, load: Load, pause: float) -> Told:
    """Sum the strategy up; the scoreboard puts all six side by side."""
    faults, tax = load.faults, load.faults * p.fault_ns * p.tax
    text = (
        f"Sections removed: {tally.removed} of {tally.asked}. Decisions of a person:"
        f" {tally.decisions}. Pause: {ms(pause) if pause else 'none'}. Page tables that migrate at"
        f" any time would have cost {ms(tax)} in {faults:,} faults, at {percent(p.tax, 1)} of each,"
        f" and freed {counted(tally.table_held, 'section')} more. The tax was reported in 2008, of"
        " a fault benchmark; the time of a fault is assumed."
    )
    return {
        "kind": EventKind.COMPARED,
        "title": f"{TITLES[p.strategy]}: the measures",
        "text": text,
        "claims": ("S36", "S47"),
        "rule": "4.4",
        "unproven": p.strategy in UNPROVEN,
        "questions": UNPROVEN.get(p.strategy, ()),
    }
