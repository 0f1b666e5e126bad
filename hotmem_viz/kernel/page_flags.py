"""Reads page flags as /proc/kpageflags tells them, in runs of pages that are alike.

A machine of any size is as many runs as it has changes: nothing here grows with its pages.
Source: fs/proc/page.c, include/uapi/linux/kernel-page-flags.h and
include/linux/kernel-page-flags.h, 6.1 to 7.2 (KERNEL.md 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from functools import cached_property

import numpy as np

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel.lines import MAX_PFN

_RUN_BYTES = 16


@unique
class PageFlag(IntEnum):
    """The bits of a word of /proc/kpageflags; those from 32 on are for kernel hackers.

    A kernel sets what its page structs say, so a flag can be left over: slab pages of 6.12 also
    show ANON and KSM, page tables of 7.2 REFERENCED.
    """

    LOCKED = 0
    ERROR = 1
    REFERENCED = 2
    UPTODATE = 3
    DIRTY = 4
    LRU = 5
    ACTIVE = 6
    SLAB = 7
    WRITEBACK = 8
    RECLAIM = 9
    BUDDY = 10
    MMAP = 11
    ANON = 12
    SWAPCACHE = 13
    SWAPBACKED = 14
    COMPOUND_HEAD = 15
    COMPOUND_TAIL = 16
    HUGE = 17
    UNEVICTABLE = 18
    HWPOISON = 19
    NOPAGE = 20
    KSM = 21
    THP = 22
    OFFLINE = 23
    ZERO_PAGE = 24
    IDLE = 25
    PGTABLE = 26
    RESERVED = 32
    MLOCKED = 33
    OWNER_2 = 34
    PRIVATE = 35
    PRIVATE_2 = 36
    OWNER_PRIVATE = 37
    ARCH = 38
    UNCACHED = 39
    SOFTDIRTY = 40
    ARCH_2 = 41

    @property
    def mask(self) -> int:
        """The word with this bit alone."""
        return 1 << self


@dataclass(frozen=True, eq=False)
class PageRuns:
    """Pages in runs: all of one run have the same word.

    words: (R,) uint64. pages: (R,) int64, how many, at least one. The first run begins at
    `start_pfn`, each other one where the one before ends.
    """

    words: np.ndarray
    pages: np.ndarray
    start_pfn: int = 0

    @cached_property
    def ends(self) -> np.ndarray:
        """First pfn after each run: (R,) int64."""
        ends: np.ndarray = self.start_pfn + np.cumsum(self.pages, dtype=np.int64)
        return ends

    @cached_property
    def starts(self) -> np.ndarray:
        """First pfn of each run: (R,) int64."""
        starts: np.ndarray = self.ends - self.pages
        return starts

    @property
    def total(self) -> int:
        """Pages of all runs."""
        return self.end_pfn - self.start_pfn

    @property
    def end_pfn(self) -> int:
        """First pfn after the last run."""
        return int(self.ends[-1]) if len(self.pages) else self.start_pfn

    def expand(self, limit: int = 1 << 26) -> np.ndarray:
        """Return the word of every page: (total,) uint64, or whatever the words are.

        Raises
        ------
        ParameterError
            When there are more pages than `limit`, which bounds the memory.
        """
        if self.total > limit:
            raise ParameterError("pages", self.total, f"at most {limit} can be expanded")
        return np.repeat(self.words, self.pages)

    def has(self, flag: PageFlag) -> np.ndarray:
        """Tell which runs have a flag set: (R,) bool."""
        found: np.ndarray = (self.words & np.uint64(flag.mask)) != 0
        return found

    def count(self, flag: PageFlag, start_pfn: int = 0, end_pfn: int = MAX_PFN) -> int:
        """Count pages with a flag set, in [start_pfn, end_pfn)."""
        return self.count_where(self.has(flag), start_pfn, end_pfn)

    def count_where(self, wanted: np.ndarray, start_pfn: int = 0, end_pfn: int = MAX_PFN) -> int:
        """Count pages of the `wanted` runs in [start_pfn, end_pfn). wanted: (R,) bool."""
        inside = np.minimum(self.ends, end_pfn) - np.maximum(self.starts, start_pfn)
        return int(np.maximum(inside, 0)[wanted].sum())

    def part(self, start_pfn: int, end_pfn: int) -> PageRuns:
        """Return the runs of [start_pfn, end_pfn), those on its borders cut."""
        start = min(max(start_pfn, self.start_pfn), self.end_pfn)
        end = max(min(end_pfn, self.end_pfn), start)
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        last = max(last, first) if end > start else first
        edges = np.clip(np.append(self.starts[first:last], end), start, end)
        return PageRuns(self.words[first:last], np.diff(edges), start)

    def at(self, pfns: np.ndarray) -> np.ndarray:
        """Return the words of some pages. pfns: (n,) int, all of them inside the runs."""
        return self.words[np.searchsorted(self.ends, pfns, side="right")]

    def only(self, wanted: np.ndarray, other: int) -> PageRuns:
        """Return the same pages, with the word `other` in all but the wanted runs: (R,) bool."""
        words = np.where(wanted, self.words, self.words.dtype.type(other))
        return PageRuns(words, self.pages, self.start_pfn)

    def merged(self) -> PageRuns:
        """Return the same pages with neighbouring runs of one word made one."""
        if not len(self.words):
            return self
        first = np.append(0, np.flatnonzero(self.words[1:] != self.words[:-1]) + 1)
        pages = np.add.reduceat(self.pages, first)
        return PageRuns(self.words[first], pages, self.start_pfn)


def parse_page_runs(data: bytes, path: object = "kpf", *, start_pfn: int = 0) -> PageRuns:
    """Read runs: pairs of little-endian 64-bit words {word, pages}.

    Raises
    ------
    CaptureError
        When the file is empty, ends inside a pair, has a run of no pages, or tells of pages above
        64 TiB; names the byte.
    """
    if not data:
        raise CaptureError(path, "it is empty; pairs {word, pages} are expected")
    if len(data) % _RUN_BYTES:
        cut = len(data) - len(data) % _RUN_BYTES
        raise CaptureError(path, f"the run at byte {cut} is cut off: truncated")
    pairs = np.frombuffer(data, "<u8").reshape(-1, 2)
    words, pages = pairs[:, 0].astype(np.uint64), pairs[:, 1]
    wrong = np.flatnonzero((pages == 0) | (pages > MAX_PFN))
    if wrong.size:
        at = int(wrong[0])
        raise CaptureError(path, f"the run at byte {at * _RUN_BYTES} has {pages[at]} pages")
    runs = PageRuns(words, pages.astype(np.int64), start_pfn)
    above = np.flatnonzero((runs.ends > MAX_PFN) | (runs.ends < start_pfn))
    if above.size:
        at = int(above[0]) * _RUN_BYTES
        raise CaptureError(path, f"the run at byte {at} ends above 64 TiB: damaged")
    return runs
