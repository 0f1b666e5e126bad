"""What became of memory blocks after boot, in order: the inputs of comparisons after hot-plug."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.kernel.capture_files import CONSOLE
from hotmem_viz.kernel.captured_pages import block_pages
from hotmem_viz.kernel.hotplug_answers import OK
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE, ONLINE_MOVABLE, ONLINE_STRINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.blocks import MemoryBlock
    from hotmem_viz.kernel.captures import Capture

STAGES = (
    "added",
    "plugged",
    "onlined",
    "loaded",
    "removed",
    "removed2",
    "unplugged",
    "gone",
    "after",
    "end",
)
"""Moments after boot, in the order in which a scenario reaches them; most have only some."""

REFUSED = "refused"
_ASKED = "HM-MARK device_del"
_DUMPED, _UNMOVABLE = re.compile(r" pfn:0x([0-9a-f]{1,13})\b", re.ASCII), "unmovable page"


@dataclass(frozen=True)
class BlockEvent:
    """A memory block that went offline (`how` is "offline") or came online by a word."""

    block: int
    how: str


@dataclass(frozen=True)
class Stage:
    """A moment, and what had happened to blocks since the one before, in order."""

    name: str
    events: tuple[BlockEvent, ...]


def is_growth(capture: Capture) -> bool:
    """Say whether the scenario adds DIMMs until one does not fit, even if the first did not."""
    return "hm.scen=growth" in capture.cmdline.split()


def has_hotplug(capture: Capture) -> bool:
    """Say whether any memory block of a capture changed, or was to change, after boot."""
    return bool(
        capture.sweep()
        or is_growth(capture)
        or any(capture.has(f"{stage}/blocks") for stage in ("added", "plugged"))
    )


def read_stages(capture: Capture, default_state: str) -> Iterator[Stage]:
    """Yield the moments after boot that have zones, with the block events before each.

    What a block's state was at two moments says what happened between; a sweep's own list says
    more, for a block goes and comes between two moments. Blocks that come at one time do so in
    ascending order, and so they leave; virtio-mem gives its highest blocks back first.
    default_state: what becomes of an added block by itself.
    """
    online = {b.phys_index for b in capture.blocks() if b.state != OFFLINE}
    for name in STAGES:
        if name not in capture.stages or not capture.has(f"{name}/blocks"):
            continue
        now = {b.phys_index for b in capture.blocks(name) if b.state != OFFLINE}
        how = _how(capture, name, default_state)
        left = sorted(online - now, reverse=capture.has("vmem"))
        events = [BlockEvent(b, OFFLINE) for b in left]
        events += [BlockEvent(b, how) for b in _in_order(capture, name, now - online)]
        if name == "after":
            events = list(itertools.chain.from_iterable(_swept(capture)))
        if name == "removed" and not events:
            events = _refused(capture, online & {b.phys_index for b in new_blocks(capture)})
        yield Stage(name, tuple(events))
        online = now


def _how(capture: Capture, stage: str, default_state: str) -> str:
    """Return the word by which blocks came online before a stage."""
    if stage == "added":
        return default_state if default_state != OFFLINE else ONLINE
    asked = capture.args.get("how", ONLINE_MOVABLE if is_growth(capture) else ONLINE)
    return asked if asked in ONLINE_STRINGS[1:] else ONLINE


def _in_order(capture: Capture, stage: str, blocks: set[int]) -> list[int]:
    """Put blocks that came online in the order in which the scenario took them."""
    numbers = {b.number: b.phys_index for b in capture.blocks(stage)}
    asked = [numbers.get(o.block, -1) for o in capture.onlining() if o.errno == 0]
    first = [b for b in dict.fromkeys(asked) if b in blocks]
    return first + sorted(blocks - set(first))


def _swept(capture: Capture) -> Iterator[list[BlockEvent]]:
    """Yield what each attempt of a sweep did: nothing, or offline and back."""
    numbers = {b.number: b.phys_index for b in capture.blocks()}
    for attempt in capture.sweep():
        if attempt.verdict != OK or attempt.block not in numbers:
            continue
        block = numbers[attempt.block]
        back = [BlockEvent(block, attempt.back)] if attempt.back in ONLINE_STRINGS[1:] else []
        yield [BlockEvent(block, OFFLINE), *back]


def _refused(capture: Capture, blocks: set[int]) -> list[BlockEvent]:
    """Return what a refused removal did all the same.

    A first pass sets offline all blocks of the DIMM that can be; when a second one meets a block
    that cannot, those come back, by plain `online` (acpi_scan_try_to_offline,
    drivers/acpi/scan.c, 6.1). The log dumps a page of each block that could not.
    """
    removal = capture.removal()
    if removal is None or removal.verdict != REFUSED:
        return []
    dumped = {pfn // block_pages(capture) for pfn in _dumped(capture.text(CONSOLE))}
    left = sorted(blocks - dumped) if dumped & blocks else []
    return [BlockEvent(b, how) for how in (OFFLINE, ONLINE) for b in left]


def _dumped(console: str) -> Iterator[int]:
    """Yield the pfns of the pages that a removal failed for, as dump_page prints them."""
    pfn = None
    for line in console.partition(_ASKED)[2].splitlines():
        found = _DUMPED.search(line)
        pfn = int(found[1], 16) if found else pfn
        if pfn is not None and line.endswith(f"page dumped because: {_UNMOVABLE}"):
            yield pfn


def new_blocks(capture: Capture) -> list[MemoryBlock]:
    """Return the blocks that came after boot at any moment, ascending."""
    old = {b.phys_index for b in capture.blocks()}
    found = {}
    for stage in STAGES:
        found.update({b.phys_index: b for b in capture.blocks(stage) if b.phys_index not in old})
    return [found[i] for i in sorted(found)]


def block_range(capture: Capture, block: int) -> tuple[int, int]:
    """Return the first pfn of a block by its index, and the end."""
    pages = block_pages(capture)
    return block * pages, (block + 1) * pages
