"""Moving the content of pages to other frames: what can move, where to, and what fails.

A page migrates only if its references are those that the kernel can account for: its mappings,
its place in a file, the caller's own. A pin is one more, so a pinned page answers EAGAIN however
often it is asked; a page for which no frame is found answers ENOMEM, and then the others are not
even tried.

Sources and targets are paired in order of pfn. Left out: page-table entries and the reverse map,
dirty pages without a file system's help, transparent huge pages.

Sources: mm/migrate.c, 6.1: migrate_pages, folio_migrate_mapping, alloc_migration_target;
mm/memory_hotplug.c: do_migrate_range (KERNEL.md A10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms import buddy
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.costs import FAILED_PAGE_NS, MIGRATE_PAGE_NS
from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.mechanisms.outcome import Moves, Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import WORD, FrameSet, pack, range_bits
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.mechanisms.requests import Gfp
    from hotmem_viz.memory.physical import PhysicalMemory

MIGRATE_PASSES = 10
"""How often migrate_pages tries a page that answers EAGAIN (mm/migrate.c)."""


@dataclass
class Migration(Outcome):
    """What became of some pages: granted have moved to `frames`, refused stay where they are.

    pinned: those that answered EAGAIN. no_room: those for which there was no frame (ENOMEM).
    """

    pinned: int = 0
    no_room: int = 0


def find_on_lru(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> FrameSet:
    """Find the pages of a range that are on the LRU lists, pinned or not.

    start_pfn, end_pfn: multiples of 64.
    """
    words, _ = range_bits(start_pfn, end_pfn)
    hit = np.isin(mem.kind.reshape(-1)[start_pfn:end_pfn], LRU_KINDS)
    return FrameSet.of_nonzero(words, pack(hit))


def target_request(mem: PhysicalMemory, zone: int) -> Gfp:
    """Return the request for the target of a page of one zone.

    Only pages of HighMem and Movable may go to zones above Normal (alloc_migration_target).
    """
    high = mem.zones.type[zone] >= ZoneType.HIGHMEM
    return GFP["HIGHUSER_MOVABLE" if high else "USER_MOVABLE"]


def target_nodes(mem: PhysicalMemory, nid: int) -> list[int]:
    """Return the nodes that offlining memory of one node moves pages to.

    All other nodes with memory; the node itself only where there is no other, even if those are
    full (do_migrate_range, mm/memory_hotplug.c, 6.1 to 7.2).
    """
    with_memory = np.unique(mem.zones.nid[mem.zones.present > 0]).tolist()
    return [n for n in with_memory if n != nid] or [nid]


def migrate_pages(
    mem: PhysicalMemory,
    frames: FrameSet,
    gfp: Gfp,
    *,
    nid: int,
    nodes: Collection[int] | None = None,
) -> Migration:
    """Migrate pages of the LRU to frames found with one request class from node `nid` on.

    nodes: ids of the nodes that may give them; all unless given. Requests may reclaim but do not
    call the OOM killer (RETRY_MAYFAIL).
    """
    pinned = FrameSet.of_nonzero(frames.words, frames.bits & mem.pinned_bits[frames.words])
    free_to_go = FrameSet.of_nonzero(frames.words, frames.bits & ~mem.pinned_bits[frames.words])
    out = move_pages(mem, free_to_go, gfp, nid=nid, nodes=nodes)
    if not out.no_room:
        out.pinned = len(pinned)
        out.time_ns += out.pinned * MIGRATE_PASSES * FAILED_PAGE_NS
    out.refused = len(frames) - out.granted
    return out


def move_pages(
    mem: PhysicalMemory,
    frames: FrameSet,
    gfp: Gfp,
    *,
    nid: int,
    nodes: Collection[int] | None = None,
) -> Migration:
    """Move pages, pinned or not, to new frames; the lowest, if there are too few frames.

    Frames must be held, and out of the reach of reclaim: isolated or pinned. What they hold, for
    whom, and their pins go along; the old frames become free.
    """
    out = Migration()
    if not len(frames):
        return out
    # Filled as anonymous for a moment, because reclaim cannot take that away again.
    got = alloc_pages(mem, gfp, len(frames), PageKind.ANON, nid=nid, nodes=nodes)
    source, target = frames.lowest(got.granted), got.frames
    moves = Moves(source.pfns(), target.pfns())
    pinned = moves.target[_bits_at(mem.pinned_bits, moves.source)]
    kinds = mem.kind.reshape(-1)[moves.source]
    mem.relabel(target, kinds, mem.owner.reshape(-1)[moves.source])
    if len(moves.source):
        buddy.give_back(mem, source)
        out.moves.append(moves)
    marked = FrameSet.of_pfns(pinned)
    mem.pinned_bits[marked.words] |= marked.bits
    out.granted, out.no_room = got.granted, got.refused
    out.refused, out.frames, out.by_zone = got.refused, target, got.by_zone
    out.released = [*got.released, source]
    out.reports = [r for r in got.reports if r.kind is not EventKind.OOM]
    out.time_ns = out.granted * MIGRATE_PAGE_NS
    return out


def _bits_at(bits: np.ndarray, pfns: np.ndarray) -> np.ndarray:
    """Read the bits of some frames: (n,) bool."""
    shifted = bits[pfns // WORD] >> (pfns % WORD).astype(np.uint64)
    return np.asarray(shifted & np.uint64(1), bool)
