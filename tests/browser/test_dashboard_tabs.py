"""The dashboard's tabs in a browser: opened late, by keyboard too, each with a stage of its own."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.stage import NEXT_FRAME, StagePage

pytestmark = pytest.mark.browser

STAGE = ".hotmem-stage"
ON_SHOW = '.hotmem-stage[data-ready="true"]:visible'
FOREIGN = """root => [...root.querySelectorAll('[fill^="url("], [marker-end^="url("]')]
  .flatMap(e => [e.getAttribute('fill'), e.getAttribute('marker-end')])
  .filter(use => use?.startsWith('url(#'))
  .filter(use => !root.contains(document.getElementById(use.slice(5, -1))))"""
WIDEST = """root => {
  const hatched = [...root.querySelectorAll('.hotmem-lanes-drawing rect[fill^="url("]')];
  const width = rect => rect.getBoundingClientRect().width;
  const widest = hatched.reduce((most, rect) => (width(rect) > width(most) ? rect : most));
  widest.scrollIntoView({block: 'center'});
  const {x, y, width: w, height} = widest.getBoundingClientRect();
  return {x: x + 2, y: y + 2, width: w - 4, height: height - 4};
}"""

CUT_TITLES = """() => [...document.querySelectorAll('.hotmem-controls select')]
  .filter(select => select.offsetWidth > 0)
  .flatMap(select => {
    const chosen = select.selectedIndex;
    const {font, paddingLeft, paddingRight} = getComputedStyle(select);
    const context = document.createElement('canvas').getContext('2d');
    context.font = font;
    const around = parseFloat(paddingLeft) + parseFloat(paddingRight) + 2;
    const cut = [...select.options].filter((option, i) => {
      select.selectedIndex = i;
      return context.measureText(option.text).width + around > select.offsetWidth + 1;
    });
    select.selectedIndex = chosen;
    return cut.map(option => option.text);
  })"""


@pytest.fixture
def stage(page, dashboard):
    """The dashboard's first stage, painted."""
    page.goto(dashboard.address + "/")
    return StagePage(page).wait_until_ready()


@pytest.fixture
def tabs(page, stage):
    """The tabs' titles, to be clicked."""
    return page.get_by_role("tab")


def wait_for_title(page, title):
    """Wait until the stage on show, which is the only one, has painted under some title."""
    shown = page.locator(ON_SHOW)
    expect(shown).to_have_count(1)
    expect(shown.locator(".hotmem-title")).to_have_text(title)
    return shown


def test_a_tab_s_lesson_is_made_when_it_is_first_opened(page, tabs):
    assert page.locator(STAGE).count() == 1
    tabs.nth(2).click()
    wait_for_title(page, "Page tables starve")
    assert page.locator(STAGE).count() == 2
    tabs.nth(0).click()
    wait_for_title(page, "Kernel zones run dry")
    tabs.nth(2).click()
    wait_for_title(page, "Page tables starve")
    assert page.locator(STAGE).count() == 2


def test_arrows_and_enter_open_a_tab(page, tabs):
    tabs.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_for_title(page, "Movable memory by boot option")
    assert tabs.nth(1).get_attribute("aria-selected") == "true"


def test_a_stage_pauses_when_its_tab_is_left_and_is_where_it_was_on_return(page, stage, tabs):
    tabs.nth(2).click()
    starving = wait_for_title(page, "Page tables starve")
    tabs.nth(0).click()
    stage.focus()
    stage.press("ArrowRight")
    stage.press("Space")
    stage.wait_for("playing", "true")
    tabs.nth(2).click()
    stage.wait_for_attached("playing", "false")
    left, picture = stage.tick, stage.canvas.evaluate("canvas => canvas.toDataURL()")
    assert starving.get_attribute("data-tick") == "0"
    tabs.nth(0).click()
    wait_for_title(page, "Kernel zones run dry")
    assert stage.tick == left
    assert stage.canvas.evaluate("canvas => canvas.toDataURL()") == picture


def test_a_hidden_stage_fits_the_room_it_finds_when_it_is_shown(page, stage, tabs):
    tabs.nth(2).click()
    wait_for_title(page, "Page tables starve")
    page.set_viewport_size({"width": 1000, "height": 700})
    tabs.nth(0).click()
    wait_for_title(page, "Kernel zones run dry")
    page.wait_for_function(
        """() => {
          const root = document.querySelector('.hotmem-stage');
          const map = root.querySelector('.hotmem-map').getBoundingClientRect();
          return map.width > 500 && map.right <= root.getBoundingClientRect().right
            && document.documentElement.scrollWidth <= 1000;
        }"""
    )


def test_a_theme_chosen_on_one_stage_is_that_of_the_whole_dashboard(page, stage, tabs):
    stage.focus()
    stage.press("t")
    stage.press("t")
    stage.wait_for("theme", "dark")
    tabs.nth(2).click()
    starving = wait_for_title(page, "Page tables starve")
    assert starving.get_attribute("data-theme") == "dark"
    ground = page.locator(".hotmem-dashboard").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == starving.evaluate("e => getComputedStyle(e).backgroundColor")


def test_lanes_keep_their_hatches_while_a_hidden_stage_has_lanes_too(page, tabs):
    for title in ("Stop the machine and re-point a section", "Strategies side by side"):
        page.get_by_role("tab", name=title).click()
        shown = wait_for_title(page, title)
        shown.focus()
        page.keyboard.press("End")
        shown.get_by_role("button", name="CPU lanes").click()
        page.evaluate(NEXT_FRAME)
        assert shown.evaluate(FOREIGN) == []
        png = page.screenshot(clip=shown.evaluate(WIDEST))
        colours = np.unique(np.array(Image.open(BytesIO(png))).reshape(-1, 3), axis=0)
        assert len(colours) > 1, title


def test_the_title_of_what_is_chosen_is_never_cut(page, tabs):
    for i in range(tabs.count()):
        tabs.nth(i).click()
        page.locator(ON_SHOW).wait_for()
        assert page.evaluate(CUT_TITLES) == [], tabs.nth(i).inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_no_zone_is_cut_off_under_the_controls(page, tabs):
    tabs.nth(3).click()
    shown = wait_for_title(page, "Hot-remove and what stays behind")
    zones = shown.locator(".hotmem-zones:visible")
    high, room = zones.evaluate("el => [el.scrollHeight, el.clientHeight]")
    assert high <= room + 1
