"""A whole picture: the map at a tick and the words around it, as palette indices.

`draw_frame` is a pure function of (recording, tick); what all ticks share is drawn once into a
plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.views.palette import Theme, check_theme
from hotmem_viz.views.picture import words
from hotmem_viz.views.picture.inks import Inks
from hotmem_viz.views.picture.layout import MARGIN as MAP_MARGIN
from hotmem_viz.views.picture.memmap import (
    CellPixels,
    draw_borders,
    draw_furniture,
    fit_map,
    place_cells,
)
from hotmem_viz.views.picture.section_frames import SectionFrames, make_frames
from hotmem_viz.views.picture.sheet import Sheet

if TYPE_CHECKING:
    import numpy as np

    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.views.picture.layout import MapLayout

WIDTH, HEIGHT = 1280, 720
"""A projector's picture. A map that needs less makes a lower one."""

MAP_TOP = 84
LEGEND_GAP, RAIL_GAP, RAIL, BOTTOM = 8, 12, 44, 18
"""Pixels: above the legend, above the rail, from the legend to the caption, below it."""


@dataclass(frozen=True)
class Plan:
    """What all ticks of a recording share: a sheet with the furniture, and where things stand."""

    sheet: Sheet
    layout: MapLayout
    cells: CellPixels
    sections: SectionFrames
    totals: list[words.Total]
    legend: words.Legend
    legend_top: int
    rail_top: int
    caption_top: int
    caption_lines: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; both are even, as a video needs it."""
        height, width = self.sheet.pixels.shape
        return width, height


def make_plan(recording: Recording, theme: Theme = "light") -> Plan:
    """Lay a recording's pictures out and draw what does not change.

    Raises ParameterError if there is no such theme.
    """
    check_theme(theme)
    meta, room = recording.meta, WIDTH - 2 * words.MARGIN
    lines = words.caption_lines(recording, WIDTH)
    legend = words.lay_out_legend(recording, room)
    below = LEGEND_GAP + legend.rows * words.ROW + RAIL + words.caption_height(lines) + BOTTOM
    # The map's own margins stand within the picture's, so that its edges meet the text's.
    outside = words.MARGIN - MAP_MARGIN
    layout, fold = fit_map(meta, WIDTH - 2 * outside, HEIGHT - MAP_TOP - below)
    layout = layout.moved(outside, MAP_TOP)
    legend_top = MAP_TOP + layout.shape.height + LEGEND_GAP
    rail_top = legend_top + legend.rows * words.ROW + RAIL_GAP
    height = MAP_TOP + layout.shape.height + below
    sheet = Sheet(WIDTH, height + height % 2, theme, Inks())
    words.draw_title(sheet, recording, words.scale_of_cells(recording, fold), WIDTH)
    draw_furniture(sheet, layout, meta)
    covered = draw_borders(sheet, layout, meta, fold)
    words.draw_legend(sheet, legend, legend_top)
    plan = Plan(
        sheet=sheet,
        layout=layout,
        cells=place_cells(layout, meta, fold, theme, sheet.inks).beside(covered),
        sections=make_frames(recording, layout, theme, sheet.inks),
        totals=words.lay_out_totals(recording),
        legend=legend,
        legend_top=legend_top,
        rail_top=rail_top,
        caption_top=rail_top + RAIL - RAIL_GAP,
        caption_lines=lines,
    )
    # Every colour that a tick may need is met here, so that the palette is whole from now on.
    for tick in {0, *(c["tick"] for c in meta["captions"])}:
        _draw_words(sheet.copy(), plan, recording, tick)
    return plan


def _draw_words(sheet: Sheet, plan: Plan, recording: Recording, tick: int) -> None:
    width, _ = plan.size
    words.draw_moment(sheet, plan.totals, recording, tick, width)
    words.draw_counts(sheet, plan.legend, recording, tick, plan.legend_top)
    words.draw_rail(sheet, recording, tick, plan.rail_top, width)
    words.draw_caption(sheet, recording, tick, plan.caption_top, width, plan.caption_lines)


def draw_frame(plan: Plan, recording: Recording, tick: int) -> np.ndarray:
    """Return the picture of a tick as palette indices, (height, width) uint8.

    `plan.sheet.inks.table()` then has the colours. Raises ParameterError if the recording has no
    such tick.
    """
    kinds = recording.frame(tick)
    sheet = plan.sheet.copy()
    plan.cells.paint(sheet.pixels, kinds)
    plan.sections.draw(sheet, recording, tick)
    _draw_words(sheet, plan, recording, tick)
    return sheet.pixels
