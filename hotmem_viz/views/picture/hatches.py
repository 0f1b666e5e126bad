"""The second channel of a kind: hatch tiles of 8 x 8 pixels, those of `static/painter.js`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hotmem_viz.views.picture.inks import RGB, mix

TILE = 8
_Y, _X = np.indices((TILE, TILE))

_RULES: dict[str, Callable[[], np.ndarray]] = {
    "none": lambda: np.zeros((TILE, TILE), bool),
    "diag": lambda: (_X + _Y) % 4 == 0,
    "back": lambda: (_X - _Y) % 4 == 0,
    "cross": lambda: ((_X + _Y) % 4 == 0) | ((_X - _Y) % 4 == 0),
    "horizontal": lambda: _Y % 4 == 0,
    "vertical": lambda: _X % 3 == 0,
    "dots": lambda: (_X % 4 == 1) & (_Y % 4 == 1),
    "checker": lambda: (_X // 2) % 2 == (_Y // 2) % 2,
    "grid": lambda: (_X % 4 == 0) | (_Y % 4 == 0),
}


def hatch_tile(name: str) -> np.ndarray:
    """Return where a hatch draws its lines, (8, 8) bool as (y, x)."""
    return _RULES[name]()


def luminance(rgb: RGB) -> float:
    """Return the relative luminance of a colour, 0 black to 1 white (WCAG 2)."""
    linear = [
        v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def hatch_colour(rgb: RGB) -> RGB:
    """Return the colour of a hatch's lines on `rgb`: darker on light, lighter on dark."""
    if luminance(rgb) > 0.2:
        return mix(rgb, (0, 0, 0), 0.24)
    return mix(rgb, (255, 255, 255), 0.3)
