"""A run's ticks, put on the shelf: key frames, runs of changed cells, counters, events.

Deltas come from the frames that a tick says it touched, never from comparing whole states, so
recording costs what the tick costs. Anything that looks like a `Run` can be recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hotmem_viz.memory.census import seen_kinds
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.recording.cells import CellGrid
from hotmem_viz.recording.recording import SCHEMA, Event, Recording, SectionDetail
from hotmem_viz.recording.tracks import ROW_COLUMNS, CellTrack, RowWriter, runs_of_moves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotmem_viz.memory.physical import PhysicalMemory

KEY_EVERY = 64
"""Ticks between key frames: going to any tick applies at most this many deltas."""


@dataclass
class Tick:
    """One step of a run, as the recorder needs it.

    touched: sets of frames that may have changed. counters: (F,) numbers, in the order of the
    run's `counters`. time_ns: model time at the end of the tick. moves: pairs of source and target
    frames, (n,) each. rows: of the other tracks of rows, by their names. lookup: (S,) the physical
    section of every virtual one, where that has changed; a run that ever says has to say so at
    tick 0.
    """

    time_ns: float
    counters: Sequence[float] | np.ndarray
    touched: list[FrameSet] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    captions: list[dict[str, Any]] = field(default_factory=list)
    details: list[int] = field(default_factory=list)
    moves: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    rows: list[tuple[str, dict[str, np.ndarray]]] = field(default_factory=list)
    lookup: np.ndarray | None = None


class Run(Protocol):
    """What can be recorded: a memory that changes, and ticks that say how. Tick 0 is boot."""

    memory: PhysicalMemory
    meta: dict[str, Any]

    def ticks(self) -> Iterable[Tick]:
        """Run, and yield one tick after another."""
        ...


class TrackWriter:
    """Collects one cell track: (C,) state, key frames, and runs of old XOR new."""

    def __init__(self, state: np.ndarray) -> None:
        self.state = state
        self.keys, self.key_ticks = [state.copy()], [0]
        self.offsets = [0, 0]
        self.runs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.n_runs = 0

    def write(self, tick: int, cells: np.ndarray, values: np.ndarray) -> None:
        """Enter one tick: `cells` (n,) ascending and unique, with their values (n,)."""
        flip = self.state[cells] ^ values
        at = flip.nonzero()[0]
        if len(at):
            cells, flip = cells[at], flip[at]
            self.state[cells] ^= flip
            begins = np.empty(len(cells) + 1, bool)
            begins[0] = begins[-1] = True
            begins[1:-1] = (cells[1:] != cells[:-1] + 1) | (flip[1:] != flip[:-1])
            bounds = begins.nonzero()[0]
            first = bounds[:-1]
            self.runs.append((cells[first], bounds[1:] - first, flip[first]))
            self.n_runs += len(first)
        self.offsets.append(self.n_runs)
        if tick % KEY_EVERY == 0:
            self.keys.append(self.state.copy())
            self.key_ticks.append(tick)

    def write_all(self, tick: int, values: np.ndarray) -> None:
        """Enter one tick of a track so short that comparing it whole is cheap: values (C,)."""
        changed = (values != self.state).nonzero()[0]
        self.write(tick, changed, values[changed])

    def finish(self) -> CellTrack:
        """Return the track."""
        columns: list[np.ndarray] = [np.empty(0, np.int64)] * 2 + [np.empty(0, self.state.dtype)]
        if self.runs:
            columns = [np.concatenate(c) for c in zip(*self.runs, strict=True)]
        return CellTrack(
            keys=np.stack(self.keys),
            key_ticks=np.array(self.key_ticks, np.int32),
            offsets=np.array(self.offsets, np.uint32),
            start=columns[0].astype(np.uint32),
            length=columns[1].astype(np.uint32),
            flip=columns[2],
        )


class Recorder:
    """Turns ticks into a Recording; it keeps its own copy of the cells and nothing else."""

    def __init__(self, mem: PhysicalMemory, meta: dict[str, Any], max_cells: int | None) -> None:
        self.mem = mem
        self.grid = CellGrid(mem) if max_cells is None else CellGrid(mem, max_cells)
        self.meta = {"schema": SCHEMA, **meta, **self.grid.describe()}
        self.by_page = self.grid.pages_per_cell == 1
        self.kind = TrackWriter(self.grid.read_all(mem))
        self.owner: TrackWriter | None = None
        self.types: TrackWriter | None = None
        if self.by_page:
            self.owner = TrackWriter(mem.owner[self.grid.sections].reshape(-1).copy())
            self.types = TrackWriter(self._read_types())
        self.sections = TrackWriter(mem.section_state[self.grid.sections])
        self.lookup: TrackWriter | None = None
        self.rows = {name: RowWriter(name) for name in ROW_COLUMNS}
        self.counters: list[Sequence[float] | np.ndarray] = []
        self.time_ns: list[float] = []
        self.events: list[Event] = []
        self.captions: list[dict[str, Any]] = []
        self.details: dict[tuple[int, int], SectionDetail] = {}

    def _read_types(self) -> np.ndarray:
        types: np.ndarray = self.mem.migratetype[self.grid.sections].reshape(-1)
        return types

    def add(self, tick: Tick) -> None:
        """Enter one tick; the first one is the booted machine."""
        number = len(self.time_ns)
        if number:
            self._write_cells(number, union(tick.touched))
        self._write_sections(number, tick.lookup)
        for source, target in tick.moves:
            self.rows["moves"].write(number, runs_of_moves(source, target))
        for name, rows in tick.rows:
            self.rows[name].write(number, rows)
        self.counters.append(tick.counters)
        self.time_ns.append(tick.time_ns)
        self.events.extend(tick.events)
        self.captions.extend(tick.captions)
        if not self.by_page:
            for section in tick.details:
                self.details[section, number] = self._read_section(section, number)

    def _write_sections(self, number: int, lookup: np.ndarray | None) -> None:
        if not number:
            if lookup is not None:
                self.lookup = TrackWriter(lookup[self.grid.sections].astype(np.uint16))
            return
        self.sections.write_all(number, self.mem.section_state[self.grid.sections])
        if self.lookup:
            now = self.lookup.state if lookup is None else lookup[self.grid.sections]
            self.lookup.write_all(number, now.astype(np.uint16))

    def _write_cells(self, number: int, frames: FrameSet) -> None:
        cells, rows = self.grid.touched(frames)
        self.kind.write(number, cells, self.grid.read(self.mem, rows))
        if self.owner and self.types:
            self.owner.write(number, cells, self.grid.read_owner(self.mem, rows))
            self.types.write_all(number, self._read_types())

    def _read_section(self, section: int, number: int) -> SectionDetail:
        mem = self.mem
        return SectionDetail(
            section,
            number,
            seen_kinds(mem, section),
            mem.owner[section].copy(),
            mem.migratetype[section].copy(),
        )

    def finish(self) -> Recording:
        """Return the recording of what was entered."""
        meta = {**self.meta, "ticks": len(self.time_ns), "captions": self.captions}
        return Recording(
            meta=meta,
            kind=self.kind.finish(),
            counters_array=np.array(self.counters, np.float64),
            time_ns=np.array(self.time_ns, np.float64),
            event_list=tuple(self.events),
            owner=self.owner.finish() if self.owner else None,
            migratetype=self.types.finish() if self.types else None,
            details=tuple(self.details.values()),
            sections=self.sections.finish() if self.sections.n_runs else None,
            lookup=self.lookup.finish() if self.lookup else None,
            rows={n: track for n, w in self.rows.items() if (track := w.finish()) is not None},
        )


def record(run: Run, max_cells: int | None = None) -> Recording:
    """Run to the end and return the recording.

    max_cells: cells of the map at most, 131,072 unless given.
    """
    ticks = iter(run.ticks())
    first = next(ticks)
    recorder = Recorder(run.memory, run.meta, max_cells)
    recorder.add(first)
    for tick in ticks:
        recorder.add(tick)
    meta_after = {"owners": [{"id": i, "name": n} for i, n in enumerate(run.memory.owners.names)]}
    recorder.meta.update(meta_after)
    return recorder.finish()
