"""Objects in use among objects that could be shrunk: each keeps its whole slab.

A slab goes back to the allocator when its last object is gone, so what counts is not how many
objects are in use but how many slabs hold one: of 21 names to a page, one in ten in use keeps nine
pages in ten. Left out: objects that come out of use again.

Source: mm/slub.c `discard_slab`; fs/dcache.c `shrink_dentry_list`; fs/inode.c `inode_lru_isolate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.frames import FrameSet, find_changes
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.workloads import Stock


class HeldObjects:
    """Draws which slabs hold an object in use, and says so of their pages.

    share: of the objects, each by itself. owner: the row of who holds them all; those that cannot
    be shrunk get a row beside it.
    """

    def __init__(self, mem: PhysicalMemory, share: float, owner: int, seed: int) -> None:
        self.mem, self.share, self._loose = mem, share, owner
        self.owner = mem.owners.add(f"{mem.owners.names[owner]}, in use") if share else 0
        self._rng = np.random.default_rng((seed, 1))

    def keep(self, frames: FrameSet, stock: Stock) -> None:
        """Draw for each slab among some fresh frames; a smaller slab goes with its neighbours."""
        if not self.share or not len(frames):
            return
        # Reclaim may have taken some of them back within the same request.
        pfns = frames.pfns()
        pfns = pfns[self.mem.owner.reshape(-1)[pfns] == self._loose]
        new = find_changes(pfns >> stock.cut.order)
        kept = self._rng.random(int(new.sum())) >= (1 - self.share) ** stock.cut.per_slab
        held = FrameSet.of_pfns(pfns[kept[new.cumsum() - 1]])
        n = len(held)
        kinds, owners = np.full(n, stock.kind, np.uint8), np.full(n, self.owner, np.uint16)
        self.mem.relabel(held, kinds, owners)


def count_cached(mem: PhysicalMemory) -> int:
    """Count the pages of slabs of the reclaimable type."""
    return int(mem.zone_kinds[:, PageKind.RECLAIMABLE_SLAB].sum())
