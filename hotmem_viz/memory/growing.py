"""Arrays that grow: one row for each thing of a kind, rows of things that are gone used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.memory.fields import Field

_FIRST_ROWS = 64


class Growing:
    """Declared arrays whose first axis grows; an attribute for each field.

    Arrays are longer than what is in use: rows without a thing hold the fields' `empty` values, and
    the last row is always one of them, so that -1 can be looked up. Growing doubles the arrays, so
    a row costs constant time; an array fetched before `take` is stale after it.
    """

    def __init__(self, fields: tuple[Field, ...], sizes: Mapping[str, int] | None = None) -> None:
        self.fields, self.used = fields, 0
        self._spare: list[np.ndarray] = []
        self._n_spare = 0
        for f in fields:
            shape = (0, *((sizes or {})[axis] for axis in f.axes[1:]))
            self.__dict__[f.name] = np.full(shape, f.empty, f.dtype)

    def __getattr__(self, name: str) -> np.ndarray:
        # Only reached for names that are no attribute; it tells mypy what fields are.
        raise AttributeError(name)

    def __len__(self) -> int:
        """Rows in use."""
        return self.used - self._n_spare

    def take(self, count: int) -> np.ndarray:
        """Return rows for so many new things: (count,) int64, spare ones first."""
        parts = []
        while count and self._spare:
            last = self._spare.pop()
            if len(last) > count:
                self._spare.append(last[count:])
            parts.append(last[:count])
            count -= len(parts[-1])
            self._n_spare -= len(parts[-1])
        parts.append(np.arange(self.used, self.used + count))
        self.used += count
        self._reserve(self.used + 1)
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def give(self, rows: np.ndarray) -> None:
        """Empty some rows and keep them for later. rows: (n,) int64, unique, in use."""
        for f in self.fields:
            self.__dict__[f.name][rows] = f.empty
        if len(rows):
            self._spare.append(np.asarray(rows, np.int64))
            self._n_spare += len(rows)

    def _reserve(self, rows: int) -> None:
        have = len(self.__dict__[self.fields[0].name])
        if rows <= have:
            return
        size = max(rows, 2 * have, _FIRST_ROWS)
        for f in self.fields:
            old = self.__dict__[f.name]
            shape = (size, *old.shape[1:])
            # Zeroed memory costs nothing until it is used.
            new = np.empty(shape, f.dtype) if f.empty else np.zeros(shape, f.dtype)
            new[:have] = old
            if f.empty:
                new[have:] = f.empty
            self.__dict__[f.name] = new
