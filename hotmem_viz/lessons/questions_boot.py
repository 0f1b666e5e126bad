"""Questions of notebook 01: how much becomes ZONE_MOVABLE, and what a month does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.lessons.question import Mistake, Question, Scene, find_scene
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.movable_map import parse_movable_map
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.scenarios.boards import BOARDS, MONTHS, change_boards, lay_out
from hotmem_viz.scenarios.boot_options import RANGES
from hotmem_viz.units import GIB, MIB
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "01"
SPREAD = "kernelcore= is spread over the nodes"
SPREAD_FUNCTION = "find_zone_movable_pfns_for_nodes(), mm/mm_init.c"


def movable_share(draw: Draw) -> Question:
    """Ask what kernelcore= leaves to ZONE_MOVABLE on one of four nodes."""
    core = draw.pick((4, 6, 8, 10, 12, 16, 20, 24, 28, 32))
    nid = draw.whole(0, 3)
    server = find_preset("server")
    options = parse_boot_options(f"kernelcore={core}G", strict=True)
    plan = plan_zones(server, options, PROFILES["6.1"])
    movable = plan.find(nid, ZoneType.MOVABLE)
    node = next(n for n in server.nodes if n.nid == nid)
    answer = movable.present_pages / GIB if movable else 0.0
    without = [n for n, pfn in plan.movable_starts.items() if pfn <= server.nodes[n].start_pfn]
    nobody = "every node keeps kernel memory of its own"
    lost = f"without any kernel memory: node {', '.join(map(str, without))}" if without else nobody
    return Question(
        text=(
            f"A server has four nodes of 16 GiB; 3 GiB of node 0 lie below 4 GiB. It boots with "
            f"kernelcore={core}G. How much of node {nid} is ZONE_MOVABLE?"
        ),
        unit="GiB",
        answer=answer,
        mistakes=(
            Mistake(16 - core / 4, "if every node kept the same share"),
            Mistake(16.0 if nid else 0.0, "if node 0 kept all of the kernel's memory"),
            Mistake(max(0.0, 16.0 - core), "if every node kept as much as was asked for"),
            Mistake(
                min(16.0, (64 - core) / 3),
                "if the kernel had node 0 and the others shared the rest",
            ),
            Mistake(core / 4, "if the share were the movable part"),
        ),
        why=(
            f"Each of four nodes gets a quarter of the {core} GiB, in node order. Node 0's 3 GiB "
            "below 4 GiB are the kernel's in any case and count as part of its share; where they "
            "exceed it, less is left for nodes that come later, and the rest goes round once more. "
            "Here "
            f"{answer:.4g} of {node.present_pages / GIB:.4g} GiB are left to ZONE_MOVABLE, and "
            f"{lost}."
        ),
        rule=SPREAD,
        function=SPREAD_FUNCTION,
        claims=("S3", "S7"),
        see=Scene(
            "exhaustion",
            {"machine": "server", "boot": f"kernelcore={core}G"},
            0,
            "the zones of the four nodes",
        ),
    )


def two_options(draw: Draw) -> Question:
    """Ask what two options that contradict each other make of a machine."""
    core = draw.whole(3072, 6656, 512)
    movable = draw.whole(1536, 8704, 512)
    node = NodeSpec(0, (PfnRange(0, 3 * GIB), PfnRange(4 * GIB, 9 * GIB)))
    spec = MachineSpec("asked", (node,))
    options = parse_boot_options(f"kernelcore={core}M movablecore={movable}M", strict=True)
    zone = plan_zones(spec, options, PROFILES["6.1"]).find(0, ZoneType.MOVABLE)
    answer = zone.present_pages // MIB if zone else 0
    total = spec.present_pages // MIB
    if movable >= total:
        wins = (
            f"movablecore= asks for all of the {total:,} MiB or more: with nothing left for the "
            "kernel there is no ZONE_MOVABLE, whatever else is given."
        )
    else:
        kept = max(core, total - movable)
        wins = (
            f"movablecore={movable}M means kernelcore={total - movable}M on this machine, and the "
            f"larger kernelcore wins: the kernel keeps {kept:,} MiB, the 3 GiB below 4 GiB first."
        )
    small = f"kernelcore={core // 32}M movablecore={movable // 32}M"
    return Question(
        text=(
            "One node: 3 GiB of memory below 4 GiB and 5 GiB above. The command line says "
            f"kernelcore={core}M movablecore={movable}M. How large is ZONE_MOVABLE?"
        ),
        unit="MiB",
        answer=answer,
        mistakes=(
            Mistake(min(movable, 5120), "if movablecore= had the last word"),
            Mistake(total - core, "if kernelcore= had the last word"),
            Mistake(5120, "if all memory above 4 GiB became movable"),
            Mistake(0, "if the two options excluded each other"),
            Mistake(abs(core - movable), "if one were taken from the other"),
        ),
        why=wins,
        rule="the option that leaves more to the kernel counts",
        function=SPREAD_FUNCTION,
        claims=("S5", "S7"),
        see=Scene("exhaustion", {"boot": small}, 0, "the same options at 1/32, on two nodes"),
    )


def stale_ranges(draw: Draw) -> Question:
    """Ask what a string of ranges does to a machine that has changed since."""
    cases = [(r, m) for m in MONTHS.values() if m != "same" for r in RANGES.values()]
    ranges, month = draw.pick(cases)
    settings = {"ranges": ranges, "month": month}
    scene, run = find_scene("boot_options", settings, "SCORED", "Score, a month later")
    row = run.counters.iloc[scene.tick]
    answer = int(row["wrongly_movable"] + row["wrongly_kernel"]) // MIB
    typed = run.meta["boots"][0]["options"].partition(" (")[0]
    before, after = lay_out(BOARDS), lay_out(change_boards(BOARDS, month))
    named = parse_movable_map(typed).movable_ranges
    above = sum(n.present_pages for n in after.nodes[2:])
    told = next(said for said, name in MONTHS.items() if name == month)
    return Question(
        text=(
            "On day 1 a person read the table of the firmware and typed, for a kernel that takes "
            f"such ranges: {typed}\n\n"
            f"A month later {told}. The table now says: {_tell_table(after)}. Nobody touches the "
            "command line.\n\nCounted by the marks of the table, how much memory is in the wrong "
            "kind of zone after the next boot? (A node's ZONE_MOVABLE begins at the lowest address "
            "that a range names in it and reaches to the node's end.)"
        ),
        unit="MiB",
        answer=answer,
        mistakes=(
            Mistake(0, "if what was right on day 1 stayed right"),
            Mistake(_literally(after, named) // MIB, "if only what is named became movable"),
            Mistake(
                abs(before.present_pages - after.present_pages) // MIB,
                "if only what came or went were wrong",
            ),
            Mistake(sum(b - a for a, b in named) // MIB, "if all of the ranges were wrong now"),
            Mistake(above // MIB, "if everything above the first board were wrong"),
        ),
        why=(
            f"Wrongly movable are {int(row['wrongly_movable']) // MIB} MiB, wrongly kernel "
            f"{int(row['wrongly_kernel']) // MIB} MiB; nodes without kernel memory: "
            f"{int(row['without_kernel'])}. Firmware packs the boards anew at every start, so what "
            "happens to one moves all above it, and an address knows nothing of boards."
        ),
        rule="addresses name places, not boards",
        function="find_zone_movable_pfns_for_nodes, with the ranges of the 2012 patches",
        claims=("S2", "S4", "S5"),
        see=scene,
    )


def _tell_table(spec: MachineSpec) -> str:
    """Write the memory entries of a machine's SRAT for reading: MiB, and what is marked."""
    parts = []
    for node in spec.nodes:
        ranges = [
            f"{r.start_pfn // MIB} to {r.end_pfn // MIB} MiB{' hot-pluggable' * r.hotpluggable}"
            for r in node.ranges
        ]
        parts.append(f"node {node.nid}: {', '.join(ranges)}")
    return "; ".join(parts)


def _literally(spec: MachineSpec, named: tuple[tuple[int, int], ...]) -> int:
    """Count pages whose mark and whose being named disagree."""
    wrong = 0
    for r in (r for n in spec.nodes for r in n.ranges):
        inside = sum(max(0, min(b, r.end_pfn) - max(a, r.start_pfn)) for a, b in named)
        wrong += r.pages - inside if r.hotpluggable else inside
    return wrong


MAKERS: dict[str, Maker] = {
    "movable_share": movable_share,
    "two_options": two_options,
    "stale_ranges": stale_ranges,
}
