"""Writes a comparison for people: a table for each capture, and a line that sums up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.compare_rows import EXACT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.compare import Compared
    from hotmem_viz.kernel.compare_rows import Row

_HEAD = ("quantity", "rows", "ok", "worst error", "tolerance")


def compared_text(result: Compared) -> str:
    """Write one capture's rows by quantity, then each row that is out of tolerance."""
    profile = f"profile {result.profile}" if result.profile else "no profile"
    lines = [f"{result.name}: {result.kernel}, {profile}"]
    table = [_HEAD, *(_quantity(q, rows) for q, rows in by_quantity(result.rows).items())]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells))
    lines += [f"  out of tolerance: {_miss(row)}" for row in result.rows if row.ok is False]
    reasons = dict.fromkeys(row.why for row in result.rows if row.ok is None)
    lines += [f"  not predicted: {reason}" for reason in reasons]
    return "\n".join(lines)


def by_quantity(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return rows by their quantity, in the order in which quantities first come."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.quantity, []).append(row)
    return found


def _quantity(quantity: str, rows: Sequence[Row]) -> tuple[str, ...]:
    errors = [(row.error, row) for row in rows if row.error is not None]
    worst = "-"
    if errors:
        error, row = max(errors, key=lambda e: e[0])
        worst = measure(error, row)
    first = rows[0]
    tolerance = "exact" if first.tolerance == EXACT else measure(first.tolerance, first)
    good = sum(row.ok is True for row in rows)
    return quantity, str(len(rows)), str(good), worst, tolerance


def measure(value: float, row: Row) -> str:
    """Write an error or a tolerance in the measure of its row."""
    return f"{value:.2%}" if row.relative else f"{value:g}"


def _miss(row: Row) -> str:
    error = measure(row.error or 0.0, row)
    return (
        f"{row.quantity} of {row.subject}: predicted {row.predicted}, "
        f"observed {row.observed} {row.unit}, error {error}"
    )


def summary_text(results: Sequence[Compared]) -> str:
    """Write the last line: how many rows of how many captures agree."""
    rows = [row for result in results for row in result.rows]
    good, bad = (sum(row.ok is wanted for row in rows) for wanted in (True, False))
    unusable = sum(bool(result.error) for result in results)
    return (
        f"{len(results)} captures, {len(rows)} rows: {good} within tolerance, {bad} out of it, "
        f"{len(rows) - good - bad} not predicted; {unusable} captures not usable in full"
    )
