"""Six strategies side by side: their recordings on one cursor, and the scoreboard.

Every number is a counter of a recording, see `measures`; what is unproven is what the recording
says is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.cells import MAX_CELLS
from hotmem_viz.recording.coarse import coarsen
from hotmem_viz.recording.lineup import LETTERS, Lineup, find_cursor
from hotmem_viz.recording.measures import MEASURES, Better, Measure
from hotmem_viz.recording.pair import Pair, pair_recordings
from hotmem_viz.units import format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Event, Recording

STEP = "step"
"""The counter that strategies go along: steps of the plan that all of them share."""

LINEUP_CELLS = MAX_CELLS // len(LETTERS)
"""So many cells has each of the maps that share a screen."""


def read_measure(recording: Recording, measure: Measure) -> float:
    """Return a measure of one recording; raises ParameterError for one of another scenario."""
    names = [c["name"] for c in recording.meta["counters"]]
    if measure.counter not in names:
        scenario = recording.meta.get("scenario", "")
        raise ParameterError("scenario", scenario, "a scoreboard is made of strategies")
    ticks = [e.tick for e in recording.event_list if e.kind == measure.at]
    tick = ticks[0] if measure.at else recording.n_ticks - 1
    return float(recording.counters_array[tick, names.index(measure.counter)])


def unit_of(recording: Recording, measure: Measure) -> str:
    """Return the unit of a measure."""
    counters = {c["name"]: str(c["unit"]) for c in recording.meta["counters"]}
    return counters[measure.counter]


def write_value(value: float, unit: str) -> str:
    """Write a value for people, with its unit where it is not a mere count."""
    if unit in ("bytes", "pages"):
        return format_bytes(int(value) * (PAGE_SIZE if unit == "pages" else 1))
    if unit == "ns":
        return f"{value / 1e6:,.3f} ms" if value else "0"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3f}"


def write_title(recording: Recording, measure: Measure) -> str:
    """Write a measure's title, with what was asked where there was a request."""
    if not measure.of:
        return measure.title
    asked = read_measure(recording, Measure("", measure.of, "", ""))
    return f"{measure.title}, of {write_value(asked, unit_of(recording, measure))}"


def find_ends(values: list[float], better: Better) -> tuple[set[int], set[int]]:
    """Return which of some values are best and which worst; neither where most are alike."""
    if not better or min(values) == max(values):
        return set(), set()
    ends = []
    for end in (max(values), min(values)):
        alike = {i for i, value in enumerate(values) if value == end}
        ends.append(alike if len(alike) <= len(values) // 2 else set())
    return (ends[0], ends[1]) if better == "high" else (ends[1], ends[0])


@dataclass(frozen=True)
class Strategies:
    """Runs of all strategies, by name; one machine, one load, the same removal requests."""

    recordings: Mapping[str, Recording]

    @property
    def scoreboard(self) -> pd.DataFrame:
        """The measures as a DataFrame: one row a strategy, one column a measure.

        `attrs["units"]` and `attrs["titles"]` say what the columns are, `attrs["notes"]` what is
        not measured, `attrs["unproven"]` which rows nobody has built, with the open questions.
        """
        import pandas as pd

        rows = {
            name: [read_measure(recording, m) for m in MEASURES]
            for name, recording in self.recordings.items()
        }
        columns = [m.name for m in MEASURES]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        table.index.name = "strategy"
        first = next(iter(self.recordings.values()))
        table.attrs["units"] = {m.name: unit_of(first, m) for m in MEASURES}
        table.attrs["titles"] = {m.name: m.title for m in MEASURES}
        table.attrs["notes"] = {m.name: m.note for m in MEASURES if m.note}
        table.attrs["unproven"] = self.unproven
        return table

    @property
    def unproven(self) -> dict[str, list[str]]:
        """Which strategies nobody has built, by name, with the open questions."""
        return {
            name: list(event.questions)
            for name in self.recordings
            if (event := self.last_event(name)).unproven
        }

    @property
    def titles(self) -> dict[str, str]:
        """What to call the strategies."""
        return {name: r.event_list[0].title for name, r in self.recordings.items()}

    def last_event(self, name: str) -> Event:
        """Return the event that sums a strategy up."""
        return self.recordings[name].event_list[-1]

    @property
    def lineup(self) -> Lineup:
        """All strategies on one time cursor, step by step of the plan that they share.

        Their maps are small, so their cells are coarser than those of the recordings.
        """
        recordings = tuple(coarsen(r, LINEUP_CELLS) for r in self.recordings.values())
        return Lineup(recordings, tuple(self.titles.values()), find_cursor(recordings, STEP), STEP)

    def pair(self, left: str, right: str) -> Pair:
        """Put two strategies on one time cursor, step by step of their plan.

        Raises ParameterError for a strategy that there is not.
        """
        for name, side in (("left", left), ("right", right)):
            if side not in self.recordings:
                raise ParameterError(name, side, f"strategies are {', '.join(self.recordings)}")
        return pair_steps(self.recordings[left], self.recordings[right])

    def draw(self, theme: Literal["light", "dark"] = "light") -> Figure:
        """Draw the scoreboard as a matplotlib figure."""
        from hotmem_viz.views.scoreboard import draw_scoreboard

        return draw_scoreboard(self, theme)

    def save(self, path: str | Path, theme: Literal["light", "dark"] = "light") -> None:
        """Write the scoreboard by the ending of `path`: .svg, .pdf or .png, or .csv, the numbers.

        Raises ParameterError for another ending.
        """
        from hotmem_viz.views.scoreboard import save_scoreboard

        save_scoreboard(self, path, theme)

    def _repr_html_(self) -> str:
        from hotmem_viz.views.scoreboard import write_table

        return write_table(self)

    def __repr__(self) -> str:
        return f"<Strategies: {', '.join(self.recordings)}>"


def pair_steps(left: Recording, right: Recording) -> Pair:
    """Put two runs of strategies side by side, step by step of the plan that they share."""
    first, second = (r.event_list[0].title for r in (left, right))
    # One strategy with other parameters is called by what differs.
    titles = (first, second) if first != second else None
    return pair_recordings(left, right, by=STEP, titles=titles)
