"""Taking pageblocks out of use: which page vetoes it, marking them, putting them back.

Free frames of an isolated pageblock count for no zone and no request gets them; what is freed
there stays there. Offlining isolates whole memory blocks, so a group of 1,024 frames is isolated
as a whole or not at all (but for a block's own memory map, which is never free), and no free block
straddles a border: merging needs no rule of its own.

Left out: pages that turn from free to used while they are looked at (the kernel's check is racy by
design), poisoned pages and those a balloon switched off, which a machine here has not.

Source: mm/page_isolation.c, 6.1: has_unmovable_pages, start_isolate_page_range,
isolate_single_pageblock, undo_isolate_page_range (KERNEL.md A9).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import buddy
from hotmem_viz.memory.frames import ALL_ONES
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import (
    MAX_ORDER_PAGES,
    PAGEBLOCK_ORDER,
    PAGEBLOCK_PAGES,
    MigrateType,
    PageKind,
    ZoneType,
)

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


@unique
class VetoRule(IntEnum):
    """Why a page stands in the way, in the order in which the kernel finds out.

    The first five veto isolation; of the others the kernel learns when it tries to migrate.
    """

    ISOLATED = 1
    CMA = 2
    RESERVED = 3
    HUGETLB = 4
    UNMOVABLE = 5
    NO_ROOM = 6
    PINNED = 7
    PROMISED = 8


RESERVED_KINDS = (PageKind.HOLE, PageKind.RESERVED, PageKind.MEMMAP, PageKind.KERNEL_IMAGE)
"""Pages that boot reserved, holes among them: PageReserved, which vetoes in any zone."""

LRU_KINDS = (PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER)
"""Pages on the LRU lists: whoever holds them, they can be migrated."""

USER_KINDS = (*LRU_KINDS, PageKind.HUGETLB)
"""Pages that a user maps, and can have pinned."""


@dataclass(frozen=True)
class Veto:
    """The first page found that stands in the way of emptying its pageblock, and why."""

    pfn: int
    kind: PageKind
    owner: str
    rule: VetoRule


@dataclass(frozen=True)
class Isolation:
    """What became of isolating [start_pfn, end_pfn).

    veto: the guilty page; None where the range is isolated. types: (n,) uint8, what its
    pageblocks were before.
    """

    start_pfn: int
    end_pfn: int
    veto: Veto | None
    types: np.ndarray


def find_veto(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Veto | None:
    """Find the page that keeps a range of one zone from being isolated.

    The pageblocks are asked in the kernel's order: the first, the last, then the others
    ascending; within one, the lowest page decides. In ZONE_MOVABLE only reserved pages count.
    """
    zone = int(mem.zone.reshape(-1)[start_pfn])
    movable = bool(mem.zones.type[zone] == ZoneType.MOVABLE)
    rules = _rules_of_kinds(movable=movable, huge_pages_migrate=mem.profile.huge_pages_migrate)
    found = rules[mem.kind.reshape(-1)[start_pfn:end_pfn]].reshape(-1, PAGEBLOCK_PAGES)
    types = mem.types[start_pfn >> PAGEBLOCK_ORDER : end_pfn >> PAGEBLOCK_ORDER]
    found[types == MigrateType.CMA, 0] = VetoRule.CMA
    found[types == MigrateType.ISOLATE, 0] = VetoRule.ISOLATED
    guilty = np.flatnonzero(found.any(axis=1))
    if not len(guilty):
        return None
    block = next((b for b in (0, len(found) - 1) if found[b].any()), int(guilty[0]))
    page = int(np.argmax(found[block] > 0))
    pfn = start_pfn + block * PAGEBLOCK_PAGES + page
    return describe_page(mem, pfn, VetoRule(int(found[block, page])))


def describe_page(mem: PhysicalMemory, pfn: int, rule: VetoRule) -> Veto:
    """Say what a guilty page holds and for whom."""
    kind = PageKind(int(mem.kind.reshape(-1)[pfn]))
    return Veto(pfn, kind, mem.owners.names[int(mem.owner.reshape(-1)[pfn])], rule)


def _rules_of_kinds(*, movable: bool, huge_pages_migrate: bool) -> np.ndarray:
    """Return the rule by which each kind vetoes, 0 where it does not: (K,) uint8."""
    rules = np.zeros(len(PageKind), np.uint8)
    if not movable:
        rules[:] = VetoRule.UNMOVABLE
        rules[[PageKind.FREE, *LRU_KINDS]] = 0
        rules[PageKind.HUGETLB] = 0 if huge_pages_migrate else VetoRule.HUGETLB
    rules[list(RESERVED_KINDS)] = VetoRule.RESERVED
    return rules


def isolate(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Isolation:
    """Isolate a range of one zone, or say which page vetoes it; a veto undoes everything.

    Kernels for which isolation is a migrate type, not a bit beside it (before 6.17), forget what
    the pageblocks were that they had isolated before the veto: those become MOVABLE.

    Raises
    ------
    ParameterError
        When the range is not made of whole pageblocks, or cuts a group of 1,024 frames that is all
        free. (What a memory block's own map leaves of a group is never free as a whole.)
    """
    torn = any(_cuts_free_block(mem, pfn) for pfn in (start_pfn, end_pfn))
    if torn or start_pfn % PAGEBLOCK_PAGES or end_pfn % PAGEBLOCK_PAGES or start_pfn >= end_pfn:
        raise ParameterError("range", (start_pfn, end_pfn), "whole groups of 1024 frames")
    blocks = np.arange(start_pfn >> PAGEBLOCK_ORDER, end_pfn >> PAGEBLOCK_ORDER)
    types, veto = mem.types[blocks], find_veto(mem, start_pfn, end_pfn)
    isolation = Isolation(start_pfn, end_pfn, veto, types)
    if veto is None:
        buddy.set_types(mem, blocks, MigrateType.ISOLATE)
    elif not mem.profile.isolation_keeps_types:
        seen = _isolated_before(len(blocks), (veto.pfn - start_pfn) >> PAGEBLOCK_ORDER)
        seen = seen[types[seen] != MigrateType.MOVABLE]
        if len(seen):
            buddy.set_types(mem, blocks[seen], MigrateType.MOVABLE, merge=True)
    return isolation


def _cuts_free_block(mem: PhysicalMemory, pfn: int) -> bool:
    """Say whether a border would run through a free block of 1,024 frames."""
    if not pfn % MAX_ORDER_PAGES:
        return False
    group = mem.free_bits.reshape(-1, GROUP_WORDS)[pfn // MAX_ORDER_PAGES]
    return bool((group == ALL_ONES).all())


def _isolated_before(n: int, guilty: int) -> np.ndarray:
    """Return which of n pageblocks had been isolated when the guilty one was asked, ascending."""
    turn = np.arange(n) + 1
    turn[-1], turn[0] = 1, 0
    return np.flatnonzero(turn < turn[guilty])


def undo_isolation(mem: PhysicalMemory, isolation: Isolation) -> None:
    """Put isolated pageblocks back into use; free frames count for their zone again.

    They get the types that they had, or all MOVABLE where the kernel does not keep them.
    """
    start, end = isolation.start_pfn, isolation.end_pfn
    blocks = np.arange(start >> PAGEBLOCK_ORDER, end >> PAGEBLOCK_ORDER)
    types: np.ndarray | int = MigrateType.MOVABLE
    if mem.profile.isolation_keeps_types:
        types = isolation.types
    buddy.set_types(mem, blocks, types, merge=True)
