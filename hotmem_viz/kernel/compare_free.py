"""Rows about the free map: free blocks by order, and free pages, from what each page says.

Both have a capture's own pages as input. Orders are predicted by eager merging of the free bitmap
alone, with the function that the model's allocator uses; free pages by counting flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_pages import node_ranges, page_stages, stored_path
from hotmem_viz.kernel.compare_machine import zone_subject
from hotmem_viz.kernel.compare_rows import FREE_SLACK_PAGES, list_value
from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.kernel.page_words import KERNEL_ZONES, NO_ZONE, free_blocks, nids, zone_numbers
from hotmem_viz.mechanisms.orders import find_heads
from hotmem_viz.memory.frames import ALL_ONES, WORD
from hotmem_viz.vocabulary import MAX_ORDER_PAGES, N_ORDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row
    from hotmem_viz.kernel.page_flags import PageRuns
    from hotmem_viz.kernel.page_words import FreeBlocks
    from hotmem_viz.kernel.zoneinfo import ZoneInfo

_SINGLE = ("before/", "sweep/")
_WORDS = MAX_ORDER_PAGES // WORD


def order_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare free blocks by order, per zone, at every stage whose page structs were read.

    All of them were read at one instant, so the counts have to be equal. The pageblock that the
    reader could not reach on 6.1, the first one, is in neither.
    """
    for stage in _whole_stages(machine, "pages"):
        runs = machine.capture.page_words(stage)
        numbers, nodes = zone_numbers(runs), nids(runs)
        for number, zone in enumerate(KERNEL_ZONES):
            of_zone = numbers == number
            for nid in np.unique(nodes[of_zone]).tolist():
                blocks = free_blocks(runs.only(of_zone & (nodes == nid), NO_ZONE))
                _check(machine, stage, blocks)
                yield machine.row(
                    "free-blocks-by-order",
                    f"node {nid} {zone.label} at {stage}",
                    list_value(merged_orders(blocks)),
                    list_value(np.bincount(blocks.orders, minlength=N_ORDERS).tolist()),
                    unit="blocks",
                )


def _check(machine: ComparedMachine, stage: str, blocks: FreeBlocks) -> None:
    crooked = np.flatnonzero(blocks.pfns & ((1 << blocks.orders) - 1))
    if crooked.size:
        where = machine.capture.where(stored_path("pages", stage))
        pfn, order = blocks.pfns[crooked[0]], blocks.orders[crooked[0]]
        raise CaptureError(where, f"the free block at pfn {pfn} is not aligned to order {order}")


def merged_orders(blocks: FreeBlocks) -> list[int]:
    """Return how many blocks of each order eager merging makes of the pages of free blocks.

    Only which pages are free is used, not how they were cut. Work grows with the groups of 1,024
    pages that have a free one.
    """
    groups, index = np.unique(blocks.pfns // MAX_ORDER_PAGES, return_inverse=True)
    bits = np.zeros((len(groups), _WORDS), np.uint64)
    word, bit = np.divmod(blocks.pfns % MAX_ORDER_PAGES, WORD)
    for order in np.unique(blocks.orders).tolist():
        chosen = blocks.orders == order
        g, w = index[chosen], word[chosen]
        pages = 1 << order
        if pages < WORD:
            frames = np.uint64((1 << pages) - 1) << bit[chosen].astype(np.uint64)
            np.bitwise_or.at(bits, (g, w), frames)
        else:
            bits[g[:, None], w[:, None] + np.arange(pages // WORD)] = ALL_ONES
    if not len(groups):
        return [0] * N_ORDERS
    return [int(n) for n in np.bitwise_count(find_heads(bits)).sum(axis=(1, 2), dtype=np.int64)]


def free_page_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare free pages by flag with buddyinfo, per zone, at every stage that has both.

    buddyinfo is read first, the flags half a second later by a program that itself allocates.
    """
    capture = machine.capture
    for stage in _whole_stages(machine, "kpf"):
        if not (capture.has(f"{stage}/buddyinfo") and capture.has(f"{stage}/zoneinfo")):
            continue
        flags, nodes = capture.page_runs(stage), node_ranges(capture, stage)
        listed = {(z.nid, z.name): z.free for z in capture.buddyinfo(stage)}
        for zone in capture.zoneinfo(stage):
            observed = listed.get((zone.nid, zone.name))
            if zone.start_pfn is None or observed is None:
                continue
            why = _moving(zone, observed)
            yield machine.row(
                "free-pages",
                f"{zone_subject(zone)} at {stage}",
                None if why else _flagged(flags, zone, nodes.get(zone.nid, ())),
                observed,
                tolerance=FREE_SLACK_PAGES,
                why=why,
            )


def _flagged(flags: PageRuns, zone: ZoneInfo, ranges: Iterable[tuple[int, int]]) -> int:
    """Count the free pages of a zone by flag, in its node's own memory: spans can overlap."""
    first = zone.start_pfn or 0
    own = [(max(a, first), min(b, first + zone.spanned)) for a, b in ranges]
    return sum(flags.count(PageFlag.BUDDY, a, b) for a, b in own if a < b)


def _moving(zone: ZoneInfo, listed: int) -> str:
    """Say why a zone cannot be compared: it was changing while the stage was read.

    zoneinfo and buddyinfo are read one after the other, in milliseconds. After an OOM thousands
    of pages come free between them, where the killed processes are still leaving.
    """
    moved = abs(zone.free - listed)
    if moved <= FREE_SLACK_PAGES:
        return ""
    return f"memory was changing hands: {moved} pages from zoneinfo to buddyinfo of the same stage"


def _whole_stages(machine: ComparedMachine, folder: str) -> list[str]:
    """Return the stages at which the whole machine was read, not one memory block."""
    return [s for s in page_stages(machine.capture, folder) if not s.startswith(_SINGLE)]
