"""How much memory may be movable before page tables starve: the boundary in closed form.

A machine of memory T has r times as much movable memory as kernel memory. The kernel zones hold
the memory map (64 bytes a page, 1/64 of T), other kernel memory (u of T), and the tables of all
address spaces. These amount to p times the movable memory, and tables are a 1/512 + 1/512² + ...
of what they map. The zones suffice while 1/(1 + r) >= 1/64 + u + f p r/(1 + r). Watermarks,
reserves, nodes and fragmentation are left out; all of them lower the boundary.

Claim S14 of the mail: it works "up to a *point*". KERNEL.md 7.3.
"""

from __future__ import annotations

MEMORY_MAP = 1 / 64
"""Share of memory that struct page takes (64 bytes of 4,096; include/linux/mm_types.h, 6.1)."""

TABLES_PER_BYTE = 1 / 511
"""Pages of tables for a page densely mapped by four levels, but for the fifth term of the sum."""

LEAST = 1e-6
"""Kernel memory that is never gone below: a machine without any would have no boundary."""


def find_boundary(other: float, mapped: float) -> float:
    """Return r*, the largest movable:kernel ratio at which tables still fit; 0 if none does.

    other: u, kernel memory other than the memory map and page tables, as a share of memory.
    mapped: p, address space that has tables, over movable memory: N processes that share all of
    it are N, one page touched in every 2 MiB of ten times as much is ten.
    """
    left = 1 - MEMORY_MAP - other
    needed = MEMORY_MAP + other + TABLES_PER_BYTE * mapped
    return max(0.0, left / max(needed, LEAST))


def find_mapped(other: float, ratio: float) -> float:
    """Return p at which tables starve on a machine of some ratio: the boundary, solved for p."""
    kernel = 1 / (1 + ratio)
    return max(0.0, (kernel - MEMORY_MAP - other) / (TABLES_PER_BYTE * ratio * kernel))
