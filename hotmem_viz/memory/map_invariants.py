"""What must hold of the kernel's virtual-to-physical map between two mechanisms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.memory.address_map import SCATTERED
from hotmem_viz.memory.invariants import InvariantError
from hotmem_viz.vocabulary import MigrateType, PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.memory.address_map import AddressMap

GONE = (SectionState.OFFLINE_MIGRATED, SectionState.REMOVED)
"""States of a physical section whose virtual range lives on elsewhere."""


def validate_map(amap: AddressMap) -> None:
    """Check that each slow section's own frames are holes and its pages lie elsewhere, once each.

    A section that was reserved whole is isolated, and has one guest; all other sections are found
    where the 1:1 map has them. Raises InvariantError about the first thing found wrong.
    """
    kinds = amap.mem.kind.reshape(-1)
    moved = np.flatnonzero(amap.found_in != np.arange(len(amap.found_in)))
    if moved.tolist() != amap.slow:
        raise InvariantError(f"found_in: sections {moved.tolist()} moved, {amap.slow} are slow")
    lives = [frames[frames >= 0] for frames in amap.pages.values()]
    every = np.concatenate([np.empty(0, np.int64), *lives])
    if len(np.unique(every)) != len(every):
        raise InvariantError("pages: two virtual pages have one frame")
    if (kinds[every] <= PageKind.FREE).any():
        raise InvariantError("pages: a virtual page lies in a frame that holds nothing")
    for slow in amap.slow:
        _check_slow(amap, slow)
    _check_targets(amap, amap.found_in[moved])


def _check_slow(amap: AddressMap, slow: int) -> None:
    mem, frames, base = amap.mem, amap.pages[slow], int(amap.found_in[slow])
    if mem.section_state[slow] not in GONE or (mem.kind[slow] != PageKind.HOLE).any():
        raise InvariantError(f"pages: section {slow} is slow but its frames are there")
    at = np.flatnonzero(frames >= 0)
    if not len(at):
        raise InvariantError(f"pages: section {slow} is slow but nothing lives there")
    if base != SCATTERED and (frames[at] != base * mem.spec.section_pages + at).any():
        raise InvariantError(f"pages: section {slow} does not lie in section {base} as a whole")


def _check_targets(amap: AddressMap, bases: np.ndarray) -> None:
    """Refuse targets without a guest or with two, and such as are open to requests."""
    mem, targets = amap.mem, sorted(amap.targets)
    if sorted(bases[bases != SCATTERED].tolist()) != targets:
        raise InvariantError(f"targets: {targets} are not the sections that slow ones lie in")
    if np.flatnonzero(mem.section_state == SectionState.TARGET).tolist() != targets:
        raise InvariantError(f"section_state: not all of {targets}, and they alone, are TARGET")
    if (mem.migratetype[targets] != MigrateType.ISOLATE).any():
        raise InvariantError(f"targets: one of {targets} is open to requests")
