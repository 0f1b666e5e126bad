"""Questions of notebook 07: what real kernels did, predicted from what was known before."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hotmem_viz.errors import HotmemError
from hotmem_viz.kernel.captures import capture_names, open_capture
from hotmem_viz.kernel.compare_loads import LOADS, load_rows
from hotmem_viz.kernel.compare_machine import ComparedMachine, type_of
from hotmem_viz.lessons.captured_scene import find_captured, placing_options
from hotmem_viz.lessons.question import Mistake, Question
from hotmem_viz.machine.spec import Arch
from hotmem_viz.units import MIB, format_pages, percent
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.compare_rows import Row
    from hotmem_viz.kernel.zoneinfo import ZoneInfo
    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "07"
NEAR = 8 * MIB
"""What rounding to 4 MiB does on two nodes."""

SAME = 0.25
"""What reckoning without boosts and half-full slabs comes to at most, as a share."""

NORMAL = 2
"""The column of a 64-bit zone's protection that a GFP_KERNEL request meets."""

OBJECTS = {
    "files": ("creates empty files in tmpfs", "files"),
    "dirs": ("creates directories in tmpfs", "directories"),
    "sockets": ("opens pairs of sockets and parks ten datagrams in each", "pairs"),
    "pipes": ("opens pipes and writes four pages into each", "pipes"),
    "vmas": ("cuts a mapping into areas of a page each", "operations"),
    "procs": ("forks processes that sleep", "processes"),
}
"""Captured loads that end with the OOM killer: what the program does, and what it counts."""


@cache
def _machine(name: str) -> ComparedMachine:
    return ComparedMachine(open_capture(name))


@cache
def _rows(name: str) -> dict[str, Row]:
    """Return what the model says of a captured load and what the kernel did, by quantity."""
    return {row.quantity: row for row in load_rows(_machine(name))}


@cache
def list_loads() -> tuple[str, ...]:
    """List the captures of loads that ZONE_MOVABLE was of no use to: OOM on a 64-bit machine."""
    names = (n for n in capture_names() if re.match(r"(?:v\d+-)?b-", n))
    return tuple(n for n in names if _fits(n))


def _fits(name: str) -> bool:
    machine = _machine(name)
    load = machine.capture.args.get("kind")
    if machine.spec.arch is Arch.PAE or load not in LOADS or load not in OBJECTS:
        return False
    return any(z.zone is ZoneType.MOVABLE and z.managed for z in machine.zones)


def _prediction(name: str, quantity: str) -> tuple[int, int]:
    row = _rows(name).get(quantity)
    if row is None or not isinstance(row.predicted, int) or not isinstance(row.observed, int):
        raise HotmemError(f"{name}: nothing predicted of {quantity}")
    return row.predicted, row.observed


def _split(name: str) -> tuple[list[ZoneInfo], list[ZoneInfo]]:
    """Return a machine's zones after boot: those of the kernel, and the others."""
    kernel: list[ZoneInfo] = []
    others: list[ZoneInfo] = []
    for zone in _machine(name).zones:
        (kernel if type_of(zone) <= ZoneType.NORMAL else others).append(zone)
    return kernel, others


def _managed(name: str) -> tuple[int, int]:
    """Return the pages that a machine's kernel zones manage, and those of its other zones."""
    kernel, others = (sum(z.managed for z in zones) for zones in _split(name))
    return kernel, others


def _kept(name: str) -> tuple[int, int]:
    """Return what is free in kernel zones after boot, and what of it marks and reserves keep."""
    zones = _split(name)[0]
    kept = sum(min(z.free, z.min + z.protection[NORMAL]) for z in zones if z.managed)
    return sum(z.free for z in zones), kept


def _cost(name: str) -> float:
    """Return the pages of kernel memory that one operation of a load costs, from the profile."""
    machine = _machine(name)
    if machine.profile is None:
        raise HotmemError(f"{name}: {machine.no_profile}")
    one = machine.profile.operations[str(machine.capture.args["kind"])]
    own = one.data_pages + one.stacks + one.page_tables
    return own + one.slab_pages(machine.profile.caches)


def _scene(name: str) -> str:
    """Describe the machine and the load."""
    capture = _machine(name).capture
    does, _ = OBJECTS[str(capture.args["kind"])]
    kernel, movable = map(format_pages, _managed(name))
    return (
        f"Linux {capture.kernel} was booted with {placing_options(capture)}: its kernel zones "
        f"manage {kernel}, ZONE_MOVABLE {movable}. One program {does} until the OOM killer comes."
    )


def operations_until_oom(draw: Draw) -> Question:
    """Ask how far a captured load came."""
    name = draw.pick(list_loads())
    _, unit = OBJECTS[str(_machine(name).capture.args["kind"])]
    predicted, observed = _prediction(name, "objects-until-oom")
    free, kept = _kept(name)
    kernel, movable = _managed(name)
    each = _cost(name)
    slips = {
        "if all zones could serve it": round(predicted * (kernel + movable) / kernel),
        "if each took a page, and slabs held one object each": free,
        "if the movable zone served it alone": round(predicted * movable / kernel),
        "if it had to leave three quarters of those zones to others": predicted // 4,
    }
    return Question(
        text=(
            f"{_scene(name)} After boot {format_pages(free)} are free in the kernel zones, and one "
            f"operation costs {each * 4096:,.0f} bytes of slab and other kernel memory. How many "
            "does it get?"
        ),
        unit=unit,
        answer=predicted,
        # What comes near the key by accident is no other answer.
        mistakes=tuple(
            Mistake(value, slip)
            for slip, value in slips.items()
            if abs(value / predicted - 1) > SAME
        ),
        why=(
            f"The kernel zones alone count, and {format_pages(kept)} of them stay behind the min "
            f"marks and the reserve: {(free - kept) / each:,.0f} would fit into the rest. The "
            "model counts page by page, with what was parked before, slabs that are not full and "
            f"marks that a boost raises: {predicted:,}. The captured kernel came to {observed:,}, "
            f"so the model is {percent(abs(predicted / observed - 1), 1)} off."
        ),
        rule="free <= min + boost + reserve, in every zone that the request may use",
        function="__zone_watermark_ok(), mm/page_alloc.c",
        claims=("S12",),
        see=find_captured(name, "Out of memory"),
    )


def free_at_oom(draw: Draw) -> Question:
    """Ask how much memory a captured machine had free when it was out of memory."""
    name = draw.pick(list_loads())
    predicted, observed = _prediction(name, "free-movable")
    _, kept = _kept(name)
    kernel, movable = _managed(name)
    return Question(
        text=(
            f"{_scene(name)} How much memory is free in ZONE_MOVABLE at that moment? The kernel's "
            "report does not print it."
        ),
        unit="MiB",
        answer=round(predicted / MIB),
        mistakes=(
            Mistake(0, "if out of memory meant that no memory is left"),
            Mistake(round(kept / MIB), "with what the report prints: the kernel zones"),
            Mistake(round(movable / MIB / 2), "if kernel memory spilled into the zone half-way"),
            Mistake(round((kernel + movable) / MIB), "if the load had used nothing"),
        ),
        why=(
            f"{predicted:,} of {movable:,} pages: the zone was never asked. The captured kernel "
            f"had {observed:,} pages free there in its last sample."
        ),
        rule="a request without __GFP_MOVABLE never looks at ZONE_MOVABLE",
        function="gfp_zone(), show_free_areas()",
        claims=("S10", "S12"),
        see=find_captured(name, "Out of memory"),
    )


@cache
def list_layouts() -> tuple[str, ...]:
    """List the captures of machines whose command line or firmware places ZONE_MOVABLE."""
    names = (n for n in capture_names() if re.match(r"(?:v\d+-)?a-", n))
    return tuple(n for n in names if _words(n))


def _words(name: str) -> str:
    return placing_options(_machine(name).capture)


def movable_size(draw: Draw) -> Question:
    """Ask how large ZONE_MOVABLE becomes on a captured machine."""
    name = draw.pick(list_layouts())
    machine, words = _machine(name), _words(name)
    if machine.plan is None:
        raise HotmemError(f"{name}: the zones are not predicted")
    spec, options = machine.spec, machine.options
    found = [z for z in machine.plan.zones if z.zone is ZoneType.MOVABLE]
    pages, total = sum(z.present_pages for z in found), spec.present_pages
    marked = sum(r.end_pfn - r.start_pfn for n in spec.nodes for r in n.ranges if r.hotpluggable)
    kernel = options.kernelcore_pages(total)
    asked = options.movablecore_pages(total) or (total - kernel if kernel else marked)
    seen = sum(z.present for z in machine.zones if z.zone is ZoneType.MOVABLE)
    nodes = "; ".join(
        f"node {nid}: " + ", ".join(f"{_gib(a)}–{_gib(b)} GiB" for a, b in spans if b - a > MIB)
        for nid, spans in sorted(machine.capture.boot_log.node_ranges.items())
    )
    marks = ", ".join(
        f"{_gib(m.start_pfn)}–{_gib(m.end_pfn)} GiB" for m in machine.capture.srat if m.hotpluggable
    )
    notes = "".join(f"Here {note}. " for note in machine.plan.notes)
    slips = {
        "if the option's number were simply carried out": asked,
        "if the option were of no effect": 0,
        "if the kernel got half in any case": total // 2,
        "if nothing were kept for the kernel": total,
        "if everything above 4 GiB became movable": _above(machine),
    }
    return Question(
        text=(
            f"Linux {machine.capture.kernel} boots with {words}. Memory: {nodes}."
            f"{f' Firmware marks {marks} as hot-pluggable.' if marks else ''} How large is "
            "ZONE_MOVABLE, all nodes together?"
        ),
        unit="MiB",
        answer=round(pages / MIB),
        # What differs by rounding alone is no other answer.
        mistakes=tuple(
            Mistake(round(value / MIB), slip)
            for slip, value in slips.items()
            if abs(value - pages) > NEAR
        ),
        why=(
            f"{notes}The zone is cut from the highest zone of each node "
            "alone, and each start is rounded up to 4 MiB. The captured kernel's zoneinfo says "
            f"{seen:,} pages present, the model {pages:,}."
        ),
        rule="shares spread over nodes; starts are rounded up to 4 MiB",
        function="find_zone_movable_pfns_for_nodes(), mm/mm_init.c",
        claims=("S2", "S5"),
        see=find_captured(name),
    )


def _gib(pfn: int) -> str:
    return f"{round(pfn / MIB / 1024, 2):g}"


def _above(machine: ComparedMachine) -> int:
    """Count the pages from 4 GiB up."""
    spans = [s for spans in machine.capture.boot_log.node_ranges.values() for s in spans]
    return sum(max(0, end - max(start, 1 << 20)) for start, end in spans)


MAKERS: dict[str, Maker] = {
    "operations_until_oom": operations_until_oom,
    "free_at_oom": free_at_oom,
    "movable_size": movable_size,
}
