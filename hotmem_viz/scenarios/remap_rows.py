"""Rows of the page-table track: what became of which table, for the tree on the stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.table_walk import count_used
from hotmem_viz.recording.tracks import TableChange

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.table_walk import Walk
    from hotmem_viz.memory.address_spaces import AddressSpaces

MOST_TABLES = 2048
"""Tables of the lowest level are left out where there are more tables than this."""


def table_rows(s: AddressSpaces, rows: np.ndarray, change: TableChange) -> dict[str, np.ndarray]:
    """Return the columns for some tables: rows (n,) int64."""
    t, several = s.tables, len(s.tables) > MOST_TABLES
    if several and change in (TableChange.NEW, TableChange.GONE):
        rows = rows[t.level[rows] > 0]
    return {
        "table": rows,
        "change": np.full(len(rows), change),
        "space": t.space[rows],
        "level": t.level[rows],
        "parent": t.parent[rows],
        "index": t.index[rows],
        "pfn": t.frame[rows],
        "used": count_used(s, rows),
    }


def walk_rows(s: AddressSpaces, walk: Walk, targets: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return the columns of a walk: what it read, what it rewrote, and what has moved.

    targets: (n,) pfns that tables may have moved to. A moved table that has one above it stands
    for one entry rewritten; a top table's moves are in CR3.
    """
    t = s.tables
    return [
        table_rows(s, rows, change)
        for rows, change in (
            (np.flatnonzero(t.level[: t.used] > 0), TableChange.VISITED),
            (np.unique(walk.parents), TableChange.REWRITTEN),
            (np.flatnonzero(np.isin(t.frame[: t.used], targets)), TableChange.MOVED),
        )
    ]


def tables_of_spaces(s: AddressSpaces, spaces: np.ndarray) -> np.ndarray:
    """Return the tables of some address spaces, the upper ones first: (n,) int64."""
    rows = np.flatnonzero(s.tables.level[: s.tables.used] >= 0)
    rows = rows[np.isin(s.tables.space[rows], spaces)]
    return np.asarray(rows[np.argsort(-s.tables.level[rows], kind="stable")])
