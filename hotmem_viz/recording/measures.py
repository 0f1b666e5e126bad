"""What strategies are measured by: the columns of their scoreboard.

Nothing is typed in: every measure is a counter of a recording, at one of its marks, at its end, or
at the tick where somebody looks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["high", "low", ""]


@dataclass(frozen=True)
class Measure:
    """A column of the scoreboard.

    counter: whose value it is, at the mark of a kind, or at the end. better: which end of it is
    good, "" for what stands beside the strategies. of: the counter of what was asked. note: what
    has to be said of the number. short: its title where there is little room.
    """

    name: str
    counter: str
    title: str
    better: Better
    at: str = ""
    of: str = ""
    note: str = ""
    short: str = ""


MEASURES = (
    Measure("usable", "metadata_usable", "metadata could fill", "high", "CAPACITY"),
    Measure(
        "mappable",
        "mappable",
        "address space tables could map",
        "high",
        "CAPACITY",
        short="tables could map",
    ),
    Measure("given", "metadata_given", "metadata given", "high", of="metadata_asked"),
    Measure("removed", "sections_removed", "sections removed", "high", of="sections_asked"),
    Measure(
        "pause",
        "pause_ns",
        "machine stopped for",
        "low",
        note="by a cost model, never measured (Q12)",
        short="machine stopped",
    ),
    Measure("loads", "loads_mean", "loads a lookup", "low", note="counted, never timed (Q11)"),
    Measure("decisions", "decisions", "decisions of a person", "low", short="decisions"),
    Measure(
        "broken_left",
        "broken_left",
        "broken node: sections in use",
        "low",
        short="broken, in use",
    ),
    Measure("usable_after", "metadata_usable", "metadata could fill, after", "high"),
    Measure(
        "tax",
        "tax_ns",
        "tax, if page tables migrated",
        "",
        note="1.6 % of a fault was published in 2008; a fault's time is assumed",
        short="migration tax",
    ),
    Measure("table_held", "table_held", "sections freed, if so", "", short="freed by it"),
)
"""The columns, in order; the last two are the always-on migration of page tables."""


def describe_measures() -> list[dict[str, Any]]:
    """Return a recording's `meta["measures"]`: those that change from tick to tick, in order.

    What is measured at a mark and again at the end is one of them, as it stands at each tick.
    """
    by_counter = {m.counter: {**asdict(m), "short": m.short or m.title} for m in MEASURES[::-1]}
    return [by_counter[counter] for counter in dict.fromkeys(m.counter for m in MEASURES)]
