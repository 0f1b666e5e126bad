"""The browser's budgets: frames a second, from slider to paint, the dashboard's first paint."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

import hotmem_viz
from benchmarks.row import Row, timed
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recording import Recording
from tests.browser.conftest import FLAGS
from tests.browser.stage import StagePage
from tests.conftest import Server, free_port, serving
from tools.ensure_browser import find_chromium

COUNT_FRAMES = """seconds => new Promise(done => {
  let frames = 0, start = null;
  const count = now => {
    start ??= now;
    frames += 1;
    if (now - start < seconds * 1000) requestAnimationFrame(count);
    else done((frames - 1) * 1000 / (now - start));
  };
  requestAnimationFrame(count);
})"""

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


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the machine's browser."""
    program = find_chromium()
    if program is None:
        raise SystemExit("the browser's rows need a browser: install the package chromium")
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def open_page(browser: Browser, address: str) -> Page:
    """Open an address at lecture size."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    page.goto(address)
    return page


def playback_rows(browser: Browser) -> list[Row]:
    """Play a map of 131,072 cells, and two of half of them, from an exported page."""
    recording = hotmem_viz.run("exhaustion", machine="server")
    pair = hotmem_viz.beside("exhaustion", machine="server")
    cells = [len(side.frame(0)) for side in pair.recordings]
    return [
        playback_row(browser, "playback", recording, len(recording.frame(0))),
        playback_row(browser, "playback, two kernels", pair, sum(cells)),
    ]


def playback_row(browser: Browser, what: str, shown: Recording | Pair, cells: int) -> Row:
    """Play what an exported page shows, and count its frames."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.html"
        shown.to_html(path)
        stage = StagePage(open_page(browser, path.as_uri())).wait_until_ready()
        stage.focus()
        idle = float(stage.page.evaluate(COUNT_FRAMES, 2))
        stage.press("Space")
        stage.wait_for("playing", "true")
        rate = float(stage.page.evaluate(COUNT_FRAMES, 5))
        stage.page.close()
    note = f"{cells:,} cells; the same page at rest: {idle:.0f}"
    return Row(what, rate, "frames/s", ">= 55", rate >= 55, note)


@contextmanager
def dashboard(folder: Path) -> Iterator[Server]:
    """Serve the dashboard."""
    port = free_port()
    command = [sys.executable, "-m", "hotmem_viz", "dashboard", "--no-browser", "--port", str(port)]
    with serving(command, f"http://127.0.0.1:{port}", folder / "home", env=keep(folder)) as server:
        yield server


def keep(folder: Path) -> dict[str, str]:
    """Return the environment in which kernels keep bytecode, as an installed package has it.

    Where it is not to be written every kernel compiles the package anew, and only the package.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


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
    """Move the dashboard's first slider, and count what is said to the kernel while playing."""
    sent: list[object] = []
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)

    def note(frame: object) -> None:
        sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    page.goto(server.address)
    stage = StagePage(page).wait_until_ready()
    times = slide(page)
    median = statistics.median(times)
    stage.focus()
    before = len(sent)
    stage.press("Space")
    stage.wait_for_tick("tick >= 60")
    told = len(sent) - before
    page.get_by_label("beside it").select_option(label="Linux 7.2")
    page.wait_for_selector(".hotmem-pair")
    two = slide(page)
    page.close()
    twice = "slider to first painted frame, two kernels"
    return [
        Row("slider to first painted frame", median, "ms", "<= 300", median <= 300, span(times)),
        Row(twice, statistics.median(two), "ms", "none set", None, span(two)),
        Row("messages to the kernel while playing", told, "", "0", told == 0),
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
    with chromium() as browser, tempfile.TemporaryDirectory() as name:
        rows = playback_rows(browser)
        with dashboard(Path(name)) as server:
            rows += slider_rows(browser, server)
            rows += first_paint_rows(browser, server, Path(name))
    return rows
