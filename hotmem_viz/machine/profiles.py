"""Kernel profiles: every rule and constant that depends on the kernel's version.

Rules belong to a series of Linux. Footprints, caches and operations were measured on captures
of one Debian build of each series running one start-up program on one CPU (data/captures); they
belong to that build, which the profile names, and not to Linux.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine import build_6_1_pae, build_6_12, build_7_2
from hotmem_viz.machine.footprint import PAE_6_1, X86_64_6_1, BootFootprint
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE
from hotmem_viz.machine.lowmem import page_offset, window_start
from hotmem_viz.machine.object_costs import (
    X86_64_CACHES,
    X86_64_OPERATIONS,
    Operation,
    SlabCache,
)
from hotmem_viz.machine.spec import Arch
from hotmem_viz.vocabulary import TableLevel, ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROFILES", "KernelProfile", "Operation", "SlabCache", "find_profile"]

RESERVE_RATIOS: Mapping[ZoneType, int] = MappingProxyType(
    {
        ZoneType.DMA: 256,
        ZoneType.DMA32: 256,
        ZoneType.NORMAL: 32,
        ZoneType.HIGHMEM: 0,
        ZoneType.MOVABLE: 0,
    }
)
"""sysctl_lowmem_reserve_ratio (mm/page_alloc.c, 6.1)."""

FIXMAP_PAGES_6_1, ENTRY_AREA_PAGES_6_1 = 1536, 32 * 43
"""Windows of a 6.1 PAE kernel for 32 CPUs, added up from enum fixed_addresses (512 pages for
kmap_local, 512 for early_ioremap, the rest filled up to whole tables) and struct cpu_entry_area
(43 pages a CPU, 32 of them buffers of the debug store). No kernel prints them; every sum from 2,559
to 3,070 gives the end of lowmem that all captures show, since borders are rounded to 2 MiB."""


@dataclass(frozen=True)
class KernelProfile:
    """One kernel on one architecture.

    Attributes
    ----------
    build
        The release that footprint, caches and operations were measured on.
    struct_page_bytes
        Size of struct page: 64 on x86-64; 40 on Debian's 6.1 PAE (measured), 32 in 2012.
    min_shared_over_movable
        Whether ZONE_MOVABLE takes a share of min_free_kbytes on 64-bit (to 6.1; by 6.12 it
        is treated as highmem; __setup_per_zone_wmarks, mm/page_alloc.c).
    mirror_without_mirrored
        Whether kernelcore=mirror acts on a machine without mirrored memory (6.1 does; later
        kernels ignore it: find_zone_movable_pfns_for_nodes, mm/mm_init.c, 6.12).
    vmalloc_end, vmsplit
        32-bit only: where the vmalloc area ends, below the windows for fixed mappings, CPU
        entry areas and kmap, and how the address space is split between programs and
        kernel. They set the end of lowmem, and so of ZONE_NORMAL (machine/lowmem.py).
    pgd_pages
        Pages of a process's top table on x86-64: two where the kernel was built with page-table
        isolation and asks for both halves whether or not it is used (PGD_ALLOCATION_ORDER, up to
        6.14; later ones look at the processor, and mitigations=off leaves one).
    counted_levels
        Tables that PageTables and the PGTABLE flag tell of: PTE and PMD; PUD and P4D from 6.8
        on (pagetable_pud_ctor), PGD from 6.14 on (__pgd_alloc, include/asm-generic/pgalloc.h).
    reserve_follows_managed
        Whether protection is computed again when the ramdisk and init memory are freed, as on
        7.2 (measured: exact so on every v72 capture); watermarks are not, on any kernel.
    hash_tables_skip_hotplug
        Whether memory that movable_node keeps free does not count for the size of the hash
        tables (calc_nr_kernel_pages, mm/mm_init.c, 6.12; it does on 6.1).
    isolation_keeps_types
        Whether isolation is a bit beside a pageblock's migrate type, which is therefore still
        known when an isolation is undone (6.17 on; before, the pageblock becomes MOVABLE:
        undo_isolate_page_range, mm/page_isolation.c).
    huge_pages_migrate
        Whether huge pages of hugetlb can be migrated when memory goes offline (3.12 on).
    min_free_cap_kb
        Upper bound of min_free_kbytes: 262144, and 65536 before 5.8.
    thp_off_runs
        How often min_free_kbytes is computed when huge pages are switched off, by "never" in
        enabled and in shmem_enabled: on 7.2 each word counts (measured: marks are those of one
        run after the first alone, and of two after both), before that only the first.
    footprint
        What the booted kernel itself occupies.
    caches, operations
        Slab caches by name, and what one operation of a workload costs.
    ballast_pairs
        Socket pairs that the captures' workloads park before they start (data/captures).
    default_state
        What becomes of added memory blocks by themselves: Debian's 6.1 leaves them offline, from
        6.12 on they come online (auto_online_blocks of the captures; CONFIG_MHP_DEFAULT_ONLINE).
    own_map_per_block
        Whether memmap_on_memory works for added memory of several blocks, each carrying its
        own map (from 6.6 on; on 6.1 the added size must be one block:
        mhp_supports_memmap_on_memory, mm/memory_hotplug.c).
    added_block_bytes, added_device_bytes
        Kernel memory that a memory block, and a device of them, cost besides their map and page
        tables: struct memory_block, some 20 sysfs nodes of 128 bytes, names. Measured on 6.1, as
        the mean of 11 DIMMs of one block (2.7 pages) and 5 of eight (12.6, one a page table);
        on 6.12, of 9 DIMMs of four blocks (6.3, one every other DIMM a page table).
    """

    name: str
    arch: Arch
    title: str
    build: str
    struct_page_bytes: int
    min_shared_over_movable: bool
    mirror_without_mirrored: bool
    min_free_cap_kb: int
    footprint: BootFootprint
    caches: Mapping[str, SlabCache] = field(repr=False)
    operations: Mapping[str, Operation] = field(repr=False)
    ballast_pairs: int = 40
    default_state: str = OFFLINE
    own_map_per_block: bool = False
    added_block_bytes: int = 5200
    added_device_bytes: int = 5400
    vmalloc_end: int = 0
    vmsplit: str = "3G/1G"
    pgd_pages: int = 2
    thp_off_runs: int = 1
    counted_levels: frozenset[TableLevel] = frozenset({TableLevel.PTE, TableLevel.PMD})
    reserve_follows_managed: bool = False
    hash_tables_skip_hotplug: bool = False
    isolation_keeps_types: bool = False
    huge_pages_migrate: bool = True
    reserve_ratios: Mapping[ZoneType, int] = field(
        default_factory=lambda: RESERVE_RATIOS, repr=False
    )

    @property
    def release(self) -> str:
        """The kernel's title without its architecture, such as "Linux 6.1"."""
        return self.title.partition(",")[0]

    @property
    def page_offset(self) -> int:
        """Where the kernel's part of a 32-bit address space begins."""
        return page_offset(self.vmsplit)

    def with_vmsplit(self, split: str) -> KernelProfile:
        """Return the same kernel built with another split of the 32-bit address space.

        Raises
        ------
        ParameterError
            For a split that there is not, or a kernel that is not 32-bit.
        """
        page_offset(split)
        if self.arch is not Arch.PAE:
            raise ParameterError("vmsplit", split, f"{self.title} has no such split")
        return replace(self, vmsplit=split)

    def for_arch(self, arch: Arch) -> KernelProfile:
        """Return the profile of the same kernel built for `arch`: itself, or the other build."""
        if arch is self.arch:
            return self
        return find_profile(self.name.removesuffix("-pae"), arch)


_6_1 = KernelProfile(
    name="6.1",
    arch=Arch.X86_64,
    title="Linux 6.1, x86-64",
    build="6.1.0-56-cloud-amd64",
    struct_page_bytes=64,
    min_shared_over_movable=True,
    mirror_without_mirrored=True,
    min_free_cap_kb=262144,
    footprint=X86_64_6_1,
    caches=X86_64_CACHES,
    operations=X86_64_OPERATIONS,
)
_6_1_PAE = replace(
    _6_1,
    name="6.1-pae",
    arch=Arch.PAE,
    title="Linux 6.1, 32-bit PAE",
    build="6.1.0-50-686-pae",
    struct_page_bytes=40,
    vmalloc_end=window_start(FIXMAP_PAGES_6_1, ENTRY_AREA_PAGES_6_1),
    footprint=PAE_6_1,
    caches=build_6_1_pae.CACHES,
    operations=build_6_1_pae.OPERATIONS,
)
_6_12 = replace(
    _6_1,
    name="6.12",
    title="Linux 6.12, x86-64",
    build=build_6_12.BUILD,
    min_shared_over_movable=False,
    mirror_without_mirrored=False,
    hash_tables_skip_hotplug=True,
    default_state=ONLINE,
    own_map_per_block=True,
    added_block_bytes=4600,
    counted_levels=frozenset(TableLevel) - {TableLevel.PGD},
    footprint=build_6_12.FOOTPRINT,
    caches=build_6_12.CACHES,
    operations=build_6_12.OPERATIONS,
)
_7_2 = replace(
    _6_12,
    name="7.2",
    title="Linux 7.2, x86-64",
    build=build_7_2.BUILD,
    reserve_follows_managed=True,
    isolation_keeps_types=True,
    pgd_pages=1,
    thp_off_runs=2,
    counted_levels=frozenset(TableLevel),
    footprint=build_7_2.FOOTPRINT,
    caches=build_7_2.CACHES,
    operations=build_7_2.OPERATIONS,
)
_2012_CHANGES = {
    "huge_pages_migrate": False,
    "mirror_without_mirrored": False,
    "min_free_cap_kb": 65536,
}
# No kernel of 2012 was captured: its footprint and object sizes are those of 6.1, which
# keeps the machines of the two times comparable. Rules and struct page are of their time.
_2012 = replace(_6_1, name="2012", title="Linux 3.7, x86-64", pgd_pages=1, **_2012_CHANGES)  # type: ignore[arg-type]
_2012_PAE = replace(
    _6_1_PAE,
    name="2012-pae",
    title="Linux 3.7, 32-bit PAE",
    struct_page_bytes=32,
    vmalloc_end=1 << 32,
    **_2012_CHANGES,  # type: ignore[arg-type]
)

PROFILES: Mapping[str, KernelProfile] = MappingProxyType(
    {p.name: p for p in (_6_1, _6_1_PAE, _6_12, _7_2, _2012, _2012_PAE)}
)


def find_profile(name: str, arch: Arch | None = None) -> KernelProfile:
    """Return a profile by name; with `arch`, the build of that kernel for `arch`.

    Raises
    ------
    ParameterError
        When there is none.
    """
    wanted = name
    if arch is not None:
        base = name.removesuffix("-pae")
        wanted = f"{base}-pae" if arch is Arch.PAE else base
    if wanted not in PROFILES and name in PROFILES and arch is not None:
        raise ParameterError("profile", name, f"there is no such kernel for {arch.value}")
    if wanted not in PROFILES:
        raise ParameterError("profile", name, f"allowed are {', '.join(PROFILES)}")
    return PROFILES[wanted]
