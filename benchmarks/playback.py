"""Playing: frames a second of every scenario with every panel, and what a kernel hears of it.

Frames are counted in exported pages, where nothing else runs; messages in the dashboard, in
every tab.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hotmem_viz
from benchmarks.pages import chromium, dashboard, new_page, note_sent
from benchmarks.row import Row
from hotmem_viz.catalog import SCENARIOS, record_strategy
from hotmem_viz.recording.lineup import Lineup
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.scoreboard import pair_steps
from tests.browser.stage import StagePage
from tests.conftest import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Shown = Recording | Lineup

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

IDLE_SECONDS, PLAY_SECONDS = 2, 5

TABS = ".hotmem-deck-strip .hotmem-segments button"
FOLLOW = "follow events"
ON_SHOW = '.hotmem-stage[data-ready="true"]:visible'
TICKS_HEARD = 30
"""Ticks of playing during which nothing may be sent."""


def subjects() -> dict[str, Callable[[], Shown]]:
    """Return what is played: every scenario as it begins, the largest maps, and several at once."""

    def strategies() -> Shown:
        return pair_steps(record_strategy("none"), record_strategy("remap"))

    def start(name: str) -> Callable[[], Shown]:
        return lambda: hotmem_viz.run(name)

    return {
        **{name: start(name) for name in SCENARIOS if name != "strategies"},
        "strategies, two": strategies,
        "strategies, six": lambda: hotmem_viz.strategies().lineup,
        "exhaustion, server": lambda: hotmem_viz.run("exhaustion", machine="server"),
        "exhaustion, server, two kernels": lambda: hotmem_viz.beside(
            "exhaustion", machine="server"
        ),
    }


def count_cells(shown: Shown) -> int:
    """Return how many cells the maps have, all of them."""
    sides = shown.recordings if isinstance(shown, Lineup) else (shown,)
    return sum(len(side.frame(0)) for side in sides)


def panels_of(page: Page) -> list[str]:
    """Return what can be chosen below the map: nothing where all panels are in sight."""
    if not page.locator(TABS).first.is_visible():
        return []
    return [FOLLOW, *page.locator(TABS).all_inner_texts()]


def choose_panel(stage: StagePage, panel: str) -> None:
    """Choose what is shown below the map."""
    stage.page.locator(".hotmem-deck-strip button", has_text=panel).click()
    stage.root.focus()


def playing_rate(stage: StagePage) -> float:
    """Play from the first tick on, round and round, and count the frames."""
    stage.press("Home")
    stage.press("Space")
    stage.wait_for("playing", "true")
    rate = float(stage.page.evaluate(COUNT_FRAMES, PLAY_SECONDS))
    stage.press("Space")
    stage.wait_for("playing", "false")
    return rate


def rates_of(browser: Browser, shown: Shown) -> Iterator[tuple[str, float, float]]:
    """Play an exported page with each of its panels: a panel or "", frames at rest, and played."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "played.html"
        shown.to_html(path)
        page = new_page(browser)
        page.goto(path.as_uri())
        stage = StagePage(page).wait_until_ready()
        stage.focus()
        stage.press("o")
        idle = float(page.evaluate(COUNT_FRAMES, IDLE_SECONDS))
        for panel in panels_of(page) or [""]:
            if panel:
                choose_panel(stage, panel)
            yield panel, idle, playing_rate(stage)
        page.close()


def frame_rows(browser: Browser) -> Iterator[Row]:
    """Play every scenario with every panel that can be chosen."""
    for name, make in subjects().items():
        shown = make()
        cells = count_cells(shown)
        for panel, idle, rate in rates_of(browser, shown):
            what = ", ".join(part for part in ("playback", name, panel) if part)
            note = f"{cells:,} cells; the same page at rest: {idle:.0f}"
            yield Row(what, rate, "frames/s", ">= 55", rate >= 55, note)


def message_rows(browser: Browser, server: Server) -> Iterator[Row]:
    """Play in every tab of the dashboard, and count what is sent to the kernel meanwhile."""
    page = new_page(browser)
    sent = note_sent(page)
    page.goto(server.address)
    StagePage(page).wait_until_ready()
    for title in page.get_by_role("tab").all_inner_texts():
        page.get_by_role("tab", name=title, exact=True).click()
        stage = page.locator(ON_SHOW)
        stage.locator("canvas").first.click(position={"x": 5, "y": 5})
        ticks = int(stage.get_attribute("data-ticks") or 0)
        page.keyboard.press("Home")
        page.wait_for_timeout(1000)  # That tick is told once it has stood still.
        page.keyboard.press("Space")
        page.locator(f'{ON_SHOW}[data-playing="true"]').wait_for()
        before = len(sent)
        last = min(TICKS_HEARD, ticks - 2)
        page.wait_for_function(
            "([root, last]) => Number(root.dataset.tick) >= last",
            arg=[stage.element_handle(), last],
        )
        told = len(sent) - before
        what = f"messages to the kernel while playing, {title}"
        yield Row(what, told, "", "0", told == 0, f"{last} ticks")
    page.close()


def all_rows() -> Iterator[Row]:
    """Measure every scenario's playback."""
    with chromium() as browser, tempfile.TemporaryDirectory() as name:
        yield from frame_rows(browser)
        with dashboard(Path(name)) as server:
            yield from message_rows(browser, server)
