"""The one widget: a recording goes to the browser once and is played there."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from hotmem_viz.views.bundle import join_modules, style_sheet
from hotmem_viz.views.wire import encode_shown

if TYPE_CHECKING:
    from hotmem_viz.recording.lineup import Lineup
    from hotmem_viz.recording.recording import Recording

_DRAWER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hotmem-chart")
"""Draws charts one after the other, so that a kernel stays free to answer controls."""

CHART_PAUSE = 0.25
"""Seconds that a run must stand before its chart is drawn: while somebody drags a slider, runs
follow one another faster than that, and drawing would take the time that they need."""


class Stage(anywidget.AnyWidget):
    """The stage in a notebook or in Voila: map, zones, chart, transport and caption.

    recording: a message of views/wire.py, of one recording or of a lineup. chart: see
    `figures.chart_payload`; empty while it is being drawn. tick: where the browser stands (with
    a lineup, the position of the common cursor), told only when it has come to rest.
    theme: "auto", "light" or "dark". address: what the page's address is to the stage, see
    static/address.js; "none" where it is somebody else's, as in JupyterLab. error: shown in a
    visible panel. busy: a run is on. run: how often something has been shown.

    While a page is loading, its manager makes models of what it once asked the kernel for; what
    is sent between the answer and the model reaches nobody. So a stage that has been rendered
    says what it has, and is told whatever it has not.
    """

    _esm = join_modules()
    _css = style_sheet()

    recording = traitlets.Bytes().tag(sync=True)
    chart = traitlets.Dict().tag(sync=True)
    tick = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    address = traitlets.Enum(("none", "wait", "write", "own"), "none").tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    run = traitlets.Int(0).tag(sync=True)

    def __init__(self, recording: Recording | Lineup | None = None, **traits: Any) -> None:
        self._shown: Recording | Lineup | None = None
        self._ghost: Recording | None = None
        self._drawing: set[asyncio.Task[None]] = set()
        super().__init__(**traits)
        self.on_msg(self._answer)
        if recording is not None:
            self.show(recording)

    def show(self, recording: Recording | Lineup, ghost: Recording | None = None) -> None:
        """Send a recording or a lineup to the browser; its chart follows as soon as it is drawn.

        `ghost` is the run before, drawn faintly into the chart. Inside a running event loop
        (a kernel) the chart is drawn in the background; elsewhere call `draw_chart`.
        """
        self._shown, self._ghost = recording, ghost
        with self.hold_sync():
            self.error = ""
            self.chart = {}
            self.recording = encode_shown(recording)
            self.run += 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        task = loop.create_task(self._draw_later(recording, ghost))
        self._drawing.add(task)
        task.add_done_callback(self._drawing.discard)

    def draw_chart(self) -> None:
        """Draw the chart of the recording shown, now, and send it."""
        from hotmem_viz.views.charts import draw_chart

        if self._shown is not None:
            self.chart = draw_chart(self._shown, self._ghost)

    async def _draw_later(self, recording: Recording | Lineup, ghost: Recording | None) -> None:
        from hotmem_viz.views.charts import draw_chart

        await asyncio.sleep(CHART_PAUSE)
        if self._shown is not recording:
            return

        def draw() -> dict[str, Any]:
            # A newer run has come while this one waited: its chart is the one wanted.
            return draw_chart(recording, ghost) if self._shown is recording else {}

        try:
            payload = await asyncio.get_running_loop().run_in_executor(_DRAWER, draw)
        except Exception as error:  # noqa: BLE001 (whatever it is belongs on the page)
            self.error = f"The chart could not be drawn: {error}"
            return
        if self._shown is recording and payload:
            self.chart = payload

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        if content.get("type") == "ping":
            self.send({"type": "pong"})
        if content.get("type") == "have":
            missing = self._find_missing(content)
            if missing:
                self.send_state(missing)

    def _find_missing(self, has: dict[str, Any]) -> list[str]:
        """Return the names of what a browser has otherwise, or has not."""
        missing = [
            n for n in ("address", "busy", "error", "theme") if has.get(n) != getattr(self, n)
        ]
        if has.get("run") != self.run:
            return [*missing, "run", "tick", "chart", "recording"]
        return missing if bool(has.get("charted")) == bool(self.chart) else [*missing, "chart"]
