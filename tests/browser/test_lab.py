"""The notebooks in JupyterLab: every cell runs, stages paint, and keys stay the stage's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.stage import FAILED, StagePage, is_visible_2d_canvas

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("0*.ipynb"))

OPEN_AND_RUN = """async name => {
  const app = window.jupyterapp;
  await app.restored;
  const path = `notebooks/${name}.ipynb`;
  const panel = await app.commands.execute('docmanager:open', {path});
  await panel.context.ready;
  await panel.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
}"""
NOTEBOOK_STATE = """() => {
  const {content} = window.jupyterapp.shell.currentWidget;
  return [content.widgets.length, content.activeCellIndex, content.mode];
}"""
CODE_CELLS_RUN = """() => {
  const {content} = window.jupyterapp.shell.currentWidget;
  return content.widgets.filter(cell => cell.model.type === 'code')
    .every(cell => cell.model.executionCount !== null);
}"""
CLOSE = """async () => {
  const {currentWidget} = window.jupyterapp.shell;
  await currentWidget.sessionContext.shutdown();
  currentWidget.close();
}"""

MOVED = {
    "00-map-of-memory": ("in the way", "a pinned page"),
    "01-boot-options": ("a month later", "a node was added"),
    "02-lowmem-highmem": ("metadata", "pipes"),
    "03-page-tables": ("use", "every page of one mapping"),
    "04-hot-remove": ("what has to go", "a whole node"),
    "05-stop-machine": ("failure", "the user gives up (EINTR)"),
    "06-strategies": ("beside it", "auto-movable policy"),
    "07-real-kernels": ("metadata", "files"),
}
"""A control of the first stage, and what to choose; the run is longer or shorter for it."""


@pytest.fixture
def open_lesson(page, lab):
    """Return a function that opens a lesson, runs all of its cells, and returns its first stage."""

    def open_it(name: str) -> StagePage:
        page.goto(lab.address + "/lab?reset")
        page.wait_for_function("() => window.jupyterapp !== undefined")
        page.evaluate(OPEN_AND_RUN, name)
        page.wait_for_function(CODE_CELLS_RUN)
        stage = StagePage(page).wait_until_ready()
        stage.canvas.scroll_into_view_if_needed()
        return stage

    yield open_it
    page.evaluate(CLOSE)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_plays_steps_back_and_takes_a_parameter(open_lesson, page, name):
    stage = open_lesson(name)
    assert page.locator(FAILED).count() == 0
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    assert is_visible_2d_canvas(page)
    assert (stage.tick, stage.is_playing) == (0, False)
    assert len(stage.picture().colours) >= 4

    stage.focus()
    stage.press("Space")
    stage.wait_for_tick("tick >= 2")
    stage.press("Space")
    stage.wait_for("playing", "false")
    here = stage.tick
    stage.press("ArrowLeft")
    stage.wait_for("tick", str(here - 1))

    ticks, label, choice = stage.ticks, *MOVED[name]
    page.locator(".hotmem-app").first.get_by_label(label, exact=True).select_option(label=choice)
    stage.wait_for_tick(f"ticks !== {ticks}")
    assert stage.data("error") == ""


def test_a_stage_in_a_notebook_keeps_its_keys(open_lesson, page):
    stage = open_lesson(LESSONS[0])
    stage.focus()
    before = page.evaluate(NOTEBOOK_STATE)
    first = stage.picture()
    stage.press("ArrowRight")
    stage.wait_for("tick", "1")
    for key in ("ArrowDown", "ArrowUp", "a", "b", "Enter", "PageDown", "PageUp", "Home"):
        stage.press(key)
    stage.wait_for("tick", "0")
    assert page.evaluate(NOTEBOOK_STATE) == before
    assert stage.picture() == first


def test_a_question_is_answered_and_revealed(open_lesson, page):
    open_lesson(LESSONS[0])
    card = page.locator(".hotmem-question").first
    card.scroll_into_view_if_needed()
    card.get_by_role("button", name="Check").click()
    assert "guess is enough" in card.get_by_role("status").first.inner_text()
    card.get_by_role("radio").first.check()
    card.get_by_role("button", name="Check").click()
    page.wait_for_selector(
        ".hotmem-question [data-verdict='right'], .hotmem-question [data-verdict='wrong']"
    )
    card.get_by_role("button", name="Reveal").click()
    card.get_by_text("See it:").wait_for()
