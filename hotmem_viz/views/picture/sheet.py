"""A picture as palette indices, and what can be put on it: areas, lines, letters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.views.palette import Theme, colour
from hotmem_viz.views.picture.hatches import hatch_colour, hatch_tile
from hotmem_viz.views.picture.inks import SHADES, Inks, rgb_of

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

SMALL, MIDDLE, LARGE = 15, 17, 24
"""Sizes of text in pixels; nothing is smaller than SMALL."""


@lru_cache(maxsize=16)
def font(size: int, bold: bool = False) -> FreeTypeFont:
    """Return matplotlib's own DejaVu Sans, so that a picture looks alike on every machine."""
    from pathlib import Path

    import matplotlib as mpl
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def text_width(text: str, size: int, bold: bool = False) -> float:
    """Return how wide a text is, in pixels."""
    return font(size, bold).getlength(_on_one_line(text))


def _on_one_line(text: str) -> str:
    # A recording may come from anywhere, and a line break has no place on a line.
    return "".join(letter if letter.isprintable() else " " for letter in text)


@lru_cache(maxsize=4096)
def _letters(text: str, size: int, bold: bool) -> np.ndarray:
    """Return a text's shades, (height, width) uint8 from 0 to SHADES, baseline at row `size`."""
    from PIL import Image, ImageDraw

    text, face = _on_one_line(text), font(size, bold)
    image = Image.new("L", (int(face.getlength(text)) + size, size + size // 2), 0)
    ImageDraw.Draw(image).text((0, size), text, font=face, fill=255, anchor="ls")
    grey = np.asarray(image, dtype=np.uint16)
    return ((grey * SHADES + 127) // 255).astype(np.uint8)


class Sheet:
    """An array of palette indices, (height, width) uint8, in one theme."""

    def __init__(self, width: int, height: int, theme: Theme, inks: Inks) -> None:
        self.theme, self.inks = theme, inks
        self.pixels = np.full((height, width), self.ink("panel"), np.uint8)

    def copy(self) -> Sheet:
        """Return a sheet of its own with the same picture and the same inks."""
        twin = Sheet.__new__(Sheet)
        twin.theme, twin.inks, twin.pixels = self.theme, self.inks, self.pixels.copy()
        return twin

    def ink(self, name: str) -> int:
        """Return the index of a colour word of the palette, or of a hex text."""
        text = name if name.startswith("#") else colour(name, self.theme)
        return self.inks.index(rgb_of(text))

    def fill(self, x: int, y: int, width: int, height: int, name: str) -> None:
        """Fill an area; what lies outside the sheet is left out."""
        self.pixels[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = self.ink(name)

    def outline(self, x: int, y: int, width: int, height: int, name: str) -> None:
        """Draw a line of one pixel around an area, outside of it."""
        self.fill(x - 1, y - 1, width + 2, 1, name)
        self.fill(x - 1, y + height, width + 2, 1, name)
        self.fill(x - 1, y - 1, 1, height + 2, name)
        self.fill(x + width, y - 1, 1, height + 2, name)

    def swatch(self, x: int, y: int, width: int, height: int, name: str, hatch: str) -> None:
        """Fill an area with a colour and its hatch."""
        lines = self.inks.index(hatch_colour(rgb_of(name)))
        ys, xs = np.indices((height, width)) % 8
        tile = hatch_tile(hatch)[ys, xs]
        area = np.where(tile, lines, self.ink(name))
        self.pixels[y : y + height, x : x + width] = area

    def write(
        self,
        x: float,
        baseline: int,
        text: str,
        ink: str = "ink",
        ground: str = "panel",
        size: int = SMALL,
        bold: bool = False,
    ) -> float:
        """Write a text that starts at x, and return where it ends.

        ground: the colour word of what lies beneath; letters are smoothed towards it.
        """
        shades = _letters(text, size, bold)
        left, top = round(x), baseline - size
        area = self.pixels[max(0, top) : top + shades.shape[0], max(0, left) :]
        shades = shades[max(0, -top) :, max(0, -left) :][: area.shape[0], : area.shape[1]]
        area = area[:, : shades.shape[1]]
        hues = [rgb_of(n if n.startswith("#") else colour(n, self.theme)) for n in (ink, ground)]
        ramp = self.inks.ramp(hues[0], hues[1])
        np.copyto(area, ramp[shades], where=shades > 0)
        return x + text_width(text, size, bold)


def shorten(text: str, width: float, size: int, bold: bool = False) -> str:
    """Return a text that is at most `width` pixels wide, cut with an ellipsis if need be."""
    if text_width(text, size, bold) <= width:
        return text
    while text and text_width(f"{text.rstrip()}…", size, bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
