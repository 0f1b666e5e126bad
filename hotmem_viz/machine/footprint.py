"""What a kernel occupies by itself: reserved at boot, freed after it, in use once it runs.

All figures are pages of 4 KiB at real scale and were measured on captures of one build of each
kernel, one CPU, mitigations off, no address randomisation: here Debian's 6.1.0-56-cloud-amd64
and 6.1.0-50-686-pae, later kernels in modules of their own. They are the same in every capture
of a build, whatever the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotmem_viz.units import GIB


@dataclass(frozen=True)
class BootFootprint:
    """The boot memory of one kernel build.

    Attributes
    ----------
    image
        Parts of the kernel's image that stay: (first pfn, pages). Their gaps were freed.
    image_freed
        Pages of the image freed after the zones' sizes were used for watermarks ("Freeing
        unused ... memory" in the log, without the SMP alternatives, freed before).
    initrd
        Pages of the initial ramdisk, at the top of memory below 4 GiB (lowmem on PAE).
    first_mib
        Pages from pfn 0 that are never freed (the first MiB).
    node_data
        Pages at the top of each node: node data (pg_data_t) and section bookkeeping.
    percpu, percpu_unit
        Pages kept of each CPU's area, and the aligned size in which it is taken.
    crumbs
        Small boot allocations at the highest memory that may hold them.
    first_node_crumbs
        More of them at the top of the first CPU's node: on a machine with one node, with
        several, and with an effective movable_node.
    movable_node_crumbs
        What an effective movable_node takes besides, right after the first MiB.
    swiotlb, swiotlb_slots
        Bounce buffers below 4 GiB and their table, when memory reaches above 4 GiB.
    hash_entry
        Bytes per entry of the dentry and inode hash tables (a pointer).
    slab_reclaimable, slab, other
        Pages in use once the system runs. `slab` (unreclaimable) and `other` (kernel pages
        that no counter names) grow with memory: points (pages of memory, pages in use),
        straight lines between them.
    stacks, page_tables, anon, tmpfs
        More pages in use: kernel stacks, page tables, user memory, files of the start-up.
    node_slab, node_stacks, node_other
        What each node after the first adds.
    dma_pool
        Whether boot takes a pool for atomic allocations from ZONE_DMA.
    high_other, high_page_tables
        PAE only: pages in use in HIGHMEM besides user memory.
    booted_tables, loaded_tables
        Pages with the PGTABLE flag right after boot, and while a load without memory of its own
        runs: its parent's and its own tables, and from 6.8 on those of the kernel.
    percpu_lists
        Free pages of the first node's DMA32 that boot leaves on per-CPU lists in orders and
        types that a workload does not ask for. A zone's lists hold no more than its low mark.
    """

    image: tuple[tuple[int, int], ...]
    image_freed: int
    initrd: int
    first_mib: int
    node_data: int
    percpu: int
    percpu_unit: int
    crumbs: int
    first_node_crumbs: tuple[int, int, int]
    movable_node_crumbs: int
    swiotlb: int
    swiotlb_slots: int
    hash_entry: int
    slab_reclaimable: int
    slab: tuple[tuple[int, int], ...]
    other: tuple[tuple[int, int], ...]
    stacks: int
    page_tables: int
    anon: int
    tmpfs: int
    node_slab: int
    node_stacks: int
    node_other: int
    dma_pool: bool
    high_other: int = 0
    high_page_tables: int = 0
    booted_tables: int = 0
    loaded_tables: int = 0
    percpu_lists: int = 0

    @property
    def image_pages(self) -> int:
        """Pages of the image that stay."""
        return sum(pages for _, pages in self.image)


def between(points: tuple[tuple[int, int], ...], at: int) -> int:
    """Interpolate between measured points, and go on with the last slope beyond them."""
    if len(points) == 1:
        return points[0][1]
    upper = next((i for i in range(1, len(points)) if at <= points[i][0]), len(points) - 1)
    (x0, y0), (x1, y1) = points[upper - 1], points[upper]
    return max(0, round(y0 + (y1 - y0) * (at - x0) / (x1 - x0)))


X86_64_6_1 = BootFootprint(
    # Code, read-only data, data; then the tail of init data and bss, less what was freed
    # ("Kernel code", "rodata", "data", "bss" of /proc/iomem, and the reserved flag).
    image=((4096, 3586), (8192, 2087), (10752, 1562), (12976, 851), (14336, 17)),
    image_freed=2145,
    initrd=821,
    first_mib=256,
    node_data=44,
    percpu=61,
    percpu_unit=512,
    crumbs=10,
    first_node_crumbs=(2, 3, 1),
    movable_node_crumbs=1,
    swiotlb=16384,
    swiotlb_slots=192,
    hash_entry=8,
    slab_reclaimable=2261,
    slab=((GIB // 2, 1744), (GIB, 1764), (8 * GIB, 1805)),
    other=((GIB // 4, 2215), (GIB // 2, 2250), (GIB, 2315), (8 * GIB, 3733)),
    stacks=192,
    page_tables=14,
    anon=35,
    tmpfs=834,
    node_slab=30,
    node_stacks=8,
    node_other=495,
    dma_pool=True,
    # 23 in all six b-* captures that have flags from near the end.
    booted_tables=14,
    loaded_tables=23,
)

PAE_6_1 = BootFootprint(
    image=((4096, 3492), (7828, 144)),
    image_freed=232,
    initrd=741,
    first_mib=256,
    node_data=4,
    percpu=33,
    percpu_unit=33,
    crumbs=0,
    first_node_crumbs=(0, 0, 0),
    movable_node_crumbs=0,
    swiotlb=16384,
    swiotlb_slots=128,
    hash_entry=4,
    slab_reclaimable=1493,
    slab=((GIB, 1010),),
    other=((GIB, 478),),
    stacks=92,
    page_tables=2,
    anon=20,
    tmpfs=752,
    node_slab=0,
    node_stacks=0,
    node_other=0,
    dma_pool=False,
    high_other=108,
    high_page_tables=18,
    # 26 in e-files and all e-sockets.
    booted_tables=19,
    loaded_tables=26,
)
