"""Telling a run: what mechanisms answered is gathered into ticks, each with its events in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hotmem_viz.recording.recorder import Tick
from hotmem_viz.recording.recording import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.vocabulary import EventKind


class Story:
    """Gathers a run's ticks.

    `take` notes what a mechanism did, `tell` says something about the tick that gathers, `flush`
    ends it. A mark has a tick of its own: telling a second one first ends the tick before, so a
    scenario yields from both `tell` and `flush`. time_ns is the model's time. marks: whether what
    is told may be a mark; without it ticks are told of what has been seen before.
    """

    def __init__(
        self, mem: PhysicalMemory, read_counters: Callable[[], Sequence[float] | np.ndarray]
    ) -> None:
        self.mem = mem
        self.time_ns = 0.0
        self.marks = True
        self._read = read_counters
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._touched: list[FrameSet] = []
        self._moves: list[tuple[np.ndarray, np.ndarray]] = []
        self._rows: list[tuple[str, dict[str, np.ndarray]]] = []
        self._events: list[Event] = []
        self._details: list[int] = []
        self._lookup: np.ndarray | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been gathered since the last tick."""
        return not (self._touched or self._events or self._rows or self._moves)

    def take(self, outcome: Outcome, time_ns: float | None = None) -> None:
        """Note what a mechanism did; time goes on by what it cost, or by `time_ns`."""
        self._touched += [outcome.frames, *outcome.released]
        self._moves += [(m.source, m.target) for m in outcome.moves]
        self.time_ns += outcome.time_ns if time_ns is None else time_ns

    def touch(self, frames: FrameSet) -> None:
        """Note frames that may have changed."""
        self._touched.append(frames)

    def add_rows(self, track: str, rows: dict[str, np.ndarray]) -> None:
        """Add rows to one of the tracks of `recording.tracks.ROW_COLUMNS`."""
        self._rows.append((track, rows))

    def set_lookup(self, lookup: np.ndarray) -> None:
        """Say where each virtual section is found from this tick on: (S,)."""
        self._lookup = lookup.copy()

    def tell(
        self,
        kind: EventKind,
        title: str,
        text: str,
        *,
        mark: bool = True,
        claims: tuple[str, ...] = (),
        rule: str = "",
        function: str = "",
        zone: int = -1,
        pfn: int = -1,
        unproven: bool = False,
        questions: tuple[str, ...] = (),
    ) -> list[Tick]:
        """Say what happened in the tick that gathers; return the tick that had to end first."""
        mark = mark and self.marks
        ended = [self.flush()] if mark and any(e.mark for e in self._events) else []
        event = Event(
            tick=self._number,
            kind=kind.name,
            title=title,
            text=text,
            mark=mark,
            claims=claims,
            rule=rule,
            function=function,
            zone=zone,
            pfn=pfn,
            unproven=unproven,
            questions=questions,
        )
        self._events.append(event)
        if mark and pfn >= 0:
            self._details.append(pfn // self.mem.spec.section_pages)
        return ended

    def flush(self) -> Tick:
        """End the tick that has gathered and begin the next one."""
        events = [replace(e, tick=self._number) for e in self._events]
        told = [e for e in events if e.mark] or (events if self._number == 0 else [])
        tick = Tick(
            self.time_ns,
            self._read(),
            touched=self._touched,
            events=events,
            captions=[e.caption() for e in told[-1:]],
            details=self._details,
            moves=self._moves,
            rows=self._rows,
            lookup=self._lookup,
        )
        self._number += 1
        self._begin()
        return tick
