"""A machine of boards that come, go and shrink, and the table that its firmware makes of them.

Every node but the first is a board: memory that stays, then memory that may be pulled out.
Firmware packs them one after another, so whatever happens to one moves those above it (S5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.machine.movable_start import kernel_node
from hotmem_viz.machine.spec import CLASSROOM_SCALE, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.units import MIB
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.zone_plan import ZonePlan

SECTION_PAGES = 1024
FIRST_NODE = (PfnRange(0, 32 * MIB), PfnRange(128 * MIB, 144 * MIB))


class Board(NamedTuple):
    """A node's board: its number, pages that stay, and pages that may be pulled out."""

    nid: int
    fixed: int
    hot: int


BOARDS = (Board(1, 8 * MIB, 24 * MIB), Board(2, 8 * MIB, 16 * MIB), Board(3, 8 * MIB, 32 * MIB))
"""Day 1. The boards differ, or a changed order would change nothing."""

MONTHS = {
    "a node was added": "added",
    "a node was removed": "removed",
    "a node has shrunk": "shrunk",
    "the nodes were renumbered": "renumbered",
    "nothing has changed": "same",
}
"""What happened to the machine in a month, by what is said of it."""


def change_boards(boards: Sequence[Board], month: str) -> tuple[Board, ...]:
    """Return the boards a month later; month is one of the values of MONTHS."""
    first, second, third = boards
    changed = {
        "added": (first, second, third, Board(4, 8 * MIB, 24 * MIB)),
        "removed": (second, third),
        "shrunk": (first._replace(hot=first.hot - 12 * MIB), second, third),
        "renumbered": (first, third._replace(nid=2), second._replace(nid=3)),
        "same": (first, second, third),
    }
    return changed[month]


def lay_out(boards: Sequence[Board], name: str = "boards") -> MachineSpec:
    """Lay boards out as firmware does: the first node, then one board after another."""
    nodes, at = [NodeSpec(0, FIRST_NODE)], FIRST_NODE[-1].end_pfn
    for board in boards:
        middle = at + board.fixed
        end = middle + board.hot
        ranges = (PfnRange(at, middle), PfnRange(middle, end, hotpluggable=True))
        nodes.append(NodeSpec(board.nid, ranges))
        at = end
    title = f"{len(nodes)} nodes, {at // MIB - 96} MiB, every border at 1/32"
    return MachineSpec(
        name,
        tuple(nodes),
        section_pages=SECTION_PAGES,
        scale=CLASSROOM_SCALE,
        cpus=4,
        title=title,
    )


def plug_later(spec: MachineSpec) -> MachineSpec:
    """Return the machine with its first node alone at boot; the others are slots."""
    return MachineSpec(
        spec.name,
        spec.nodes[:1],
        section_pages=spec.section_pages,
        scale=spec.scale,
        cpus=spec.cpus,
        title=spec.title,
        pluggable=spec.nodes[1:],
    )


def hot_ranges(spec: MachineSpec) -> tuple[tuple[int, int], ...]:
    """Return what may be pulled out, as ranges of pfns; the kernel's node has none (A1)."""
    kernel = kernel_node(spec)
    marked = [r for n in spec.nodes if n.nid != kernel for r in n.ranges if r.hotpluggable]
    return tuple((r.start_pfn, r.end_pfn) for r in marked)


def srat_rows(spec: MachineSpec) -> list[dict[str, int]]:
    """Return the memory entries of the machine's SRAT, as firmware lists them (S4).

    Flags: bit 0 enabled, bit 1 hot-pluggable (ACPI 6, 5.2.16.2).
    """
    return [
        {
            "domain": node.nid,
            "base": r.start_pfn * PAGE_SIZE,
            "length": r.pages * PAGE_SIZE,
            "flags": 1 | (r.hotpluggable << 1),
        }
        for node in spec.nodes
        for r in node.ranges
    ]


def srat_text(spec: MachineSpec) -> str:
    """Write the table as it would be read off a screen: domain, base, length, flags."""
    rows = [f"{r['domain']} {r['base']:#x} {r['length']:#x} {r['flags']}" for r in srat_rows(spec)]
    return "; ".join(rows)


@dataclass(frozen=True)
class Score:
    """How far a boot's zones are from what the table says; pages, and numbers of the other two.

    wrongly_movable: in ZONE_MOVABLE though nothing marks it as hot-pluggable. wrongly_kernel:
    marked, and in a kernel zone. without_kernel: nodes with memory and no kernel zone.
    decisions: what a person had to type, an address, a size, a word or a file written each.
    """

    wrongly_movable: int
    wrongly_kernel: int
    without_kernel: tuple[int, ...]
    decisions: int


def score_spans(
    spec: MachineSpec, spans: Sequence[tuple[int, ZoneType, int, int]], decisions: int
) -> Score:
    """Score zones: spans are (nid, zone, start, end) in pfns; holes in them do not count."""
    hot = hot_ranges(spec)
    wrong = {True: 0, False: 0}
    kernel_nids = set()
    for nid, zone, start, end in spans:
        movable = zone is ZoneType.MOVABLE
        for node in (n for n in spec.nodes if n.nid == nid):
            for r in node.ranges:
                low, high = max(start, r.start_pfn), min(end, r.end_pfn)
                if low >= high:
                    continue
                marked = sum(max(0, min(high, b) - max(low, a)) for a, b in hot)
                wrong[movable] += high - low - marked if movable else marked
                if not movable:
                    kernel_nids.add(nid)
    without = tuple(n.nid for n in spec.nodes if n.nid not in kernel_nids)
    return Score(wrong[True], wrong[False], without, decisions)


def score_plan(spec: MachineSpec, plan: ZonePlan, decisions: int) -> Score:
    """Score the zones of a boot."""
    spans = [(z.nid, z.zone, z.start_pfn, z.end_pfn) for z in plan.zones]
    return score_spans(spec, spans, decisions)


def count_decisions(options: BootOptions) -> int:
    """Count what a person typed: two numbers a range, else one amount or word an option."""
    sizes = (
        options.kernelcore_bytes,
        options.kernelcore_percent,
        options.movablecore_bytes,
        options.movablecore_percent,
    )
    words = options.movable_node + options.kernelcore_mirror
    return 2 * len(options.movable_ranges) + sum(s is not None for s in sizes) + words
