"""The hot-remove scenario in words: guilty pages, verdicts, clocks, the corner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.mechanisms.isolation import VetoRule, describe_page
from hotmem_viz.mechanisms.offline import Verdict
from hotmem_viz.scenarios.telling import WORDS
from hotmem_viz.units import counted, format_pages
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.isolation import Veto
    from hotmem_viz.mechanisms.offline import Offlining
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.hot_counters import Corner

KIND_WORDS = {
    **WORDS,
    PageKind.SLAB: "slab objects",
    PageKind.RECLAIMABLE_SLAB: "slab objects that a shrinker could free",
    PageKind.PAGE_TABLE: "a page table",
    PageKind.RESERVED: "memory that boot reserved",
    PageKind.MEMMAP: "the node's own memory map",
    PageKind.KERNEL_IMAGE: "the kernel's own image",
    PageKind.HUGETLB: "a huge page",
    PageKind.PINNED: "a driver's memory for its device",
}
NOBODY = "nobody"
"""The owner of pages that nobody is known to hold."""

RULES = {
    VetoRule.ISOLATED: ("its pageblock is isolated already", "set_migratetype_isolate()"),
    VetoRule.CMA: ("its pageblock belongs to CMA", "has_unmovable_pages()"),
    VetoRule.RESERVED: ("it is reserved, which counts in every zone", "has_unmovable_pages()"),
    VetoRule.HUGETLB: ("huge pages do not migrate here", "has_unmovable_pages()"),
    VetoRule.UNMOVABLE: ("it is on no LRU list and nobody can move it", "has_unmovable_pages()"),
    VetoRule.NO_ROOM: (
        "no frame is found that its content could go to",
        "alloc_migration_target()",
    ),
    VetoRule.PINNED: (
        "it has a reference that the kernel cannot account for: EAGAIN, however often it is tried",
        "folio_migrate_mapping()",
    ),
    VetoRule.PROMISED: ("the pool has promised it to a mapping", "dissolve_free_huge_page()"),
}
"""Why a page stands in the way, and the function of 6.1 that finds out."""

CLAIMS_OF_KIND = {
    PageKind.SLAB: ("S16",),
    PageKind.RECLAIMABLE_SLAB: ("S16",),
    PageKind.PAGE_TABLE: ("S17",),
    PageKind.KERNEL_STACK: ("S18",),
    PageKind.KERNEL_BUFFER: ("S18",),
    PageKind.PINNED: ("S18",),
}


def claims_of(veto: Veto) -> tuple[str, ...]:
    """Return the claims that a guilty page shows."""
    return (
        ("S18", "S38") if veto.rule is VetoRule.PINNED else CLAIMS_OF_KIND.get(veto.kind, ("S45",))
    )


def name_page(veto: Veto) -> str:
    """Name a guilty page: its number, what it holds and for whom."""
    owner = f" ({veto.owner})" if veto.owner != NOBODY else ""
    return f"pfn {veto.pfn:,}, {KIND_WORDS[veto.kind]}{owner}"


def name_block(mem: PhysicalMemory, block: int, zone: int = -1) -> str:
    """Name a memory block as sysfs does, with its zone."""
    where = f" in {mem.zones.label(zone)}" if zone >= 0 else ""
    return f"memory{block}{where}"


def leaving_claims(mem: PhysicalMemory, zone: int) -> tuple[str, ...]:
    """Return the claim that an emptied block shows: that of ZONE_MOVABLE, or of any section."""
    return ("S45",) if mem.zones.type[zone] == ZoneType.MOVABLE else ("S24",)


def seconds(time_ns: float) -> str:
    """Write model time for people."""
    if time_ns < 1e6:
        return f"{time_ns / 1e3:.3g} µs"
    return f"{time_ns / 1e6:.3g} ms" if time_ns < 1e9 else f"{time_ns / 1e9:,.4g} s"


def tell_boot(mem: PhysicalMemory, what: str) -> dict[str, Any]:
    """Tell what runs, and what will be asked of it."""
    zones = mem.zones
    movable = int(zones.managed[zones.type == ZoneType.MOVABLE].sum())
    total = int(zones.managed.sum())
    how_many = format_pages(movable) if movable else "none"
    text = (
        f"{mem.profile.title}: {format_pages(total)} are managed, {how_many} of them "
        f"in ZONE_MOVABLE. {what} will have to go. The kernel does not remove sections but memory "
        f"blocks, here of {format_pages(mem.spec.block_pages)}."
    )
    return {
        "title": "The machine has booted",
        "text": text,
        "claims": ("S45",),
        "rule": "A1",
        "function": "find_zone_movable_pfns_for_nodes()",
    }


def tell_isolated(mem: PhysicalMemory, out: Offlining) -> dict[str, Any]:
    """Tell that nothing vetoes, and what that means."""
    block = out.start_pfn // mem.spec.block_pages
    pages = format_pages(out.end_pfn - out.start_pfn)
    text = (
        f"{name_block(mem, block, out.zone)}: no page vetoes, so its {pages} are isolated. Free "
        "frames in it count for nobody any more, and what is freed there stays there."
    )
    return {
        "title": f"memory{block} is isolated",
        "text": text,
        "claims": leaving_claims(mem, out.zone),
        "rule": "A9",
        "function": "start_isolate_page_range()",
        "pfn": out.start_pfn,
        "zone": out.zone,
    }


def tell_refused(mem: PhysicalMemory, out: Offlining) -> dict[str, Any]:
    """Tell why an attempt was refused at once: the guilty page, or the range itself."""
    block = out.start_pfn // mem.spec.block_pages
    verdict = "" if out.verdict is None else out.verdict.value
    if out.veto is None:
        text = f"{name_block(mem, block)}: {verdict}, the kernel's words are “{out.reason}”."
        return {
            "title": f"{verdict}: memory{block} stays",
            "text": text + " No page is guilty; a block with a hole or of two zones never goes.",
            "claims": ("S24",),
            "rule": "A10",
            "function": "memory_block_offline()",
            "pfn": out.start_pfn,
        }
    why, function = RULES[out.veto.rule]
    text = (
        f"{name_block(mem, block, out.zone)}: {verdict}, “{out.reason}”. Guilty is "
        f"{name_page(out.veto)}: {why}. One page holds all "
        f"{format_pages(out.end_pfn - out.start_pfn)}."
    )
    return {
        "title": f"{verdict}: one page keeps memory{block}",
        "text": text,
        "claims": claims_of(out.veto),
        "rule": "A9",
        "function": function,
        "pfn": out.veto.pfn,
        "zone": out.zone,
    }


def tell_endless(mem: PhysicalMemory, out: Offlining) -> dict[str, Any]:
    """Tell how long an attempt has tried in vain; it will not stop by itself."""
    block = out.start_pfn // mem.spec.block_pages
    veto = out.veto or describe_page(mem, out.start_pfn, VetoRule.UNMOVABLE)
    why, function = RULES[veto.rule]
    text = (
        f"{name_block(mem, block, out.zone)}: {out.passes:,} passes in {seconds(out.time_ns)} of "
        f"model time, and {name_page(veto)}, is still there: {why}. The loop has no limit; it goes "
        "on for ever unless a signal comes. The block stays isolated meanwhile."
    )
    return {
        "title": f"For ever, so far {seconds(out.time_ns)}",
        "text": text,
        "claims": claims_of(veto),
        "rule": "A10",
        "function": function,
        "pfn": veto.pfn,
        "zone": out.zone,
    }


def _passes(out: Offlining) -> str:
    return f"{out.passes:,} pass" + ("" if out.passes == 1 else "es")


def tell_offlined(mem: PhysicalMemory, out: Offlining, before: tuple[int, int]) -> dict[str, Any]:
    """Tell that a block has left, and what that does to its zone.

    before: managed pages and the low mark of the zone before.
    """
    zones, z = mem.zones, out.zone
    block = out.start_pfn // mem.spec.block_pages
    low = int(zones.low[z])
    moved = format_pages(out.granted) if out.granted else "no page"
    text = (
        f"memory{block} has left {zones.label(z)} after {seconds(out.time_ns)} and {_passes(out)}; "
        f"{moved} moved. The zone manages {int(zones.managed[z]):,} pages "
        f"instead of {before[0]:,}, its low mark goes from {before[1]:,} to {low:,}, its "
        f"span is pfn {int(zones.start_pfn[z]):,} to {int(zones.end_pfn[z]):,}."
    )
    return {
        "title": f"memory{block} is offline",
        "text": text,
        "claims": leaving_claims(mem, z),
        "rule": "A12",
        "function": "remove_pfn_range_from_zone()",
        "pfn": out.start_pfn,
        "zone": z,
    }


def tell_interrupted(mem: PhysicalMemory, out: Offlining) -> dict[str, Any]:
    """Tell what a signal does: the memory is back, what has moved stays moved."""
    moved = f"; what had moved, {format_pages(out.granted)}, stays where it is" * bool(out.granted)
    block = out.start_pfn // mem.spec.block_pages
    text = (
        f"{Verdict.EINTR.value}, “{out.reason}”: after {seconds(out.time_ns)} and {_passes(out)} "
        f"a signal ends the attempt. The block, memory{block}, is back in use{moved}. An eject "
        "that firmware asks for runs in a kernel thread, which no signal reaches."
    )
    return {
        "title": "A signal ends it",
        "text": text,
        "claims": leaving_claims(mem, out.zone),
        "rule": "A10",
        "function": "offline_pages()",
        "pfn": out.start_pfn,
        "zone": out.zone,
    }


def tell_node(nid: int, left: int, of: int, time_ns: float) -> dict[str, Any]:
    """Tell how much of a node has left, and in what time."""
    text = f"{left} of {counted(of, 'memory block')} of node {nid} have left after "
    text += f"{seconds(time_ns)} of model time: pages at a published rate, waits as they were. "
    if left == of:
        text += "Nothing but movable pages lay there, so the node may be pulled out: this is what "
        text += "ZONE_MOVABLE is for."
    else:
        text += "Each of the others is held by a page that cannot move, and while one stays, the "
        text += "node does."
    return {
        "title": f"Node {nid} has left" if left == of else f"Node {nid} stays",
        "text": text,
        "claims": ("S45",),
        "rule": "A10",
        "function": "try_offline_node()",
    }


def tell_corner(corner: Corner) -> dict[str, Any]:
    """Tell what would have to go offline to change the ratio (S46)."""
    text = "There is no Movable section that could become the kernel's. "
    if corner.movable or corner.movable_held:
        used = format_pages(corner.movable_used)
        text = (
            f"To give kernel memory more, {counted(corner.movable, 'Movable section')} could change"
            f" sides, once all that is used there, {used}, has left; {corner.movable_held:,} could"
            " not. "
        )
    text += (
        f"The other way, {counted(corner.kernel, 'kernel section')} could go, "
        f"{corner.kernel_held:,} cannot, each held by a page that cannot move. "
        "Nothing but offlining and onlining again changes the ratio."
    )
    return {
        "title": "The corner",
        "text": text,
        "claims": ("S46",),
        "rule": "A11",
        "function": "online_pages()",
    }
