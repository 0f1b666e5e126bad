"""The words of the package, one for each thing, spelled as the kernel spells them.

Everything here is a unique IntEnum, so that a word can live in an array. The letters that
docstrings use for shapes are defined once, here:

S sections, P pages per section, N = S * P page frames (index = pfn), B pageblocks per
section, E extents (the part of one section that lies in one zone), M nodes, Z zones,
T ticks, C cells of the map, O = 11 buddy orders, Y = 6 migrate types, K page kinds. Of page
tables: A address spaces, V mappings, D levels, R tables, of which U point at tables and L at pages.
"""

from __future__ import annotations

from enum import IntEnum, unique

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
"""Bytes in a page (include/asm-generic/page.h; all architectures modelled here)."""

MAX_ORDER = 10
"""Highest buddy order, inclusive: blocks of 1,024 pages (include/linux/mmzone.h)."""

N_ORDERS = MAX_ORDER + 1
PAGEBLOCK_ORDER = 9
"""Pages are grouped by mobility in blocks of 2**9 (x86-64 and PAE; pageblock-flags.h)."""

PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER
MAX_ORDER_PAGES = 1 << MAX_ORDER


@unique
class ZoneType(IntEnum):
    """The zones of a node, lowest first (enum zone_type, include/linux/mmzone.h).

    The kernel leaves out what an architecture lacks (DMA32 and HighMem never meet); the
    numbers here are those of the union, so that one order serves both.
    """

    DMA = 0
    DMA32 = 1
    NORMAL = 2
    HIGHMEM = 3
    MOVABLE = 4

    @property
    def label(self) -> str:
        """The zone's name as /proc/zoneinfo prints it."""
        return _ZONE_LABELS[self]


_ZONE_LABELS = {
    ZoneType.DMA: "DMA",
    ZoneType.DMA32: "DMA32",
    ZoneType.NORMAL: "Normal",
    ZoneType.HIGHMEM: "HighMem",
    ZoneType.MOVABLE: "Movable",
}


@unique
class MigrateType(IntEnum):
    """What a pageblock is meant to hold (enum migratetype, include/linux/mmzone.h)."""

    UNMOVABLE = 0
    MOVABLE = 1
    RECLAIMABLE = 2
    HIGHATOMIC = 3
    CMA = 4
    ISOLATE = 5


@unique
class SectionState(IntEnum):
    """What a section is to the kernel (include/linux/memory.h; KERNEL.md 5.1).

    ABSENT is 0: nothing is plugged in. OFFLINE has a memory map but belongs to no zone. From
    ISOLATING on they are the states of the mail's proposal, which no kernel has.
    """

    ABSENT = 0
    OFFLINE = 1
    ONLINE = 2
    GOING_OFFLINE = 3
    ISOLATING = 4
    EMPTYING = 5
    RESIDUAL = 6
    RESERVING = 7
    STOPPED = 8
    OFFLINE_MIGRATED = 9
    REMOVED = 10
    FAILED = 11
    TARGET = 12


ONLINE_STATES = (
    SectionState.ONLINE,
    SectionState.GOING_OFFLINE,
    SectionState.ISOLATING,
    SectionState.EMPTYING,
    SectionState.RESIDUAL,
    SectionState.RESERVING,
    SectionState.STOPPED,
    SectionState.FAILED,
    SectionState.TARGET,
)
"""States in which a section's frames belong to a zone."""


@unique
class TableLevel(IntEnum):
    """The levels of a page table, lowest first (Documentation/mm/page_tables.rst).

    A geometry uses some of them: the PTE level always, and PGD as the topmost one.
    """

    PTE = 0
    PMD = 1
    PUD = 2
    P4D = 3
    PGD = 4


@unique
class Movability(IntEnum):
    """What could become of a page when its section has to go: the mail's three classes."""

    MOVES = 0
    REMAP_ONLY = 1
    NEVER = 2


@unique
class PageKind(IntEnum):
    """What a page frame holds, ordered by how hard it is to move away.

    The order is used: a map cell that stands for many pages shows the largest kind among
    them, its least movable page. HOLE is 0 so that absent memory costs nothing.
    """

    HOLE = 0
    FREE = 1
    PAGE_CACHE = 2
    ANON = 3
    BUFFER = 4
    HUGETLB = 5
    RECLAIMABLE_SLAB = 6
    SLAB = 7
    KERNEL_STACK = 8
    KERNEL_BUFFER = 9
    PAGE_TABLE = 10
    RESERVED = 11
    MEMMAP = 12
    KERNEL_IMAGE = 13
    PINNED = 14

    @property
    def movability(self) -> Movability:
        """The mail's class of the kind (KERNEL.md A5 and 5.3)."""
        if self <= PageKind.HUGETLB:
            return Movability.MOVES
        if self <= PageKind.PAGE_TABLE:
            return Movability.REMAP_ONLY
        return Movability.NEVER


@unique
class HugeState(IntEnum):
    """What a pageblock is to the pool of huge pages of 2 MiB (struct hstate, mm/hugetlb.c)."""

    NONE = 0
    FREE = 1
    USED = 2


@unique
class EventKind(IntEnum):
    """What a tick can report; those that are marks stand on the transport's bar."""

    BOOT = 0
    KSWAPD_WAKE = 1
    FALLBACK = 2
    RECLAIM = 3
    REFUSED = 4
    OOM = 5
    SPILL = 6
    KSWAPD_GIVES_UP = 7
    DONE = 8
    MIXING = 9
    ISOLATED = 10
    MIGRATED = 11
    OFFLINED = 12
    OFFLINE_REFUSED = 13
    NEVER_ENDS = 14
    INTERRUPTED = 15
    CAPTURED = 40

    RESIDUE = 50
    RESERVED = 51
    STOPPED = 52
    COPIED = 53
    TABLE_WRITTEN = 54
    TABLES_WALKED = 55
    RESUMED = 56
    OFFLINE_MIGRATED = 57
    LOOKUP = 58
    DRAINED = 59
    COPIED_HOME = 60
    TARGET_REMOVED = 61
    REMAP_FAILED = 62
    CORRUPTED = 63
    BURST_OVER = 64
    DEVICE_PAGE = 65
    TAX = 66
    DEVICE_REGION = 67

    BOOTED_AGAIN = 90
    RANGE_READ = 91
    REMOTE_KERNEL = 92
    SCORED = 93
    MACHINE_CHANGED = 94
    BLOCK_ONLINED = 95

    FILLED = 70
    PLUGGED = 71
    ONLINED = 72
    IDLED = 73
    IN_THE_WAY = 74
    ASKED_AGAIN = 75
    RELEASED = 76
    CALLBACK = 77
    UNPLUGGED = 78
    CORNER = 79

    MAPPED = 80
    TABLES_SPILL = 81
    KILLED = 82
    ENOMEM = 83
    STARVED = 84

    CAPACITY = 100
    NODE_ADDED = 101
    LOADED = 103
    NODE_BREAKS = 104
    NODE_LEFT = 105
    COMPARED = 106

    CACHE_STOPS = 110
    ADD_KILLS = 111
    LOAD_FITS = 112
    LOAD_KILLS = 113
    NO_BOOT = 114
    FRAGMENTED = 115
    ASKED_HUGE = 116
    COMPACTED = 117
    POOL_FULL = 118
