"""The states of sections on a picture: frames around their blocks, as on the stage.

The looks and places are those of `static/frames.js`.
A state's look is drawn once, as a stamp, and put on every section that is in the state. Boots
that are still to come are left blank.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.views.picture.groups import own_sections
from hotmem_viz.views.picture.inks import MOST, Inks, mix, rgb_of
from hotmem_viz.views.picture.sheet import SMALL, Sheet, text_width
from hotmem_viz.views.section_looks import SECTIONS, SectionLook
from hotmem_viz.vocabulary import SectionState

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.views.palette import Theme
    from hotmem_viz.views.picture.layout import MapLayout

FRAME, THIN_FRAME, THIN_BELOW = 3, 2, 18
DASHES = {"dashed": (7, 4), "dotted": (2, 2), "dashdot": (9, 3, 2, 3)}
NARROW_STRIPES, WIDE_STRIPES, SOFT, BADGE_ROOM = 5, 11, 0.45, 1.9
BADGE_WIDTH, BADGE = round(SMALL * 1.1), round(SMALL * 1.08)
LATER = "another boot, later"


def states_used(recording: Recording) -> list[SectionState]:
    """Return the states that any section is ever in, in order of id; none without their track."""
    track = recording.sections
    if track is None:
        return []
    state = track.keys[0].copy()
    used = set(np.unique(state).tolist())
    for tick in range(1, recording.n_ticks):
        track.flip_tick(state, tick)
        used |= set(np.unique(state).tolist())
    return [SectionState(value) for value in sorted(used)]


@dataclass(frozen=True)
class Stamp:
    """A picture of a frame, (h, w) uint8, MOST where nothing is; right, down: from the block."""

    pixels: np.ndarray
    right: int
    down: int

    def put(self, sheet: Sheet, x: int, y: int) -> None:
        """Put it around the block at (x, y)."""
        height, width = self.pixels.shape
        top, left = y + self.down, x + self.right
        area = sheet.pixels[top : top + height, left : left + width]
        np.copyto(area, self.pixels, where=self.pixels != MOST)


@dataclass(frozen=True)
class SectionFrames:
    """What all ticks share: a stamp for each state that is not plain, and where boots begin."""

    layout: MapLayout
    stamps: dict[int, Stamp]
    curtains: list[int]

    def draw(self, sheet: Sheet, recording: Recording, tick: int) -> None:
        """Draw the frames of a tick, and leave blank what has not booted yet."""
        if recording.sections is not None:
            states = recording.sections.frame(tick)
            for i in np.flatnonzero(np.isin(states, list(self.stamps))):
                at = int(self.layout.x[i]), int(self.layout.y[i])
                self.stamps[int(states[i])].put(sheet, *at)
        boots = _boots_at(recording, tick)
        if boots < len(self.curtains):
            self._draw_curtain(sheet, boots)

    def _draw_curtain(self, sheet: Sheet, boots: int) -> None:
        layout = self.layout
        top = self.curtains[boots]
        bottom = layout.tops[-1] + layout.shape.block_height + layout.text // 2
        sheet.fill(0, top, sheet.pixels.shape[1], bottom - top, "panel")
        for curtain in self.curtains[boots:]:
            sheet.write(layout.shift, curtain + layout.group_line - 4, LATER, "muted")


def _boots_at(recording: Recording, tick: int) -> int:
    names = [c["name"] for c in recording.meta["counters"]]
    if "boots" not in recording.meta or "boots" not in names:
        return max(1, len(recording.meta.get("boots", ())))
    return int(recording.counters_array[tick, names.index("boots")])


def make_frames(recording: Recording, layout: MapLayout, theme: Theme, inks: Inks) -> SectionFrames:
    """Draw the stamps of a recording's states."""
    number = text_width(f"§{int(own_sections(recording.meta)[-1])}", SMALL)
    stamps = {
        int(state): _draw_stamp(SECTIONS[state], layout, theme, inks, number)
        for state in states_used(recording)
        if SECTIONS[state].line != "none"
    }
    above = layout.number_line + layout.group_line + 2
    curtains: list[int] = []
    for g, group in enumerate(layout.groups):
        if group.boot == len(curtains):
            curtains.append(layout.corner(g, 0)[1] - above)
    return SectionFrames(layout, stamps, curtains)


def _draw_stamp(
    look: SectionLook, layout: MapLayout, theme: Theme, inks: Inks, number: float
) -> Stamp:
    shape = layout.shape
    width, height = shape.block_width, shape.block_height
    thick = THIN_FRAME if min(width, height) < THIN_BELOW else FRAME
    outside = min(thick, shape.gap // 2)
    above = max(outside, layout.number_line)
    sheet = Sheet(width + 2 * outside, above + height + outside, theme, inks)
    sheet.pixels[:] = MOST
    hue = getattr(look, theme)
    if look.veil != "none":
        area = sheet.pixels[above : above + height, outside : outside + width]
        area[:] = _veil(look, sheet, width, height)
    _draw_line(sheet, look, hue, thick, above - outside)
    badge = badge_spot(layout, look, number)
    if badge is not None:
        text, x, y, box_width = badge
        sheet.fill(x + outside, y + above, box_width, BADGE, hue)
        left = x + outside + (box_width - text_width(text, SMALL, bold=True)) / 2
        sheet.write(left, y + above + SMALL - 2, text, "panel", hue, bold=True)
    return Stamp(sheet.pixels, -outside, -above)


def badge_spot(
    layout: MapLayout, look: SectionLook, number: float
) -> tuple[str, int, int, int] | None:
    """Return what a state is called in a block, its x and y from the corner, and its width.

    Its word if that fits, else its letter: in the middle of a veil, which hides no page; or
    beside the section's number, which takes `number` pixels of the line above; else in the
    corner. None if there is no room.
    """
    width, height = layout.shape.block_width, layout.shape.block_height
    for text in (look.label, look.letter):
        size = max(BADGE_WIDTH, math.ceil(text_width(text, SMALL, bold=True) + SMALL * 0.5))
        if look.veil != "none" and width >= size + 4 and height >= BADGE + 4:
            return text, (width - size) // 2, (height - BADGE) // 2, size
        if layout.number_line and number + size + 4 <= width:
            return text, width - size, -round(layout.number_line * 0.16) - BADGE, size
    if width >= BADGE_ROOM * BADGE_WIDTH and height >= BADGE_ROOM * BADGE:
        return look.letter, width - BADGE_WIDTH, 0, BADGE_WIDTH
    return None


def _veil(look: SectionLook, sheet: Sheet, width: int, height: int) -> np.ndarray:
    """Return what covers the cells of a section whose frames belong to no zone, (h, w) uint8."""
    y, x = np.indices((height, width))
    ground = sheet.inks.table()[sheet.ink("sunken")].tolist()
    hue = rgb_of(getattr(look, sheet.theme))
    soft = sheet.inks.index(mix((ground[0], ground[1], ground[2]), hue, SOFT))
    if look.veil == "stripes":
        lines, soft = (x + y) % NARROW_STRIPES == 0, sheet.ink("line")
    elif look.veil == "cross":
        slope = width / height
        lines = (abs(x - y * slope) <= 1.2) | (abs(width - 1 - x - y * slope) <= 1.2)
    else:
        lines = (x + y if look.veil == "rising" else x - y) % WIDE_STRIPES < 3
    return np.where(lines, soft, sheet.ink("sunken")).astype(np.uint8)


def _draw_line(sheet: Sheet, look: SectionLook, hue: str, thick: int, top: int) -> None:
    """Draw the frame along the sheet's edges, from row `top` on."""
    area = sheet.pixels[top:]
    height, width = area.shape
    y, x = np.indices((height, width))
    edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    ring = edge < thick
    # How far along the frame a pixel is, clockwise from the corner.
    along = np.where(y < thick, x, 2 * width + height - x)
    along = np.where((x >= width - thick) & (y >= thick), width + y, along)
    along = np.where((x < thick) & (y >= thick), 2 * (width + height) - y, along)
    inked = ring & _dash(look.line)[along % sum(DASHES.get(look.line, (1,)))]
    if look.line == "double":
        inked &= edge != thick // 2
    area[ring] = sheet.ink("panel")
    area[inked] = sheet.ink(hue)


def draw_state_swatch(sheet: Sheet, look: SectionLook, x: int, y: int) -> None:
    """Draw a small block in the frame of a state, with its letter, for legends."""
    hue = getattr(look, sheet.theme)
    if look.line == "none":
        sheet.outline(x + 1, y + 1, 20, 16, "frame")
        return
    box = Sheet(22, 18, sheet.theme, sheet.inks)
    _draw_line(box, look, hue, FRAME, 0)
    left = (22 - text_width(look.letter, SMALL, bold=True)) / 2
    box.write(left, SMALL - 1, look.letter, hue, bold=True)
    sheet.pixels[y : y + 18, x : x + 22] = box.pixels


def _dash(line: str) -> np.ndarray:
    """Return which pixels along a line are inked, one period of it."""
    lengths = DASHES.get(line, (1,))
    return np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
