"""Rows of a comparison: what the model says, what the kernel said, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = int | float | str
"""What a row compares: a count, or a word such as a zone's name."""

EXACT = 0.0
ONE_PERCENT, TWO_PERCENT, THREE_PERCENT, FIVE_PERCENT = 0.01, 0.02, 0.03, 0.05
SLACK_PAGES = 512
"""The alternative to 5 % where pages are compared: one pageblock."""

FREE_SLACK_PAGES = 256
"""What the reader of flags itself takes and gives back between two readings."""


@dataclass(frozen=True)
class Row:
    """One number or word of one capture.

    Attributes
    ----------
    quantity
        A slug of docs/compare.md.
    subject
        The zone, memory block or load that it is about.
    predicted
        The model's value; None where nothing can be predicted, and `why` says why.
    error, tolerance
        In the same measure: a share of the observed value where `relative`, else the
        difference; for words 0 or 1. None without a prediction.
    """

    capture: str
    quantity: str
    unit: str
    subject: str
    predicted: Value | None
    observed: Value
    tolerance: float
    relative: bool = False
    why: str = ""

    @property
    def error(self) -> float | None:
        """How far off the model is, never negative; None without a prediction."""
        if self.predicted is None:
            return None
        if isinstance(self.predicted, str) or isinstance(self.observed, str):
            return float(self.predicted != self.observed)
        distance = abs(self.predicted - self.observed)
        return distance / max(abs(self.observed), 1) if self.relative else float(distance)

    @property
    def ok(self) -> bool | None:
        """Whether the error is within tolerance; None without a prediction."""
        error = self.error
        return None if error is None else error <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        """Return the row as the command prints it."""
        return {
            "capture": self.capture,
            "quantity": self.quantity,
            "unit": self.unit,
            "predicted": self.predicted,
            "observed": self.observed,
            "error": self.error,
            "tolerance": self.tolerance,
            "ok": self.ok,
            "subject": self.subject,
            "why": self.why,
        }


def list_value(values: Iterable[int]) -> str:
    """Write several numbers that are one value, as the kernel writes protection."""
    return f"({', '.join(map(str, values))})"


def page_measure(observed: int) -> tuple[float, bool]:
    """Return tolerance and measure of a count of pages: 5 %, or 512 pages where that is more."""
    relative = observed * FIVE_PERCENT > SLACK_PAGES
    return (FIVE_PERCENT, True) if relative else (SLACK_PAGES, False)
