"""What every mechanism answers: what it did, which frames it touched, what it has to report.

A refused allocation is an Outcome, not an exception, because failing is the lesson.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.memory.frames import FrameSet, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hotmem_viz.vocabulary import EventKind


@dataclass(frozen=True)
class Report:
    """Something worth telling: its kind, where it was, and the numbers a caption needs."""

    kind: EventKind
    zone: int = -1
    pfn: int = -1
    facts: dict[str, int | str] = field(default_factory=dict)


class Moves(NamedTuple):
    """Pages that moved: entry i went from frame source[i] to frame target[i]; (n,) int64 each."""

    source: np.ndarray
    target: np.ndarray


@dataclass
class Outcome:
    """The answer of a mechanism.

    granted, refused: requests. frames: what was given. released: frames that reclaim made free
    on the way. by_zone: pages given by each zone. reports: in the order in which they happened.
    moves: what was moved. time_ns: what it cost, where there is a published figure for it.
    """

    granted: int = 0
    refused: int = 0
    frames: FrameSet = field(default_factory=FrameSet.empty)
    released: list[FrameSet] = field(default_factory=list)
    by_zone: dict[int, int] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    moves: list[Moves] = field(default_factory=list)
    time_ns: int = 0


def join_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """Join the answers of requests made one after another."""
    joined = Outcome(frames=union([out.frames for out in outcomes]))
    for out in outcomes:
        joined.granted += out.granted
        joined.refused += out.refused
        joined.released += out.released
        joined.reports += out.reports
        joined.moves += out.moves
        joined.time_ns += out.time_ns
        for zone, pages in out.by_zone.items():
            joined.by_zone[zone] = joined.by_zone.get(zone, 0) + pages
    return joined
