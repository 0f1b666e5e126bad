"""Page tables: counts of G6, hand counts, the page-by-page oracle, who points at whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.booted import BootLayout
from hotmem_viz.machine.page_geometry import GEOMETRIES, PageGeometry, count_tables
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.mechanisms.unmapping import exit_process, unmap_region
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.vocabulary import PageKind, TableLevel, ZoneType
from tests.machines import make_machine
from tests.table_oracle import Slow, same

MIB, GIB, TIB = 1 << 8, 1 << 18, 1 << 28
FOUR, FIVE, PAE, TWO = (GEOMETRIES[n] for n in ("4-level", "5-level", "pae", "2-level"))


def by_level(counts: dict[TableLevel, int]) -> tuple[int, ...]:
    return tuple(counts.values())


@pytest.mark.parametrize(
    ("pages", "counts"),
    [
        (1, (1, 1, 1, 1)),
        (2 * MIB, (1, 1, 1, 1)),
        (GIB, (512, 1, 1, 1)),
        (3 * GIB, (1536, 3, 1, 1)),
        (12 * GIB, (6144, 12, 1, 1)),
        (64 * GIB, (32768, 64, 1, 1)),
        (512 * GIB, (262144, 512, 1, 1)),
        (TIB, (524288, 1024, 2, 1)),
        (6 * TIB, (3145728, 6144, 12, 1)),
    ],
)
def test_g6_an_aligned_range_of_four_levels(pages, counts):
    assert by_level(count_tables(FOUR, TIB, pages)) == counts


@pytest.mark.parametrize(
    ("geometry", "start", "pages", "counts"),
    [
        (FOUR, TIB + 1, GIB, (513, 2, 1, 1)),
        (FOUR, TIB + 512 * GIB - 1, GIB, (513, 2, 2, 1)),
        (FOUR, TIB + 512 * GIB - 1, 2, (2, 2, 2, 1)),
        (FOUR, 0, 0, (0, 0, 0, 0)),
        (FIVE, TIB, TIB, (524288, 1024, 2, 1, 1)),
        (FIVE, 256 * TIB - 1, 2, (2, 2, 2, 2, 1)),
        (PAE, 0, 3 * GIB, (1536, 3, 1)),
        (PAE, GIB - 1, 2, (2, 2, 1)),
        (TWO, 0, 3 * GIB, (768, 1)),
        (TWO, 1023, 2, (2, 1)),
    ],
)
def test_hand_counts(geometry, start, pages, counts):
    assert by_level(count_tables(geometry, start, pages)) == counts


@pytest.mark.parametrize(
    ("geometry", "gib"), [(FOUR, 1 << 17), (FIVE, 1 << 26), (PAE, 3), (TWO, 3)]
)
def test_the_user_part_of_an_address_space_ends(geometry, gib):
    last = gib * GIB
    with pytest.raises(ParameterError, match=r"^range: .*process"):
        count_tables(geometry, last - 1, 2)


@pytest.fixture
def flat():
    """A machine of 256 MiB in one kernel zone, without marks."""
    spec = MachineSpec("flat", (NodeSpec(0, (PfnRange(0, 65536),)),))
    plan = ZonePlan((ZoneSpan(0, ZoneType.NORMAL, 0, 65536, 65536),), {})
    mem = build_memory(spec, plan, BootLayout((), (), {}), PROFILES["6.1"])
    count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    mem.owners.add("a process")
    return mem


def make_spaces(name: str, geometry: PageGeometry, **more) -> AddressSpaces:
    mem = make_machine(name)
    mem.owners.add("a process")
    return AddressSpaces(mem, geometry, **more)


def start(s: AddressSpaces, count: int = 1) -> list[int]:
    rows, outcome = start_processes(s, count, s.mem.owners.names.index("a process"))
    assert len(rows) == count or outcome.refused
    return [int(row) for row in rows]


def one_access(
    mapping: int, first: int, pages: int, *, step: int = 1, write: bool = True
) -> Access:
    return Access(np.array([mapping]), np.array([first]), np.array([pages]), step, write)


@pytest.mark.parametrize("pages", [1, 2 * MIB, 3 * GIB, 12 * GIB])
def test_g6_reading_a_dense_range_builds_the_tables(flat, pages):
    s = AddressSpaces(flat, FOUR)
    (space,) = start(s)
    (row,) = map_regions(s, [space], [TIB], pages)
    assert s.spaces.levels[space].tolist() == [0, 0, 0, 1], "mmap builds nothing"
    done = touch(s, one_access(row, 0, pages, write=False))
    assert done.pages == done.wanted == pages
    assert tuple(s.spaces.levels[space]) == by_level(count_tables(FOUR, TIB, pages))
    assert s.spaces.rss[space] == 0, "the zero page is nobody's"
    assert s.table_pages(space) == flat.zone_kinds[:, PageKind.PAGE_TABLE].sum()


CASES = [
    ("odd", FOUR, 7),
    ("odd", replace(FOUR, top_pages=2), 8),
    ("woven", FIVE, 9),
    ("pae", PAE, 10),
    ("pae", replace(PAE, user_pages=GIB, ready_made=1), 11),
    ("odd", TWO, 12),
]


@pytest.mark.parametrize(("name", "geometry", "seed"), CASES)
def test_random_mappings_equal_the_oracle(name, geometry, seed):
    rng = np.random.default_rng(seed)
    s, slow = make_spaces(name, geometry), Slow(geometry)
    before = s.mem.free_bits.copy(), s.mem.zone_kinds.copy()
    places = rng.integers(0, geometry.user_pages - 5000, 6)
    places[:3] = [0, geometry.user_pages - 5000, (1 << geometry.levels[1].table_order) - 700]
    spaces = start(s, 3)
    for space in spaces:
        slow.start(space)
    for _ in range(40):
        space = int(rng.choice(s.alive()))
        place = int(rng.choice(places)) + int(rng.integers(0, 4000))
        pages = int(2 ** rng.uniform(0, 9.9))
        if rng.random() < 0.6:
            try:
                (row,) = map_regions(s, [space], [place], pages)
            except ParameterError:
                continue
            slow.map(space, place, pages)
            step = int(rng.choice([1, 1, 3, 100, 512, 700]))
            first = int(rng.integers(0, pages))
            count = int(rng.integers(0, (pages - 1 - first) // step + 2))
            write = bool(rng.random() < 0.6)
            done = touch(s, one_access(row, first, count, step=step, write=write))
            assert (done.pages, done.refused) == (count, False)
            for i in range(count):
                slow.touch(space, place + first + i * step, write=write)
        elif rng.random() < 0.85:
            place = min(max(0, place - 300), geometry.user_pages - pages)
            unmap_region(s, space, place, pages)
            slow.unmap(space, place, pages)
        elif len(s.alive()) > 1:
            exit_process(s, space)
            slow.exit(space)
        same(s, slow)
        validate_spaces(s)
    validate_memory(s.mem)
    for space in s.alive():
        exit_process(s, int(space))
    validate_spaces(s)
    assert np.array_equal(s.mem.free_bits, before[0])
    assert np.array_equal(s.mem.zone_kinds, before[1])
    assert not s.mem.owner.any()
    assert not len(s.tables) + len(s.entries) + len(s.present) + len(s.mappings)


@pytest.mark.parametrize(("border", "stays"), [(512, False), (513, True), (511, False)])
def test_a_table_stays_while_a_neighbour_reaches_into_its_span(border, stays):
    # Three tables, two mappings that meet in one; the longer one goes, from either side.
    for mirrored in (False, True):
        s = make_spaces("odd", FOUR)
        (space,) = start(s)
        lengths = (border, 1536 - border) if not mirrored else (1536 - border, border)
        low, high = map_regions(s, [space] * 2, [0, lengths[0]], np.array(lengths))
        for row, pages in zip((low, high), lengths, strict=True):
            touch(s, one_access(row, 0, pages, write=False))
        assert s.spaces.levels[space, 0] == 3
        if mirrored:
            unmap_region(s, space, 0, lengths[0])
        else:
            unmap_region(s, space, lengths[0], lengths[1])
        validate_spaces(s)
        assert s.spaces.levels[space, 0] == 1 + stays
