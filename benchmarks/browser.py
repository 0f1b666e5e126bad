"""The browser's budgets: from slider to paint, the dashboard's first paint."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pages import chromium, dashboard, keep, new_page
from benchmarks.row import Row, timed
from tests.browser.stage import StagePage
from tests.conftest import Server, free_port, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARM = """() => {
  const root = document.querySelector('.hotmem-stage');
  window.hotmemPainted = new Promise(done => {
    const watch = new MutationObserver(() => {
      watch.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(now => done(now)));
    });
    watch.observe(root, {attributes: true, attributeFilter: ['data-ticks']});
  });
  window.hotmemMoved = performance.now();
}"""

NBFORMAT = {"nbformat": 4, "nbformat_minor": 5}
EMPTY = """\
import ipywidgets, anywidget, numpy
ipywidgets.HTML('<canvas id="ready"></canvas>')
"""


def slide(page: Page) -> list[float]:
    """Move the dashboard's first slider to and fro; milliseconds to each first painted frame."""
    handle = page.locator(".widget-slider .noUi-handle, .widget-slider input").first
    times = []
    for key in ["ArrowLeft", "ArrowRight"] * 8:
        handle.focus()
        page.evaluate(ARM)
        handle.press(key)
        times.append(float(page.evaluate("async () => (await hotmemPainted) - hotmemMoved")))
        page.wait_for_timeout(1500)  # The chart is drawn meanwhile; it is not what is measured.
    return times[2:]


def span(times: list[float]) -> str:
    """Write the least and the most."""
    return f"{min(times):.0f} to {max(times):.0f}"


def slider_rows(browser: Browser, server: Server) -> list[Row]:
    """Move the dashboard's first slider, for one run and for two at once."""
    page = new_page(browser)
    page.goto(server.address)
    StagePage(page).wait_until_ready()
    times = slide(page)
    median = statistics.median(times)
    page.get_by_label("beside it").select_option(label="Linux 7.2")
    page.wait_for_selector(".hotmem-pair")
    two = slide(page)
    page.close()
    twice = "slider to first painted frame, two kernels"
    return [
        Row("slider to first painted frame", median, "ms", "<= 300", median <= 300, span(times)),
        Row(twice, statistics.median(two), "ms", "none set", None, span(two)),
    ]


def first_paint_rows(browser: Browser, server: Server, folder: Path) -> list[Row]:
    """Open the dashboard, and an empty page of Voila with the same imports, in turn."""
    cell = {"cell_type": "code", "source": EMPTY, "metadata": {}, "outputs": [], "id": "empty"}
    notebook = {"cells": [{**cell, "execution_count": None}], "metadata": {}, **NBFORMAT}
    (folder / "empty.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    port = free_port()
    command = [
        *(sys.executable, "-m", "voila", str(folder / "empty.ipynb"), "--no-browser"),
        *("--Voila.ip=127.0.0.1", f"--Voila.port={port}", "--Voila.port_retries=0"),
        "--VoilaConfiguration.preheat_kernel=True",
    ]

    def seconds(address: str, ready: str) -> float:
        page = browser.new_page()
        page.set_default_timeout(120_000)

        def load() -> None:
            page.goto(address, wait_until="commit")
            page.wait_for_selector(ready, state="attached")

        taken = timed(load)
        page.wait_for_timeout(4000)  # The next warm kernel is being made ready.
        page.close()
        return taken

    home = folder / "empty-home"
    with serving(command, f"http://127.0.0.1:{port}", home, env=keep(folder)) as empty:
        ratios = [
            seconds(server.address, '.hotmem-stage[data-ready="true"]')
            / seconds(empty.address, "#ready")
            for _ in range(6)
        ]
    ratio = statistics.median(ratios[1:])
    what = "dashboard, first paint, over an empty Voila page"
    return [Row(what, ratio, "x", "<= 1.3", ratio <= 1.3)]


def all_rows() -> list[Row]:
    """Measure everything that needs a browser."""
    with (
        chromium() as browser,
        tempfile.TemporaryDirectory() as name,
        dashboard(Path(name)) as server,
    ):
        return slider_rows(browser, server) + first_paint_rows(browser, server, Path(name))
