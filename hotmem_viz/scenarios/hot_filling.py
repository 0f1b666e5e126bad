"""What fills a machine before memory has to go, and what comes in the way.

Nothing is put where the kernel would not put it: an obstacle is asked for like any page, and the
memory block that it fell into is the one that has to go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.hugetlb import grow_pool, use_huge_pages
from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.mechanisms.migrate import target_nodes
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes
from hotmem_viz.mechanisms.pins import pin_pages
from hotmem_viz.mechanisms.requests import GFP, GFP_OF_KIND
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.hot_parameters import HotRemoveParameters

TURNS = 12
USERS = (
    (PageKind.ANON, 0.6, "user program"),
    (PageKind.PAGE_CACHE, 0.3, "page cache"),
    (PageKind.BUFFER, 0.1, "file-system buffers"),
)
"""What users fill memory with [our choice]."""

IDLE = (
    (PageKind.RECLAIMABLE_SLAB, 0.4, "inodes and dentries"),
    (PageKind.SLAB, 0.3, "other slabs"),
    (PageKind.KERNEL_STACK, 0.1, "kernel stacks"),
    (PageKind.PAGE_TABLE, 0.2, "page tables"),
)
"""What an idle system's kernel asks for [our choice; the captures give the sum]."""

BURST = 64
"""Pages asked for at a time until one falls into a block that nothing else of the kernel holds."""


OWNERS = {
    PageKind.SLAB: "what a burst left",
    PageKind.PAGE_TABLE: "a process",
    PageKind.PINNED: "network driver",
}
"""Whose the page is that a burst of kernel memory leaves behind."""


class Filling:
    """Fills a machine; everything is drawn from the seed before anything is asked for."""

    def __init__(self, mem: PhysicalMemory, parameters: HotRemoveParameters) -> None:
        self.mem, self.parameters = mem, parameters
        rng = np.random.default_rng(parameters.seed)
        nids = list(mem.spec.nids)
        self.nodes = rng.permutation(np.resize(nids, TURNS)).tolist()
        self.parts = rng.dirichlet(np.full(TURNS, 8.0))
        self.choice = float(rng.random())
        landing = round(parameters.idle * parameters.kernel_rate)
        self.landing = rng.multinomial(landing, [share for _, share, _ in IDLE])

    def fill(self, turn: int, pages: int) -> Outcome:
        """Let users ask for their part of `pages` in one of the turns."""
        mem, count = self.mem, pages * self.parts[turn]
        got = [
            alloc_pages(
                mem,
                GFP_OF_KIND[kind],
                int(count * share),
                kind,
                owner=mem.owners.add(name),
                nid=self.nodes[turn],
            )
            for kind, share, name in USERS
        ]
        return join_outcomes(got)

    def idle(self, nid: int) -> Outcome:
        """Let an idle system's kernel pages land, in the zones that its zonelist names first."""
        mem = self.mem
        got = [
            alloc_pages(mem, GFP_OF_KIND[kind], int(n), kind, owner=mem.owners.add(name), nid=nid)
            for (kind, _, name), n in zip(IDLE, self.landing, strict=True)
        ]
        return join_outcomes(got)

    def choose(self, blocks: list[int]) -> int:
        """Choose among the three blocks that hold most of the users' pages."""
        used = [self.count_users(b) for b in blocks]
        best = sorted(range(len(blocks)), key=lambda i: (-used[i], i))[:3]
        return blocks[best[int(self.choice * len(best))]]

    def count_users(self, block: int) -> int:
        """Count the pages of a memory block that are on the LRU lists."""
        return len(self.users(block))

    def users(self, block: int) -> np.ndarray:
        """Return the pfns of a memory block that are on the LRU lists: (n,) int64."""
        size = self.mem.spec.block_pages
        kinds = self.mem.kind.reshape(-1)[block * size : (block + 1) * size]
        return block * size + np.flatnonzero(np.isin(kinds, LRU_KINDS))

    def leave_survivor(self, kind: PageKind, blocks: list[int], nid: int) -> tuple[int, Outcome]:
        """Let a burst of kernel memory come and go but for one page in a block of `blocks`.

        Returns the page's pfn. Raises ParameterError where the burst falls into none of them.
        """
        mem, size = self.mem, self.mem.spec.block_pages
        owner = mem.owners.add(OWNERS[kind])
        got: list[Outcome] = []
        there = np.empty(0, np.int64)
        while not len(there):
            out = alloc_pages(mem, GFP_OF_KIND[kind], BURST, kind, owner=owner, nid=nid)
            got.append(out)
            pfns = out.frames.pfns()
            there = pfns[np.isin(pfns // size, blocks)]
            if out.refused:
                break
        every = union([out.frames for out in got])
        if len(there):
            mine = there[there // size == there[0] // size]
            pfn = int(mine[int(self.choice * len(mine))])
            free_pages(mem, FrameSet.of_pfns(np.setdiff1d(every.pfns(), pfn)))
            joined = join_outcomes(got)
            joined.frames, joined.granted = every, 1
            return pfn, joined
        raise ParameterError("obstacle", kind.name.lower(), "room for it in a block that may go")

    def pin(self, block: int) -> Outcome:
        """Pin one of the users' pages of a block for a transfer, as direct I/O does."""
        pfns = self.users(block)
        if not len(pfns):
            raise ParameterError("user", self.parameters.user, "enough that a page is there to pin")
        return pin_pages(self.mem, FrameSet.of_pfns(pfns[[int(self.choice * len(pfns))]]))

    def use_huge_page(self, nid: int, blocks: list[int]) -> tuple[FrameSet, Outcome]:
        """Let a program use huge pages of a node until one lies in one of some blocks.

        Returns the frames of that one. Raises ParameterError where none comes to lie there.
        """
        mem, size = self.mem, self.mem.spec.block_pages
        got: list[Outcome] = []
        while True:
            grown = grow_pool(mem, 1, nid=nid)
            if grown.refused:
                user = self.parameters.user
                raise ParameterError("user", user, "less, so that 2 MiB are free there")
            got.append(grown)
            if int(grown.frames.pfns()[0]) // size in blocks:
                break
        got.append(use_huge_pages(mem, len(got), owner=mem.owners.add("database"), nid=nid))
        return grown.frames, join_outcomes(got)

    def take_room(self, nid: int) -> Outcome:
        """Let a program take all memory that pages of a node could go to."""
        mem = self.mem
        nodes = target_nodes(mem, nid)
        owner = mem.owners.add("greedy program")
        count = int(mem.zones.free[np.isin(mem.zones.nid, nodes)].sum())
        gfp, kind = GFP["HIGHUSER_MOVABLE"], PageKind.ANON
        out = alloc_pages(
            mem, gfp, count, kind, owner=owner, nid=nodes[0], nodes=nodes, may_reclaim=False
        )
        rest = alloc_pages(mem, gfp, count, kind, owner=owner, nid=nodes[0], nodes=nodes)
        joined = join_outcomes([out, rest])
        joined.reports = []
        return joined
