"""What happened: named tracks over ticks, complete in themselves, shown by the views.

State t is what stands after tick t; state 0 is the machine as booted, T states in all. Of the
tracks, only the map's kinds and the counters are always there; `tracks` says what the others are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hotmem_viz.errors import ParameterError, RecordingError
from hotmem_viz.recording.tracks import CellTrack, RowTrack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

SCHEMA = 2


@dataclass(frozen=True)
class Event:
    """Something that happened at a tick: what, where and why, in the model's own numbers.

    claims: of the mail, such as "S12". unproven: nobody ever built this; questions: what the mail
    leaves open about it, such as "Q1".
    """

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
    unproven: bool = False
    questions: tuple[str, ...] = ()

    def caption(self) -> dict[str, Any]:
        """Return the caption that shows the event."""
        return {
            "tick": self.tick,
            "title": self.title,
            "text": self.text,
            "claims": list(self.claims),
            "rule": self.rule,
            "function": self.function,
            "unproven": self.unproven,
            "questions": list(self.questions),
        }


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
    sections: a SectionState for each section shown; lookup: the physical section that each of
    them is found in, SCATTERED where its pages are found one by one; absent where they never
    change. rows: other tracks by name, see `tracks.ROW_COLUMNS`.
    """

    meta: dict[str, Any]
    kind: CellTrack | None
    counters_array: np.ndarray
    time_ns: np.ndarray
    event_list: tuple[Event, ...] = ()
    owner: CellTrack | None = None
    migratetype: CellTrack | None = None
    details: tuple[SectionDetail, ...] = field(default=())
    sections: CellTrack | None = None
    lookup: CellTrack | None = None
    rows: Mapping[str, RowTrack] = field(default_factory=dict)

    @property
    def n_ticks(self) -> int:
        """T: states recorded, the booted machine among them."""
        return len(self.time_ns)

    def check_tick(self, tick: int) -> int:
        """Return `tick`, or raise ParameterError if the recording has no such state."""
        if not 0 <= tick < self.n_ticks:
            raise ParameterError("tick", tick, f"0 to {self.n_ticks - 1} are recorded")
        return tick

    def check_span(
        self,
        first: int | None,
        last: int | None,
        names: tuple[str, str] = ("first", "last"),
    ) -> tuple[int, int]:
        """Return the first and the last tick meant: the whole recording unless given.

        Raises ParameterError, under one of `names`, for a tick that was not recorded and for a
        last tick before the first.
        """
        end = self.n_ticks - 1
        span = (0 if first is None else first, end if last is None else last)
        for name, tick, low in zip(names, span, (0, span[0]), strict=True):
            if not low <= tick <= end:
                since = f"{low} ({names[0]})" if low and name == names[1] else str(low)
                raise ParameterError(name, tick, f"{since} to {end} can be chosen")
        return span

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

    def to_gif(self, path: str | Path, **options: Any) -> None:
        """Write a film that plays for ever; options: theme, fps, first, last.

        Raises ParameterError for an option that cannot be met.
        """
        from hotmem_viz.views.picture.film import save_gif

        save_gif(self, path, **options)

    def to_mp4(self, path: str | Path, **options: Any) -> None:
        """Write a film for slides and players; options as for `to_gif`. It needs ffmpeg.

        Raises HotmemError where there is no ffmpeg, saying what brings one.
        """
        from hotmem_viz.views.picture.video import save_mp4

        save_mp4(self, path, **options)

    def to_svg(self, path: str | Path, **options: Any) -> None:
        """Write the time chart as an .svg; options: theme, first, last."""
        from hotmem_viz.views.printed import save_chart

        save_chart(self, path, "svg", **options)

    def to_pdf(self, path: str | Path, **options: Any) -> None:
        """Write the time chart as a .pdf; options as for `to_svg`."""
        from hotmem_viz.views.printed import save_chart

        save_chart(self, path, "pdf", **options)

    def plot(self, tick: int | None = None, theme: Literal["light", "dark"] = "light") -> Figure:
        """Draw map and time chart at a tick, by default the last mark, as a matplotlib figure."""
        from hotmem_viz.views.printed import draw_page

        return draw_page(self, self.last_mark if tick is None else tick, theme)

    def plot_phase(
        self, tick: int | None = None, theme: Literal["light", "dark"] = "light"
    ) -> Figure:
        """Draw how much memory may be movable before page tables starve, with this run in it.

        Of starvation; tick: by default where memory first ended. Raises ParameterError for a run
        that has no such boundary.
        """
        from hotmem_viz.views.phase import draw_phase

        return draw_phase(self, theme, tick)

    def plot_crossover(
        self, tick: int | None = None, theme: Literal["light", "dark"] = "light"
    ) -> Figure:
        """Draw where a tax on every fault costs as much as stalls at removals, with this run in it.

        Of stop_machine; tick: by default the last. Raises ParameterError for a run without a pause.
        """
        from hotmem_viz.views.crossover import draw_crossover

        return draw_crossover(self, theme, tick)

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
