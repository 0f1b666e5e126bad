"""What Debian's 6.12.107+deb13-cloud-amd64 occupies, and what its operations cost.

Measured on captures of that build, one CPU, mitigations off, no address randomisation
(data/captures, v612-*): reserved ranges from the page flags right after boot and /proc/iomem,
what was freed from the boot log, pages in use from zoneinfo and meminfo after boot, objects from
/proc/slabinfo. What each node after the first adds comes from two
captures, the growth with memory beyond 2 GiB from the same two.
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

BUILD = "6.12.107+deb13-cloud-amd64"

FOOTPRINT = BootFootprint(
    # Code; read-only data; data; the tail of init data and bss ("Kernel bss" ends at 15360),
    # less what was freed.
    image=((4096, 6848), (11264, 1780), (14039, 814), (15360, 17)),
    image_freed=1812,
    initrd=755,
    first_mib=256,
    node_data=43,
    percpu=66,
    percpu_unit=512,
    crumbs=10,
    first_node_crumbs=(2, 3, 3),
    movable_node_crumbs=1,
    swiotlb=16384,
    swiotlb_slots=192,
    hash_entry=8,
    slab_reclaimable=143,
    slab=((GIB, 1932),),
    other=(
        (GIB * 3 // 8, 2171),
        (GIB, 2246),
        (GIB * 3 // 2, 2464),
        (2 * GIB, 2446),
        (6 * GIB, 3708),
        (12 * GIB, 4229),
    ),
    stacks=214,
    page_tables=88,
    anon=34,
    tmpfs=765,
    node_slab=50,
    node_stacks=12,
    node_other=495,
    dma_pool=True,
    # 97 or 98 in v612-b-dirs, -pipes, -sockets and -vmas.
    booted_tables=89,
    loaded_tables=98,
    percpu_lists=1900,
)

CACHES = slab_caches(
    "slabinfo, 6.12.107+deb13-cloud-amd64",
    ("shmem_inode_cache", 760, 21, 4, False),
    ("dentry", 192, 21, 1, True),
    ("inode_cache", 632, 25, 4, True),
    ("sock_inode_cache", 832, 19, 4, True),
    ("ext4_inode_cache", 1168, 14, 4, True),
    ("lsm_inode_cache", 88, 46, 1, False),
    ("shared_policy_node", 48, 85, 1, False),
    ("filp", 192, 21, 1, False),
    ("skbuff_head_cache", 256, 16, 1, False),
    ("PING", 1024, 8, 2, False),
    ("kmalloc-cg-4k", 4096, 8, 8, False),
    ("kmalloc-cg-1k", 1024, 8, 2, False),
    ("kmalloc-cg-192", 192, 21, 1, False),
    ("kmalloc-rcl-192", 192, 21, 1, True),
    ("kmalloc-16", 16, 256, 1, False),
    ("vm_area_struct", 176, 23, 1, False),
    ("vma_lock", 40, 102, 1, False),
    ("maple_node", 256, 16, 1, False),
    ("task_struct", 6208, 5, 8, False),
    ("mm_struct", 1408, 11, 4, False),
    ("sighand_cache", 2112, 15, 8, False),
    ("signal_cache", 1152, 14, 4, False),
    ("files_cache", 704, 11, 2, False),
    ("cred", 192, 21, 1, False),
    ("pid", 128, 32, 1, False),
    ("anon_vma", 104, 39, 1, False),
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
    "PING": 2,
    "sock_inode_cache": 2,
    "filp": 2,
    "dentry": 2,
    "lsm_inode_cache": 2,
    "shared_policy_node": 2,
    "kmalloc-16": 2,
}
"""The security blob of an open file lies in shared_policy_node, a cache of like size."""

_PIPES: dict[str, Objects] = {
    "kmalloc-cg-1k": 1,
    "inode_cache": 1,
    "filp": 2,
    "dentry": 1,
    "kmalloc-cg-192": 1,
    "shared_policy_node": 2,
    "lsm_inode_cache": 1,
}
_PROCS: dict[str, Objects] = {
    "task_struct": 1,
    "mm_struct": 1,
    "sighand_cache": 1,
    "signal_cache": 1,
    "files_cache": 1,
    "cred": 1,
    "pid": 1,
    "vm_area_struct": 12,
    "vma_lock": 12,
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
_VMAS: dict[str, Objects] = {"vm_area_struct": 1, "vma_lock": 1, "maple_node": MAPLE_NODES}

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
        "files": "as dirs, whose inodes and directory entries are the same",
        "dirs": "v612-b-dirs-1536M-75: a tmpfs directory",
        "sockets": "v612-b-sockets-1536M-40: a pair of unix sockets with twenty datagrams",
        "pipes": "v612-b-pipes-2G-40: a pipe with four pages written into it",
        "procs": "v612-c-procs-2G-80: a process that sleeps, without its segment",
        "vmas": "v612-b-vmas-768M-75: one more mapping, by mprotect of every second page",
        "cache": "a look-up of a missing name of 125 characters; sizes from boot slabinfo",
        "negdentry": "a look-up of a missing name of 125 characters; sizes from boot slabinfo",
        "disk": "an inode and a dentry by definition; sizes from boot slabinfo",
        "ballast": "v612-b-sockets-1536M-40: a socket pair parked before the workload starts",
    },
)
