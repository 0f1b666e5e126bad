"""The browser's modules joined into one text, because a widget cannot resolve imports.

The modules under `static/` use named imports and exports only and have top-level names that
no other module has, so joining them in order and dropping the import and export words keeps
their meaning; no text of theirs goes over several lines, so lines that are comments alone can stay
at home. tests/views/test_bundle.py checks all three.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hotmem_viz.views.palette import css_variables

STATIC = Path(__file__).parent / "static"

MODULES = (
    "format.js",
    "decode.js",
    "tracks.js",
    "playback.js",
    "timeline.js",
    "scene.js",
    "cells.js",
    "states.js",
    "geometry.js",
    "flights.js",
    "transport.js",
    "linkstate.js",
    "address.js",
    "painter.js",
    "dom.js",
    "theme.js",
    "furniture.js",
    "frames.js",
    "flying.js",
    "map.js",
    "tooltip.js",
    "zones.js",
    "chart.js",
    "caption.js",
    "side.js",
    "compare.js",
    "sectionlegend.js",
    "legend.js",
    "viewspanel.js",
    "lanegeometry.js",
    "cpu_looks.js",
    "lanes.js",
    "tables.js",
    "treelayout.js",
    "treewords.js",
    "treeview.js",
    "tablespanel.js",
    "meterparts.js",
    "metersremap.js",
    "meterszones.js",
    "meters.js",
    "addressgeometry.js",
    "address_drawing.js",
    "address_map.js",
    "scoreboard.js",
    "optional.js",
    "deckplan.js",
    "deck.js",
    "detailgeometry.js",
    "detail.js",
    "controls.js",
    "link.js",
    "shell.js",
    "room.js",
    "pointing.js",
    "linking.js",
    "panels.js",
    "passing.js",
    "keys.js",
    "stage.js",
)
"""In order: a module may use only those before it at its top level."""

CARD_MODULES = ("painter.js", "dom.js", "theme.js", "question.js")
"""In order: what a question in a notebook needs; the first three are the stage's."""

STYLE_SHEETS = (
    "stage.css",
    "pair.css",
    "crowd.css",
    "optional.css",
    "tables.css",
    "meters.css",
)
"""In order: a later one has the last word."""

_IMPORT = re.compile(r"^import\s*\{[^}]*\}\s*from\s*\"\./[\w.]+\";\n", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:.|\n)*?\*/)[ \t]*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)


def read_module(name: str) -> str:
    """Return the text of one module under `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")


def strip_module(text: str) -> str:
    """Drop a module's comments, named imports, and the word `export` before its named exports."""
    return _EXPORT.sub("", _IMPORT.sub("", _COMMENT.sub("", text)))


@cache
def join_modules(modules: tuple[str, ...] = MODULES, render: str = "renderStage") -> str:
    """Return one ES module whose default export has `render({model, el})`.

    render: the function that it is, a name of one of the modules.
    """
    parts = [f"// {name}\n{strip_module(read_module(name)).strip()}\n" for name in modules]
    return "\n".join(parts) + f"\nexport default {{ render: {render} }};\n"


@cache
def style_sheet() -> str:
    """Return the stage's style sheets as one, the palette's variables first."""
    sheets = [(STATIC / name).read_text(encoding="utf-8") for name in STYLE_SHEETS]
    return css_variables() + "".join(sheets)


@cache
def card_style_sheet() -> str:
    """Return the style sheet of a question, the palette's variables first."""
    return css_variables("hotmem-question") + (STATIC / "question.css").read_text(encoding="utf-8")
