"""What moving memory costs, in nanoseconds: published figures only, each with its source.

They are of other machines than the model's; they order, and give a size. What nobody has
published costs nothing here.
"""

from __future__ import annotations

from hotmem_viz.vocabulary import PAGE_SIZE

MIGRATE_PAGE_NS = 4_800
"""One 4 KiB page in a batch of 512: 0.854 GB/s (Zi Yan, 2019, Xeon; KERNEL.md 4.2)."""

MIGRATE_HUGE_PAGE_NS = 878_000
"""One 2 MiB page: 2.387 GB/s (same series)."""

COPY_PAGE_NS = PAGE_SIZE * 1_000 // 1_983
"""The copy alone, of a batch of 512 pages: 1.983 GB/s (same series)."""

FAILED_PAGE_NS = MIGRATE_PAGE_NS - COPY_PAGE_NS
"""A try that ends in EAGAIN: all of a migration but the copy. Derived, not measured."""

OFFLINE_PAGE_NS = 242
"""Isolating a page that is free and taking it out of its zone: 2 GiB in 127 ms without any
migration (Squeezy, arXiv 2411.12893, Linux 6.6; KERNEL.md 4.3)."""
