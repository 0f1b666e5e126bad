"""The strategies lesson in the dashboard: six maps, a scoreboard beneath, two chosen instead."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.stage import StagePage

pytestmark = pytest.mark.browser

ON_SHOW = '.hotmem-stage[data-ready="true"]:visible'


@pytest.fixture
def lesson(page, dashboard):
    """The strategies tab, painted, with its scoreboard."""
    page.goto(dashboard.address + "/")
    StagePage(page).wait_until_ready()
    page.get_by_role("tab", name="Strategies side by side").click()
    shown = page.locator(ON_SHOW)
    shown.locator(".hotmem-title", has_text="Strategies side by side").wait_for()
    page.locator(".hotmem-scoreboard tbody tr").nth(5).wait_for()
    return shown


def test_six_are_on_the_stage_and_on_the_board_inside_the_page(page, lesson):
    expect(lesson.locator(".hotmem-run canvas[role=img]")).to_have_count(6)
    for title in ("No ZONE_MOVABLE", "stop_machine remap"):
        expect(lesson.get_by_text(title, exact=True).first).to_be_visible()
    board = page.locator(".hotmem-scoreboard")
    board.scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    size = board.locator("td").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 14
    names = board.get_by_role("rowheader").all_inner_texts()
    assert names[-2:] == ["Release callbacks, as on other systems †", "stop_machine remap †"]


def test_two_come_on_the_stage_instead(page, lesson):
    page.get_by_label("beside it").locator("visible=true").select_option("auto-movable policy")
    lesson.get_by_text("The auto-movable policy", exact=True).first.wait_for()
    expect(lesson.locator(".hotmem-run canvas[role=img]")).to_have_count(2)
    expect(lesson.get_by_text("stop_machine remap", exact=True)).to_have_count(0)
