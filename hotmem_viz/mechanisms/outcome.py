"""What every mechanism answers: what it did, which frames it touched, what it has to report.

A refused allocation is an Outcome, not an exception, because failing is the lesson.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotmem_viz.memory.frames import FrameSet, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.vocabulary import EventKind


@dataclass(frozen=True)
class Report:
    """Something worth telling: its kind, where it was, and the numbers a caption needs."""

    kind: EventKind
    zone: int = -1
    pfn: int = -1
    facts: dict[str, int | str] = field(default_factory=dict)


@dataclass
class Outcome:
    """The answer of a mechanism.

    granted, refused: requests. frames: what was given. released: frames that reclaim made free
    on the way. by_zone: pages given by each zone. reports: in the order in which they happened.
    """

    granted: int = 0
    refused: int = 0
    frames: FrameSet = field(default_factory=FrameSet.empty)
    released: list[FrameSet] = field(default_factory=list)
    by_zone: dict[int, int] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)


def join_outcomes(outcomes: Sequence[Outcome]) -> Outcome:
    """Join the answers of requests made one after another."""
    by_zone: dict[int, int] = {}
    for out in outcomes:
        for zone, pages in out.by_zone.items():
            by_zone[zone] = by_zone.get(zone, 0) + pages
    return Outcome(
        granted=sum(out.granted for out in outcomes),
        refused=sum(out.refused for out in outcomes),
        frames=union([out.frames for out in outcomes]),
        released=[frames for out in outcomes for frames in out.released],
        by_zone=by_zone,
        reports=[report for out in outcomes for report in out.reports],
    )
