"""How address space is used: processes that map memory and touch it, turn by turn.

Processes start one after another, or a few in a turn where they are small; each maps what it wants
and touches it. A seed draws how much a turn touches; nothing of that depends on outcomes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.address_spaces import add_segment, map_regions
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.mechanisms.unmapping import exit_process
from hotmem_viz.scenarios.processes import lay_out_process, start_small
from hotmem_viz.scenarios.workloads import Stockpile, find_stocks
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.scenarios.starvation_parameters import StarvationParameters

SPAN = 512
"""Pages that a table of the lowest level spans: 2 MiB on x86-64 and on PAE."""

OWN_TABLES = 11
"""Tables of a small program that maps nothing else; sizes turns, no more."""


DENSE_TICKS = 60
"""Ticks that private memory is filled in, whose tables alone would be over in one."""


FILL_TICKS = 8
"""Ticks in which a node's part of a segment is filled."""


class Use:
    """Processes and their memory.

    pages: what each maps beyond a small program's own, 0 for none. step: one page in so many is
    touched. alive: their numbers by rows, those
    that fill a segment included; a row is used again. finished, killed: processes
    so far. reached: pages touched. outcomes, released: of the turn, until somebody takes them.
    lacking: what was refused.
    """

    def __init__(self, spaces: AddressSpaces, p: StarvationParameters, turn_pages: int) -> None:
        self.spaces, self.count = spaces, p.count
        mem, zones = spaces.mem, spaces.mem.zones
        self._confined = zones.type > ZoneType.NORMAL
        self.movable = int(zones.managed[self._confined].sum())
        self.nids = np.unique(zones.nid[zones.managed > 0]).tolist()
        self.layout = lay_out_process(spaces.geometry)
        self.owner = mem.owners.add(f"{p.use} use")
        self.step = SPAN if p.use == "sparse" else 1
        self.pages = self._size(p)
        self.shares = p.use == "shared"
        self.segment = -1
        self.alive: dict[int, int] = {}
        self.begun = self.finished = self.killed = self.reached = 0
        self.outcomes: list[Outcome] = []
        self.released: list[FrameSet] = []
        task = replace(mem.profile.operations["procs"], page_tables=0, anon=0)
        self._pile = Stockpile(find_stocks(mem.profile, task))
        self._batch = self._maps = np.empty(0, np.int64)
        self._at = 0
        self._sizes = self._draw(turn_pages, np.random.default_rng(p.seed))
        self._turn = 0
        self.lacking = "a page table"

    def _size(self, p: StarvationParameters) -> int:
        user = self.movable or int(self.spaces.mem.zones.managed.sum())
        share = {"dense": p.fill / p.count, "shared": p.fill, "sparse": p.reach / p.count}
        start = max(part.start + part.pages for part in self.layout.parts if part.name == "heap")
        room = self.layout.map_base - start - 2 * SPAN
        return max(0, min(int(share.get(p.use, 0.0) * user), room)) // SPAN * SPAN

    def _draw(self, turn_pages: int, rng: np.random.Generator) -> np.ndarray:
        """Draw tables that the turns ask for: (4096,) int64, begun anew when they are over."""
        return np.maximum(1, np.rint(rng.uniform(0.7, 1.3, 4096) * turn_pages)).astype(np.int64)

    @property
    def is_over(self) -> bool:
        """Whether every process has come to its end or was killed."""
        return not len(self._batch) and self.begun >= self.count

    def fill_segment(self) -> Iterator[bool]:
        """Let a process on each node fill its part of the segment; yields if memory sufficed."""
        if not self.shares or not self.pages:
            return
        zones = self.spaces.mem.zones
        self.segment = add_segment(self.spaces, self.pages, self.owner)
        here = self._confined if self.movable else zones.managed > 0
        weight = [int(zones.managed[here & (zones.nid == nid)].sum()) for nid in self.nids]
        borders = np.rint(np.cumsum([0, *weight]) / sum(weight) * self.pages).astype(np.int64)
        for nid, first, end in zip(self.nids, borders[:-1], borders[1:], strict=True):
            if first < end:
                yield from self._fill_part(nid, int(first), int(end))

    def _fill_part(self, nid: int, first: int, end: int) -> Iterator[bool]:
        rows = self._start_small(1, nid)
        self._enter(rows)
        if not len(rows):
            yield False
            return
        maps = self._map(rows)
        piece = -(-(end - first) // FILL_TICKS)
        for at in range(first, end, piece):
            yield self._touch(maps, at, min(piece, end - at))

    def _start_small(self, count: int, nid: int) -> np.ndarray:
        made = self.outcomes
        return start_small(self.spaces, self.layout, count, self.owner, nid=nid, outcomes=made)

    def _enter(self, rows: np.ndarray) -> None:
        first = self.killed + len(self.alive) + 1
        self.alive |= {row: first + i for i, row in enumerate(rows.tolist())}

    def _map(self, rows: np.ndarray) -> np.ndarray:
        start = np.full(len(rows), self.layout.map_base - SPAN - self.pages)
        start -= start % SPAN
        return map_regions(self.spaces, rows, start, self.pages, segment=self.segment)

    def _touch(self, maps: np.ndarray, first: int, pages: int) -> bool:
        """Touch `pages` pages of the mappings' range from `first` on, or one in each step."""
        n = len(maps)
        count = np.full(n, -(-pages // self.step))
        answer = touch(self.spaces, Access(maps, np.full(n, first), count, self.step))
        self.outcomes.append(answer.outcome)
        if not answer.refused:
            self.reached += answer.pages
        return not answer.refused

    def turn(self) -> bool:
        """Start processes, or let those under way touch more; say whether memory sufficed."""
        size = int(self._sizes[self._turn % len(self._sizes)])
        if not len(self._batch) and not self._start(size):
            return False
        if not self.pages:
            self._end_batch()
            return True
        chunk = min(self.pages - self._at, max(1, size // len(self._batch)) * SPAN)
        if self.step == 1 and not self.shares:
            chunk = min(chunk, max(1, self.pages * self.count // DENSE_TICKS // SPAN) * SPAN)
        if not self._touch(self._maps, self._at, chunk):
            return False
        self._turn += 1
        self._at += chunk
        if self._at >= self.pages:
            self._end_batch()
        return True

    def _start(self, size: int) -> bool:
        each = OWN_TABLES + self.pages // SPAN
        wanted = max(1, min(self.count - self.begun, size // each))
        nid = self.nids[self.begun % len(self.nids)]
        for stock in self._pile.stocks:
            got = self._pile.ask(
                self.spaces.mem, stock, len(self.alive) + wanted, owner=self.owner, nid=nid
            )
            if got is not None:
                self.outcomes.append(got)
                if got.refused:
                    self.lacking = "a task's memory"
                    return False
        before = self.spaces.alive()
        rows = self._start_small(wanted, nid)
        now = self.spaces.alive()
        if len(now) - len(before) != len(rows):
            for row in np.setdiff1d(np.setdiff1d(now, before), rows).tolist():
                # fork or exec failed half-way: the process goes before it did anything.
                self.released.append(exit_process(self.spaces, row))
        self.begun += len(rows)
        self._enter(rows)
        self._batch, self._at = rows, 0
        self._turn += not self.pages
        self._maps = self._map(rows) if self.pages and len(rows) else np.empty(0, np.int64)
        return len(rows) == wanted

    def _end_batch(self) -> None:
        self.finished += len(self._batch)
        self._batch = np.empty(0, np.int64)

    def kill(self, row: int) -> FrameSet:
        """End the process that the OOM killer chose; returns the frames made free."""
        freed = exit_process(self.spaces, row)
        self.released.append(freed)
        del self.alive[row]
        self.killed += 1
        keep = self._batch != row
        self._batch = self._batch[keep]
        self._maps = self._maps[keep] if len(self._maps) else self._maps
        return freed
