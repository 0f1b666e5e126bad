"""Release callbacks: what the mail has heard of other systems, as a thought experiment (S19).

Nobody measured them and Linux has none; what comes near are shrinkers and memory notifiers. The
share that succeeds and the latency are parameters, and every event that uses them is unproven.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.isolation import RESERVED_KINDS, USER_KINDS
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.mechanisms.pins import unpin_pages
from hotmem_viz.memory.frames import WORD, FrameSet
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.memory.physical import PhysicalMemory


class CallbackParameters(Protocol):
    """What a scenario with callbacks lets a user set."""

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        ...

    @property
    def callback_success(self) -> float:
        """Share of the owners that can let go."""
        ...


def call_owners(
    mem: PhysicalMemory, block: int, parameters: CallbackParameters, deaf: Collection[str] = ()
) -> tuple[dict[str, bool], Outcome]:
    """Ask the owners of unmovable or pinned pages of a block to let go of them.

    Whether an owner can is drawn from the seed and its name, whatever happens otherwise. Returns
    who was asked with the answer, and what was let go. Reserved pages have nobody to ask, nor have
    those of the owners named in `deaf`.
    """
    pages = mem.spec.block_pages
    part = slice(block * pages, (block + 1) * pages)
    kinds, owners = mem.kind.reshape(-1)[part], mem.owner.reshape(-1)[part]
    frames = np.arange(part.start, part.stop)
    bits = mem.pinned_bits[frames // WORD] >> (frames % WORD).astype(np.uint64)
    pinned = (bits & np.uint64(1)).astype(bool)
    held = ~np.isin(kinds, (PageKind.FREE, *USER_KINDS, *RESERVED_KINDS))
    asked: dict[str, bool] = {}
    gone, unpinned = np.zeros(pages, bool), np.zeros(pages, bool)
    for owner in np.unique(owners[held | pinned]).tolist():
        name = mem.owners.names[owner]
        if name in deaf:
            continue
        rng = np.random.default_rng([parameters.seed, zlib.crc32(name.encode())])
        asked[name] = bool(rng.random() < parameters.callback_success)
        if asked[name]:
            gone |= held & (owners == owner)
            unpinned |= pinned & (owners == owner)
    freed, let_go = FrameSet.of_pfns(frames[gone]), FrameSet.of_pfns(frames[unpinned])
    free_pages(mem, freed)
    unpin_pages(mem, let_go)
    return asked, Outcome(granted=len(freed) + len(let_go), frames=freed | let_go)
