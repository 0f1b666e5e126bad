"""The page tables of a few processes as rows of a recording's `tables` track."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.table_walk import count_used, tables_of
from hotmem_viz.recording.tracks import TableChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.memory.address_spaces import AddressSpaces

MOST_SPACES, MOST_TABLES = 3, 400
"""Processes whose trees are shown, and tables of them in all: more could not be told apart."""


class WatchedTables:
    """Follows the tables of the first processes of a run, until each ends."""

    def __init__(self, spaces: AddressSpaces) -> None:
        self.spaces = spaces
        self._watched: dict[int, int] = {}
        self._shown = np.empty(0, np.int64)
        self._rows: dict[str, np.ndarray] = {}
        self._told = 0
        self._seen: tuple[list[int], list[list[int]]] = ([], [])

    def look(self, alive: Mapping[int, int]) -> list[dict[str, np.ndarray]]:
        """Return the rows of what was built, what filled and what went since the last look.

        alive: the processes that exist, their numbers by rows. A row that is used again is another
        process, and is not watched.
        """
        here_still = [row for row, number in self._watched.items() if alive.get(row) == number]
        if self._told >= MOST_TABLES and here_still == self._seen[0]:
            # No table of a process goes before it ends.
            return self._fill()
        for row in list(alive)[:MOST_SPACES]:
            if row not in self._watched and len(self._watched) < MOST_SPACES:
                self._watched[row] = alive[row]
                here_still.append(row)
        # No table goes before its process ends, so as many tables are the same tables.
        seen = here_still, self.spaces.spaces.levels[here_still].tolist()
        if seen == self._seen:
            return self._fill()
        self._seen = seen
        here = [tables_of(self.spaces, row) for row in here_still]
        now = np.concatenate([np.empty(0, np.int64), *here])
        changes = []
        gone = ~self._flag(now)[self._shown]
        if gone.any():
            rows = {name: column[gone] for name, column in self._rows.items()}
            changes.append({**rows, "change": np.full(len(rows["table"]), TableChange.GONE)})
            self._keep(~gone)
        changes += self._fill()
        new = np.sort(now[~self._flag(self._shown)[now]])
        # A table is named after the one above it.
        new = new[np.argsort(-self.spaces.tables.level[new], kind="stable")]
        new = new[: max(0, MOST_TABLES - self._told)]
        if len(new):
            self._told += len(new)
            rows = self._describe(new)
            self._shown = np.concatenate([self._shown, new])
            self._rows = {
                name: np.concatenate([self._rows[name], column]) if self._rows else column
                for name, column in rows.items()
            }
            changes.append({**rows, "change": np.full(len(new), TableChange.NEW)})
        return changes

    def _flag(self, rows: np.ndarray) -> np.ndarray:
        """Flag some tables among all rows in use: (R,) bool."""
        flags = np.zeros(self.spaces.tables.used, bool)
        flags[rows] = True
        return flags

    def _fill(self) -> list[dict[str, np.ndarray]]:
        """Return the rows of tables that have more or fewer entries in use than before."""
        if not self._rows:
            return []
        used = count_used(self.spaces, self._shown)
        other = used != self._rows["used"]
        self._rows["used"] = used
        if not other.any():
            return []
        rows = {name: column[other] for name, column in self._rows.items()}
        return [{**rows, "change": np.full(len(rows["used"]), TableChange.FILLED)}]

    def _keep(self, kept: np.ndarray) -> None:
        self._shown = self._shown[kept]
        self._rows = {name: column[kept] for name, column in self._rows.items()}

    def _describe(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        t = self.spaces.tables
        return {
            "table": rows,
            "space": t.space[rows].copy(),
            "level": t.level[rows].copy(),
            "parent": t.parent[rows].copy(),
            "index": t.index[rows].copy(),
            # A PAE kernel's top table is part of a slab, whose frame is not known.
            "pfn": np.maximum(t.frame[rows], 0),
            "used": count_used(self.spaces, rows),
        }
