"""What operations cost on Debian's 6.1.0-50-686-pae, measured on captures of that build (e-*)."""

from __future__ import annotations

from hotmem_viz.machine.object_costs import (
    NEGATIVE,
    VMAS,
    Objects,
    operations,
    slab_caches,
)

CACHES = slab_caches(
    "slabinfo, 6.1.0-50-686-pae",
    ("shmem_inode_cache", 488, 8, 1, False),
    ("dentry", 128, 32, 1, True),
    ("inode_cache", 416, 19, 2, True),
    ("sock_inode_cache", 640, 12, 2, True),
    ("lsm_file_cache", 16, 256, 1, False),
    ("filp", 192, 21, 1, False),
    ("skbuff_head_cache", 192, 21, 1, False),
    ("signal_cache", 768, 10, 2, False),
    ("kmalloc-cg-4k", 4096, 8, 8, False),
    ("kmalloc-cg-512", 512, 8, 1, False),
    ("kmalloc-cg-128", 128, 32, 1, False),
    ("kmalloc-rcl-192", 192, 21, 1, True),
    ("kmalloc-8", 8, 512, 1, False),
    ("vm_area_struct", 80, 51, 1, False),
    ("maple_node", 256, 16, 1, False),
    ("task_struct", 3008, 10, 8, False),
    ("mm_struct", 576, 14, 2, False),
    ("sighand_cache", 1344, 12, 4, False),
    ("files_cache", 256, 16, 1, False),
    ("cred_jar", 128, 32, 1, False),
    ("pid", 64, 64, 1, False),
    ("anon_vma", 56, 73, 1, False),
    ("anon_vma_chain", 32, 128, 1, False),
    ("pgd_cache", 32, 128, 1, False),
    ("kmalloc-cg-32", 32, 128, 1, False),
)

_FILES: dict[str, Objects] = {"shmem_inode_cache": 1, "dentry": 1, "lsm_file_cache": 1}
_SOCKETS: dict[str, Objects] = {
    "kmalloc-cg-4k": 10,
    "skbuff_head_cache": 10,
    "signal_cache": 2,
    "sock_inode_cache": 2,
    "filp": 2,
    "dentry": 2,
    "lsm_file_cache": 4,
    "kmalloc-8": 2,
}
_PIPES: dict[str, Objects] = {
    "filp": 2,
    "inode_cache": 1,
    "dentry": 1,
    "lsm_file_cache": 3,
    "kmalloc-cg-512": 1,
    "kmalloc-cg-128": 1,
}
_PROCS: dict[str, Objects] = {
    "task_struct": 1,
    "mm_struct": 1,
    "sighand_cache": 1,
    "signal_cache": 1,
    "files_cache": 1,
    "cred_jar": 1,
    "pid": 2,
    "vm_area_struct": 12,
    "anon_vma": 6,
    "anon_vma_chain": 18,
    "maple_node": 1,
    "pgd_cache": 1,
    "kmalloc-cg-4k": 1,
    "kmalloc-cg-512": 1,
    "kmalloc-cg-32": 1,
}
OPERATIONS = operations(
    {
        "files": _FILES,
        "dirs": _FILES,
        "sockets": _SOCKETS,
        "pipes": _PIPES,
        "procs": _PROCS,
        "vmas": VMAS,
        "cache": NEGATIVE,
        "negdentry": NEGATIVE,
        "ballast": _SOCKETS,
    },
    {
        "files": "e-files-04G-panic: an empty tmpfs file",
        "dirs": "as files; no capture of directories on PAE",
        "sockets": "e-sockets-04G: a pair of unix sockets, ten datagrams of 3,400 bytes in each",
        "pipes": "e-pipes-04G: a pipe with four pages written into it",
        "procs": "e-ptes-04G-nohighpte: a process that sleeps, without its memory",
        "vmas": "as x86-64; no capture on PAE",
        "cache": "as x86-64; no capture on PAE",
        "negdentry": "as x86-64; no capture on PAE",
        "ballast": "e-sockets-04G: a socket pair parked before the workload starts",
    },
    stacks=2,
    page_tables=7,
)
