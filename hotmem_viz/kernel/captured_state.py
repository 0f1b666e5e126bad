"""Gives a model's memory what a capture says about every page at one stage.

Owners are unknown, and a pin does not show (`captured_pins` finds those that a workload is known
to have made).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.captured_pages import stored_path
from hotmem_viz.kernel.page_flags import PageFlag
from hotmem_viz.kernel.page_words import HELD
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.memory.frames import WORD, FrameSet, pack
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, HugeState, MigrateType, PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.page_flags import PageRuns
    from hotmem_viz.memory.physical import PhysicalMemory

TMPFS = "tmpfs"
"""The owner of pages of tmpfs; all others' are unknown."""


def write_state(mem: PhysicalMemory, capture: Capture, stage: str) -> None:
    """Let every page hold what it held at a stage, in pageblocks of the types they had.

    Zones, their marks and which memory blocks are online stay as they are.
    """
    frames = mem.spec.n_sections * mem.spec.section_pages
    told = capture.page_kinds(stage).part(0, frames).expand().astype(np.uint8)
    write_types(mem, capture, stage)
    write_kinds(mem, 0, np.pad(told, (0, frames - len(told))))
    mark_tmpfs(mem, capture.page_runs(stage))
    if capture.has(stored_path("pages", stage)) and capture.manifest.get("format", 1) != 1:
        mark_free_huge(mem, capture.page_words(stage))
    write_types(mem, capture, stage, isolated=True)


def write_kinds(mem: PhysicalMemory, start_pfn: int, kinds: np.ndarray) -> None:
    """Let the frames from `start_pfn` on hold what is told, for nobody known.

    kinds: (n,) uint8 PageKinds; start_pfn and n are multiples of 1,024. Where the model has no
    memory there stays none; where it has and nothing is told, the page is reserved.

    A page without flags that somebody holds is the kernel's only in a pageblock where the kernel
    has its pages. In a MOVABLE one it was free, on a per-CPU list, when flags were read, and a
    user's a moment later, when page structs were: requests of the two kinds take from pageblocks
    of their own. (A kernel page that was stolen from a MOVABLE pageblock is taken for a user's.)
    Where no types were captured, only ZONE_MOVABLE is known to have no pages of the kernel.
    """
    words = np.arange(start_pfn // WORD, (start_pfn + len(kinds)) // WORD)
    now = mem.kind.reshape(-1)[start_pfn : start_pfn + len(kinds)]
    kinds = np.where(kinds == PageKind.HOLE, np.uint8(PageKind.RESERVED), kinds)
    kinds = np.where(now == PageKind.HOLE, np.uint8(PageKind.HOLE), kinds)
    pfns = np.arange(start_pfn, start_pfn + len(kinds))
    own = pfns % mem.spec.section_pages < mem.own_map[pfns // mem.spec.section_pages]
    kinds[own] = PageKind.MEMMAP
    bare = np.flatnonzero(kinds == PageKind.KERNEL_BUFFER)
    users = mem.types[(start_pfn + bare) // PAGEBLOCK_PAGES] == MigrateType.MOVABLE
    if not mem.zone_types[:, MigrateType.UNMOVABLE].any():
        rows = mem.zone.reshape(-1)[start_pfn + bare]
        users &= mem.zones.type[rows] == ZoneType.MOVABLE
    kinds[bare[users]] = PageKind.PAGE_CACHE
    held = FrameSet.of_nonzero(words, pack(now > PageKind.FREE))
    if len(held):
        buddy.give_back(mem, held)
    _write_huge(mem, start_pfn, kinds)
    groups = np.unique(words // GROUP_WORDS)
    groups = groups[mem.extents.of_group[groups] != -1]
    count_blocks(mem, groups, -1)
    for kind in np.unique(kinds[kinds > PageKind.FREE]):
        mem.fill(FrameSet.of_nonzero(words, pack(kinds == kind)), PageKind(int(kind)), 0)
    count_blocks(mem, groups, +1)


def _write_huge(mem: PhysicalMemory, start_pfn: int, kinds: np.ndarray) -> None:
    """Enter whole pageblocks of hugetlb as used huge pages; what is less is a user's memory."""
    huge = kinds.reshape(-1, PAGEBLOCK_PAGES) == PageKind.HUGETLB
    whole = huge.all(axis=1)
    kinds.reshape(-1, PAGEBLOCK_PAGES)[huge & ~whole[:, None]] = PageKind.ANON
    first = start_pfn // PAGEBLOCK_PAGES
    states = np.where(whole, HugeState.USED, HugeState.NONE)
    mem.huge_states[first : first + len(states)] = states


def mark_tmpfs(mem: PhysicalMemory, flags: PageRuns) -> None:
    """Let page cache that only swap could hold be users' memory, of the owner TMPFS.

    There is no swap, so it is as lasting as anonymous memory. flags: of a stretch of memory that
    begins at a multiple of 64.
    """
    owner = mem.owners.add(TMPFS)
    hit = np.repeat(flags.has(PageFlag.SWAPBACKED) & ~flags.has(PageFlag.ANON), flags.pages)
    kinds = mem.kind.reshape(-1)[flags.start_pfn : flags.start_pfn + len(hit)]
    pfns = flags.start_pfn + np.flatnonzero(hit[: len(kinds)] & (kinds == PageKind.PAGE_CACHE))
    frames = FrameSet.of_pfns(pfns)
    if len(frames):
        anon = np.full(len(pfns), PageKind.ANON, np.uint8)
        mem.relabel(frames, anon, np.full(len(pfns), owner, np.uint16))


def free_anon(mem: PhysicalMemory) -> int:
    """Free users' memory as the end of their processes does; returns how many pages.

    Files in tmpfs stay: no process has them.
    """
    files = mem.owner.reshape(-1) == mem.owners.add(TMPFS)
    anon = FrameSet.of_bits(pack((mem.kind.reshape(-1) == PageKind.ANON) & ~files))
    free_pages(mem, anon)
    return len(anon)


def mark_free_huge(mem: PhysicalMemory, words: PageRuns) -> None:
    """Let those huge pages be free whose head nobody holds, by their page structs."""
    used = np.flatnonzero(mem.huge_states == HugeState.USED)
    heads = used * PAGEBLOCK_PAGES
    told = (heads >= words.start_pfn) & (heads < words.end_pfn)
    used, heads = used[told], heads[told]
    free = (words.at(heads) & HELD) == 0
    mem.huge_states[used[free]] = HugeState.FREE


def write_types(
    mem: PhysicalMemory, capture: Capture, stage: str, *, isolated: bool = False
) -> None:
    """Give the pageblocks their captured types; without them all stay MOVABLE.

    isolated: isolate those that are; else give the others theirs. Isolated ones come last, because
    nothing can be allocated in them.
    """
    if not capture.has(stored_path("pbt", stage)):
        return
    told = capture.pageblock_types(stage)
    per_section = mem.spec.section_pages // PAGEBLOCK_PAGES
    blocks = (told.sections[:, None] * per_section + np.arange(told.types.shape[1])).ravel()
    types = told.types.ravel()
    there = (mem.kind.reshape(-1, PAGEBLOCK_PAGES) != PageKind.HOLE).any(axis=1)
    known = (blocks < len(there)) & ((types == MigrateType.ISOLATE) == isolated)
    blocks, types = blocks[known], types[known]
    inside = np.asarray(there)[blocks]
    if inside.any():
        buddy.set_types(mem, blocks[inside], types[inside], merge=True)
