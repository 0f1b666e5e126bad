"""Every array of physical memory, declared once: name, axes, dtype, unit, meaning.

Allocation, checks and the glossary all derive from this table. Axis letters are those of
`hotmem_viz.vocabulary`; W = N / 64 is the number of 64-frame words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Field:
    """One array: its axes as letters, its dtype, its unit, what a value means, and no value."""

    name: str
    axes: str
    dtype: type[np.generic]
    unit: str
    meaning: str
    empty: int = 0


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

TABLE_FIELDS = (
    Field("frame", "R", np.int64, "pfn", "first frame of the table; -1 for 32 bytes of a slab", -1),
    Field("level", "R", np.int16, "index", "level of the geometry; -1 in a row without table", -1),
    Field("parent", "R", np.int32, "table row", "table that points at it; -1 for a top table", -1),
    Field("index", "R", np.int32, "entry", "which entry of the parent; 0 for a top table"),
    Field("space", "R", np.int32, "space row", "address space that it belongs to", -1),
    Field("slot", "R", np.int32, "row", "row of entries or of present; -1 if put aside", -1),
)
"""One row a page table. Who points at a table is a gather: `parent` and `index`."""

ENTRY_FIELDS = (
    Field("entries", "UI", np.int32, "table row", "what each entry points at; see NONE, HUGE", -1),
)
"""One row a table that points at tables; its huge pages too."""

PRESENT_FIELDS = (
    Field("present", "LJ", np.uint64, "bit", "bit i: entry i maps a page"),
    Field("zero", "LJ", np.uint64, "bit", "bit i: that is the zero page, which all share"),
)
"""One row a table of the lowest level, 64 entries a word."""

SPACE_FIELDS = (
    Field("owner", "A", np.uint16, "owner id", "whom its frames are charged to"),
    Field("nid", "A", np.int32, "node id", "node that its task runs on"),
    Field("top", "A", np.int32, "table row", "its top table; -1 once it has exited", -1),
    Field("rss", "A", np.int64, "pages", "pages that its entries map, the zero page left out"),
    Field("score_adj", "A", np.int16, "1/1000", "oom_score_adj: shares of memory added to it"),
    Field("levels", "AD", np.int64, "tables", "its tables by level of the geometry"),
)
"""One row an address space, which is a task here: no threads."""

MAPPING_FIELDS = (
    Field("space", "V", np.int32, "space row", "address space; -1 in a row without mapping", -1),
    Field("start", "V", np.int64, "vpn", "first page"),
    Field("end", "V", np.int64, "vpn", "end, exclusive"),
    Field("segment", "V", np.int32, "segment row", "what it shares; -1 for private memory", -1),
    Field("offset", "V", np.int64, "pages", "page of the segment that it starts with"),
    Field("huge", "V", np.uint8, "HugeUse", "whether touching it maps 2 MiB pages, and which"),
)
"""One row a mapping (struct vm_area_struct)."""

ADDRESS_FIELDS = (
    Field("found_in", "S", np.int32, "section", "physical section of a virtual one; see SCATTERED"),
)
"""The kernel's own virtual-to-physical map, one row a virtual section (`memory.address_map`)."""
