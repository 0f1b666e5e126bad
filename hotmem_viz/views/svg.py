"""A figure as an SVG without words that stretches over its panel, in both themes.

The browser's chart is stretched, so its words travel beside it as fractions and keep their size.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from hotmem_viz.views.event_looks import EVENTS
from hotmem_viz.views.palette import SIDE_WORDS, THEMES, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def make_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that no window knows of and a notebook shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from hotmem_viz.views.shown_figure import ShownFigure

    figure = ShownFigure(figsize=(width, height), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def bare_svg(figure: Figure) -> str:
    """Return the figure as an SVG that stretches to its box while lines keep their width."""
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "hatch.linewidth": 1.0}):
        metadata: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=metadata)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = text.replace("<svg ", '<svg preserveAspectRatio="none" ', 1)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = text.replace("<path ", '<path vector-effect="non-scaling-stroke" ')
    return re.sub(r"\n\s*", " ", text)


def tick_rows(ax: Axes, axis: str) -> list[dict[str, Any]]:
    """Return the labels of an axis as [{at, text}], `at` a fraction of its length."""
    low, high = ax.get_xlim() if axis == "x" else ax.get_ylim()
    places = ax.get_xticks() if axis == "x" else ax.get_yticks()
    unit = "" if axis == "x" else f" {ax.get_ylabel()}"
    return [
        {"at": round(float(place - low) / float(high - low), 5), "text": f"{place:,.6g}{unit}"}
        for place in places
        if low <= place <= high
    ]


def strip_words(ax: Axes) -> None:
    """Take all words away and let the plot fill the figure."""
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(labelbottom=False, labelleft=False)
    ax.set_position((0, 0, 1, 1))


def in_dark(svg: str) -> str:
    """Return a light chart's SVG in the dark theme's colours."""
    words = ("usable", "useless", "claim", "ghost", "line", "frame", "muted", *SIDE_WORDS)
    pairs = {colour(word, "light"): colour(word, "dark") for word in words}
    pairs |= {light: dark for _, light, dark in EVENTS.values()}
    return re.sub("#[0-9a-f]{6}", lambda hit: pairs.get(hit[0], hit[0]), svg)


def tones_of(word: str) -> dict[str, str]:
    """Return a colour word's hex colours by theme."""
    return {theme: colour(word, theme) for theme in THEMES}
