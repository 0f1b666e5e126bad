"""Blocks of free frames: taking them in bulk, giving them back.

Orders are read off the free bitmap (`orders`); only `free_blocks`, the number of blocks by extent,
type and order, is kept, as an index (`block_counts`).

Placement rule, for the model and its oracle alike: the smallest sufficient order, then the
lowest pfn. A block belongs to the list of the type of the pageblock at its head.

Sources: mm/page_alloc.c, 6.1: __rmqueue_smallest, __free_one_page, expand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.mechanisms.block_counts import IRREGULAR, count_blocks
from hotmem_viz.mechanisms.orders import (
    FEW_GROUPS,
    Wish,
    choose_blocks,
    choose_from_long,
    find_heads,
    words_of_long,
)
from hotmem_viz.memory.frames import ALL_ONES, WORD, Bits, FrameSet, Words, find_changes
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import (
    MAX_ORDER,
    MAX_ORDER_PAGES,
    N_ORDERS,
    PAGEBLOCK_ORDER,
    PAGEBLOCK_PAGES,
    MigrateType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.memory.physical import PhysicalMemory

_IN_GROUP = np.arange(GROUP_WORDS)
_PAGEBLOCK_WORDS = PAGEBLOCK_PAGES // WORD
_ISOLATE = int(MigrateType.ISOLATE)


class View(NamedTuple):
    """Groups of some extents: groups, extent (G,) int64; words (G, 16); bits (G, 16) uint64."""

    groups: np.ndarray
    extent: np.ndarray
    words: Words
    bits: Bits


def view_extents(mem: PhysicalMemory, extents: np.ndarray) -> View:
    """Gather the free bits of some extents of one zone; other zones' frames are left out."""
    first = mem.extents.first_group[extents]
    if mem.extents.all_small:
        groups, owner = first, extents
    else:
        n = mem.extents.n_groups[extents]
        ends = np.cumsum(n)
        groups = np.repeat(first - (ends - n), n) + np.arange(int(ends[-1]))
        owner = np.repeat(extents, n)
    bits = mem.free_bits.reshape(-1, GROUP_WORDS)[groups]
    for i, mask in shares_of(mem, groups, owner):
        bits[i] &= mask
    words = groups[:, None] * GROUP_WORDS + _IN_GROUP
    return View(groups, owner, words, bits)


def shares_of(
    mem: PhysicalMemory, groups: np.ndarray, extent: np.ndarray
) -> Iterator[tuple[int, Bits]]:
    """Yield those of some groups that zones share, by place, each with its extent's frames."""
    if mem.extents.irregular:
        for i in (mem.extents.of_group[groups] == IRREGULAR).nonzero()[0].tolist():
            yield i, dict(mem.extents.irregular[int(groups[i])])[int(extent[i])]


def heads_of_type(mem: PhysicalMemory, view: View, order: int, migratetype: int) -> Bits:
    """Heads of free blocks of one order that stand on one type's list: (G, 16) uint64."""
    heads: Bits = find_heads(view.bits, order, [False] * order + [True])[order]
    types = mem.types.reshape(-1, 2)[view.groups]
    match = types == int(migratetype)
    if not match.all():
        heads *= np.repeat(match, _PAGEBLOCK_WORDS, axis=1)
    return heads


def take(
    mem: PhysicalMemory, zone: int, migratetype: int, order: int, count: int
) -> tuple[FrameSet, int]:
    """Choose the frames of up to `count` requests of one order from one type's lists.

    Equals `count` single requests, each served from the smallest sufficient block with the
    lowest pfn: a split block is used up before the next one is touched, so all blocks of the
    lower orders go whole, then the lowest blocks of one last order. Keeps `free_blocks`;
    `PhysicalMemory.fill` of the answer must follow. Returns the frames and the requests served.
    """
    extents = mem.extents.zone_slices[zone]
    lists = mem.free_blocks[extents, migratetype, order:]
    held: list[int] = np.add.reduce(lists, axis=0, dtype=np.int64).tolist()
    count = min(count, sum(n << up for up, n in enumerate(held)))
    if count <= 0:
        return FrameSet.empty(), 0
    up, rest = 0, count
    while rest > held[up] << up:
        rest -= held[up] << up
        up += 1
    last, blocks = order + up, -(-rest >> up)
    index = _choose_extents(lists, up, blocks) + extents.start
    spare = ((blocks << up) - rest) << order
    wanted = [False] * order + [n > 0 for n in held]
    wish = Wish(order, last, wanted, blocks, spare)
    if up:
        mem.free_blocks[index, migratetype, order:last] = 0
    if len(index) == 1 and (group := _lone_group(mem, int(index[0]))) is not None:
        return _take_from_group(mem, int(index[0]), group, migratetype, wish), count
    view = view_extents(mem, index)
    usable = mem.types.reshape(-1, 2)[view.groups] == int(migratetype)
    if len(view.groups) > FEW_GROUPS:
        view, usable = _narrow(view, usable, blocks if last == MAX_ORDER else 0)
    choice = choose_blocks(view.bits, usable, wish)
    _take_off(mem, view, choice.split, migratetype, last)
    if spare:
        row, begin = divmod(choice.spare[0], MAX_ORDER_PAGES)
        pfn = int(view.groups[row]) * MAX_ORDER_PAGES + begin
        add_pieces(mem, int(view.extent[row]), pfn, pfn + spare)
    return FrameSet.of_nonzero(view.words.ravel(), choice.taken.ravel()), count


def _lone_group(mem: PhysicalMemory, extent: int) -> int | None:
    """Return the group of an extent that is one group, shared with no other zone; else None."""
    if not mem.extents.all_small and mem.extents.n_groups[extent] != 1:
        return None
    group = int(mem.extents.first_group[extent])
    return None if mem.extents.of_group[group] == IRREGULAR else group


def _take_from_group(
    mem: PhysicalMemory, extent: int, group: int, migratetype: int, wish: Wish
) -> FrameSet:
    """Choose from one group, as nearly all requests of a lesson can; see `take`."""
    wanted = int(migratetype)
    usable = [kind == wanted for kind in mem.types[2 * group : 2 * group + 2].tolist()]
    words = slice(group * GROUP_WORDS, (group + 1) * GROUP_WORDS)
    taken, split, spare = choose_from_long(mem.free_bits[words], usable, wish)
    mem.free_blocks[extent, migratetype, wish.last] -= split.bit_count()
    if wish.spare:
        begin, end = (group * MAX_ORDER_PAGES + at for at in spare)
        add_pieces(mem, extent, begin, end)
    return FrameSet.of_nonzero(words.start + _IN_GROUP, words_of_long(taken, 1))


def _narrow(view: View, usable: np.ndarray, whole: int) -> tuple[View, np.ndarray]:
    """Leave out groups that cannot be chosen from, so that a few remain of a large extent.

    Those without a free frame of the type, and those that are one block of order 10, but for the
    `whole` lowest of them. usable: (G, 2) bool.
    """
    free = view.bits.reshape(len(usable), 2, -1)
    keep = (free.any(axis=2) & usable).any(axis=1)
    full = keep & (view.bits == ALL_ONES).all(axis=1)
    keep &= ~full
    keep[full.nonzero()[0][:whole]] = True
    return View(*(part[keep] for part in view)), usable[keep]


def _choose_extents(lists: np.ndarray, up: int, blocks: int) -> np.ndarray:
    """Choose the extents with any block of a lower order, or one of the first of the last order."""
    of_last = lists[:, up]
    near = of_last[: int(of_last.cumsum().searchsorted(blocks)) + 1]
    if not up:
        return np.asarray(near.nonzero()[0])
    chosen = np.asarray(lists[:, :up].any(axis=1))
    chosen[: len(near)] |= near > 0
    return np.asarray(chosen.nonzero()[0])


def _take_off(mem: PhysicalMemory, view: View, n: np.ndarray, migratetype: int, order: int) -> None:
    """Take n blocks of one order, (G,) by group, off their extents' counts."""
    low, high = int(view.extent[0]), int(view.extent[-1])
    if low == high:
        mem.free_blocks[low, migratetype, order] -= n.sum()
    else:
        gone = np.bincount(view.extent - low, weights=n).astype(np.int32)
        mem.free_blocks[low : high + 1, migratetype, order] -= gone


def add_pieces(mem: PhysicalMemory, extent: int, start: int, end: int) -> None:
    """Enter the blocks of what remains of a split block, [start, end), into `free_blocks`.

    The remainder of an aligned block is one block for each set bit of its size, ascending.
    """
    for order in range(N_ORDERS):
        if (end - start) >> order & 1:
            mem.free_blocks[extent, mem.types[start >> PAGEBLOCK_ORDER], order] += 1
            start += 1 << order


def give_back(mem: PhysicalMemory, frames: FrameSet) -> None:
    """Free held frames; their blocks merge with free buddies at once."""
    groups = frames.words // GROUP_WORDS
    groups = groups[find_changes(groups)]
    count_blocks(mem, groups, -1)
    mem.clear(frames)
    _match_types(mem, frames.words, groups)
    count_blocks(mem, groups, +1)


def _match_types(mem: PhysicalMemory, words: Words, groups: np.ndarray) -> None:
    """Give both pageblocks of a block of order 10 the type of the one freed last.

    A block stands on one list, and so must its halves once it is split. Linux leaves it on the
    list of the page that was freed last; since 6.10 it changes the types, too (__free_one_page).
    """
    pairs = mem.types.reshape(-1, 2)[groups]
    groups = groups[pairs[:, 0] != pairs[:, 1]]
    if not len(groups):
        return
    whole = (mem.free_bits.reshape(-1, GROUP_WORDS)[groups] == ALL_ONES).all(axis=1)
    for i in np.flatnonzero(whole & (mem.extents.of_group[groups] == IRREGULAR)):
        shares = mem.extents.irregular[int(groups[i])]
        whole[i] = any((mask == ALL_ONES).all() for _, mask in shares)
    lower = groups[whole] * 2
    if len(lower):
        touched = np.isin(lower + 1, words // _PAGEBLOCK_WORDS)
        _change_types(mem, lower + ~touched, mem.types[lower + touched])


def set_types(
    mem: PhysicalMemory, pageblocks: np.ndarray, types: np.ndarray | int, *, merge: bool = False
) -> None:
    """Give whole pageblocks a new type, or one each; their free blocks change lists with them.

    pageblocks: (n,) int64, ascending. merge: they are put back one after the other, so that both
    halves of a free block of order 10 get the type of the last one.
    """
    groups = pageblocks * PAGEBLOCK_PAGES // MAX_ORDER_PAGES
    groups = groups[find_changes(groups)]
    count_blocks(mem, groups, -1)
    _change_types(mem, pageblocks, np.broadcast_to(types, len(pageblocks)))
    if merge:
        _match_types(mem, words_of(pageblocks), groups)
    count_blocks(mem, groups, +1)


def words_of(pageblocks: np.ndarray) -> Words:
    """Return the words of some pageblocks: (n,) int64 -> (8 n,) int64."""
    return (pageblocks[:, None] * _PAGEBLOCK_WORDS + np.arange(_PAGEBLOCK_WORDS)).ravel()


def _change_types(mem: PhysicalMemory, pageblocks: np.ndarray, types: np.ndarray) -> None:
    """Write types; what is free in isolated pageblocks does not count for its zone."""
    changed = (mem.types[pageblocks] == _ISOLATE) != (types == _ISOLATE)
    if changed.any():
        words = words_of(pageblocks[changed])
        free = FrameSet.of_nonzero(words, mem.free_bits[words])
        gone = mem.count_by_zone(mem.inside_isolated(free))
        mem.zones.free[:] += 2 * gone - mem.count_by_zone(free)
    zones = mem.zone.reshape(-1)[pageblocks * PAGEBLOCK_PAGES]
    np.subtract.at(mem.zone_types, (zones, mem.types[pageblocks]), 1)
    np.add.at(mem.zone_types, (zones, types), 1)
    mem.types[pageblocks] = types
