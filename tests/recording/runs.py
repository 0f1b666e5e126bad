"""Runs to record: a hand-made machine whose pages come and go, and copies of what it held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.recording.recorder import Tick
from hotmem_viz.recording.recording import Event
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, PageKind
from tests.machines import make_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.memory.physical import PhysicalMemory

WISHES = (
    (GFP["KERNEL"], PageKind.SLAB),
    (GFP["KERNEL_RECLAIMABLE"], PageKind.RECLAIMABLE_SLAB),
    (GFP["HIGHUSER_MOVABLE"], PageKind.ANON),
    (GFP["HIGHUSER_MOVABLE"], PageKind.PAGE_CACHE),
)


class RandomRun:
    """Requests and releases at random on one of the machines of tests/machines.py."""

    def __init__(self, name: str, ticks: int = 70, seed: int = 0) -> None:
        self.memory = make_machine(name)
        self.n_ticks = ticks
        self._rng = np.random.default_rng(seed)
        machine = {
            "section_pages": self.memory.spec.section_pages,
            "pageblock_pages": PAGEBLOCK_PAGES,
        }
        counters = [{"name": "free", "unit": "pages", "label": "free"}]
        self.meta: dict[str, Any] = {"scenario": name, "machine": machine, "counters": counters}

    def ticks(self) -> Iterator[Tick]:
        """Yield the empty machine, then a tick for every few requests."""
        mem, rng, held = self.memory, self._rng, []
        yield Tick(0.0, [float(mem.zones.free.sum())])
        nids = list(mem.kswapd_failures)
        for tick in range(1, self.n_ticks):
            touched = []
            for _ in range(int(rng.integers(0, 4))):
                gfp, kind = WISHES[int(rng.integers(len(WISHES)))]
                count, order = int(rng.integers(1, 400)), int(rng.choice([0, 0, 1, 3]))
                owner, nid = int(rng.integers(0, 4)), int(rng.choice(nids))
                got = alloc_pages(mem, gfp, count >> order, kind, order=order, owner=owner, nid=nid)
                touched += [got.frames, *got.released]
                if kind is PageKind.ANON:  # Nothing else may take these away meanwhile.
                    held.append(got.frames)
            if held and rng.random() < 0.5:
                frames = held.pop(int(rng.integers(len(held))))
                free_pages(mem, frames)
                touched.append(frames)
            events = [Event(tick, "FALLBACK", "a mark", "", mark=True)] if tick % 9 == 0 else []
            details = [int(rng.choice(mem.extents.section))] if events else []
            free = float(mem.zones.free.sum())
            yield Tick(tick * 1e6, [free], touched=touched, events=events, details=details)


class Watched:
    """A run that copies the memory's page arrays at every tick, whole."""

    def __init__(self, run: Any) -> None:
        self.run, self.memory, self.meta = run, run.memory, run.meta
        self.copies: list[dict[str, np.ndarray]] = []

    def ticks(self) -> Iterator[Tick]:
        """Pass the run's ticks on."""
        for tick in self.run.ticks():
            mem: PhysicalMemory = self.memory
            self.copies.append(
                {f: getattr(mem, f).copy() for f in ("kind", "owner", "migratetype")}
            )
            yield tick
