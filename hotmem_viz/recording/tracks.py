"""What a recording is made of: tracks of cells that change, and of rows that belong to ticks.

A track of cells is kept as key frames plus runs of changed cells; a run holds old XOR new, so
that applying it once steps forward and applying it again steps back. A track of rows is a table
whose rows each belong to a tick: pages that moved, what the CPUs did, what became of page tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SCATTERED = 0xFFFF
"""In a lookup track: the section's pages lie in several places, each found by itself."""


@unique
class CpuState(IntEnum):
    """What a CPU does during a span (enum multi_stop_state, kernel/stop_machine.c, 6.1)."""

    RUNNING = 0
    PREPARE = 1
    DISABLE_IRQ = 2
    RUN = 3
    EXIT = 4
    WAITING = 5


@unique
class TableChange(IntEnum):
    """What became of a page-table page at a tick."""

    NEW = 0
    GONE = 1
    VISITED = 2
    REWRITTEN = 3
    MOVED = 4
    FILLED = 5


ROW_COLUMNS: Mapping[str, Mapping[str, type[np.generic]]] = MappingProxyType(
    {
        # Pages that moved: `pages` frames from `source` on went to those from `target` on.
        "moves": {"source": np.uint32, "target": np.uint32, "pages": np.uint32},
        # What a CPU (`lane`) did, a CpuState, from when to when inside the tick.
        "spans": {
            "lane": np.uint16,
            "state": np.uint8,
            "start_ns": np.float64,
            "end_ns": np.float64,
        },
        # A TableChange of a table page: its number, address space, level (0 holds the entries
        # of pages), the table above (-1 for the root), its entry there, and, after the change,
        # its frame and how many of its entries are in use.
        "tables": {
            "table": np.uint32,
            "change": np.uint8,
            "space": np.uint16,
            "level": np.uint8,
            "parent": np.int32,
            "index": np.uint16,
            "pfn": np.uint32,
            "used": np.uint16,
        },
    }
)
"""The columns of each track of rows; `tick`, uint32 and ascending, comes before them."""


@dataclass(frozen=True)
class CellTrack:
    """One value per cell per tick.

    keys: (Q, C) uint8 or uint16, whole states; key_ticks: (Q,) int32, ascending, first 0.
    offsets: (T + 1,) uint32, the runs of tick t are offsets[t]:offsets[t + 1] (tick 0 has none).
    start, length: (R,) uint32 cells; flip: (R,) same dtype as keys, old XOR new value.
    """

    keys: np.ndarray
    key_ticks: np.ndarray
    offsets: np.ndarray
    start: np.ndarray
    length: np.ndarray
    flip: np.ndarray

    def changes(self, tick: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells that differ from tick - 1, each once, and their flips: (n,) each."""
        runs = slice(int(self.offsets[tick]), int(self.offsets[tick + 1]))
        length = self.length[runs].astype(np.int64)
        before = np.cumsum(length) - length
        cells = np.arange(length.sum()) + np.repeat(self.start[runs] - before, length)
        return cells, np.repeat(self.flip[runs], length)

    def flip_tick(self, state: np.ndarray, tick: int) -> None:
        """Apply the runs of one tick to `state` in place: forward from tick - 1, or back."""
        cells, flips = self.changes(tick)
        state[cells] ^= flips

    def frame(self, tick: int) -> np.ndarray:
        """Return the whole state at `tick`, (C,): the key frame before it, then the runs after."""
        q = int(np.searchsorted(self.key_ticks, tick, side="right")) - 1
        state: np.ndarray = self.keys[q].copy()
        for t in range(int(self.key_ticks[q]) + 1, tick + 1):
            self.flip_tick(state, t)
        return state

    def walk(self, ticks: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield the whole state at some ascending ticks, (C,); it is the same array every time."""
        state, at = self.keys[0].copy(), 0
        for tick in ticks:
            while at < tick:
                at += 1
                self.flip_tick(state, at)
            yield state


@dataclass(frozen=True)
class RowTrack:
    """Rows that belong to ticks: tick (R,) uint32, ascending; columns by name, each (R,)."""

    tick: np.ndarray
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.tick)

    def at(self, tick: int) -> dict[str, np.ndarray]:
        """Return the rows of one tick: columns by name, (n,) each."""
        first, end = np.searchsorted(self.tick, (tick, tick + 1))
        return {name: column[first:end] for name, column in self.columns.items()}


class RowWriter:
    """Collects one track of rows; `name` is one of ROW_COLUMNS."""

    def __init__(self, name: str) -> None:
        self.columns = ROW_COLUMNS[name]
        self.ticks: list[np.ndarray] = []
        self.parts: dict[str, list[np.ndarray]] = {c: [] for c in self.columns}

    def write(self, tick: int, rows: Mapping[str, np.ndarray]) -> None:
        """Enter the rows of a tick: all columns, (n,) each."""
        n = len(next(iter(rows.values())))
        self.ticks.append(np.full(n, tick, np.uint32))
        for column, dtype in self.columns.items():
            part = np.asarray(rows[column])
            if part.shape != (n,):
                raise ValueError(f"column {column} is {part.shape}, not {(n,)}")
            self.parts[column].append(part.astype(dtype))

    def finish(self) -> RowTrack | None:
        """Return the track, None if nothing was entered."""
        if not self.ticks:
            return None
        columns = {name: np.concatenate(parts) for name, parts in self.parts.items()}
        return RowTrack(np.concatenate(self.ticks), columns)


def runs_of_moves(source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Join pages that moved side by side into runs: the columns of a track of moves.

    source, target: (n,) int64 frames, entry i of one went to entry i of the other.
    """
    order = np.argsort(source, kind="stable")
    source, target = source[order], target[order]
    begins = np.ones(len(source), bool)
    begins[1:] = (np.diff(source) != 1) | (np.diff(target) != 1)
    first = np.flatnonzero(begins)
    pages = np.diff(np.r_[first, len(source)])
    return {"source": source[first], "target": target[first], "pages": pages}
