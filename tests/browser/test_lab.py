"""The lesson in JupyterLab: every cell runs, the map paints, and its keys stay its own."""

from __future__ import annotations

import pytest

from tests.browser.stage import StagePage, is_visible_2d_canvas

pytestmark = pytest.mark.browser

OPEN_AND_RUN = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const path = 'notebooks/01-exhaustion.ipynb';
  const panel = await app.commands.execute('docmanager:open', {path});
  await panel.context.ready;
  await panel.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
}"""
NOTEBOOK_STATE = """() => {
  const {content} = window.jupyterapp.shell.currentWidget;
  return [content.widgets.length, content.activeCellIndex, content.mode];
}"""


@pytest.fixture
def stage(page, lab):
    """The stage of the exhaustion notebook after all of its cells ran."""
    page.goto(lab.address + "/lab?reset")
    page.wait_for_function("() => window.jupyterapp !== undefined")
    page.evaluate(OPEN_AND_RUN)
    stage = StagePage(page).wait_until_ready()
    stage.canvas.scroll_into_view_if_needed()
    return stage


def test_the_lesson_runs_paints_and_keeps_its_keys(stage, page):
    assert is_visible_2d_canvas(page)
    assert (stage.tick, stage.is_playing) == (0, False)
    assert len(stage.picture().colours) >= 4
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0

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

    stage.press("Space")
    stage.wait_for_tick("tick >= 10")
    stage.press("Space")
    stage.wait_for("playing", "false")
    assert page.evaluate(NOTEBOOK_STATE) == before
