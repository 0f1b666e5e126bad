"""Writes a comparison as a page of the docs: what agrees, how well, and each row that does not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hotmem_viz.kernel.compare_rows import EXACT
from hotmem_viz.kernel.compare_text import by_quantity, measure, summary_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotmem_viz.kernel.compare import Compared
    from hotmem_viz.kernel.compare_rows import Row

MOST_ROWS_A_CAPTURE = 4
"""A quantity with more rows than this in some capture is told by its worst row only."""

Cells = tuple[str, ...]


def markdown_page(results: Sequence[Compared], command: str) -> str:
    """Write the page docs/compare-table.md: `command` is what made it."""
    rows = [row for result in results for row in result.rows]
    parts = [
        "# The model beside captured kernels",
        f"Made by `{command}`; [compare.md](compare.md) says what each quantity is.",
        f"{summary_text(results)}.",
        "## By quantity",
        _table(
            ("quantity", "rows", "within", "out", "not predicted", "worst error", "tolerance"),
            (_quantity(name, some) for name, some in by_quantity(rows).items()),
        ),
        "## By capture",
        _table(
            ("capture", "kernel", "profile", "rows", "within", "out", "not predicted"),
            (_capture(result) for result in results),
        ),
        "## Row by row",
        "Quantities of which a capture has a few rows at most: loads, page tables, hot-plug.",
        _table(
            ("capture", "quantity", "subject", "predicted", "observed", "error", "tolerance"),
            (_row(row) for row in _single_rows(rows)),
        ),
        "## Out of tolerance",
        _listed(
            ("capture", "quantity", "subject", "predicted", "observed", "error", "tolerance"),
            [_row(row) for row in rows if row.ok is False],
        ),
        "## Not predicted",
        _listed(
            ("capture", "quantity", "rows", "why"),
            [
                (capture, f"`{quantity}`", str(n), why)
                for (capture, quantity, why), n in Counter(
                    (row.capture, row.quantity, row.why) for row in rows if row.ok is None
                ).items()
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _quantity(name: str, rows: Sequence[Row]) -> Cells:
    worst = max((row for row in rows if row.error is not None), key=_closeness, default=None)
    return (
        f"`{name}`",
        *_counts(rows),
        "-" if worst is None else measure(worst.error or 0.0, worst),
        _tolerance(worst or rows[0]),
    )


def _closeness(row: Row) -> float:
    """Say how near a row is to its tolerance: measures differ from row to row."""
    return (row.error or 0.0) / row.tolerance if row.tolerance else row.error or 0.0


def _counts(rows: Sequence[Row]) -> Cells:
    counts = [sum(row.ok is wanted for row in rows) for wanted in (True, False, None)]
    return (str(len(rows)), *map(str, counts))


def _capture(result: Compared) -> Cells:
    return (result.name, result.kernel, result.profile or "-", *_counts(result.rows))


def _single_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of quantities that few captures have, and none has many of."""
    captures = len({row.capture for row in rows})
    found = []
    for some in by_quantity(rows).values():
        counts = Counter(row.capture for row in some)
        if max(counts.values()) <= MOST_ROWS_A_CAPTURE and len(counts) <= captures / 2:
            found += some
    return found


def _row(row: Row) -> Cells:
    error = "-" if row.error is None else measure(row.error, row)
    predicted = "-" if row.predicted is None else _value(row.predicted)
    return (
        row.capture,
        f"`{row.quantity}`",
        row.subject,
        predicted,
        f"{_value(row.observed)} {row.unit}" if row.unit != "word" else _value(row.observed),
        error,
        _tolerance(row),
    )


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _tolerance(row: Row) -> str:
    return "exact" if row.tolerance == EXACT else measure(row.tolerance, row)


def _listed(head: Cells, rows: Sequence[Cells]) -> str:
    return _table(head, rows) if rows else "None."


def _table(head: Cells, rows: Iterable[Cells]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_escaped(c) for c in line)} |" for line in lines)


def _escaped(cell: str) -> str:
    """Keep a cell in its place, whatever a capture's texts hold."""
    return " ".join(cell.split()).replace("|", "\\|")
