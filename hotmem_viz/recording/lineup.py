"""Recordings on one time cursor: which tick of each stands at every position.

A lineup holds nothing of its own but that table, so it has no file format: save the recordings,
and line them up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError, RecordingError
from hotmem_viz.recording.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIDES = ("left", "right")

LETTERS = "ABCDEF"
"""What a stage calls its sides, the first one first; so many can stand side by side."""


@dataclass(frozen=True)
class Lineup:
    """Recordings side by side, two to six.

    recordings: what is shown. titles: what to call them. ticks: (positions, sides) int32, the tick
    of each at every position of the common cursor; a side that has ended stays at its last tick.
    by: "tick", or the name of the counter that all go along. Raises RecordingError if the cursor
    misses a mark, runs backwards, or does not lead from all beginnings to all ends.
    """

    recordings: tuple[Recording, ...]
    titles: tuple[str, ...]
    ticks: np.ndarray
    by: str = "tick"

    def __post_init__(self) -> None:
        sides, ticks = len(self.recordings), np.asarray(self.ticks)
        if not 2 <= sides <= len(LETTERS) or len(self.titles) != sides:
            raise RecordingError(
                f"2 to {len(LETTERS)} recordings, each with a title, can stand side by side, "
                f"not {sides} with {len(self.titles)}"
            )
        whole = ticks.dtype.kind in "iu"
        if not whole or ticks.ndim != 2 or ticks.shape[1] != sides or not len(ticks):
            raise RecordingError(
                f"ticks are (positions, {sides}) whole numbers, not {ticks.shape} {ticks.dtype}"
            )
        names = SIDES if sides == len(SIDES) else LETTERS
        for side, recording, column in zip(names, self.recordings, ticks.T, strict=False):
            last = recording.n_ticks - 1
            if column[0] != 0 or column[-1] != last or (np.diff(column) < 0).any():
                raise RecordingError(f"the cursor does not lead from 0 to {last} on the {side}")
            missed = {e.tick for e in recording.event_list if e.mark}.difference(column.tolist())
            if missed:
                raise RecordingError(f"the cursor misses the {side}'s mark at tick {min(missed)}")
        object.__setattr__(self, "ticks", ticks.astype(np.int32))

    @property
    def n_positions(self) -> int:
        """Positions of the common cursor."""
        return len(self.ticks)

    @property
    def values(self) -> np.ndarray:
        """What the sides go along, at each position: (positions,) float64, never falling."""
        if self.by == "tick":
            return np.arange(self.n_positions, dtype=np.float64)
        columns = [
            read_column(recording, self.by)[ticks]
            for recording, ticks in zip(self.recordings, self.ticks.T, strict=True)
        ]
        higher: np.ndarray = np.maximum.reduce(columns)
        return higher

    def position_of(self, side: int, tick: int) -> int:
        """Return the first position at which a side (0 the first) stands at a tick or after.

        Raises ParameterError if that recording has no such tick.
        """
        self.recordings[side].check_tick(tick)
        return int(np.searchsorted(self.ticks[:, side], tick))

    @property
    def marks(self) -> list[tuple[int, int, int]]:
        """Marks of all sides as (position, side, tick), in order of position."""
        return sorted(
            (self.position_of(side, event.tick), side, event.tick)
            for side, recording in enumerate(self.recordings)
            for event in recording.event_list
            if event.mark
        )

    def to_html(self, path: str | Path | None = None) -> str:
        """Return, and with `path` also write, one HTML page that plays without a network."""
        from hotmem_viz.views.page import export_html

        return export_html(self, path)

    def __repr__(self) -> str:
        called = " and ".join(map(repr, self.titles))
        name = type(self).__name__
        return f"<{name} of {called}: {self.n_positions} positions, by {self.by}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from hotmem_viz.views.display import mimebundle

        return mimebundle(self, **kwargs)


def find_cursor(recordings: Sequence[Recording], by: str) -> np.ndarray:
    """Return the ticks of some recordings on one cursor, (positions, sides).

    by: "tick" for recordings of one length, tick by tick; or a counter that all have, in one
    unit, and that never falls, such as "objects": then each side stands at the last tick at which
    its counter had reached the position's value, and the positions are those of all sides'
    ticks. Ticks of one side that share a value keep a position each, so that every mark has one.
    Raises ParameterError if they cannot go so.
    """
    if by != "tick":
        counters = _list_counters(recordings)
        if by not in counters:
            allowed = f"tick, or a counter of all that never falls: {_listed(counters)}"
            raise ParameterError("by", by, allowed)
        return merge_ticks(*(read_column(recording, by) for recording in recordings))
    lengths = [recording.n_ticks for recording in recordings]
    if len(set(lengths)) > 1:
        allowed = (
            f"the recordings have {' and '.join(map(str, lengths))} ticks; "
            f"counters that can pair them: {_listed(_list_counters(recordings))}"
        )
        raise ParameterError("by", by, allowed)
    return np.repeat(np.arange(lengths[0])[:, None], len(recordings), axis=1)


def merge_ticks(*series: np.ndarray) -> np.ndarray:
    """Merge series that never fall, (T,) each, to the ticks at each position, (positions, sides).

    Every value of any has as many positions as the side with most ticks at that value; there
    the others wait at their last tick with that value, or at the last one below it.
    """
    values = np.unique(np.concatenate(series))
    first, count = np.stack(
        [
            (np.searchsorted(side, values), np.searchsorted(side, values, side="right"))
            for side in series
        ],
        axis=-1,
    )
    count -= first
    rows = count.max(axis=1)
    group = np.repeat(np.arange(len(values)), rows)
    within = np.arange(len(group)) - np.repeat(np.cumsum(rows) - rows, rows)
    step = np.minimum(within[:, None], count[group] - 1)
    merged: np.ndarray = np.maximum(first[group] + step, 0)
    return merged


def read_column(recording: Recording, name: str) -> np.ndarray:
    """Return one counter over all ticks, (T,)."""
    names = [c["name"] for c in recording.meta["counters"]]
    column: np.ndarray = recording.counters_array[:, names.index(name)]
    return column


def _list_counters(recordings: Sequence[Recording]) -> list[str]:
    """List the counters that all have in one unit and that never fall; the last ones first."""
    first, *others = ({c["name"]: c["unit"] for c in r.meta["counters"]} for r in recordings)
    common = [name for name, unit in first.items() if all(o.get(name) == unit for o in others)]
    return [
        name
        for name in reversed(common)
        if all(_never_falls(read_column(r, name)) for r in recordings)
    ]


def _never_falls(column: np.ndarray) -> bool:
    return bool(np.isfinite(column).all() and (np.diff(column) >= 0).all())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) or "none"
