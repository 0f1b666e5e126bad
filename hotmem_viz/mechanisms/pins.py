"""Pins: references that the kernel cannot account for, and that keep a page where it is.

A pin is on a page, whatever it holds: `pinned_bits` says so. The kind PINNED is something else:
memory that a driver has allocated for its device and that was never a user's; the map shows both
alike, because neither moves.

A short pin (direct I/O, vmsplice) leaves the page where it is, in ZONE_MOVABLE too. A long-term pin
(RDMA, VFIO, io_uring's fixed buffers) is first moved out of where it would be in the way: out of
ZONE_MOVABLE, CMA and isolated pageblocks, to a kernel zone. That is the rule since 5.13, for all
kernels here. Left out: how many references there are (a page is pinned or not), and long-term
pins of huge pages.

Source: mm/gup.c, 6.1: check_and_migrate_movable_pages, is_longterm_pinnable_page (KERNEL.md A5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.isolation import LRU_KINDS, USER_KINDS
from hotmem_viz.mechanisms.migrate import move_pages
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, MigrateType, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


def pin_pages(
    mem: PhysicalMemory, frames: FrameSet, *, long_term: bool = False, nid: int = 0
) -> Outcome:
    """Pin users' pages; for long, only after they have left the places that must stay empty.

    nid: the node of the task, where a long-term pin looks for room first. Where the pages to be
    moved find no room, or are pinned already, nothing is pinned and all is refused (ENOMEM); those
    that had moved by then stay moved. In the outcome, `frames` are the pages as they lie now.

    Raises
    ------
    ParameterError
        When a frame is free, or holds something else than a user's page; for long, also when it
        is part of a huge page.
    """
    allowed = LRU_KINDS if long_term else USER_KINDS
    strange = frames.pfns()[~np.isin(mem.kind.reshape(-1)[frames.pfns()], allowed)]
    if len(strange):
        raise ParameterError("frames", int(strange[0]), "users' pages")
    out = Outcome(granted=len(frames), frames=frames)
    before = FrameSet.of_nonzero(frames.words, frames.bits & mem.pinned_bits[frames.words])
    mem.pinned_bits[frames.words] |= frames.bits
    away = _in_the_way(mem, frames) if long_term else FrameSet.empty()
    if not len(away):
        return out
    # A page that somebody else has pinned cannot move any more.
    moved = move_pages(mem, _without(away, before.pfns()), GFP["KERNEL"], nid=nid)
    stayed = _without(frames, moved.moves[0].source) if moved.moves else frames
    out.moves, out.released, out.reports = moved.moves, moved.released, moved.reports
    out.frames, out.time_ns, out.by_zone = stayed | moved.frames, moved.time_ns, moved.by_zone
    if moved.granted < len(away):
        mem.pinned_bits[out.frames.words] &= ~out.frames.bits
        mem.pinned_bits[before.words] |= before.bits
        out.granted, out.refused = 0, len(frames)
    return out


def unpin_pages(mem: PhysicalMemory, frames: FrameSet) -> Outcome:
    """Drop pins; pages that were not pinned stay as they are."""
    mem.pinned_bits[frames.words] &= ~frames.bits
    return Outcome(granted=len(frames), frames=frames)


def _in_the_way(mem: PhysicalMemory, frames: FrameSet) -> FrameSet:
    """Find those of some frames where no page may be pinned for long."""
    pfns = frames.pfns()
    movable = mem.zones.type[mem.zone.reshape(-1)[pfns]] == ZoneType.MOVABLE
    kept_free = np.isin(mem.types[pfns // PAGEBLOCK_PAGES], (MigrateType.CMA, MigrateType.ISOLATE))
    return FrameSet.of_pfns(pfns[movable | kept_free])


def _without(frames: FrameSet, pfns: np.ndarray) -> FrameSet:
    return FrameSet.of_pfns(np.setdiff1d(frames.pfns(), pfns, assume_unique=True))
