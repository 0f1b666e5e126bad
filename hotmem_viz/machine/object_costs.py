"""What one operation of a workload costs, in slab objects and pages.

Sizes, objects per slab and pages per slab are those of /proc/slabinfo in the captures of
each build; objects per operation are the growth of that file over a workload divided by the
operations done. Cache names are those after merging of equal caches by the slab allocator:
unix sockets live in PING on the x86-64 build and in signal_cache on the PAE one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


MAPLE_NODES = Fraction(3, 40)
"""Nodes of a maple tree that one more entry costs when entries are added in order.

Measured: 0.0748 to 0.0752 in four workloads on three kernels. A leaf has 16 slots, and the
split of a full one leaves some of them empty (lib/maple_tree.c).
"""

Objects = int | Fraction
"""Objects of a cache per operation; a fraction where several operations share an object."""


@dataclass(frozen=True)
class SlabCache:
    """A slab cache: how objects fill slabs, and slabs take pages.

    `reclaimable` tells whether its slabs are accounted reclaimable (SLAB_RECLAIM_ACCOUNT),
    and so come from pageblocks of MigrateType.RECLAIMABLE. It says nothing about whether
    anything would be reclaimed: a dentry of tmpfs counts, and none of them can go.
    """

    name: str
    object_bytes: int
    objects_per_slab: int
    pages_per_slab: int
    reclaimable: bool = False
    source: str = ""

    @property
    def pages_per_object(self) -> float:
        """Pages that one more object costs in the long run."""
        return self.pages_per_slab / self.objects_per_slab


@dataclass(frozen=True)
class Operation:
    """One operation of a workload: objects by cache, and pages of its own.

    `data_pages` are requested with `data_gfp`; `stacks` are pages of kernel stacks,
    `page_tables` and `anon` a process's tables and user memory. `shrinkable` tells whether
    memory pressure can take the objects back. `name` is the workload's.
    """

    name: str
    caches: Mapping[str, Objects]
    data_pages: int = 0
    data_gfp: str = "KERNEL"
    stacks: int = 0
    page_tables: int = 0
    anon: int = 0
    shrinkable: bool = False
    source: str = ""

    def slab_pages(self, caches: Mapping[str, SlabCache]) -> float:
        """Slab pages that one more operation costs in the long run."""
        return sum(float(n) * caches[name].pages_per_object for name, n in self.caches.items())


def slab_caches(source: str, *rows: tuple[str, int, int, int, bool]) -> Mapping[str, SlabCache]:
    """Make a build's caches: name, object bytes, objects and pages per slab, reclaimable."""
    return MappingProxyType({row[0]: SlabCache(*row, source=source) for row in rows})


def operations(
    caches: Mapping[str, Mapping[str, Objects]],
    sources: Mapping[str, str],
    *,
    stacks: int = 4,
    page_tables: int = 11,
) -> Mapping[str, Operation]:
    """Make a build's operations: add what the builds share, pages of data and reclaim.

    A process of x86-64 has 7 page tables for its few mappings, 2 PUDs that no kernel before 6.8
    counts and a PGD of 2 pages (the free memory shows them), and 4 pages of stack.

    caches: objects by cache, by operation. sources: where they were measured. stacks, page_tables:
    pages of one process.
    """
    table = {
        name: Operation(
            name=name,
            caches=MappingProxyType(dict(costs)),
            data_pages=4 if name == "pipes" else 0,
            data_gfp="HIGHUSER" if name == "pipes" else "KERNEL",
            stacks=stacks if name == "procs" else 0,
            page_tables=page_tables if name == "procs" else 0,
            anon=4 if name == "procs" else 0,
            shrinkable=name in ("cache", "negdentry", "disk"),
            source=sources[name],
        )
        for name, costs in caches.items()
    }
    return MappingProxyType(table)


# Which caches count as reclaimable is measured: the growth of SReclaimable in each workload
# equals that of dentry, inode_cache, sock_inode_cache and kmalloc-rcl-*; that of
# shmem_inode_cache lands in SUnreclaim (SLAB_ACCOUNT only, mm/shmem.c).
X86_64_CACHES = slab_caches(
    "slabinfo, 6.1.0-56-cloud-amd64",
    ("shmem_inode_cache", 784, 10, 2, False),
    ("dentry", 192, 21, 1, True),
    ("inode_cache", 640, 12, 2, True),
    ("sock_inode_cache", 832, 19, 4, True),
    ("ext4_inode_cache", 1192, 13, 4, True),
    ("lsm_inode_cache", 32, 128, 1, False),
    ("lsm_file_cache", 24, 170, 1, False),
    ("filp", 256, 16, 1, False),
    ("skbuff_head_cache", 256, 16, 1, False),
    ("PING", 1024, 8, 2, False),
    ("kmalloc-cg-4k", 4096, 8, 8, False),
    ("kmalloc-cg-1k", 1024, 8, 2, False),
    ("kmalloc-cg-192", 192, 21, 1, False),
    ("kmalloc-rcl-192", 192, 21, 1, True),
    ("kmalloc-16", 16, 256, 1, False),
    ("vm_area_struct", 152, 26, 1, False),
    ("maple_node", 256, 16, 1, False),
    ("task_struct", 6144, 5, 8, False),
    ("mm_struct", 1152, 14, 4, False),
    ("sighand_cache", 2112, 15, 8, False),
    ("signal_cache", 1152, 14, 4, False),
    ("files_cache", 704, 11, 2, False),
    ("cred_jar", 192, 21, 1, False),
    ("pid", 128, 32, 1, False),
    ("anon_vma", 104, 39, 1, False),
    ("anon_vma_chain", 64, 64, 1, False),
    ("vmap_area", 64, 64, 1, False),
    ("kmalloc-cg-64", 64, 64, 1, False),
    ("kmalloc-96", 96, 42, 1, False),
    ("kmalloc-64", 64, 64, 1, False),
    ("kmalloc-32", 32, 128, 1, False),
)

_X86_64_FILES: dict[str, Objects] = {"shmem_inode_cache": 1, "dentry": 1, "lsm_inode_cache": 1}
_X86_64_SOCKETS: dict[str, Objects] = {
    "kmalloc-cg-4k": 10,
    "skbuff_head_cache": 10,
    "PING": 2,
    "sock_inode_cache": 2,
    "filp": 2,
    "dentry": 2,
    "lsm_inode_cache": 2,
    "lsm_file_cache": 2,
    "kmalloc-16": 2,
}
_X86_64_PIPES: dict[str, Objects] = {
    "kmalloc-cg-1k": 1,
    "inode_cache": 1,
    "filp": 2,
    "dentry": 1,
    "kmalloc-cg-192": 1,
    "lsm_file_cache": 2,
    "lsm_inode_cache": 1,
}
_X86_64_PROCS: dict[str, Objects] = {
    "task_struct": 1,
    "mm_struct": 1,
    "sighand_cache": 1,
    "signal_cache": 1,
    "files_cache": 1,
    "cred_jar": 1,
    "pid": 1,
    "vm_area_struct": 12,
    "anon_vma": 6,
    "anon_vma_chain": 19,
    "maple_node": 3,
    "vmap_area": 2,
    "kmalloc-cg-1k": 1,
    "kmalloc-cg-64": 2,
    "kmalloc-96": 1,
    "kmalloc-64": 1,
    "kmalloc-32": 1,
}
VMAS: dict[str, Objects] = {"vm_area_struct": 1, "maple_node": MAPLE_NODES}
"""One more mapping."""

NEGATIVE: dict[str, Objects] = {"dentry": 1, "kmalloc-rcl-192": 1}
"""A negative dentry, and its name of 125 characters, too long to fit inside it."""

DISK: dict[str, Objects] = {"ext4_inode_cache": 1, "dentry": 1}
"""A file of ext4 that somebody has looked at, its data apart; what the security modules keep of it
goes with it and is left out."""

X86_64_OPERATIONS = operations(
    {
        "files": _X86_64_FILES,
        "dirs": _X86_64_FILES,
        "sockets": _X86_64_SOCKETS,
        "pipes": _X86_64_PIPES,
        "procs": _X86_64_PROCS,
        "vmas": VMAS,
        "cache": NEGATIVE,
        "negdentry": NEGATIVE,
        "disk": DISK,
        "ballast": _X86_64_SOCKETS,
    },
    {
        "files": "b-files-85: an empty tmpfs file",
        "dirs": "b-dirs-85: a tmpfs directory",
        "sockets": "b-sockets-85: a pair of unix sockets, ten datagrams of 3,400 bytes in each",
        "pipes": "b-pipes-85: a pipe with four pages written into it",
        "procs": "b-procs-85: a process that sleeps",
        "vmas": "b-vmas-85: one more mapping, by mprotect of every second page",
        "cache": "b-negdentry-85: a look-up of a missing name of 125 characters",
        "negdentry": "b-negdentry-85: a look-up of a missing name of 125 characters",
        "disk": "an inode and a dentry by definition; sizes from boot slabinfo",
        "ballast": "b-sockets-85: a socket pair parked before the workload starts",
    },
)
