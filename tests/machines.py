"""Small machines made by hand, unequal in every axis, and ways to fill them.

odd     2 nodes, 5 sections of 3,072 frames, holes inside words and pageblocks, a DMA zone of
        128 frames in the first pageblock, borders 2 frames past a multiple of 1,024
pae     1 node, DMA, Normal and HighMem; Normal ends 2 frames short of a pageblock, as 6.1 does it
woven   3 nodes whose ranges interleave inside sections; one of them is all movable
plain   1 node, 1 zone of 4 sections of 1,024 frames, no marks: for vectors worked by hand
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from hotmem_viz.machine.boot_layout import BootLayout
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import ZonePlan, ZoneSpan
from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, SECTION_FIELDS, ZONE_FIELDS
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import MigrateType, PageKind, ZoneType

TYPES = (MigrateType.UNMOVABLE, MigrateType.MOVABLE, MigrateType.RECLAIMABLE)
HELD_KINDS = tuple(k for k in PageKind if k > PageKind.FREE and k != PageKind.HUGETLB)
"""Kinds of single pages: huge pages are whole pageblocks, which only `hugetlb` may make."""

CACHE, SHRINKABLE, STUBBORN = "cache", "dentries", "somebody"

_NODES = {
    "odd": {
        0: [(1, 1700), (1733, 5000), (5100, 7170)],
        1: [(7170, 9000), (10240, 14999)],
    },
    "pae": {0: [(1, 160), (256, 9000)]},
    "woven": {
        0: [(0, 1024), (2048, 3100), (6000, 6144)],
        1: [(1024, 2048), (4096, 5120), (6144, 8192)],
        2: [(3100, 4096), (5120, 6000), (8192, 11000)],
    },
    "plain": {0: [(0, 4096)]},
}
_ZONES = {
    "odd": [
        (0, ZoneType.DMA, 1, 128),
        (0, ZoneType.DMA32, 128, 2050),
        (0, ZoneType.NORMAL, 2050, 7170),
        (1, ZoneType.NORMAL, 7170, 11264),
        (1, ZoneType.MOVABLE, 11264, 14999),
    ],
    "pae": [
        (0, ZoneType.DMA, 1, 128),
        (0, ZoneType.NORMAL, 128, 5630),
        (0, ZoneType.HIGHMEM, 5630, 9000),
    ],
    "woven": [
        (0, ZoneType.DMA32, 0, 2560),
        (0, ZoneType.NORMAL, 2560, 6144),
        (1, ZoneType.NORMAL, 1024, 7168),
        (1, ZoneType.MOVABLE, 7168, 8192),
        (2, ZoneType.MOVABLE, 3100, 11000),
    ],
    "plain": [(0, ZoneType.NORMAL, 0, 4096)],
}
_SECTION_PAGES = {"odd": 3072, "pae": 2048, "woven": 4096, "plain": 1024}
NAMES = tuple(_NODES)


def make_spec(name: str) -> MachineSpec:
    """Return the spec of one of the machines above."""
    nodes = tuple(
        NodeSpec(nid, tuple(PfnRange(*r) for r in ranges)) for nid, ranges in _NODES[name].items()
    )
    return MachineSpec(name, nodes, section_pages=_SECTION_PAGES[name])


def make_plan(spec: MachineSpec) -> ZonePlan:
    """Return the zones of one of the machines above, present pages counted one by one."""
    spans = []
    for nid, zone, start, end in _ZONES[spec.name]:
        memory = {p for n in spec.nodes if n.nid == nid for r in n.ranges for p in range(*_ends(r))}
        spans.append(ZoneSpan(nid, zone, start, end, len(memory & set(range(start, end)))))
    return ZonePlan(tuple(spans), MappingProxyType({}))


def _ends(r: PfnRange) -> tuple[int, int]:
    return r.start_pfn, r.end_pfn


def make_machine(
    name: str, *, marks: bool = True, tired: bool = False, profile: str = "6.1"
) -> PhysicalMemory:
    """Build a machine whose memory is all free.

    marks: zones keep back some pages, differently much. tired: kswapd has given up.
    Owner 1 is a cache, 2 a slab that can be shrunk, 3 one that cannot.
    """
    spec = make_spec(name)
    layout = BootLayout((), (), MappingProxyType({}))
    mem = build_memory(spec, make_plan(spec), layout, PROFILES[profile])
    count_blocks(mem, all_groups(mem), +1)
    build_all_zonelists(mem)
    mem.owners.add(CACHE)
    mem.owners.add(SHRINKABLE, shrinkable=True)
    mem.owners.add(STUBBORN)
    if marks and name != "plain":
        set_marks(mem)
    if tired:
        tire_kswapd(mem)
    return mem


def set_marks(mem: PhysicalMemory) -> None:
    """Give the zones marks and protection; simpler than the kernel's, and all unequal."""
    zones = mem.zones
    for z in range(len(zones)):
        step = int(zones.present[z]) // 90 + z
        zones.min[z], zones.low[z], zones.high[z] = 2 * step, 3 * step + 1, 4 * step + 3
        for column in range(int(zones.type[z]) + 1, len(ZoneType)):
            above = (zones.nid == zones.nid[z]) & (zones.type > zones.type[z])
            above &= zones.type <= column
            zones.protection[z, column] = zones.present[above].sum() // 37


def tire_kswapd(mem: PhysicalMemory) -> None:
    """Let kswapd have given up on every node."""
    for nid in mem.kswapd_failures:
        mem.kswapd_failures[nid] = 16


def clone(mem: PhysicalMemory) -> PhysicalMemory:
    """Return a second machine in the same state."""
    other = PhysicalMemory(mem.spec, mem.plan, mem.profile)
    for field in PAGE_FIELDS + SECTION_FIELDS + COUNT_FIELDS:
        getattr(other, field.name)[...] = getattr(mem, field.name)
    for field in ZONE_FIELDS:
        getattr(other.zones, field.name)[...] = getattr(mem.zones, field.name)
    other.zones.protection[...] = mem.zones.protection
    other.zones.thp, other.zones.total_reserve = mem.zones.thp, mem.zones.total_reserve
    other.segments[:], other.groups[:], other.added[:] = mem.segments, mem.groups, mem.added
    other.extents.of_group[...] = mem.extents.of_group
    other.huge_pool.reserved = mem.huge_pool.reserved
    other.owners.names[:], other.owners.shrinkable[:] = mem.owners.names, mem.owners.shrinkable
    other.kswapd_failures.update(mem.kswapd_failures)
    other.reclaim_hand[:] = mem.reclaim_hand
    other.zonelists.update(mem.zonelists)
    other.unmixed_zones.update(mem.unmixed_zones)
    return other


def occupy(mem: PhysicalMemory, pfns: np.ndarray, kind: PageKind, owner: int = 0) -> None:
    """Put something into free frames, past all rules; what is not free is left as it is."""
    pfns = np.asarray(pfns)
    frames = FrameSet.of_pfns(pfns[mem.kind.reshape(-1)[pfns] == PageKind.FREE])
    if len(frames):
        groups = np.unique(frames.words // 16)
        count_blocks(mem, groups, -1)
        mem.fill(frames, kind, owner)
        count_blocks(mem, groups, +1)


def fragment(
    mem: PhysicalMemory,
    seed: int,
    *,
    runs: int = 120,
    kinds: tuple[PageKind, ...] = HELD_KINDS,
    mix: bool = True,
) -> None:
    """Fill a machine with runs of 1 to 700 frames, so that free blocks of all orders remain.

    mix: pageblocks become of all three types, too.
    """
    rng = np.random.default_rng(seed)
    there = np.flatnonzero(mem.kind.reshape(-1) != PageKind.HOLE)
    if mix:
        blocks = np.unique(there // 512)
        drawn = rng.choice(TYPES, len(blocks), p=[0.3, 0.4, 0.3])
        for migratetype in TYPES:
            buddy.set_types(mem, blocks[drawn == migratetype], migratetype)
    for _ in range(runs):
        start, length = int(rng.choice(there)), int(2 ** rng.uniform(0, 9.5))
        kind = kinds[int(rng.integers(len(kinds)))]
        end = min(start + length, mem.kind.size)
        occupy(mem, np.arange(start, end), kind, int(rng.integers(1, 4)))
    match_types(mem)


def match_types(mem: PhysicalMemory) -> None:
    """Give the two pageblocks of each free block of order 10 one type, as frees would."""
    full = (mem.kind.reshape(-1, 1024) == PageKind.FREE).all(axis=1)
    for group in np.flatnonzero(full):
        buddy.set_types(mem, np.array([2 * group]), int(mem.types[2 * group + 1]))


def held_frames(mem: PhysicalMemory) -> np.ndarray:
    """Return the pfns of all frames that hold something: (n,) int64."""
    return np.flatnonzero(mem.kind.reshape(-1) > PageKind.FREE)
