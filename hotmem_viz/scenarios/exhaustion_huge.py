"""Huge pages asked for at run time, after a workload has broken memory to pieces (S15).

ZONE_MOVABLE came (2.6.23) so that a pool of huge pages could be resized while the machine runs:
whatever lies there can be moved or dropped, so whole pageblocks can be had again. In kernel zones
one page of metadata spoils a pageblock for good. The four steps are what an administrator types;
the kernel does the same within one write, by direct compaction and direct reclaim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.compaction import compact_zone, whole_blocks
from hotmem_viz.mechanisms.hugetlb import grow_pool
from hotmem_viz.mechanisms.reclaim import reclaim_directly
from hotmem_viz.mechanisms.requests import GFP_OF_KIND
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.scenarios import huge_telling as telling
from hotmem_viz.scenarios.exhaustion import PAGE_NS
from hotmem_viz.scenarios.exhaustion_filled import FilledRun
from hotmem_viz.scenarios.huge_telling import Blocks
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, HugeState, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.mechanisms.requests import Gfp
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import Setup
    from hotmem_viz.scenarios.workloads import Workload

FILL_TURNS = 24
"""Turns in which programs and file readers fill what is free [our choice]."""

PROGRAMS = 0.25
"""Share of programs in that; the rest is file data, which can be dropped [our choice]."""

LEFT_OF_PROGRAMS, LEFT_OF_METADATA = 0.5, 0.125
"""Shares of programs' pages, and of slabs, that stay when both have let go [our choice]."""

SLABS = (PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_BUFFER)


class HugePagePool(FilledRun):
    """An exhaustion run that goes on to fill memory with user pages, and to ask for huge pages."""

    title = "Huge pages after a workload"

    def __init__(
        self, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> None:
        super().__init__(parameters, setup, requests)
        self._rng = np.random.default_rng((parameters.seed, 2))
        self._given: list[FrameSet] = []
        self._made: list[FrameSet] = []

    def _list_own(self) -> list[dict[str, Any]]:
        return [
            {"name": "huge.movable", "unit": "huge pages", "label": "huge pages in Movable"},
            {"name": "huge.kernel", "unit": "huge pages", "label": "huge pages in kernel zones"},
        ]

    def _read_own(self) -> Sequence[float]:
        return self._sides()

    def _sides(self) -> tuple[int, int]:
        """Count the pool's huge pages outside kernel zones, and in them."""
        mem = self.memory
        blocks = np.flatnonzero(mem.huge_states != int(HugeState.NONE))
        if not len(blocks):
            return 0, 0
        zones = mem.zone.reshape(-1)[blocks * PAGEBLOCK_PAGES]
        kernel = int((mem.zones.type[zones] <= ZoneType.NORMAL).sum())
        return len(blocks) - kernel, kernel

    def _take_in(self, gfp: Gfp, outcome: Outcome, nid: int) -> list[Tick]:
        if gfp.highest <= ZoneType.NORMAL:
            self._made.append(outcome.frames)
        return super()._take_in(gfp, outcome, nid)

    def _begin(self) -> Iterator[Tick]:
        yield from self._fill_up()

    def _go_on(self) -> Iterator[Tick]:
        mem = self.memory
        self._thin_out(union(self._given), PageKind.ANON, self._program, LEFT_OF_PROGRAMS)
        for kind in SLABS:
            self._thin_out(union(self._made), kind, self._metadata, LEFT_OF_METADATA)
        yield self._flush(telling.tell_fragmented(mem, look_at_blocks(mem)))
        yield self._flush(telling.tell_found(mem, self._grow()))
        moved = self._compact()
        yield self._flush(telling.tell_compacted(mem, moved, self._grow()))
        dropped = self._drop_caches()
        moved = self._compact()
        yield self._flush(telling.tell_dropped(mem, dropped, moved, self._grow()))
        yield self._flush(telling.tell_pool(mem, self._sides(), look_at_blocks(mem)))

    def _fill_up(self) -> Iterator[Tick]:
        """Let programs and file readers take turns until nothing is free above the min marks."""
        mem, nids = self.memory, list(self.memory.spec.nids)
        pages = int(mem.zones.free.sum()) / FILL_TURNS
        for turn in range(FILL_TURNS):
            nid = nids[turn % len(nids)]
            for kind, share, owner in (
                (PageKind.ANON, PROGRAMS, self._program),
                (PageKind.PAGE_CACHE, 1 - PROGRAMS, self._file_cache),
            ):
                gfp, count = GFP_OF_KIND[kind], int(pages * share)
                out = alloc_pages(mem, gfp, count, kind, owner=owner, nid=nid, may_reclaim=False)
                self._user_pages += out.granted
                self._touched.append(out.frames)
                self._time += out.granted * PAGE_NS
                if kind is PageKind.ANON:
                    self._given.append(out.frames)
            yield self._flush()

    def _thin_out(self, frames: FrameSet, kind: PageKind, owner: int, left: float) -> None:
        """Let an owner give back pages of a kind, all but a share drawn page by page."""
        pfns = frames.pfns()
        held = self.memory.owner.reshape(-1)[pfns] == owner
        held &= self.memory.kind.reshape(-1)[pfns] == kind
        gone = FrameSet.of_pfns(pfns[held & (self._rng.random(len(pfns)) >= left)])
        free_pages(self.memory, gone)
        self._touched.append(gone)

    def _grow(self) -> tuple[int, int]:
        """Ask for as many huge pages as there are pageblocks; return those got, by side."""
        mem, before = self.memory, self._sides()
        for nid in mem.spec.nids:
            count = len(mem.huge_states)
            out = grow_pool(mem, count, nid=nid, may_reclaim=False)
            self._touched.append(out.frames)
            self._time += out.granted * PAGEBLOCK_PAGES * PAGE_NS
        after = self._sides()
        return after[0] - before[0], after[1] - before[1]

    def _compact(self) -> int:
        """Compact every zone; return the pages that moved."""
        moved = 0
        for zone in range(len(self.memory.zones)):
            out = compact_zone(self.memory, zone)
            self._touched += [out.frames, *out.released]
            self._moves += out.moves
            self._time += out.time_ns
            moved += out.granted
        return moved

    def _drop_caches(self) -> int:
        """Drop page cache and what can be shrunk (a 3 into drop_caches); return the pages."""
        mem = self.memory
        zones = list(range(len(mem.zones)))
        frames = reclaim_directly(mem, zones, mem.spec.present_pages)
        self._touched.append(frames)
        return len(frames)


def look_at_blocks(mem: PhysicalMemory) -> Blocks:
    """Count pageblocks by what a huge page could make of them, at all pages' cost."""
    counts = []
    for kernel in (False, True):
        zones = np.flatnonzero((mem.zones.type <= ZoneType.NORMAL) == kernel)
        found = [whole_blocks(mem, int(z)) for z in zones]
        blocks = np.concatenate([np.empty(0, np.int64), *found])
        kinds = mem.kind.reshape(-1, PAGEBLOCK_PAGES)[blocks]
        spoilt = (kinds > PageKind.HUGETLB).any(axis=1)
        counts += [len(blocks), int((kinds == PageKind.FREE).all(axis=1).sum()), int(spoilt.sum())]
    return Blocks(*counts)
