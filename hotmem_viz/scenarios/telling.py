"""Events in words: what happened, where, by which rule of the kernel, in the model's numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.mechanisms.oom import count_useless, estimate_available
from hotmem_viz.mechanisms.outcome import Outcome, Report
from hotmem_viz.mechanisms.requests import GFP, Gfp
from hotmem_viz.recording.recording import Event
from hotmem_viz.scenarios.cache_telling import tell_cache_stops
from hotmem_viz.units import format_bytes, format_pages
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.memory.physical import PhysicalMemory

WORDS = {
    PageKind.PAGE_CACHE: "page cache",
    PageKind.ANON: "anonymous memory",
    PageKind.BUFFER: "file-system buffers",
    PageKind.RECLAIMABLE_SLAB: "slab of the reclaimable type",
    PageKind.SLAB: "slab",
    PageKind.KERNEL_STACK: "a kernel stack",
    PageKind.KERNEL_BUFFER: "kernel buffers",
    PageKind.PAGE_TABLE: "page tables",
    PageKind.MEMMAP: "the memory map of added memory",
}

OBJECT_NAMES = {
    "files": "files",
    "dirs": "directories",
    "sockets": "socket pairs",
    "pipes": "pipes",
    "cache": "cached names",
    "negdentry": "cached names",
    "disk": "files looked at",
}
"""What each workload makes, in words; the workloads there are."""

STORIES = {
    "files": "a program that creates empty tmpfs files",
    "dirs": "a program that creates tmpfs directories",
    "sockets": "a program that parks datagrams in sockets",
    "pipes": "a program that fills pipes",
    "cache": "look-ups of missing file names, which the kernel remembers as long as it can",
    "negdentry": "look-ups of missing file names, which the kernel remembers as long as it can",
    "disk": "a program that looks at the files of a disk, one after another",
}
"""What the metadata actor of each workload is."""


def kernel_zones(mem: PhysicalMemory) -> list[int]:
    """List the zones that a GFP_KERNEL request may use."""
    return [z for z in range(len(mem.zones)) if mem.zones.type[z] <= ZoneType.NORMAL]


def confined_zone_name(mem: PhysicalMemory) -> str:
    """Name the zone that kernel memory is kept out of on this machine, or ""."""
    for kind in (ZoneType.MOVABLE, ZoneType.HIGHMEM):
        if kind in mem.zones.type:
            return "ZONE_MOVABLE" if kind is ZoneType.MOVABLE else "ZONE_HIGHMEM"
    return ""


def tell_mark(kind: EventKind, title: str, text: str, **how: Any) -> Event:
    """Return a mark, of which the run that tells it knows the tick. how: other fields of Event."""
    return Event(tick=0, kind=kind.name, title=title, text=text, mark=True, **how)


def tell_boot(mem: PhysicalMemory, workload: str) -> Event:
    """Tell how the machine came up."""
    zones = mem.zones
    total = int(zones.managed.sum())
    kernel = int(zones.managed[kernel_zones(mem)].sum())
    confined = confined_zone_name(mem)
    share = 100 * kernel / total
    text = (
        f"{mem.profile.title}: {format_pages(total)} are managed by the page allocator, "
        f"{format_pages(kernel)} or {share:.0f} % in zones that kernel memory may use. "
    )
    if confined:
        # With HIGHPTE a 32-bit kernel keeps the lowest page tables in high memory.
        kept = "slab and stacks" if confined == "ZONE_HIGHMEM" else "slab, page tables and stacks"
        text += (
            f"The rest is {confined}: {kept} never go there. "
            f"Next: {workload}, and programs that use ordinary user memory."
        )
    else:
        text += f"Any request may use any zone. Next: {workload}, and ordinary user memory."
    return Event(
        tick=0,
        kind=EventKind.BOOT.name,
        title="Booted",
        text=text,
        claims=("S10", "S11"),
        rule="A1, A5",
        function="find_zone_movable_pfns_for_nodes()",
    )


def _tell_wake(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    free, low, boost = (int(r.facts[k]) for k in ("free", "low", "boost"))
    text = (
        f"{mem.zones.label(r.zone)} has {free:,} pages free: not enough for the request above the "
        f"low mark of {low:,}"
    )
    if boost:
        text += f", {boost:,} of which are a boost, because types were mixed in a pageblock"
    text += (
        ". kswapd looks for page cache and shrinkable slab, but only in the zones that the "
        "waiting request may use; what is free elsewhere does not help it."
    )
    return {
        "title": f"kswapd wakes on node {r.facts['nid']}",
        "text": text,
        "claims": ("S11",),
        "rule": "A4",
        "function": "wakeup_kswapd()",
    }


def _tell_gives_up(_mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    return {
        "title": f"kswapd gives up on node {r.facts['nid']}",
        "text": (
            "Sixteen runs freed nothing: what fills the zones is in use, and reclaim can drop "
            "none of it. From now on kswapd sleeps, and a boosted watermark stays boosted."
        ),
        "claims": ("S12", "S16"),
        "rule": "A8",
        "function": "balance_pgdat()",
    }


_HOW = {
    "whole": "The free block is a whole pageblock or more, so it changes sides",
    "claim": "At least half of the pageblock is free or alike, so it is converted",
    "steal": "Too much of the pageblock is in use, so only this block is taken",
}


def _tell_fallback(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    source, target = str(r.facts["from"]).lower(), str(r.facts["to"]).lower()
    text = (
        f"{mem.zones.label(r.zone)} has no free block of type {target} left. "
        f"{_HOW[str(r.facts['how'])]} from {source} to {target} at pfn {r.pfn:,}."
    )
    if r.facts["how"] == "steal":
        text = text.replace(f" from {source} to {target}", f" out of a {source} pageblock")
    boost = int(mem.zones.boost[r.zone])
    if r.facts["how"] != "whole" and boost:
        text += f" Mixing types raises the zone's marks by {boost:,} pages."
    whole = r.facts["how"] == "whole"
    return {
        "title": f"Fallback: {source} to {target}" if whole else f"Types mix: {target} in {source}",
        "text": text,
        "claims": ("S16",) if source == "movable" or target == "movable" else ("S12",),
        "rule": "A7",
        "function": "__rmqueue_fallback()",
        "pfn": r.pfn,
    }


def _tell_spill(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    return {
        "title": "User memory spills into a kernel zone",
        "text": (
            f"{confined_zone_name(mem)} of the node is at its low mark, so ordinary user memory "
            f"takes {format_pages(int(r.facts['pages']))} of {mem.zones.label(r.zone)}, before it "
            "would look at another node. Only the zone's reserve keeps it from taking more."
        ),
        "claims": ("S11",),
        "rule": "A2, A3",
        "function": "get_page_from_freelist()",
    }


def _tell_reclaim(_mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    who = "The waiting request reclaims for itself" if "direct" in r.facts else "kswapd reclaims"
    return {
        "title": "Reclaim",
        "text": (
            f"{who} {format_pages(int(r.facts['pages']))} in the zones that the request may use: "
            "page cache and buffers first, then slab that can be shrunk."
        ),
        "claims": ("S12",),
        "rule": "A8",
        "function": "try_to_free_pages()" if "direct" in r.facts else "balance_pgdat()",
    }


def _tell_refused(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    what = WORDS[PageKind[str(r.facts["kind"])]]
    who = "user" if _highest(r) is ZoneType.MOVABLE else "kernel"
    return {
        "title": f"A {who} allocation is refused",
        "text": (
            f"A request for {what} finds every zone it may use at its min mark plus reserve. "
            f"Meanwhile, {_useless_text(mem, r)}."
        ),
        "claims": ("S11", "S12"),
        "rule": "A4, A5",
        "function": "get_page_from_freelist()",
    }


_OTHER_SIDE = {
    "ZONE_HIGHMEM": " High memory has no lasting kernel address; ZONE_MOVABLE has one, and is "
    "merely forbidden. Another reason, the same code, the same end.",
    "ZONE_MOVABLE": " On 32-bit PAE it is HIGHMEM that stands free like this: for another reason, "
    "by the same code.",
}
"""What the two zones that the kernel is kept out of have in common, told on either side (S11)."""


def _tell_oom(mem: PhysicalMemory, r: Report) -> dict[str, Any]:
    free = format_bytes(int(mem.zones.free.sum()) * PAGE_SIZE)
    claimed = format_bytes(estimate_available(mem) * PAGE_SIZE)
    return {
        "title": f"Out of memory with {free} free",
        "text": (
            f"Nothing more can be reclaimed, and in every zone that a {_request_name(r)} request "
            "may use, free is at most min + boost + reserve: "
            f"{_useless_text(mem, r)}. MemAvailable would still claim {claimed}."
            f"{_OTHER_SIDE.get(confined_zone_name(mem), '') * (_highest(r) is ZoneType.NORMAL)}"
        ),
        "claims": ("S11", "S12", "S14"),
        "rule": "A8",
        "function": "__alloc_pages_may_oom()",
    }


def _request_name(r: Report) -> str:
    """Name a request as an OOM report prints it."""
    name = str(r.facts["gfp"])
    return "GFP_" + name.replace("KERNEL_RECLAIMABLE", "KERNEL|__GFP_RECLAIMABLE")


def _useless_text(mem: PhysicalMemory, r: Report) -> str:
    useless = int(count_useless(mem, _highest(r)).sum()) * PAGE_SIZE
    free = int(mem.zones.free.sum()) * PAGE_SIZE
    return f"of {format_bytes(free)} free, {format_bytes(useless)} is of no use to it"


def _highest(r: Report) -> ZoneType:
    """Return the highest zone that the refused request may use."""
    return GFP[str(r.facts["gfp"])].highest


_TELL: dict[EventKind, Callable[[PhysicalMemory, Report], dict[str, Any]]] = {
    EventKind.KSWAPD_WAKE: _tell_wake,
    EventKind.KSWAPD_GIVES_UP: _tell_gives_up,
    EventKind.FALLBACK: _tell_fallback,
    EventKind.MIXING: _tell_fallback,
    EventKind.SPILL: _tell_spill,
    EventKind.RECLAIM: _tell_reclaim,
    EventKind.REFUSED: _tell_refused,
    EventKind.OOM: _tell_oom,
    EventKind.CACHE_STOPS: tell_cache_stops,
}


def sort_reports(mem: PhysicalMemory, outcome: Outcome, gfp: Gfp) -> list[Report]:
    """Sort an outcome's reports into what the lesson tells apart.

    A fallback that changes a whole pageblock's side is one thing, one that mixes types within a
    pageblock another; user memory in a kernel zone is worth telling where it has a zone of its own.
    """
    sorted_ = [
        replace(r, kind=EventKind.MIXING)
        if r.kind is EventKind.FALLBACK and r.facts["how"] != "whole"
        else r
        for r in outcome.reports
    ]
    if gfp.highest is ZoneType.MOVABLE:
        spilt = [z for z in outcome.by_zone if mem.zones.type[z] <= ZoneType.NORMAL]
        if not spilt or not confined_zone_name(mem):
            return sorted_
        sorted_ += [
            Report(EventKind.SPILL, z, facts={"pages": outcome.by_zone[z]}) for z in spilt[:1]
        ]
    return sorted_


def tell(mem: PhysicalMemory, report: Report, tick: int, *, mark: bool) -> Event:
    """Put a mechanism's report into words."""
    told = _TELL[report.kind](mem, report)
    return Event(tick=tick, kind=report.kind.name, mark=mark, zone=report.zone, **told)
