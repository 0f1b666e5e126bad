"""Rows about the free map: eager merging against a slow oracle, and kernels that do otherwise."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotmem_viz.errors import ParameterError
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.compare_free import merged_orders
from hotmem_viz.kernel.page_flags import PageRuns, parse_page_runs
from hotmem_viz.kernel.page_words import FreeBlocks, free_blocks
from tests.changed_captures import make_capture

NAME = "v72-c-zero-1G-60"


def blocks_of(*blocks: tuple[int, int]) -> FreeBlocks:
    pfns, orders = np.array(sorted(blocks), np.int64).reshape(-1, 2).T
    return FreeBlocks(pfns, orders)


def merge_slowly(free: set[int]) -> list[int]:
    """Free page after page into lists, as __free_one_page does."""
    lists: list[set[int]] = [set() for _ in range(11)]
    for page in sorted(free, key=lambda p: p * 7919 % 4099):
        pfn, order = page, 0
        while order < 10 and pfn ^ (1 << order) in lists[order]:
            lists[order].remove(pfn ^ (1 << order))
            pfn &= ~(1 << order)
            order += 1
        lists[order].add(pfn)
    return [len(blocks) for blocks in lists]


def test_buddies_merge_up_to_order_10_and_no_further():
    assert merged_orders(blocks_of((4096, 9), (4608, 9))) == [0] * 10 + [1]
    assert merged_orders(blocks_of((1024, 10), (2048, 10), (3072, 10))) == [0] * 10 + [3]
    assert merged_orders(blocks_of((1, 0), (2, 0), (64, 6), (128, 6))) == [2, *[0] * 5, 2, *[0] * 4]
    assert merged_orders(blocks_of((6, 1), (4, 1), (8, 3))) == [0, 0, 1, 1, *[0] * 7]
    assert merged_orders(blocks_of()) == [0] * 11


@given(st.sets(st.tuples(st.integers(0, 4095), st.integers(0, 10)), max_size=40))
def test_merging_agrees_with_a_slow_oracle(wishes):
    taken: set[int] = set()
    blocks = []
    for pfn, order in sorted(wishes):
        first = pfn >> order << order
        pages = set(range(first, first + (1 << order)))
        if not pages & taken:
            taken |= pages
            blocks.append((first + (5 << 20), order))
    shifted = {p + (5 << 20) for p in taken}
    assert merged_orders(blocks_of(*blocks)) == merge_slowly(shifted)


@pytest.mark.parametrize("shape", [(400, 7000), (7000, 400)])
def test_merging_agrees_on_a_large_map(shape):
    """More groups than one long integer serves, and blocks of every order."""
    free_run, used_run = shape
    rng = np.random.default_rng(11)
    free: set[int] = set()
    at = 0
    while at < 60_000:
        at += int(rng.integers(1, used_run))
        length = int(rng.integers(1, free_run))
        free |= set(range(at, at + length))
        at += length
    blocks = blocks_of(*((pfn, 0) for pfn in free))
    assert merged_orders(blocks) == merge_slowly(free)


def rows_of(path: str, quantity: str):
    return [row for row in compare_capture(path).rows if row.quantity == quantity]


def words_of(data: bytes) -> list[tuple[int, int]]:
    return list(struct.iter_unpack("<QQ", data))


def packed(runs: list[tuple[int, int]]) -> bytes:
    return b"".join(struct.pack("<QQ", *run) for run in runs)


def split_a_block(files: dict[str, bytes]) -> None:
    """Have the kernel keep one block of order 10 as two buddies of order 9."""
    runs = words_of(files["frames/pages/boot"])
    i = next(i for i, (word, pages) in enumerate(runs) if word >> 24 == 11 and pages == 1)
    word, rest = runs[i][0], runs[i + 1]
    half = (word & 0xFFFFFF) | 10 << 24
    runs[i : i + 2] = [(half, 1), (rest[0], 511), (half, 1), (rest[0], rest[1] - 512)]
    files["frames/pages/boot"] = packed(runs)


def turn_a_head(files: dict[str, bytes]) -> None:
    runs = words_of(files["frames/pages/boot"])
    i = next(i for i, (word, pages) in enumerate(runs) if word >> 24 == 11 and pages == 1)
    runs[i : i + 2] = [runs[i + 1], runs[i]]
    files["frames/pages/boot"] = packed(runs)


def lose_flags(files: dict[str, bytes]) -> None:
    """Have 257 pages less carry the flag than buddyinfo lists, to the page."""
    capture = open_capture(NAME)
    listed = {z.name: z.free for z in capture.buddyinfo("boot")}
    zone = next(z for z in capture.zoneinfo() if z.name == "Movable")
    start = zone.start_pfn or 0
    runs = capture.page_runs("boot")
    flags = runs.part(start, start + zone.spanned)
    is_free = (flags.words & np.uint64(1 << 10)) != 0
    surplus = int(flags.pages[is_free].sum()) - (listed["Movable"] - 257)
    longest = int(np.argmax(np.where(is_free, flags.pages, 0)))
    head = runs.part(0, int(flags.ends[longest]) - surplus)
    tail = runs.part(int(flags.ends[longest]), runs.end_pfn)
    pairs = [*zip(head.words, head.pages, strict=True), (0, surplus)]
    pairs += [*zip(tail.words, tail.pages, strict=True)]
    files["frames/kpf/boot"] = packed([(int(a), int(b)) for a, b in pairs])


def test_a_kernel_that_does_not_merge_is_noticed(tmp_path):
    path = make_capture(tmp_path, NAME, split_a_block)
    bad = [row for row in rows_of(path, "free-blocks-by-order") if row.ok is False]
    assert [row.subject for row in bad] == ["node 0 DMA at boot"]
    predicted, observed = (
        [int(n) for n in str(v).strip("()").split(",")] for v in (bad[0].predicted, bad[0].observed)
    )
    assert [a - b for a, b in zip(predicted, observed, strict=True)] == [0] * 9 + [-2, 1]


def test_a_crooked_block_is_refused(tmp_path):
    result = compare_capture(make_capture(tmp_path, NAME, turn_a_head))
    assert "pages/boot: the free block at pfn" in result.error
    assert "is not aligned to order 10" in result.error


def test_one_page_more_than_256_is_out(tmp_path):
    path = make_capture(tmp_path, NAME, lose_flags)
    bad = [row for row in rows_of(path, "free-pages") if row.ok is False]
    assert [(row.subject, row.error) for row in bad] == [("node 0 Movable at boot", 257.0)]


def test_values_are_those_of_the_files():
    """By hand from buddyinfo of a-none.

    DMA: 0 0 0 0 0 0 1 1 0 1 3; the blocks of orders 6 and 7 lie in the first pageblock, which the
    reader did not see. Node 1: 2 2 0 3 2 1 1 1 3 2 248.
    """
    rows = {(r.quantity, r.subject): r for r in compare_capture("a-none").rows}
    dma = rows["free-pages", "node 0 DMA at boot"]
    assert (dma.predicted, dma.observed) == (3776, 3776)
    orders = rows["free-blocks-by-order", "node 0 DMA at boot"]
    assert orders.predicted == orders.observed == "(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3)"
    orders = rows["free-blocks-by-order", "node 1 Normal at boot"]
    assert orders.predicted == orders.observed == "(2, 2, 0, 3, 2, 1, 1, 1, 3, 2, 248)"


def test_more_heads_than_anybody_recorded_are_refused():
    runs = parse_page_runs(packed([(1 << 24, 1 << 25)]))
    with pytest.raises(ParameterError, match="free blocks"):
        free_blocks(runs)
    assert len(free_blocks(PageRuns(runs.words, np.array([5]))).pfns) == 5
