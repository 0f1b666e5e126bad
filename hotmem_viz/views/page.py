"""One HTML file that plays a recording from disk, with no server and no network.

The page holds the joined modules, a model of a few lines that answers `get`, the recording's
message in base64, and the drawn chart.
"""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.recording.lineup import Lineup
from hotmem_viz.views.bundle import join_modules, style_sheet
from hotmem_viz.views.charts import draw_chart
from hotmem_viz.views.wire import encode_shown

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

_PAGE = """<!doctype html>
<html lang="en" data-hotmem-page>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="hotmem_viz">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
html, body {{ margin: 0; background: {light}; }}
@media (prefers-color-scheme: dark) {{ html, body {{ background: {dark}; }} }}
body:has(.hotmem-stage[data-theme="light"]) {{ background: {light}; }}
body:has(.hotmem-stage[data-theme="dark"]) {{ background: {dark}; }}
{css}
.hotmem-stage {{ border-radius: 0; }}
.hotmem-stage:focus-visible {{ box-shadow: none; }}
</style>
</head>
<body>
<noscript>This page plays a recording and needs JavaScript.</noscript>
<div id="stage"></div>
<script type="application/json" id="state">{state}</script>
<script type="module">
{modules}
const state = JSON.parse(document.getElementById("state").textContent);
const values = {{
  ...state,
  recording: Uint8Array.from(atob(state.recording), (letter) => letter.charCodeAt(0)),
}};
const model = {{
  get: (name) => values[name],
  set: (name, value) => {{ values[name] = value; }},
  on: () => {{}},
  save_changes: () => {{}},
}};
renderStage({{ model, el: document.getElementById("stage") }});
document.querySelector(".hotmem-stage").focus();
</script>
</body>
</html>
"""


def _page_title(shown: Recording | Lineup) -> str:
    if isinstance(shown, Lineup):
        title = shown.recordings[0].meta["title"]
        return f"{title} · {' and '.join(shown.titles)} · hotmem_viz"
    meta: dict[str, Any] = shown.meta
    machine = meta["machine"]
    return f"{meta['title']} · {machine['title'] or machine['name']} · hotmem_viz"


def export_html(
    shown: Recording | Lineup, path: str | Path | None = None, ghost: Recording | None = None
) -> str:
    """Return the page as text, and write it to `path` if one is given.

    `ghost` is an earlier run to draw faintly into a single recording's chart. Raises OSError if
    `path` cannot be written.
    """
    from hotmem_viz.views.palette import colour

    state = {
        "recording": base64.b64encode(encode_shown(shown)).decode("ascii"),
        "chart": draw_chart(shown, ghost),
        "theme": "auto",
        "tick": 0,
        "address": "own",
        "error": "",
        "busy": False,
    }
    modules = join_modules().partition("\nexport default")[0]
    text = _PAGE.format(
        title=html.escape(_page_title(shown)),
        css=style_sheet(),
        light=colour("page", "light"),
        dark=colour("page", "dark"),
        state=json.dumps(state, separators=(",", ":")).replace("<", "\\u003c"),
        modules=modules.replace("</script", "<\\/script"),
    )
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
