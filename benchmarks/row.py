"""A row of the table: what was measured, the budget, and whether it holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured figure; `ok` is None where nothing can be said, and `note` says why."""

    what: str
    value: float | None
    unit: str
    budget: str
    ok: bool | None
    note: str = ""


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def median_of(times: int, action: Callable[[], float]) -> float:
    """Median of several measurements."""
    return statistics.median(action() for _ in range(times))
