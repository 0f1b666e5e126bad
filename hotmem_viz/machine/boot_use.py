"""What a freshly started system has allocated, from the figures measured on captures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.machine.footprint import between
from hotmem_viz.machine.spec import Arch, MachineSpec
from hotmem_viz.vocabulary import MAX_ORDER_PAGES, PAGE_SIZE, PageKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.machine.profiles import KernelProfile


USER_REQUESTS = ("HIGHUSER", "HIGHUSER_MOVABLE")
"""Requests that do not need a kernel zone."""

ATOMIC_POOL_LEAST = 32
"""128 KiB (dma_atomic_pool_init, kernel/dma/pool.c, 6.1)."""


@dataclass(frozen=True)
class BootUse:
    """Pages in use right after boot, to be taken through the allocator.

    `gfp` names the request: "KERNEL", "KERNEL_RECLAIMABLE", "DMA", "HIGHUSER" or
    "HIGHUSER_MOVABLE". `nid` is the node asked first; the node of the first CPU unless said.
    """

    gfp: str
    kind: PageKind
    pages: int
    why: str
    nid: int = 0


def hash_table_pages(pages: int, entry_bytes: int) -> int:
    """Pages of the dentry and inode hash tables of a machine of `pages` low pages.

    The dentry table has one entry for two pages, the inode table half as many, rounded up
    to a power of two (alloc_large_system_hash, mm/page_alloc.c, 6.1). The 1/64 taken off
    first is the memory map's share. With several nodes the tables are vmalloc memory.
    """
    wanted = max(1, (pages - pages // 64) // 2)
    entries = 1 << (wanted - 1).bit_length()
    return -(-entries * entry_bytes * 3 // 2 // PAGE_SIZE)


def atomic_pool_pages(memory: int) -> int:
    """Pages of the pool that boot takes from ZONE_DMA for a machine of `memory` pages.

    128 KiB for each GiB, in one block of the buddy allocator: dma_atomic_pool_init
    (kernel/dma/pool.c, 6.1). The pools of the other zones are part of the measured use.
    """
    wanted = min(max(memory >> 13, ATOMIC_POOL_LEAST), MAX_ORDER_PAGES)
    return 1 << (wanted - 1).bit_length()


def booted_use(
    spec: MachineSpec, profile: KernelProfile, hotplug: Collection[int] = ()
) -> tuple[BootUse, ...]:
    """Return what the started system uses, in the order in which it is to be allocated.

    hotplug: nodes that movable_node keeps free of boot memory.

    Figures that grow with memory are interpolated between measured sizes of the real
    machine; a classroom machine is taken for the real one of 32 times its memory, and its
    use divided by 32, rounded up.
    """
    fp = profile.footprint
    memory = spec.present_pages * spec.scale
    first, *others = sorted(n.nid for n in spec.nodes)
    dma = atomic_pool_pages(memory) if fp.dma_pool else 0
    slab = between(fp.slab, memory)
    stacks = fp.stacks + fp.node_stacks * len(others)
    tables = 0
    if others:
        left_out = hotplug if profile.hash_tables_skip_hotplug else ()
        counted = sum(n.present_pages for n in spec.nodes if n.nid not in left_out)
        tables = hash_table_pages(counted, fp.hash_entry) // (len(others) + 1)
    use = [
        BootUse("DMA", PageKind.KERNEL_BUFFER, dma, "pools for atomic DMA allocations"),
        BootUse(
            "KERNEL_RECLAIMABLE", PageKind.RECLAIMABLE_SLAB, fp.slab_reclaimable, "reclaimable slab"
        ),
        BootUse("KERNEL", PageKind.SLAB, slab, "slab"),
        BootUse("KERNEL", PageKind.KERNEL_STACK, stacks, "kernel stacks"),
        BootUse("KERNEL", PageKind.PAGE_TABLE, fp.page_tables, "page tables"),
        BootUse("KERNEL", PageKind.KERNEL_BUFFER, between(fp.other, memory), "other kernel pages"),
    ]
    for nid in others:
        use.append(BootUse("KERNEL", PageKind.SLAB, fp.node_slab, "slab of the node", nid))
        why = "other kernel pages of the node"
        use.append(BootUse("KERNEL", PageKind.KERNEL_BUFFER, fp.node_other, why, nid))
    if spec.arch is Arch.PAE:
        why = "page tables in high memory"
        use.append(BootUse("HIGHUSER", PageKind.PAGE_TABLE, fp.high_page_tables, why))
        why = "kernel pages in high memory"
        use.append(BootUse("HIGHUSER", PageKind.KERNEL_BUFFER, fp.high_other, why))
    use.append(BootUse("HIGHUSER_MOVABLE", PageKind.ANON, fp.anon, "memory of the start-up"))
    use.append(BootUse("HIGHUSER_MOVABLE", PageKind.ANON, fp.tmpfs, "files of the start-up"))
    real = [BootUse(u.gfp, u.kind, -(-u.pages // spec.scale), u.why, u.nid) for u in use if u.pages]
    real += [
        BootUse("KERNEL", PageKind.KERNEL_BUFFER, tables, "share of the hash tables", nid)
        for nid in (first, *others)
        if tables
    ]
    return tuple(BootUse(u.gfp, u.kind, u.pages, u.why, u.nid or first) for u in real)
