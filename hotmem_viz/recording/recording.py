"""What happened: named tracks over ticks, complete in themselves, shown by the views.

State t is what stands after tick t; state 0 is the machine as booted, T states in all. A
track of cells is kept as key frames plus runs of changed cells; a run holds old XOR new, so
that applying it once steps forward and applying it again steps back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError, RecordingError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

SCHEMA = 1


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

    def flip_tick(self, state: np.ndarray, tick: int) -> None:
        """Apply the runs of one tick to `state` in place: forward from tick - 1, or back."""
        for i in range(int(self.offsets[tick]), int(self.offsets[tick + 1])):
            a = int(self.start[i])
            state[a : a + int(self.length[i])] ^= self.flip[i]

    def frame(self, tick: int) -> np.ndarray:
        """Return the whole state at `tick`, (C,): the key frame before it, then the runs after."""
        q = int(np.searchsorted(self.key_ticks, tick, side="right")) - 1
        state: np.ndarray = self.keys[q].copy()
        for t in range(int(self.key_ticks[q]) + 1, tick + 1):
            self.flip_tick(state, t)
        return state


@dataclass(frozen=True)
class Event:
    """Something that happened at a tick: what, where and why, in the model's own numbers."""

    tick: int
    kind: str
    title: str
    text: str
    mark: bool = False
    claims: tuple[str, ...] = ()
    rule: str = ""
    function: str = ""
    zone: int = -1
    pfn: int = -1


@dataclass(frozen=True)
class SectionDetail:
    """Every page of one section at one tick, for machines whose cells hold many pages.

    kind: (P,) uint8; owner: (P,) uint16; migratetype: (B,) uint8.
    """

    section: int
    tick: int
    kind: np.ndarray
    owner: np.ndarray
    migratetype: np.ndarray


@dataclass(frozen=True)
class Recording:
    """A scenario's run, a stored file or a capture: all the views ever see.

    meta: JSON-able; see `docs/recording.md` for its keys. kind: the map's cells, absent where
    nobody read the pages. owner: per-page owners, absent where cells hold more than a page.
    migratetype: per-pageblock types, absent where they are not known. counters: (T, F) float64
    with `meta["counters"]` naming the F columns. time_ns: (T,).
    """

    meta: dict[str, Any]
    kind: CellTrack | None
    counters_array: np.ndarray
    time_ns: np.ndarray
    event_list: tuple[Event, ...] = ()
    owner: CellTrack | None = None
    migratetype: CellTrack | None = None
    details: tuple[SectionDetail, ...] = field(default=())

    @property
    def n_ticks(self) -> int:
        """T: states recorded, the booted machine among them."""
        return len(self.time_ns)

    def check_tick(self, tick: int) -> int:
        """Return `tick`, or raise ParameterError if the recording has no such state."""
        if not 0 <= tick < self.n_ticks:
            raise ParameterError("tick", tick, f"0 to {self.n_ticks - 1} are recorded")
        return tick

    def frame(self, tick: int) -> np.ndarray:
        """Page kinds of the map's cells at `tick`, (C,) uint8.

        Raises ParameterError without such a tick, RecordingError without a map.
        """
        self.check_tick(tick)
        if self.kind is None:
            raise RecordingError("the recording has no map: nobody read its pages")
        return self.kind.frame(tick)

    @property
    def counters(self) -> pd.DataFrame:
        """Counters as a DataFrame: one row a tick, one column a counter, plus time_ns."""
        import pandas as pd

        names = [c["name"] for c in self.meta["counters"]]
        table = pd.DataFrame(self.counters_array, columns=names)
        table.insert(0, "time_ns", self.time_ns)
        table.index.name = "tick"
        return table

    @property
    def events(self) -> pd.DataFrame:
        """Events as a DataFrame, in order of tick."""
        import pandas as pd

        columns = list(Event.__dataclass_fields__)
        rows = [[getattr(e, c) for c in columns] for e in self.event_list]
        return pd.DataFrame(rows, columns=columns)

    def save(self, path: str | Path) -> Path:
        """Write the recording as an .npz file; returns its path."""
        from hotmem_viz.recording.store import save

        return save(self, path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return, and with `path` also write, one HTML page that plays without a network."""
        from hotmem_viz.views.page import export_html

        return export_html(self, path)

    def plot(self, tick: int | None = None) -> Figure:
        """Draw map and time chart at a tick, by default the last mark, as a matplotlib figure."""
        from hotmem_viz.views.figures import draw_page

        return draw_page(self, self.last_mark if tick is None else self.check_tick(tick))

    @property
    def last_mark(self) -> int:
        """Tick of the last event that is a mark; the last tick if there is none."""
        return max((e.tick for e in self.event_list if e.mark), default=self.n_ticks - 1)

    def __repr__(self) -> str:
        return (
            f"<Recording of {self.meta.get('scenario')}: {self.n_ticks} ticks, "
            f"{len(self.event_list)} events>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from hotmem_viz.views.display import mimebundle

        return mimebundle(self, **kwargs)
