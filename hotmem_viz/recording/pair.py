"""Two recordings on one time cursor: which tick of each stands at every position.

A pair holds nothing of its own but that table, so it has no file format: save the two recordings,
and pair them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError, RecordingError
from hotmem_viz.recording.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("left", "right")


@dataclass(frozen=True)
class Pair:
    """Two recordings side by side.

    left, right: what is shown. titles: what to call them. ticks: (positions, 2) int32, the tick
    of each at every position of the common cursor; a side that has ended stays at its last tick.
    by: "tick", or the name of the counter that the two go along. Raises RecordingError if the
    cursor misses a mark, runs backwards, or does not lead from both beginnings to both ends.
    """

    left: Recording
    right: Recording
    titles: tuple[str, str]
    ticks: np.ndarray
    by: str = "tick"

    def __post_init__(self) -> None:
        ticks = np.asarray(self.ticks)
        if ticks.ndim != 2 or ticks.shape[1] != 2 or not len(ticks) or ticks.dtype.kind not in "iu":
            raise RecordingError(f"a pair's ticks are (positions, 2) numbers, not {ticks.shape}")
        for side, recording, column in zip(SIDES, self.recordings, ticks.T, strict=True):
            last = recording.n_ticks - 1
            if column[0] != 0 or column[-1] != last or (np.diff(column) < 0).any():
                raise RecordingError(f"the cursor does not lead from 0 to {last} on the {side}")
            missed = {e.tick for e in recording.event_list if e.mark}.difference(column.tolist())
            if missed:
                raise RecordingError(f"the cursor misses the {side}'s mark at tick {min(missed)}")
        object.__setattr__(self, "ticks", ticks.astype(np.int32))

    @property
    def recordings(self) -> tuple[Recording, Recording]:
        """Both recordings, the left one first."""
        return self.left, self.right

    @property
    def n_positions(self) -> int:
        """Positions of the common cursor."""
        return len(self.ticks)

    @property
    def values(self) -> np.ndarray:
        """What the two go along, at each position: (positions,) float64, never falling."""
        if self.by == "tick":
            return np.arange(self.n_positions, dtype=np.float64)
        columns = [
            _column(recording, self.by)[ticks]
            for recording, ticks in zip(self.recordings, self.ticks.T, strict=True)
        ]
        higher: np.ndarray = np.maximum(*columns)
        return higher

    def position_of(self, side: int, tick: int) -> int:
        """Return the first position at which a side (0 left, 1 right) stands at a tick or after.

        Raises ParameterError if that recording has no such tick.
        """
        self.recordings[side].check_tick(tick)
        return int(np.searchsorted(self.ticks[:, side], tick))

    @property
    def marks(self) -> list[tuple[int, int, int]]:
        """Marks of both sides as (position, side, tick), in order of position."""
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
        left, right = self.titles
        return f"<Pair of {left!r} and {right!r}: {self.n_positions} positions, by {self.by}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from hotmem_viz.views.display import mimebundle

        return mimebundle(self, **kwargs)


def pair_recordings(
    left: Recording, right: Recording, by: str = "tick", titles: tuple[str, str] | None = None
) -> Pair:
    """Put two recordings on one time cursor.

    by: "tick" for recordings of one length, tick by tick; or a counter that both have, in one
    unit, and that never falls, such as "objects": then each side stands at the last tick at which
    its counter had reached the position's value, and the positions are those of both sides'
    ticks. Ticks of one side that share a value keep a position each, so that every mark has one.
    titles: what to call them, by default what their recordings differ in. Raises ParameterError
    if they cannot be paired so.
    """
    if by == "tick":
        if left.n_ticks != right.n_ticks:
            allowed = (
                f"the recordings have {left.n_ticks} and {right.n_ticks} ticks; "
                f"counters that can pair them: {_listed(_counters(left, right))}"
            )
            raise ParameterError("by", by, allowed)
        ticks = np.repeat(np.arange(left.n_ticks)[:, None], 2, axis=1)
    else:
        counters = _counters(left, right)
        if by not in counters:
            allowed = f"tick, or a counter of both that never falls: {_listed(counters)}"
            raise ParameterError("by", by, allowed)
        ticks = merge_ticks(_column(left, by), _column(right, by))
    return Pair(left, right, titles or _titles(left, right), ticks, by)


def merge_ticks(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Merge two series that never fall: (T,) and (T',) to the ticks at each position, (n, 2).

    Every value of either has as many positions as the side with more ticks at that value; there
    the other waits at its last tick with that value, or at the last one below it.
    """
    values = np.union1d(left, right)
    first, count = np.stack(
        [
            (np.searchsorted(side, values), np.searchsorted(side, values, side="right"))
            for side in (left, right)
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


def _column(recording: Recording, name: str) -> np.ndarray:
    """Return one counter over all ticks, (T,)."""
    names = [c["name"] for c in recording.meta["counters"]]
    column: np.ndarray = recording.counters_array[:, names.index(name)]
    return column


def _counters(left: Recording, right: Recording) -> list[str]:
    """List the counters that both have in one unit and that never fall; the last ones first."""
    units = [{c["name"]: c["unit"] for c in r.meta["counters"]} for r in (left, right)]
    common = [name for name, unit in units[0].items() if units[1].get(name) == unit]
    return [
        name
        for name in reversed(common)
        if all(_never_falls(_column(r, name)) for r in (left, right))
    ]


def _never_falls(column: np.ndarray) -> bool:
    return bool(np.isfinite(column).all() and (np.diff(column) >= 0).all())


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) or "none"


def _titles(left: Recording, right: Recording) -> tuple[str, str]:
    """Name two recordings by the first thing in which they differ."""
    metas = (left.meta, right.meta)
    for read in (
        lambda m: f"kernel {m['profile']}" if "profile" in m else "",
        lambda m: m["machine"].get("title", ""),
        lambda m: m.get("title", ""),
    ):
        a, b = (str(read(meta)) for meta in metas)
        if a and b and a != b:
            return a, b
    first, second = (meta.get("parameters", {}) for meta in metas)
    for name in first:
        if name in second and first[name] != second[name]:
            return _in_words(name, first[name]), _in_words(name, second[name])
    return SIDES


def _in_words(name: str, value: object) -> str:
    return f"usual {name}" if value is None or value == "" else f"{name} {value}"
