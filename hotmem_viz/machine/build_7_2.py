"""What Debian's 7.2.13+deb14-cloud-amd64 occupies, and what its operations cost.

Measured on captures of that build, one CPU, mitigations off, no address randomisation
(data/captures, v72-*): reserved ranges from the page flags right after boot and /proc/iomem,
what was freed from the boot log, pages in use from zoneinfo and meminfo after boot, objects from
/proc/slabinfo. Files and pipes were run on 6.12 only: their objects are
those of 6.12, their sizes this build's.
"""

from __future__ import annotations

from hotmem_viz.machine.footprint import BootFootprint
from hotmem_viz.machine.object_costs import (
    DISK,
    MAPLE_NODES,
    NEGATIVE,
    Objects,
    operations,
    slab_caches,
)
from hotmem_viz.units import GIB

BUILD = "7.2.13+deb14-cloud-amd64"

FOOTPRINT = BootFootprint(
    # Code; read-only data; data; the tail of init data and bss ("Kernel bss" ends at 16896),
    # less what was freed.
    image=((4096, 4701), (9216, 3188), (12800, 1937), (15847, 542), (16896, 17)),
    image_freed=2420,
    initrd=761,
    first_mib=256,
    node_data=44,
    percpu=62,
    percpu_unit=512,
    crumbs=10,
    first_node_crumbs=(2, 3, 3),
    movable_node_crumbs=1,
    swiotlb=16384,
    swiotlb_slots=192,
    hash_entry=8,
    slab_reclaimable=171,
    slab=((GIB, 2214),),
    other=((GIB * 3 // 4, 3714), (GIB, 3731), (GIB * 3 // 2, 3874), (6 * GIB, 5187)),
    stacks=234,
    page_tables=122,
    anon=36,
    tmpfs=770,
    node_slab=58,
    node_stacks=7,
    node_other=495,
    dma_pool=True,
    # 121 in v72-b-sockets, 120 in v72-b-vmas.
    booted_tables=109,
    loaded_tables=121,
    percpu_lists=2600,
)

CACHES = slab_caches(
    "slabinfo, 7.2.13+deb14-cloud-amd64",
    ("shmem_inode_cache", 696, 23, 4, False),
    ("dentry", 192, 21, 1, True),
    ("inode_cache", 568, 14, 2, True),
    ("sock_inode_cache", 832, 19, 4, True),
    ("ext4_inode_cache", 1072, 15, 4, True),
    ("lsm_inode_cache", 88, 46, 1, False),
    ("ftrace_event_field", 56, 73, 1, False),
    ("filp", 192, 21, 1, False),
    ("skbuff_head_cache", 256, 16, 1, False),
    ("signal_cache", 1152, 14, 4, False),
    ("kmalloc-cg-4k", 4096, 8, 8, False),
    ("kmalloc-cg-1k", 1024, 8, 2, False),
    ("kmalloc-cg-192", 192, 21, 1, False),
    ("kmalloc-rcl-192", 192, 21, 1, True),
    ("kmalloc-32", 32, 128, 1, False),
    ("vm_area_struct", 192, 21, 1, False),
    ("maple_node", 256, 16, 1, False),
    ("task_struct", 6720, 4, 8, False),
    ("mm_struct", 1792, 9, 4, False),
    ("sighand_cache", 2112, 15, 8, False),
    ("files_cache", 704, 11, 2, False),
    ("pid", 192, 21, 1, False),
    ("anon_vma", 96, 42, 1, False),
    ("anon_vma_chain", 64, 64, 1, False),
    ("vmap_area", 72, 56, 1, False),
    ("kmalloc-cg-64", 64, 64, 1, False),
    ("kmalloc-cg-16", 16, 256, 1, False),
    ("kmalloc-96", 96, 42, 1, False),
    ("kmalloc-64", 64, 64, 1, False),
)

_FILES: dict[str, Objects] = {
    "shmem_inode_cache": 1,
    "dentry": 1,
    "lsm_inode_cache": 1,
    # The directory's entries are kept in order in a maple tree (fs/libfs.c, since 6.6).
    "maple_node": MAPLE_NODES,
}
_SOCKETS: dict[str, Objects] = {
    "kmalloc-cg-4k": 10,
    "skbuff_head_cache": 10,
    "signal_cache": 2,
    "sock_inode_cache": 2,
    "filp": 2,
    "dentry": 2,
    "lsm_inode_cache": 2,
    "ftrace_event_field": 2,
    "kmalloc-32": 2,
}
"""Unix sockets lie in signal_cache and the security blob of an open file in ftrace_event_field,
caches of like size."""

_PIPES: dict[str, Objects] = {
    "kmalloc-cg-1k": 1,
    "inode_cache": 1,
    "filp": 2,
    "dentry": 1,
    "kmalloc-cg-192": 1,
    "ftrace_event_field": 2,
    "lsm_inode_cache": 1,
}
_PROCS: dict[str, Objects] = {
    "task_struct": 1,
    "mm_struct": 1,
    "sighand_cache": 1,
    "signal_cache": 1,
    "files_cache": 1,
    "pid": 2,
    "vm_area_struct": 12,
    "anon_vma": 6,
    "anon_vma_chain": 19,
    "maple_node": 3,
    "vmap_area": 2,
    "kmalloc-cg-4k": 1,
    "kmalloc-cg-192": 1,
    "kmalloc-cg-64": 1,
    "kmalloc-cg-16": 1,
    "kmalloc-96": 1,
    "kmalloc-64": 1,
}
_VMAS: dict[str, Objects] = {"vm_area_struct": 1, "maple_node": MAPLE_NODES}

OPERATIONS = operations(
    {
        "files": _FILES,
        "dirs": _FILES,
        "sockets": _SOCKETS,
        "pipes": _PIPES,
        "procs": _PROCS,
        "vmas": _VMAS,
        "cache": NEGATIVE,
        "negdentry": NEGATIVE,
        "disk": DISK,
        "ballast": _SOCKETS,
    },
    {
        "files": "objects as on 6.12; sizes from boot slabinfo",
        "dirs": "objects as on 6.12; sizes from boot slabinfo",
        "sockets": "v72-b-sockets-1536M-40: a pair of unix sockets with twenty datagrams",
        "pipes": "objects as on 6.12; sizes from boot slabinfo",
        "procs": "objects as on 6.12, credentials in pid's cache; sizes from boot slabinfo",
        "vmas": "v72-b-vmas-768M-75: one more mapping, by mprotect of every second page",
        "cache": "a look-up of a missing name of 125 characters; sizes from boot slabinfo",
        "negdentry": "a look-up of a missing name of 125 characters; sizes from boot slabinfo",
        "disk": "an inode and a dentry by definition; sizes from boot slabinfo",
        "ballast": "v72-b-sockets-1536M-40: a socket pair parked before the workload starts",
    },
    page_tables=10,
)
