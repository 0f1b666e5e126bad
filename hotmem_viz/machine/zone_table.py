"""The zone plan of a typed machine, as a JSON-able table and as text."""

from __future__ import annotations

import itertools
import re
from typing import Any

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import PAE_END_PFN, plan_zones
from hotmem_viz.units import format_bytes, parse_page_size
from hotmem_viz.vocabulary import PAGE_SIZE

MAX_NODES = 1024
"""CONFIG_NODES_SHIFT is at most 10 on x86 (arch/x86/Kconfig, 6.1)."""

_FORM = "the form is NODE:FROM-TO,FROM-TO;NODE:FROM-TO, such as 0:0-3G,4G-17G;1:17G-33G"
_SECTION_PAGES = {Arch.X86_64: 32768, Arch.PAE: 131072}


def parse_nodes(text: str) -> tuple[NodeSpec, ...]:
    """Read nodes and their memory as a person types them, e.g. "0:0-3G,4G-17G;1:17G-33G".

    Ends are exclusive, sizes whole pages, memory exactly as typed. Ranges of a node that
    touch become one. Spaces around the separators do no harm.

    Raises
    ------
    ParameterError
        Names what is wrong: form, reversed or overlapping ranges, a node given twice,
        an address that is not page aligned.
    """
    nodes: dict[int, tuple[PfnRange, ...]] = {}
    for part in text.split(";"):
        nid_text, colon, ranges_text = part.partition(":")
        if not colon:
            raise ParameterError("nodes", part.strip() or text, _FORM)
        nid = _parse_nid(nid_text, "nodes", _FORM)
        if nid in nodes:
            raise ParameterError("nodes", part.strip(), f"node {nid} is given twice")
        ranges = sorted(
            (_parse_range(word.strip()) for word in ranges_text.split(",")),
            key=lambda r: r.start_pfn,
        )
        nodes[nid] = tuple(_join(ranges))
    _check_overlap(nodes)
    return tuple(NodeSpec(nid, nodes[nid]) for nid in sorted(nodes))


def _parse_nid(text: str, name: str, form: str) -> int:
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise ParameterError(name, text, f"a node is a whole number; {form}")
    if int(text) >= MAX_NODES:
        raise ParameterError(name, text, f"nodes are numbered 0 to {MAX_NODES - 1}")
    return int(text)


def _parse_range(word: str) -> PfnRange:
    start_text, dash, end_text = word.partition("-")
    if not dash:
        raise ParameterError("nodes", word, f"a range is FROM-TO; {_FORM}")
    start = parse_page_size(start_text.strip(), "nodes")
    end = parse_page_size(end_text.strip(), "nodes")
    if end <= start:
        raise ParameterError("nodes", word, "a range ends after its start (the end is exclusive)")
    return PfnRange(start, end)


def _join(ranges: list[PfnRange]) -> list[PfnRange]:
    joined = ranges[:1]
    for r in ranges[1:]:
        if r.start_pfn == joined[-1].end_pfn:
            joined[-1] = PfnRange(joined[-1].start_pfn, r.end_pfn)
        else:
            joined.append(r)
    return joined


def _check_overlap(nodes: dict[int, tuple[PfnRange, ...]]) -> None:
    ranges = sorted((r.start_pfn, r.end_pfn, nid) for nid, rs in nodes.items() for r in rs)
    for (start, end, nid), (other, other_end, other_nid) in itertools.pairwise(ranges):
        if other < end:
            first, second = _range_text(start, end), _range_text(other, other_end)
            raise ParameterError(
                "nodes",
                f"{other_nid}:{second}",
                f"it overlaps {first} of node {nid}; ranges may not overlap",
            )


def _range_text(start_pfn: int, end_pfn: int) -> str:
    ends = (_size_text(start_pfn), _size_text(end_pfn))
    return "-".join(ends)


def _size_text(pfn: int) -> str:
    """Write a pfn as a size that `parse_nodes` reads back."""
    size = pfn * PAGE_SIZE
    for suffix, shift in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size and not size % (1 << shift):
            return f"{size >> shift}{suffix}"
    return str(size)


def parse_hotplug(text: str, nodes: tuple[NodeSpec, ...]) -> frozenset[int]:
    """Read the ids of the hot-pluggable nodes, e.g. "1,2"; empty text means none.

    Raises
    ------
    ParameterError
        On an id that is no number, not one of `nodes`, or given twice.
    """
    known = [n.nid for n in nodes]
    found: set[int] = set()
    for word in text.split(",") if text.strip() else ():
        nid = _parse_nid(word, "hotplug", "the form is 1,2")
        if nid not in known:
            choices = ", ".join(map(str, known))
            raise ParameterError("hotplug", word.strip(), f"the machine's nodes are {choices}")
        if nid in found:
            raise ParameterError("hotplug", text, f"node {nid} is given twice")
        found.add(nid)
    return frozenset(found)


def typed_spec(nodes: str, hotplug: str = "", arch: str = "x86-64") -> MachineSpec:
    """Make a machine of typed parameters, memory exactly as typed.

    Raises
    ------
    ParameterError
        As `parse_nodes` and `parse_hotplug`, and on an unknown architecture.
    """
    allowed = [a.value for a in Arch]
    if arch not in allowed:
        raise ParameterError("arch", arch, f"allowed are {', '.join(allowed)}")
    parsed = parse_nodes(nodes)
    marked = parse_hotplug(hotplug, parsed)
    kind = Arch(arch)
    if kind is Arch.PAE and min(n.start_pfn for n in parsed) >= PAE_END_PFN:
        raise ParameterError("nodes", nodes, "PAE reaches memory below 64G only")
    plugged = tuple(
        NodeSpec(
            n.nid,
            tuple(PfnRange(r.start_pfn, r.end_pfn, hotpluggable=n.nid in marked) for r in n.ranges),
        )
        for n in parsed
    )
    return MachineSpec("typed", plugged, kind, _SECTION_PAGES[kind])


def zones_report(
    nodes: str,
    cmdline: str = "",
    hotplug: str = "",
    arch: str = "x86-64",
    profile: str | None = None,
) -> dict[str, Any]:
    """Return the zones of a typed machine under typed boot options.

    Returns
    -------
    dict
        {"zones": [{"node", "zone", "start_pfn", "end_pfn", "spanned", "present"}, ...]},
        by node and zone, names as in /proc/zoneinfo, ends exclusive, empty zones left out.

    Raises
    ------
    ParameterError
        For any parameter that is not understood; nothing is guessed.
    """
    spec = typed_spec(nodes, hotplug, arch)
    options = parse_boot_options(cmdline, strict=True)
    kernel = find_profile(profile or "6.1", spec.arch)
    return {
        "zones": [
            {
                "node": z.nid,
                "zone": z.zone.label,
                "start_pfn": z.start_pfn,
                "end_pfn": z.end_pfn,
                "spanned": z.spanned_pages,
                "present": z.present_pages,
            }
            for z in plan_zones(spec, options, kernel).zones
        ]
    }


def zones_text(report: dict[str, Any]) -> str:
    """Write a report of `zones_report` as a table for people."""
    head = ("node", "zone", "first pfn", "end pfn", "spanned", "present", "memory")
    rows = [
        (
            str(z["node"]),
            z["zone"],
            f"{z['start_pfn']:,}",
            f"{z['end_pfn']:,}",
            f"{z['spanned']:,}",
            f"{z['present']:,}",
            format_bytes(z["present"] * PAGE_SIZE),
        )
        for z in report["zones"]
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 1 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    )
