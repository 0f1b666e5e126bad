"""A palette of at most 255 colours, and the shades between two of them that smooth text needs."""

from __future__ import annotations

import numpy as np

RGB = tuple[int, int, int]

MOST = 255
"""Colours at most: a GIF has 256, and one of them must stand for "as before"."""

SHADES = 7
"""Steps from the ground to the ink of a letter."""


def rgb_of(text: str) -> RGB:
    """Return the colour that a hex text like #1f6fb5 names."""
    red, green, blue = (int(text[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """Return the colour `share` of the way from `a` to `b`."""
    red, green, blue = (int(v + (w - v) * share + 0.5) for v, w in zip(a, b, strict=True))
    return red, green, blue


class Inks:
    """Collects colours: the same colour asked for twice has one index."""

    def __init__(self) -> None:
        self._index: dict[RGB, int] = {}
        self._ramps: dict[tuple[RGB, RGB], np.ndarray] = {}

    def index(self, rgb: RGB) -> int:
        """Return the index of a colour; the nearest one's once the palette is full."""
        if rgb not in self._index:
            if len(self._index) == MOST:
                return min(self._index.items(), key=lambda item: _distance(item[0], rgb))[1]
            self._index[rgb] = len(self._index)
        return self._index[rgb]

    def ramp(self, ink: RGB, ground: RGB) -> np.ndarray:
        """Return the indices from `ground` to `ink`, (SHADES + 1,) uint8."""
        if (ink, ground) not in self._ramps:
            steps = [mix(ground, ink, i / SHADES) for i in range(SHADES + 1)]
            self._ramps[ink, ground] = np.array([self.index(s) for s in steps], np.uint8)
        return self._ramps[ink, ground]

    def table(self) -> np.ndarray:
        """Return the palette as (256, 3) uint8; no colour stands in it twice.

        A GIF's writer finds colours by value. Indices that nobody asked for hold colours that
        are in no picture.
        """
        used = set(self._index)
        spare = ((v, 255 - v, v) for v in range(256))
        filler = [rgb for rgb in spare if rgb not in used][: 256 - len(used)]
        return np.array([*self._index, *filler], np.uint8)


def _distance(a: RGB, b: RGB) -> int:
    return sum((v - w) ** 2 for v, w in zip(a, b, strict=True))
