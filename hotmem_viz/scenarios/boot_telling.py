"""The words of the boot options' story, with the run's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hotmem_viz.scenarios.boards import count_decisions, srat_text
from hotmem_viz.scenarios.boot_ranges import Landing, name_nodes, tell_range
from hotmem_viz.units import format_bytes, format_pages
from hotmem_viz.vocabulary import PAGE_SIZE, EventKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.spec import MachineSpec, PfnRange
    from hotmem_viz.machine.zone_plan import ZonePlan
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.boards import Score

BOOTS = ("day 1", "a month later", "instead")
SIZING = "find_zone_movable_pfns_for_nodes"
REVERTED = "(reverted before 3.9: no released kernel has it)"

WHAT_HAPPENED = {
    "added": "a board was added as node 4",
    "removed": "the board of node 1 was removed",
    "shrunk": "a module of node 1 broke and was taken out",
    "renumbered": "firmware numbers nodes 2 and 3 the other way round",
    "same": "nothing has changed",
}
AFTER_A_MONTH = {
    (False, False): "This time the addresses still fit.",
    (False, True): "The text is the same, the machine is not: it has to be worked out again.",
    (True, False): "Neither the text nor the machine has changed, so the addresses fit.",
    (True, True): "Neither the text nor the machine has changed: what was wrong stays wrong.",
}
"""What the score of a month later comes to, by (nothing has changed, something is wrong)."""

TODAY = {
    "kernelcore": "The kernel spreads a size over the nodes by itself and knows nothing of what "
    "can be pulled out.",
    "movablecore": "The kernel spreads a size over the nodes by itself and knows nothing of what "
    "can be pulled out.",
    "percent": "A percent follows the size of the machine, and like a size it knows nothing of "
    "what can be pulled out.",
    "movable_node": "The kernel reads the table itself, at every boot: nothing can go stale. "
    "It gives up memory of its own on a node whose memory is all marked.",
}


@dataclass(frozen=True)
class Said:
    """What a mark says; `more` goes to `Story.tell`."""

    kind: EventKind
    title: str
    text: str
    more: dict[str, Any] = field(default_factory=dict)


def _size(pages: int) -> str:
    return format_bytes(pages * PAGE_SIZE)


def tell_table(spec: MachineSpec, options: BootOptions) -> Said:
    """Tell what the person has to read, and what was typed."""
    text = (
        f"The SRAT (domain, base, length, flags; 3: hot-pluggable): {srat_text(spec)}. "
        f"What a person typed from it: {options.text} {REVERTED}."
    )
    more = {"claims": ("S1", "S4"), "rule": "A1", "function": "acpi_numa_memory_affinity_init"}
    return Said(EventKind.BOOT, "Day 1: read a table, type addresses", text, more)


def tell_landing(landing: Landing, boot: int, pfn: int) -> Said:
    """Tell where a range has landed."""
    title, text = tell_range(landing)
    claims = ("S1", "S2") if landing.verdict != "swallows" else ("S1", "S2", "S3")
    claims = claims if not boot else (*claims, "S5")
    more = {"claims": claims, "rule": "A1", "function": SIZING, "pfn": pfn}
    return Said(EventKind.RANGE_READ, title, text, more)


def tell_locality(lost: Mapping[int, int], nodes: int, remote: int, asked: int) -> Said:
    """Tell which node served kernel pages that were asked for on each of them."""
    text = f"A task on each of {nodes} nodes asks for {asked} kernel pages. "
    if lost:
        nids = tuple(lost)
        servers = dict.fromkeys(lost.values())
        served = ", ".join(
            f"node {by} serves {name_nodes(tuple(n for n in nids if lost[n] == by))}"
            for by in servers
        )
        title = f"No kernel memory on {name_nodes(nids)}"
        text += (
            f"{served[0].upper()}{served[1:]}: {remote} of {asked * nodes} pages lie on another "
            "node, and every touch of them crosses the machine."
        )
    else:
        title = "Every node serves its own kernel pages"
        text += "Each node has a kernel zone of its own: none of the pages is remote."
    more = {"claims": ("S3",), "rule": "A2", "function": "build_zonelists"}
    return Said(EventKind.REMOTE_KERNEL, title, text, more)


def tell_score(score: Score, boot: int, month: str) -> Said:
    """Tell the score of a boot by ranges. month: what has happened to the machine since day 1."""
    wrong = score.wrongly_movable + score.wrongly_kernel
    when = BOOTS[boot]
    title = f"Score, {when}: {_size(wrong)} in the wrong zone"
    text = score_text(score)
    if not boot:
        claims: tuple[str, ...] = ("S2", "S4")
        text += " Each address is right or wrong by what one table of one day said."
    else:
        claims = ("S5", "S6", "S7")
        stale = bool(wrong or score.without_kernel)
        text += f" {AFTER_A_MONTH[month == 'same', stale]}"
        text += " A way to debug, said H. Peter Anvin, ridiculous as a solution in the field."
    more = {"claims": claims, "rule": "A1", "function": SIZING}
    return Said(EventKind.SCORED, title, text, more)


def score_text(score: Score) -> str:
    """Return a score in words."""
    without = name_nodes(score.without_kernel)
    return (
        f"Wrongly movable: {format_pages(score.wrongly_movable)}; wrongly kernel: "
        f"{format_pages(score.wrongly_kernel)}, by the marks of the SRAT. Without kernel memory: "
        f"{without}. Decisions of a person: {score.decisions}."
    )


def tell_month(month: str, before: MachineSpec, after: MachineSpec) -> Said:
    """Tell what has happened to the machine, and how its table reads now."""
    text = (
        f"Firmware lays memory out at every start, one board after another. There were "
        f"{len(before.nodes)} nodes with {_size(before.present_pages)}, now there are "
        f"{len(after.nodes)} with {_size(after.present_pages)}. The SRAT now: {srat_text(after)}."
    )
    return Said(
        EventKind.MACHINE_CHANGED,
        f"A month later: {WHAT_HAPPENED[month]}",
        text,
        {"claims": ("S5",), "rule": "A1", "function": "acpi_numa_memory_affinity_init"},
    )


def tell_again(options: BootOptions, month: str) -> Said:
    """Tell that the same text boots the machine a month later."""
    text = f"Nobody has touched the command line: {options.text} {REVERTED}."
    more = {"claims": ("S5",), "rule": "A1", "function": SIZING}
    machine = "same" if month == "same" else "changed"
    return Said(EventKind.BOOTED_AGAIN, f"The same string boots the {machine} machine", text, more)


def tell_one_node(spec: MachineSpec) -> Said:
    """Tell that one node boots alone."""
    text = (
        f"Node 0 boots with {_size(spec.nodes[0].present_pages)} and no option. The other "
        f"{len(spec.nodes) - 1} nodes are added while it runs; what each block is for is written "
        "to its state file, and no address is typed. The mail names the files “online” or "
        "“online-reserved”; the word became online_movable (3.8)."
    )
    more = {"claims": ("S8",), "rule": "A11", "function": "add_memory_resource"}
    return Said(EventKind.BOOTED_AGAIN, "Instead: one node boots, the rest is added", text, more)


def tell_added(mem: PhysicalMemory, nid: int, added: PfnRange, done: Outcome, pfn: int) -> Said:
    """Tell that memory was plugged in, and what it cost."""
    blocks = added.pages // mem.spec.block_pages
    part = "hot-pluggable" if added.hotpluggable else "fixed"
    text = (
        f"{_size(added.pages)}, {blocks} memory blocks, offline. Their memory map and tables took "
        f"{format_pages(len(done.frames))} of kernel memory that was there before."
    )
    more = {"claims": ("S8",), "rule": "A11", "function": "add_memory_resource", "pfn": pfn}
    return Said(EventKind.BLOCK_ONLINED, f"Node {nid}: the {part} part is added", text, more)


def tell_block(block: int, how: str) -> Said:
    """Tell that one block came online: no mark."""
    zone = ZoneType.MOVABLE if how == "online_movable" else ZoneType.NORMAL
    text = f"echo {how} > /sys/devices/system/memory/memory{block}/state: zone {zone.label}."
    more = {"claims": ("S8", "S9"), "rule": "A11", "function": "online_pages", "mark": False}
    return Said(EventKind.BLOCK_ONLINED, f"Block {block} is online", text, more)


def tell_beside(options: BootOptions, spec: MachineSpec, plan: ZonePlan) -> Said:
    """Tell what an option that kernels have makes of the changed machine."""
    movable = sum(z.present_pages for z in plan.zones if z.zone is ZoneType.MOVABLE)
    text = (
        f"{options.text}, typed on day 1, on the machine of today: {_size(movable)} of "
        f"{_size(spec.present_pages)} become ZONE_MOVABLE. It is "
        f"{count_decisions(options)} decision, and no address."
    )
    more = {"claims": ("S7",), "rule": "A1", "function": SIZING}
    return Said(EventKind.BOOTED_AGAIN, f"Instead: {options.text}", text, more)


def tell_beside_score(score: Score, beside: str) -> Said:
    """Tell the score of the third boot."""
    wrong = score.wrongly_movable + score.wrongly_kernel
    text = score_text(score)
    if beside in TODAY:
        claims: tuple[str, ...] = ("S7",)
        text += f" {TODAY[beside]}"
    else:
        claims = ("S8", "S9")
        text += (
            f" Still clumsy: {score.decisions} files to write after every boot unless a rule does "
            "it, and which blocks may be pulled out has to be known. Yet no address was typed, and "
            "it is decided on the machine as it is."
        )
    more = {"claims": claims, "rule": "A11" if beside not in TODAY else "A1"}
    more["function"] = "online_pages" if beside not in TODAY else SIZING
    return Said(EventKind.SCORED, f"Score, instead: {_size(wrong)} in the wrong zone", text, more)
