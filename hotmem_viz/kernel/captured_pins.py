"""Finds the pages that a captured workload has pinned.

A pin is a reference, and flags show none. But whoever pins a user's page asks get_user_pages for
it, which marks it REFERENCED, while a page that was only touched is not (gup_pte_range, mm/gup.c,
6.1; gup_fast_pte_range, 6.12). So where the arguments say that the load pins, anonymous pages that
are REFERENCED are taken to be pinned; their number is that of the arguments on both captures that
pin. Left out: pages marked by reclaim, which does not scan anonymous pages without swap.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.memory.frames import FrameSet, pack
from hotmem_viz.vocabulary import PAGE_SIZE, PageKind

if TYPE_CHECKING:
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.page_flags import PageRuns
    from hotmem_viz.memory.physical import PhysicalMemory


def pages_to_pin(capture: Capture) -> int:
    """Return how many pages the load pins, by its arguments."""
    parts = re.findall(r"(?:^|,)pin(\d{1,9})(?=,|$)", str(capture.args.get("load", "")))
    return sum(map(int, parts)) * (1 << 20) // PAGE_SIZE


def look_pinned(flags: PageRuns) -> np.ndarray:
    """Say of each run of pages whether they look pinned: (R,) bool."""
    wanted = flags.has(PageFlag.REFERENCED) & ~flags.has(PageFlag.ACTIVE)
    return np.asarray(wanted & flags.has(PageFlag.ANON))


def mark_pins(mem: PhysicalMemory, flags: PageRuns) -> None:
    """Pin, in the model, the pages that look pinned.

    flags: of a stretch of memory that begins at a multiple of 64.
    """
    hit = np.repeat(look_pinned(flags), flags.pages)
    kinds = mem.kind.reshape(-1)[flags.start_pfn : flags.start_pfn + len(hit)]
    hit = hit[: len(kinds)] & (kinds == PageKind.ANON)
    hit = np.pad(hit, (0, -len(hit) % 64))
    first = flags.start_pfn // 64
    pins = FrameSet.of_nonzero(np.arange(first, first + len(hit) // 64), pack(hit))
    mem.pinned_bits[pins.words] |= pins.bits
