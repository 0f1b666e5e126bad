"""Every array of physical memory, declared once: name, axes, dtype, unit, meaning.

Allocation, checks and the glossary all derive from this table. Axis letters are those of
`hotmem_viz.vocabulary`; W = N / 64 is the number of 64-frame words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Field:
    """One array: its axes as letters, its dtype, its unit and what a value means."""

    name: str
    axes: str
    dtype: type[np.generic]
    unit: str
    meaning: str


PAGE_FIELDS = (
    Field("kind", "SP", np.uint8, "PageKind", "what the frame holds; 0 is a hole"),
    Field("owner", "SP", np.uint16, "owner id", "row of the owner table; 0 is nobody"),
    Field("zone", "SP", np.uint8, "zone id", "row of the zone table; meaningless in a hole"),
    Field("free_bits", "W", np.uint64, "bit", "bit i of word w: frame 64 w + i is free"),
    Field("pinned_bits", "W", np.uint64, "bit", "bit i of word w: frame 64 w + i is pinned"),
    Field("migratetype", "SB", np.uint8, "MigrateType", "what the pageblock is meant to hold"),
    Field("huge", "SB", np.uint8, "HugeState", "whether the pageblock is a huge page of the pool"),
)
"""Arrays along the frames. Together 4.26 bytes a frame.

A frame is pinned while somebody holds a reference that the kernel cannot account for
(`mechanisms.pins`), whatever it holds. A frame of kind PINNED is a driver's own, allocated for a
device: nobody else refers to it, so there is no reference to count.
"""

SECTION_FIELDS = (
    Field("section_state", "S", np.uint8, "SectionState", "absent, offline, online, or leaving"),
    Field("own_map", "S", np.int32, "pages", "first frames, which hold their block's memory map"),
)
"""Arrays along the sections."""

COUNT_FIELDS = (
    Field("free_blocks", "EYO", np.int32, "blocks", "free buddy blocks by type and order"),
    Field("extent_kinds", "EK", np.int32, "pages", "frames of each kind in the extent"),
    Field("zone_kinds", "ZK", np.int64, "pages", "frames of each kind in the zone"),
    Field("zone_types", "ZY", np.int64, "pageblocks", "pageblocks of each type in the zone"),
)
"""Counts that the writers keep current; `invariants` recounts them."""

ZONE_FIELDS = (
    Field("nid", "Z", np.int64, "node id", "node of the zone"),
    Field("type", "Z", np.int64, "ZoneType", "DMA, DMA32, Normal, HighMem or Movable"),
    Field("start_pfn", "Z", np.int64, "pfn", "first frame of the span"),
    Field("end_pfn", "Z", np.int64, "pfn", "end of the span, exclusive"),
    Field("present", "Z", np.int64, "pages", "frames of the span that exist"),
    Field("managed", "Z", np.int64, "pages", "present less what boot reserved"),
    Field("free", "Z", np.int64, "pages", "free frames outside isolated pageblocks"),
    Field("min", "Z", np.int64, "pages", "watermark below which only reclaim helps"),
    Field("low", "Z", np.int64, "pages", "watermark below which kswapd is woken"),
    Field("high", "Z", np.int64, "pages", "watermark at which kswapd stops"),
    Field("boost", "Z", np.int64, "pages", "added to all three after a fragmenting fallback"),
)
"""One row a zone (struct zone, include/linux/mmzone.h)."""
