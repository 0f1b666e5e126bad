"""A memory block of a captured kernel the moment before it was asked to go, in words.

What it held is read off the capture's page flags; what becomes of the request is the model's
attempt on the captured state, the same as `compare` counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import HotmemError
from hotmem_viz.kernel.capture_map import count_kinds
from hotmem_viz.kernel.captured_pages import block_pages, present_ranges
from hotmem_viz.kernel.captures import capture_names
from hotmem_viz.kernel.hotplug_answers import INVALID, NEVER, OK
from hotmem_viz.lessons.captured_scene import find_captured, placing_options, show_once
from hotmem_viz.mechanisms.offline import Verdict
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.capture_show import CaptureShow
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.hotplug_answers import OfflineAttempt
    from hotmem_viz.lessons.question import Scene
    from hotmem_viz.lessons.questions import Draw
    from hotmem_viz.recording.recording import Event

SWEEP = re.compile(r"(?:v\d+-)?d-sweep-")

FLAGS = {
    PageKind.FREE: "free pages",
    PageKind.PAGE_CACHE: "of page cache",
    PageKind.ANON: "of anonymous memory",
    PageKind.HUGETLB: "of huge pages",
    PageKind.RECLAIMABLE_SLAB: "of slab",
    PageKind.SLAB: "of slab",
    PageKind.KERNEL_STACK: "without any flag",
    PageKind.KERNEL_BUFFER: "without any flag",
    PageKind.PAGE_TABLE: "of page tables",
    PageKind.RESERVED: "reserved since boot",
    PageKind.MEMMAP: "of the memory map",
    PageKind.KERNEL_IMAGE: "of the kernel's image",
}
"""What page flags tell apart. No flag: the kernel's, or free on a per-CPU list."""

LOADS = {
    "anon": "{:,} MiB of anonymous memory",
    "pin": "{:,} MiB that a program keeps pinned",
    "tmpfs": "{:,} MiB of files in tmpfs",
    "files": "{:,} empty files",
    "huge": "a pool of {:,} huge pages, unused",
}


@dataclass(frozen=True)
class BlockCase:
    """One attempt of a captured sweep.

    machine, place, held, room: what was known before, in words. verdict, reason: how the model's
    attempt ended, and why. observed: what the kernel answered, in words. see: where that is seen.
    """

    machine: str
    place: str
    held: str
    room: str
    verdict: Verdict
    reason: str
    function: str
    claims: tuple[str, ...]
    observed: str
    see: Scene


def list_sweeps() -> tuple[str, ...]:
    """List the captures in which every memory block was asked to go offline."""
    return tuple(name for name in capture_names() if SWEEP.match(name))


def take_block(name: str, draw: Draw) -> BlockCase:
    """Draw one attempt of a sweep, on a block that is not all free.

    Raises HotmemError where the model makes no such attempt.
    """
    show = show_once(name)
    capture = show.source
    attempt = draw.pick([a for a in capture.sweep() if _is_worth_asking(capture, a)])
    told = _model_event(show, attempt)
    return BlockCase(
        machine=_machine(capture),
        place=_place(capture, attempt),
        held=_held(capture, attempt.block),
        room=_room(capture),
        verdict=Verdict(told.title.partition(": ")[2]),
        reason=told.text,
        function=told.function,
        claims=told.claims,
        observed=_observed(attempt),
        see=find_captured(name, f"memory{attempt.block} "),
    )


def _is_worth_asking(capture: Capture, attempt: OfflineAttempt) -> bool:
    kinds = count_kinds(capture.page_kinds(f"sweep/memory{attempt.block}"))
    return attempt.before == "online" and int(kinds[PageKind.FREE]) < int(kinds.sum())


def _model_event(show: CaptureShow, attempt: OfflineAttempt) -> Event:
    """Return what the model's run says of an attempt."""
    if show.model is None:
        raise HotmemError(f"{show.source.name}: {show.why}")
    head = f"memory{attempt.block}: "
    return next(e for e in show.model.event_list if e.title.startswith(head))


def _machine(capture: Capture) -> str:
    """Describe the machine: kernel, memory, the options that place ZONE_MOVABLE, the load."""
    ranges = capture.boot_log.node_ranges
    pages = sum(end - start for spans in ranges.values() for start, end in spans)
    words = placing_options(capture)
    options = f" with {words}" if words else ""
    text = f"Linux {capture.kernel} runs{options} on {len(ranges)} nodes, {format_pages(pages)}."
    loads = re.findall(r"([a-z]+)(\d+)", str(capture.args.get("load", "")))
    held = " and ".join(LOADS[name].format(int(count)) for name, count in loads)
    return f"{text} Loaded: {held}." if held else f"{text} It is idle."


def _place(capture: Capture, attempt: OfflineAttempt) -> str:
    zones = ", ".join(attempt.valid_zones) or "none"
    size = format_pages(block_pages(capture))
    return f"memory{attempt.block} is a block of {size}; its valid_zones says “{zones}”."


def _held(capture: Capture, block: int) -> str:
    """List what a block held, by page flags; pages that do not exist are told apart."""
    size = block_pages(capture)
    counts = count_kinds(capture.page_kinds(f"sweep/memory{block}")).tolist()
    start, end = block * size, (block + 1) * size
    there = sum(
        max(0, min(last, end) - max(first, start))
        for first, last in present_ranges(capture, "boot")
    )
    # Flags call a page that does not exist reserved.
    holes = size - there
    counts[PageKind.RESERVED] -= min(holes, counts[PageKind.RESERVED])
    totals: dict[str, int] = {}
    for kind, word in FLAGS.items():
        totals[word] = totals.get(word, 0) + counts[kind]
    if holes:
        totals["that do not exist"] = holes
    return ", ".join(f"{n:,} {word}" for word, n in totals.items() if n)


def _room(capture: Capture) -> str:
    """Say what was free on the whole machine."""
    stage = "loaded" if capture.has("loaded/zoneinfo") else "boot"
    free = {True: 0, False: 0}
    for zone in capture.zoneinfo(stage):
        if zone.zone is not None:
            free[zone.zone <= ZoneType.NORMAL] += zone.free
    kernel, movable = format_pages(free[True]), format_pages(free[False])
    return f"On the whole machine {kernel} were free in kernel zones, {movable} in ZONE_MOVABLE"


def _observed(attempt: OfflineAttempt) -> str:
    """Say what the captured kernel answered."""
    if attempt.verdict == NEVER:
        return f"On the captured kernel a signal ended it after {attempt.seconds:.1f} s."
    words = {OK: "took it offline", INVALID: "answered EINVAL"}
    said = words.get(attempt.verdict, f"answered {attempt.verdict}")
    return f"The captured kernel {said} after {attempt.seconds * 1000:.1f} ms."
