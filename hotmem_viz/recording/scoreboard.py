"""Six strategies side by side: their recordings, two of them on one cursor, and the scoreboard.

Nothing is typed in: every number is a counter of a recording, at one of its marks or at its end,
and what is unproven is what the recording says is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.pair import Pair, pair_recordings
from hotmem_viz.units import format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Event, Recording

Better = Literal["high", "low", ""]


@dataclass(frozen=True)
class Measure:
    """A column of the scoreboard.

    counter: whose value it is, at the mark of a kind, or at the end. better: which end of it is
    good, "" for what stands beside the strategies. of: the counter of what was asked. note: what
    has to be said of the number.
    """

    name: str
    counter: str
    title: str
    better: Better
    at: str = ""
    of: str = ""
    note: str = ""


MEASURES = (
    Measure("usable", "metadata_usable", "metadata could fill", "high", "CAPACITY"),
    Measure("mappable", "mappable", "address space tables could map", "high", "CAPACITY"),
    Measure("given", "metadata_given", "metadata given", "high", of="metadata_asked"),
    Measure("removed", "sections_removed", "sections removed", "high", of="sections_asked"),
    Measure(
        "pause",
        "pause_ns",
        "machine stopped for",
        "low",
        note="by a cost model, never measured (Q12)",
    ),
    Measure("loads", "loads_mean", "loads a lookup", "low", note="counted, never timed (Q11)"),
    Measure("decisions", "decisions", "decisions of a person", "low"),
    Measure("broken_left", "broken_left", "broken node: sections in use", "low"),
    Measure("usable_after", "metadata_usable", "metadata could fill, after", "high"),
    Measure(
        "tax",
        "tax_ns",
        "tax, if page tables migrated",
        "",
        note="1.6 % of a fault was published in 2008; a fault's time is assumed",
    ),
    Measure("table_held", "table_held", "sections freed, if so", ""),
)
"""The columns, in order; the last two are the always-on migration of page tables."""


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
    return pair_recordings(left, right, by="step", titles=titles)
