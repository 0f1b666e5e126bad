"""Golden vectors G7 to G9 and the kernel documentation's example (G14), and captured integers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.watermarks import (
    WatermarkRules,
    buffer_pages,
    plain_min_free_kb,
    protection,
    requests_allowed,
    settle_watermarks,
    share_min_free,
    thp_min_free_kb,
    watermark_allows,
    watermark_rules,
)
from hotmem_viz.vocabulary import ZoneType

GIB = 1 << 18
DMA, DMA32, NORMAL, HIGHMEM, MOVABLE = ZoneType
X86_COLUMNS = [DMA, DMA32, NORMAL, MOVABLE]
CUT = {DMA: 3840, DMA32: 3 * GIB, NORMAL: GIB, MOVABLE: 12 * GIB}
KERNEL_ONLY = {DMA: 3840, DMA32: 3 * GIB, NORMAL: 13 * GIB}


def reserves(zones: dict[ZoneType, int], columns=X86_COLUMNS) -> list[list[int]]:
    table = protection([0] * len(zones), list(zones), list(zones.values()))
    return [[int(pages) for pages in row[columns]] for row in table]


def test_g7_reserves_of_a_16_gib_node():
    assert reserves(CUT) == [
        [0, 3072, 4096, 16384],
        [0, 0, 1024, 13312],
        [0, 0, 0, 98304],
        [0, 0, 0, 0],
    ]
    assert reserves(KERNEL_ONLY) == [[0, 3072, 16384, 16384], [0, 0, 13312, 13312], [0, 0, 0, 0]]
    assert reserves({MOVABLE: 16 * GIB}) == [[0, 0, 0, 0]]


def test_reserves_count_the_own_node_only_and_empty_zones_keep_nothing():
    table = protection([0, 0, 1], [DMA32, NORMAL, MOVABLE], [0, GIB, 8 * GIB])
    assert not table.any()


def test_documented_reserves_of_1_gib_i386():
    mib = 1 << 8
    table = reserves({DMA: 16 * mib, NORMAL: 784 * mib, HIGHMEM: 224 * mib}, [DMA, NORMAL, HIGHMEM])
    assert table == [[0, 784 * mib // 256, 1008 * mib // 256], [0, 0, 224 * mib // 32], [0, 0, 0]]


def rows(zones, min_free_kb, highmem) -> list[tuple[int, ...]]:
    marks = share_min_free(list(zones), list(zones.values()), min_free_kb, frozenset(highmem))
    return [tuple(map(int, m)) for m in zip(*marks, strict=True)]


def plain(zones) -> int:
    buffers = buffer_pages(list(zones), list(zones.values()), [0] * len(zones))
    return plain_min_free_kb(buffers, 262144)


def test_g8_all_kernel_memory():
    assert plain(KERNEL_ONLY) == 16391
    assert rows(KERNEL_ONLY, 16391, {HIGHMEM}) == [
        (3, 6, 9),
        (767, 1553, 2339),
        (3325, 6732, 10139),
    ]


@pytest.mark.parametrize(
    ("highmem", "marks"),
    [
        ({HIGHMEM}, [(1, 4, 7), (384, 1170, 1956), (128, 390, 652), (1536, 4681, 7826)]),
        (
            {HIGHMEM, MOVABLE},
            [(7, 10, 13), (1532, 2318, 3104), (510, 772, 1034), (128, 3273, 6418)],
        ),
    ],
    ids=["6.1 rule", "6.18 rule"],
)
def test_g8_with_movable(highmem, marks):
    assert plain(CUT) == 8206
    assert rows(CUT, 8206, highmem) == marks


def test_g9_pae_16_gib():
    zones = {DMA: 3840, NORMAL: 192512, HIGHMEM: 3964928}
    assert plain(zones) == 3544
    assert rows(zones, 3544, {HIGHMEM, MOVABLE}) == [
        (17, 21, 25),
        (868, 1085, 1302),
        (128, 4600, 9072),
    ]


@pytest.mark.parametrize(
    ("mib", "kb"),
    [(16, 512), (32, 724), (64, 1024), (256, 2048), (1024, 4096), (4096, 8192), (16384, 16384)],
)
def test_documented_min_free_by_memory_size(mib, kb):
    assert plain_min_free_kb(mib << 8, 262144) == kb


def test_min_free_stays_in_its_bounds():
    assert plain_min_free_kb(1, 262144) == 128
    assert plain_min_free_kb(1 << 40, 65536) == 65536


def test_huge_pages_ask_for_67584_kb_on_three_zones_and_at_most_a_20th():
    assert thp_min_free_kb(3, 1 << 30) == 67584
    assert thp_min_free_kb(3, 2000) == 400


def test_huge_pages_need_512_mib():
    profile = find_profile("6.1")
    assert watermark_rules(profile, Arch.X86_64, 1 << 17).thp
    assert not watermark_rules(profile, Arch.X86_64, (1 << 17) - 1).thp


def test_switching_huge_pages_off_goes_back_to_the_square_root():
    rules = WatermarkRules(frozenset({HIGHMEM}), 262144, thp=True)
    types, managed = [DMA, DMA32], [3840, 245000]
    on = settle_watermarks(types, managed, rules)
    off = settle_watermarks(types, managed, rules.without_thp(), on.high)
    assert on.min_free_kb > on.plain_kb
    assert off.min_free_kb == off.plain_kb < on.plain_kb


def test_g14_the_documented_refusal():
    assert not watermark_allows(1355, 4, 2004)
    assert watermark_allows(1355, 4, 0)
    assert watermark_allows(2009, 4, 2004)
    assert not watermark_allows(2008, 4, 2004)


@given(st.integers(0, 5000), st.integers(0, 500), st.integers(0, 2500), st.integers(0, 10))
def test_requests_allowed_is_the_test_repeated(free, mark, reserve, order):
    passed, left = 0, free
    while watermark_allows(left, mark, reserve, order):
        passed, left = passed + 1, left - (1 << order)
    assert requests_allowed(free, mark, reserve, order) == passed
