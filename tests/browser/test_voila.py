"""The dashboard in a browser: it paints, plays without its kernel, and answers a slider."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.views.palette import KINDS
from hotmem_viz.vocabulary import PageKind
from tests.browser.stage import StagePage, is_visible_2d_canvas

pytestmark = pytest.mark.browser


@pytest.fixture
def stage(page, sent, dashboard):
    """The dashboard's stage, painted."""
    page.goto(dashboard.address + "/")
    return StagePage(page).wait_until_ready()


def test_the_page_opens_paused_at_the_start_with_the_map_painted(stage, page):
    assert is_visible_2d_canvas(page)
    assert (stage.tick, stage.is_playing) == (0, False)
    assert stage.ticks > 100
    colours = stage.picture().colours
    cells = np.bincount(hotmem_viz.run("exhaustion").frame(0), minlength=len(PageKind))
    # A cell is a pixel or two here, so a lone one may lie under a stroke of its hatching.
    shown = [kind for kind in PageKind if kind != PageKind.HOLE and cells[kind] > 1]
    assert len(shown) >= 8
    assert [kind.name for kind in shown if KINDS[kind].light not in colours] == []


def test_no_source_and_no_failed_cell_is_on_the_page(stage, page):
    text = page.inner_text("body")
    assert "import hotmem_viz" not in page.content()
    assert "error when executing" not in text
    assert "Traceback" not in text


def test_space_plays_and_nothing_is_said_to_the_kernel_meanwhile(stage, page, sent):
    assert sent
    stage.focus()
    before = len(sent)
    stage.press("Space")
    stage.wait_for("playing", "true")
    stage.wait_for_tick("tick >= 20")
    told = len(sent) - before
    stage.press("Space")
    stage.wait_for("playing", "false")
    assert told == 0
    assert page.evaluate("scrollY") == 0


def test_stepping_back_returns_the_same_pixels(stage):
    stage.focus()
    first = stage.picture()
    seen = []
    for tick in range(1, 6):
        stage.press("ArrowRight")
        stage.wait_for("tick", str(tick))
        seen.append(stage.picture())
    assert len({picture.hash for picture in seen}) > 1
    for tick in range(4, 0, -1):
        stage.press("ArrowLeft")
        stage.wait_for("tick", str(tick))
        assert stage.picture() == seen[tick - 1]
    stage.press("Home")
    stage.wait_for("tick", "0")
    assert stage.picture() == first


def test_page_keys_go_from_mark_to_mark(stage):
    marks = sorted({event.tick for event in hotmem_viz.run("exhaustion").event_list if event.mark})
    stage.focus()
    for tick in [t for t in marks if t > 0]:
        stage.press("PageDown")
        stage.wait_for("tick", str(tick))
    stage.press("PageUp")
    stage.wait_for("tick", str(marks[-2] if len(marks) > 1 else 0))


def test_moving_a_slider_runs_again_and_repaints(stage, page):
    stage.focus()
    stage.press("End")
    stage.wait_for_tick("tick === ticks - 1")
    before = stage.picture()
    handle = page.locator(".widget-slider .noUi-handle, .widget-slider input").first
    handle.focus()
    for _ in range(3):
        handle.press("ArrowLeft")
    stage.wait_for_other_picture(before)
    stage.focus()
    stage.press("End")
    stage.wait_for_tick("tick === ticks - 1")
    stage.wait_for_other_picture(before)


def test_an_error_in_a_callback_shows_on_the_page_and_goes_when_it_is_mended(stage, page):
    boot = page.get_by_placeholder("kernelcore").first
    boot.fill("kernelcor=8G")
    boot.press("Enter")
    panel = page.locator(".hotmem-error")
    panel.get_by_text("kernelcor").first.wait_for()
    boot.fill("kernelcore=64M")
    boot.press("Enter")
    panel.get_by_text("kernelcor").first.wait_for(state="hidden")


def test_the_reader_s_dark_is_followed(page, dashboard):
    page.emulate_media(color_scheme="dark")
    page.goto(dashboard.address + "/")
    stage = StagePage(page).wait_until_ready()
    assert stage.data("theme") == "dark"
    assert KINDS[PageKind.FREE].dark in stage.picture().colours
