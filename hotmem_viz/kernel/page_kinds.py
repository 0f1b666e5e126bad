"""Says what each page of a captured kernel holds, in the model's words, from its flags.

What flags cannot tell: which slab is reclaimable (all is SLAB); a kernel stack, a pipe buffer, a
page of a driver, a large kmalloc (all KERNEL_BUFFER, and on kernels before 6.12 also the upper page
tables); a pin (pinned pages look like any user page); on 7.2 the memory map among the reserved
pages, and on every kernel the map of memory that was added later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.page_flags import PageFlag, PageRuns
from hotmem_viz.kernel.page_words import NO_ZONE, held, zone_numbers
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMMAP = np.uint64(PageFlag.RESERVED.mask | PageFlag.PRIVATE.mask)
_CACHE = PageFlag.LRU.mask | PageFlag.UPTODATE.mask | PageFlag.SWAPBACKED.mask | PageFlag.THP.mask


def kinds_of_flags(words: np.ndarray) -> np.ndarray:
    """Return the kind that a word of /proc/kpageflags tells, word by word: (R,) uint8.

    The first rule that fits decides, because flags are left over from what a page was before:
    slab and page tables come before anonymous pages. Reserved pages that are PRIVATE are the
    memory map and a node's own data, marked so by get_page_bootmem (mm/bootmem_info.c, 6.1 and
    6.12). Huge pages of hugetlb are users' memory and move, hence ANON.
    """

    def has(*flags: PageFlag) -> np.ndarray:
        found: np.ndarray = (words & np.uint64(sum(f.mask for f in flags))) != 0
        return found

    rules: list[tuple[np.ndarray, PageKind]] = [
        (has(PageFlag.NOPAGE), PageKind.HOLE),
        ((words & _MEMMAP) == _MEMMAP, PageKind.MEMMAP),
        (has(PageFlag.RESERVED, PageFlag.HWPOISON, PageFlag.OFFLINE), PageKind.RESERVED),
        (has(PageFlag.BUDDY), PageKind.FREE),
        (has(PageFlag.PGTABLE), PageKind.PAGE_TABLE),
        (has(PageFlag.SLAB), PageKind.SLAB),
        (has(PageFlag.HUGE, PageFlag.ANON), PageKind.ANON),
        ((words & np.uint64(_CACHE)) != 0, PageKind.PAGE_CACHE),
    ]
    conditions, kinds = zip(*rules, strict=True)
    choices = [np.uint8(kind) for kind in kinds]
    return np.select(conditions, choices, np.uint8(PageKind.KERNEL_BUFFER)).astype(np.uint8)


def page_kinds(
    flags: PageRuns,
    words: PageRuns | None = None,
    *,
    held_known: bool = False,
    present: Sequence[tuple[int, int]] | None = None,
    image: Sequence[tuple[int, int]] = (),
) -> PageRuns:
    """Return what every page holds, as runs whose words are PageKinds (uint8).

    words
        What the page structs say of the same pages, or the first of them; they tell holes apart,
        which 7.2 shows as flags 0, and where `held_known` (format 2) free pages of per-CPU lists.
    present
        Memory that exists, as (start, end) pfns: a page outside it without any flag is a hole.
    image
        Where the kernel's image lies; its reserved pages become KERNEL_IMAGE.

    Raises
    ------
    ParameterError
        When `words` begin at another pfn than `flags`.
    """
    if words is not None and words.start_pfn != flags.start_pfn:
        raise ParameterError("words", words.start_pfn, f"flags begin at pfn {flags.start_pfn}")
    cuts = [flags.starts, [pfn for span in (*(present or ()), *image) for pfn in span]]
    if words is not None:
        cuts += [words.starts, [words.end_pfn]]
    edges = np.unique(np.concatenate([np.asarray(c, np.int64) for c in cuts]))
    starts = edges[(edges >= flags.start_pfn) & (edges < flags.end_pfn)]
    word = flags.at(starts)
    kinds = kinds_of_flags(word)
    bare = word == 0
    if words is not None:
        _apply_words(kinds, bare, starts, words, held_known)
    if present is not None:
        kinds[bare & ~_inside(starts, present)] = PageKind.HOLE
    kinds[(kinds == PageKind.RESERVED) & _inside(starts, image)] = PageKind.KERNEL_IMAGE
    return PageRuns(kinds, np.diff(starts, append=flags.end_pfn), flags.start_pfn).merged()


def _apply_words(
    kinds: np.ndarray, bare: np.ndarray, starts: np.ndarray, words: PageRuns, held_known: bool
) -> None:
    """Let page structs decide about pages without any flag."""
    absent = zone_numbers(words) == NO_ZONE
    free = ~held(words) & ~absent if held_known else np.zeros(len(absent), bool)
    # The first run of a machine is the pageblock that the reader cannot reach on 6.1.
    absent[:1] &= words.start_pfn > 0
    told = bare & (starts < words.end_pfn)
    run = np.searchsorted(words.ends, starts[told], side="right")
    found = np.where(absent[run], np.uint8(PageKind.HOLE), kinds[told])
    kinds[told] = np.where(free[run], np.uint8(PageKind.FREE), found)


def _inside(pfns: np.ndarray, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    found = np.zeros(len(pfns), bool)
    for start, end in spans:
        found |= (pfns >= start) & (pfns < end)
    return found
