"""What a range of addresses does to a machine's nodes, in words and numbers (S1, S2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.scenarios.boards import hot_ranges
from hotmem_viz.units import format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan


@dataclass(frozen=True)
class Landing:
    """Where one range lands; pages. verdict: "right", "swallows", "hole" or "misses".

    hole: pages of the range without memory. nids: the nodes that it touches. swallowed: those of
    them that it covers from their first page on, so that they are left without kernel memory.
    """

    start_pfn: int
    end_pfn: int
    hole: int
    nids: tuple[int, ...]
    swallowed: tuple[int, ...]
    verdict: str


def read_range(spec: MachineSpec, plan: ZonePlan, start_pfn: int, end_pfn: int) -> Landing:
    """Say where a range lands on a machine; `plan` are the zones that came of all ranges."""
    inside = {
        n.nid: sum(max(0, min(r.end_pfn, end_pfn) - max(r.start_pfn, start_pfn)) for r in n.ranges)
        for n in spec.nodes
    }
    nids = tuple(nid for nid, pages in inside.items() if pages)
    starts = {n.nid: n.start_pfn for n in spec.nodes}
    swallowed = tuple(
        n
        for n in nids
        if start_pfn <= starts[n] < end_pfn and plan.movable_starts.get(n) == starts[n]
    )
    hole = end_pfn - start_pfn - sum(inside.values())
    if not nids:
        verdict = "hole"
    elif swallowed:
        verdict = "swallows"
    elif (start_pfn, end_pfn) in hot_ranges(spec):
        verdict = "right"
    else:
        verdict = "misses"
    return Landing(start_pfn, end_pfn, hole, nids, swallowed, verdict)


def name_nodes(nids: tuple[int, ...]) -> str:
    """Name nodes as captions do: "node 1", "nodes 2 and 3"."""
    if len(nids) == 1:
        return f"node {nids[0]}"
    return f"nodes {', '.join(map(str, nids[:-1]))} and {nids[-1]}" if nids else "no node"


def tell_range(landing: Landing) -> tuple[str, str]:
    """Return a caption's title and text for a range."""
    size = format_bytes((landing.end_pfn - landing.start_pfn) * PAGE_SIZE)
    at = f"{format_bytes(landing.start_pfn * PAGE_SIZE)}"
    text = f"{size} from {at} on (pfn {landing.start_pfn:,} to {landing.end_pfn:,}): "
    nodes = name_nodes(landing.nids)
    if landing.verdict == "hole":
        title = "The range lands in a hole"
        text += "there is no memory at these addresses, and nothing says so. No zone comes of it."
    elif landing.verdict == "swallows":
        title = f"The range swallows {name_nodes(landing.swallowed)}"
        text += (
            f"it touches {nodes}. A node's ZONE_MOVABLE begins at the lowest address named in it "
            f"and reaches to the node's end, so nothing of {name_nodes(landing.swallowed)} is left "
            "to the kernel."
        )
    elif landing.verdict == "right":
        title = f"The range lands right on {nodes}"
        text += "just what the table marks as hot-pluggable there. ZONE_MOVABLE begins with it."
    else:
        title = f"The range misses the mark on {nodes}"
        text += f"it touches {nodes}, yet not just what the table marks as hot-pluggable."
    if landing.hole and landing.nids:
        text += f" {format_bytes(landing.hole * PAGE_SIZE)} of it lie where there is no memory."
    return title, text
