"""Page flags in runs: read, counted, cut, and said in the model's words."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel.page_flags import PageFlag, PageRuns, parse_page_runs
from hotmem_viz.kernel.page_kinds import kinds_of_flags, page_kinds
from hotmem_viz.kernel.page_words import free_blocks, held, nids, zone_numbers
from hotmem_viz.kernel.pageblocks import parse_pageblocks
from hotmem_viz.vocabulary import MigrateType, PageKind

BUDDY, SLAB = PageFlag.BUDDY.mask, PageFlag.SLAB.mask


def packed(*runs: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<QQ", *run) for run in runs)


def test_runs_are_counted_without_being_expanded():
    runs = parse_page_runs(packed((0, 3), (BUDDY, 5), (SLAB, 1 << 33), (BUDDY | SLAB, 7)))
    assert runs.total == 3 + 5 + (1 << 33) + 7
    assert runs.starts.tolist() == [0, 3, 8, 8 + (1 << 33)]
    assert (runs.count(PageFlag.BUDDY), runs.count(PageFlag.SLAB)) == (12, (1 << 33) + 7)
    assert runs.count(PageFlag.BUDDY, 4, 9) == 4
    assert runs.count(PageFlag.BUDDY, 4, 6) == 2
    assert runs.count(PageFlag.BUDDY, 9) == 7
    with pytest.raises(ParameterError, match="can be expanded"):
        runs.expand()


def test_runs_are_cut_found_and_merged():
    runs = PageRuns(np.array([9, 9, 4, 2], np.uint64), np.array([2, 1, 4, 3]), start_pfn=100)
    every = [9, 9, 9, 4, 4, 4, 4, 2, 2, 2]
    assert runs.expand(10).tolist() == every
    assert runs.at(np.arange(100, 110)).tolist() == every
    for start in range(98, 112):
        for end in range(start, 113):
            inside = every[max(start - 100, 0) : max(end - 100, 0)]
            part = runs.part(start, end)
            assert part.expand().tolist() == inside
            assert (part.pages > 0).all()
    assert runs.part(104, 108).start_pfn == 104
    assert runs.merged().pages.tolist() == [3, 4, 3]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (packed((0, 1)) + bytes(15), "byte 16 is cut off"),
        (packed((0, 1), (1, 0)), "byte 16 has 0 pages"),
        (packed((0, 1), (0, 2), (1, (1 << 64) - 1)), "byte 32 has 18446744073709551615 pages"),
        (packed((0, 1 << 34), (1, 1)), "byte 16 ends above 64 TiB"),
    ],
)
def test_damaged_runs(data, says):
    with pytest.raises(CaptureError, match=f"^some/kpf: .*{says}"):
        parse_page_runs(data, "some/kpf")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        (0x0, PageKind.KERNEL_BUFFER),
        (0x10000, PageKind.KERNEL_BUFFER),
        (0x4, PageKind.KERNEL_BUFFER),
        (0x100000, PageKind.HOLE),
        (0x400, PageKind.FREE),
        (0x10080, PageKind.SLAB),
        (0x211080, PageKind.SLAB),
        (0x4000004, PageKind.PAGE_TABLE),
        (0x100000800, PageKind.RESERVED),
        (0x900000000, PageKind.MEMMAP),
        (0x487C, PageKind.PAGE_CACHE),
        (0x20004582C, PageKind.ANON),
        (0x600005808, PageKind.ANON),
        (0x28000, PageKind.ANON),
        (0x410000, PageKind.PAGE_CACHE),
        (0x80400, PageKind.RESERVED),
    ],
)
def test_the_kind_of_flag_words_as_kernels_print_them(word, kind):
    assert kinds_of_flags(np.array([word], np.uint64)).tolist() == [kind]


def test_page_structs_tell_holes_and_per_cpu_lists_apart():
    flags = parse_page_runs(packed((0, 600), (SLAB, 8), (0, 40), (1 << 32, 2)))
    words = parse_page_runs(packed((0xFF, 512), (0, 20), (0x80, 60), (0, 16), (0xFFFF, 42)))
    kinds = page_kinds(flags, words, held_known=True, image=[(649, 700)])
    other, free, hole = PageKind.KERNEL_BUFFER, PageKind.FREE, PageKind.HOLE
    assert kinds.expand().tolist() == (
        [other] * 512
        + [free] * 20
        + [other] * 60
        + [free] * 8
        + [PageKind.SLAB] * 8
        + [hole] * 40
        + [PageKind.RESERVED, PageKind.KERNEL_IMAGE]
    )
    unknown = page_kinds(flags, words)
    assert unknown.count_where(unknown.words == free) == 0
    bare = page_kinds(flags, present=[(0, 100), (620, 650)])
    assert bare.count_where(bare.words == hole) == 500 + 12


def test_words_of_page_structs():
    head = 0x0301 | 4 << 24
    runs = parse_page_runs(packed((0xFFFF, 8), (head, 1), (0x0301, 7), (0x0081, 4), (1 << 24, 2)))
    assert zone_numbers(runs).tolist() == [7, 1, 1, 1, 0]
    assert nids(runs).tolist()[1:] == [3, 3, 0, 0]
    assert held(runs).tolist()[1:] == [False, False, True, False]
    found = free_blocks(runs)
    assert (found.pfns.tolist(), found.orders.tolist()) == ([8, 20, 21], [3, 0, 0])


SECTION = "3 f ffffffffffffffff " + "01239abc" * 8 + "\n"


def test_pageblocks_by_version():
    blocks = parse_pageblocks("# section flags subsections pageblocks\n" + SECTION)
    assert blocks.sections.tolist() == [3]
    m = MigrateType
    row = [m.UNMOVABLE, m.MOVABLE, m.RECLAIMABLE, m.HIGHATOMIC, m.MOVABLE, m.RECLAIMABLE]
    assert blocks.types[0, :8].tolist() == [*row, m.HIGHATOMIC, m.ISOLATE]
    newer = parse_pageblocks(SECTION.replace("c", "5"), isolate_bit=True)
    assert newer.types[0, 7] == m.ISOLATE
    assert parse_pageblocks(SECTION, isolate_bit=True).types[0, 7] == m.CMA


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no section"),
        (SECTION[:-2], "line 1: not a section"),
        (SECTION + SECTION, "line 2: section 3 does not ascend"),
        (SECTION.replace("abc", "abx"), "line 1: not types"),
        (SECTION.replace("abc", "ab7"), "line 1: an unknown migrate type"),
        (SECTION.replace("3 f", "9999999 f", 1), "above 64 TiB"),
    ],
)
def test_damaged_pageblocks(text, says):
    with pytest.raises(CaptureError, match=says):
        parse_pageblocks(text)
