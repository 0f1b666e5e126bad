"""Slabs: pages for objects of a cache, of the cache's usual order or, when that fails, its least.

A slab allocator asks for its preferred order first, without waking or waiting for reclaim; if that
is refused, one slab of the smallest order that holds an object will do, and for that one it
reclaims like anybody else. So small pages are used up before anything is refused for good.

Source: mm/slub.c `allocate_slab`, 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.outcome import Outcome, join_outcomes

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.requests import Gfp
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.vocabulary import PageKind


@dataclass(frozen=True)
class SlabCut:
    """How a cache cuts pages: slabs of 2**order pages hold per_slab objects, the least per_least.

    least_order is the smallest order that holds one object.
    """

    order: int
    per_slab: int
    least_order: int = 0
    per_least: int = 1


def alloc_slabs(
    mem: PhysicalMemory,
    gfp: Gfp,
    count: int,
    kind: PageKind,
    cut: SlabCut,
    *,
    owner: int = 0,
    nid: int = 0,
) -> tuple[Outcome, int]:
    """Allocate `count` slabs, or as many small ones as hold the same objects.

    Returns what became of it and the number of objects that there is room for. In the outcome,
    granted and refused count slabs of either order.
    """
    if cut.order == cut.least_order:
        only = alloc_pages(mem, gfp, count, kind, order=cut.order, owner=owner, nid=nid)
        return only, only.granted * cut.per_slab
    first = alloc_pages(
        mem, gfp, count, kind, order=cut.order, owner=owner, nid=nid, may_reclaim=False
    )
    room = first.granted * cut.per_slab
    if not first.refused:
        return first, room
    need = -(-first.refused * cut.per_slab // cut.per_least)
    rest = alloc_pages(mem, gfp, need, kind, order=cut.least_order, owner=owner, nid=nid)
    both = join_outcomes([first, rest])
    both.refused = rest.refused
    return both, room + rest.granted * cut.per_least
