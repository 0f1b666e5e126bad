"""A printed figure below a lesson's stage, of the newest run, in the stage's theme."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

import ipywidgets as widgets

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.palette import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.views.palette import Theme

    Draw = Callable[[Recording, Theme], Figure]


def find_figure(scenario: str) -> tuple[Draw, str] | None:
    """Return what draws a scenario's figure, and what it shows; None for one without."""
    if scenario != "starvation":
        return None
    # matplotlib takes longer to load than a lesson to be shown.
    from hotmem_viz.views.phase import draw_phase

    return draw_phase, "The boundary of starvation, with this run as a point on its own curve"


class FigureBelow(widgets.HTML):
    """A figure as SVG in both themes; the style sheet shows the stage's."""

    def draw(self, scenario: str, recording: Recording) -> None:
        """Draw the scenario's figure of a run; one that has none is told why in a line."""
        found = find_figure(scenario)
        if found is None:
            return
        draw, words = found
        try:
            images = [_write_image(draw(recording, theme), words, theme) for theme in THEMES]
        except ParameterError as error:
            self.value = f'<p class="hotmem-figure">{html.escape(error.allowed)}.</p>'
            return
        self.value = f'<figure class="hotmem-figure">{"".join(images)}</figure>'


def _write_image(figure: Figure, words: str, theme: Theme) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="svg")
    data = base64.b64encode(out.getvalue()).decode("ascii")
    source = f"data:image/svg+xml;base64,{data}"
    return f'<img class="hotmem-in-{theme}" alt="{html.escape(words)}" src="{source}">'
