"""Hand-made recordings in the exact format, for the views' tests; no simulation behind them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from hotmem_viz.recording.recording import Event, Recording, SectionDetail
from hotmem_viz.recording.tracks import CellTrack
from hotmem_viz.vocabulary import MigrateType, PageKind

KERNEL_KINDS = (
    PageKind.RECLAIMABLE_SLAB,
    PageKind.RECLAIMABLE_SLAB,
    PageKind.SLAB,
    PageKind.SLAB,
    PageKind.KERNEL_STACK,
    PageKind.KERNEL_BUFFER,
    PageKind.PAGE_TABLE,
)
OWNERS = ("nobody", "dentry", "ext4_inode_cache", "filp", "task 1", "mysqld", "kernel")


@dataclass(frozen=True)
class Size:
    """How large a synthetic machine is; every axis may be unequal."""

    sections: tuple[int, ...]
    section_pages: int
    pages_per_cell: int
    borders: tuple[int, int, int]
    """Pfns where DMA32, node 1 and its Movable zone begin."""
    ticks: int = 250
    keys: int = 6


CLASSROOM = Size((*range(32), *range(40, 72)), 1024, 1, (128, 40 * 1024, 48 * 1024))
OVERVIEW = Size((*range(24), *range(32, 520)), 32768, 128, (4096, 32 * 32768, 232 * 32768))
TINY = Size((0, 1, 2, 5, 6), 3072, 1, (100, 5 * 3072, 6 * 3072), ticks=7, keys=2)


def track_of(frames: np.ndarray, n_keys: int) -> CellTrack:
    """Return frames (T, C) as key frames and XOR runs."""
    offsets, starts, lengths, flips = [0, 0], [], [], []
    for before, after in itertools.pairwise(frames):
        change = before ^ after
        edges = np.flatnonzero(np.diff(change, prepend=0, append=0))
        first, end = edges[:-1], edges[1:]
        keep = change[first] != 0 if len(first) else np.zeros(0, bool)
        starts.append(first[keep])
        lengths.append((end - first)[keep])
        flips.append(change[first[keep]])
        offsets.append(offsets[-1] + int(keep.sum()))
    key_ticks = np.unique(np.linspace(0, len(frames) - 1, n_keys).astype(np.int32))
    return CellTrack(
        keys=frames[key_ticks].copy(),
        key_ticks=key_ticks,
        offsets=np.array(offsets, np.uint32),
        start=np.concatenate(starts).astype(np.uint32),
        length=np.concatenate(lengths).astype(np.uint32),
        flip=np.concatenate(flips).astype(frames.dtype),
    )


def _zones(size: Size) -> list[dict[str, Any]]:
    dma32, node1, movable = size.borders
    end = (size.sections[-1] + 1) * size.section_pages
    gap = next(b for a, b in itertools.pairwise(size.sections) if b > a + 1)
    top0 = (size.sections[size.sections.index(gap) - 1] + 1) * size.section_pages
    rows = [
        (0, "DMA", 0, dma32, 0.4, True),
        (0, "DMA32", dma32, top0, 0.08, True),
        (1, "Normal", node1, movable, 0.0, True),
        (1, "Movable", movable, end, 0.0, False),
    ]
    return [
        {
            "id": i,
            "nid": nid,
            "zone": zone,
            "start_pfn": start,
            "end_pfn": stop,
            "present": stop - start,
            "managed": stop - start,
            "reserve": int(reserve * (stop - start)),
            "kernel": kernel,
        }
        for i, (nid, zone, start, stop, reserve, kernel) in enumerate(rows)
    ]


def _cell_pfns(size: Size) -> np.ndarray:
    inside = np.arange(0, size.section_pages, size.pages_per_cell)
    return np.concatenate([s * size.section_pages + inside for s in size.sections])


def _frames(size: Size, zones: list[dict[str, Any]], rng: np.random.Generator) -> np.ndarray:
    """Return (T, C): kernel kinds creep up through kernel zones, user kinds through the rest."""
    per_section = size.section_pages // size.pages_per_cell
    cells = len(size.sections) * per_section
    pfn = _cell_pfns(size)
    frames = np.full((size.ticks, cells), PageKind.FREE, np.uint8)
    frames[:, : cells // 150] = PageKind.RESERVED
    frames[:, cells // 40 : cells // 30] = PageKind.KERNEL_IMAGE
    node1 = int(np.searchsorted(pfn, size.borders[1]))
    frames[:, node1 : node1 + cells // 120] = PageKind.MEMMAP
    frames[:, cells // 3 : cells // 3 + 3] = PageKind.PINNED
    hole = int(np.searchsorted(pfn, size.borders[1])) - max(1, per_section // 9)
    frames[:, hole:node1] = PageKind.HOLE
    state = frames[0].copy()
    kernel = np.zeros(cells, bool)
    for zone in zones:
        if zone["kernel"]:
            kernel |= (pfn >= zone["start_pfn"]) & (pfn < zone["end_pfn"])
    order = np.flatnonzero(state == PageKind.FREE)
    mine = order[kernel[order]][::-1]
    theirs = order[~kernel[order]]
    users = (PageKind.PAGE_CACHE, PageKind.ANON, PageKind.BUFFER)
    for t in range(1, size.ticks):
        share = t / (size.ticks - 1)
        for pool, kinds, limit in ((mine, KERNEL_KINDS, 0.985), (theirs, users, 0.42)):
            upto = int(len(pool) * limit * share)
            since = int(len(pool) * limit * (t - 1) / (size.ticks - 1))
            clumps = np.array_split(pool[since:upto], max(1, (upto - since) // 24))
            for clump in clumps:
                state[clump] = kinds[int(rng.integers(len(kinds)))]
        cache = np.flatnonzero(state == PageKind.PAGE_CACHE)
        state[rng.choice(cache, len(cache) // 60)] = PageKind.FREE
        frames[t] = state
    return frames


def _counters(
    size: Size, zones: list[dict[str, Any]], frames: np.ndarray
) -> tuple[list[dict[str, Any]], np.ndarray]:
    ppc = size.pages_per_cell
    pfn = _cell_pfns(size)
    columns: dict[str, np.ndarray] = {}
    free_all = np.zeros(size.ticks)
    useless_all = np.zeros(size.ticks)
    for zone in zones:
        span = (pfn >= zone["start_pfn"]) & (pfn < zone["end_pfn"])
        free = (frames[:, span] == PageKind.FREE).sum(1) * float(ppc)
        mark = max(2.0, zone["managed"] * 0.01)
        name = f"zone{zone['id']}"
        columns[f"{name}.free"] = free
        for i, level in enumerate(("min", "low", "high")):
            columns[f"{name}.{level}"] = np.full(size.ticks, mark * (1 + i / 4))
        columns[f"{name}.boost"] = np.zeros(size.ticks)
        useless = np.minimum(free, mark + zone["reserve"]) if zone["kernel"] else free
        columns[f"{name}.useless"] = useless
        free_all += free
        useless_all += useless
    cache = (frames == PageKind.PAGE_CACHE).sum(1) * float(ppc)
    columns |= {"free": free_all, "useless": useless_all, "mem_available": free_all + cache * 0.5}
    for kind in PageKind:
        columns[f"kind.{kind.name.lower()}"] = (frames == kind).sum(1) * float(ppc)
    columns["objects"] = np.arange(size.ticks) * 137.0
    columns["user_pages"] = cache
    columns["remote"] = np.maximum(0.0, np.arange(size.ticks) - size.ticks * 0.4) * 11
    rows = [{"name": n, "unit": "pages", "label": n} for n in columns]
    return rows, np.stack(list(columns.values()), axis=1)


def _events(size: Size) -> tuple[Event, ...]:
    at = lambda share: int(share * (size.ticks - 1))  # noqa: E731
    pfn = size.borders[0] + 11 * size.pages_per_cell
    return (
        Event(0, "boot", "The machine has booted", "Memory map and kernel image stand.", True),
        Event(at(0.4), "fallback", "Node 0 helps out", "Normal is low, so DMA32 serves.", True,
              ("S7",), "zonelist order", "get_page_from_freelist", 1, pfn),
        Event(at(0.62), "kswapd_wake", "kswapd wakes", "Free fell below low.", True, ("S8",),
              "free < low", "wakeup_kswapd", 1, -1),
        Event(at(0.7), "reclaim", "First reclaim", "Page cache is dropped.", False),
        Event(at(0.9), "refused", "First refusal", "A kernel page was refused.", True, ("S11",),
              "free - min - reserve < 1", "__zone_watermark_ok", 1, pfn),
        Event(size.ticks - 1, "oom", "Out of memory", "Free but of no use.", True, ("S11", "S12"),
              "no zone passes", "out_of_memory", 1, pfn),
    )  # fmt: skip


def _captions(events: tuple[Event, ...]) -> list[dict[str, Any]]:
    texts = {
        "boot": "What boot left behind is grey: reserved pages, the kernel image, the memory map. "
        "Everything else is free, and most of it lies in ZONE_MOVABLE.",
        "fallback": "Normal of node 1 fell below its low watermark, so the next page of "
        "dentries comes from DMA32 of node 0: 1,234 kernel pages are remote by now.",
        "kswapd_wake": "DMA32 has 2,911 free pages, below its low watermark of 3,200. kswapd "
        "wakes and looks for page cache to drop; dentries it cannot drop, they are in use.",
        "refused": "A kernel request needs free pages above min and the reserve. Normal has 83 "
        "free pages and needs 328. 14,250 pages are free in ZONE_MOVABLE and of no use to it.",
        "oom": "55.7 MiB are free and not one page of it may hold a dentry: the kernel kills a "
        "task while MemAvailable still claims 61 MiB. This is the lowmem problem again.",
    }
    return [
        {
            "tick": e.tick,
            "title": e.title,
            "text": texts[e.kind],
            "claims": list(e.claims),
            "rule": e.rule,
            "function": e.function,
            "unproven": e.kind == "refused",
        }
        for e in events
        if e.kind in texts
    ]


def make_recording(size: Size = CLASSROOM, seed: int = 7, details: bool = True) -> Recording:
    """Return a hand-made run on a two-node machine of the given size."""
    rng = np.random.default_rng(seed)
    zones = _zones(size)
    frames = _frames(size, zones, rng)
    rows, table = _counters(size, zones, frames)
    events = _events(size)
    per_page = size.pages_per_cell == 1
    blocks = frames.shape[1] // 512
    types = np.full((size.ticks, blocks), MigrateType.MOVABLE, np.uint8)
    for t in range(size.ticks):
        grouped = frames[t, : blocks * 512].reshape(blocks, 512)
        types[t, (grouped >= PageKind.SLAB).sum(1) > 40] = MigrateType.UNMOVABLE
        types[t, (grouped == PageKind.RECLAIMABLE_SLAB).sum(1) > 200] = MigrateType.RECLAIMABLE
    owners = np.where(frames > PageKind.FREE, frames % (len(OWNERS) - 1) + 1, 0).astype(np.uint16)
    end = (size.sections[-1] + 1) * size.section_pages
    node1 = size.borders[1]
    meta: dict[str, Any] = {
        "schema": 2,
        "scenario": "exhaustion",
        "title": "Kernel zones run dry",
        "parameters": {"machine": "synthetic", "movable": 0.4},
        "seed": seed,
        "profile": "6.1",
        "page_size": 4096,
        "machine": {
            "name": "synthetic",
            "title": "Synthetic machine, 2 nodes",
            "arch": "x86-64",
            "scale": 32,
            "section_pages": size.section_pages,
            "pageblock_pages": 512,
            "n_sections": size.sections[-1] + 1,
            "nodes": [
                {"nid": 0, "hotpluggable": False, "ranges": [[0, zones[1]["end_pfn"]]]},
                {"nid": 1, "hotpluggable": True, "ranges": [[node1, end]]},
            ],
            "present_pages": len(size.sections) * size.section_pages,
        },
        "zones": zones,
        "pages_per_cell": size.pages_per_cell,
        "sections": list(size.sections),
        "cells_per_section": size.section_pages // size.pages_per_cell,
        "owners": [{"id": i, "name": name} for i, name in enumerate(OWNERS)],
        "counters": rows,
        "captions": _captions(events),
        "ticks": size.ticks,
    }
    extra: tuple[SectionDetail, ...] = ()
    if details and not per_page:
        pages = rng.choice(np.array(KERNEL_KINDS, np.uint8), size.section_pages)
        extra = (
            SectionDetail(
                size.sections[3],
                size.ticks // 2,
                pages,
                np.ones(size.section_pages, np.uint16),
                np.ones(size.section_pages // 512, np.uint8),
            ),
        )
    return Recording(
        meta=meta,
        kind=track_of(frames, size.keys),
        counters_array=table,
        time_ns=np.arange(size.ticks) * 4.1e7,
        event_list=events,
        owner=track_of(owners, size.keys) if per_page else None,
        migratetype=track_of(types, size.keys) if per_page else None,
        details=extra,
    )
