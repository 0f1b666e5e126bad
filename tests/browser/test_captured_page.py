"""A captured kernel's page: two runs on one cursor, a map that says of which tick it is."""

from __future__ import annotations

import pytest

from hotmem_viz.kernel.capture_show import load_capture
from tests.browser.stage import open_exported

pytestmark = pytest.mark.browser

NOTE = ".hotmem-map-note"
CAPTION = ".hotmem-caption"


@pytest.fixture(scope="module")
def shown():
    """A captured load beside the model's run of it."""
    return load_capture("b-files-85")


def open_page(page, shown, folder):
    page.context.set_offline(True)
    return open_exported(page, shown, folder)


def seek(page, tick):
    page.evaluate("t => document.querySelector('.hotmem-stage').hotmem.seek(t)", tick)


def test_both_runs_and_the_note_of_the_captured_map(page, shown, tmp_path):
    stage = open_page(page, shown, tmp_path)
    assert stage.ticks == shown.pair.n_positions
    notes = page.locator(NOTE)
    assert notes.count() == 2
    assert notes.nth(0).inner_text() == "Pages as read at this tick (boot)"
    assert notes.nth(1).inner_text() == ""
    heights = [notes.nth(i).bounding_box()["height"] for i in range(2)]
    assert heights[0] == heights[1] > 0
    first = stage.picture()
    near = shown.capture.meta["maps"][1]["tick"]
    seek(page, shown.pair.position_of(0, near) - 1)
    assert notes.nth(0).inner_text() == f"Pages as read at tick 0 (boot); next: tick {near}"
    assert stage.picture() == first
    seek(page, shown.pair.position_of(0, near))
    assert notes.nth(0).inner_text() == "Pages as read at this tick (zones nearly full)"
    assert stage.picture() != first


def test_the_caption_of_the_oom_is_the_reports(page, shown, tmp_path):
    stage = open_page(page, shown, tmp_path)
    (oom,) = [e for e in shown.capture.event_list if e.kind == "OOM"]
    seek(page, shown.pair.position_of(0, oom.tick))
    stage.picture()
    words = page.locator(CAPTION).nth(0).inner_text()
    assert oom.title in words
    assert "It does not print ZONE_MOVABLE at all" in words


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (820, 700)])
def test_nothing_is_wider_than_the_window(page, shown, tmp_path, width, height):
    page.set_viewport_size({"width": width, "height": height})
    open_page(page, shown, tmp_path)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    if width > 1000:
        transport = page.locator(".hotmem-stage button[aria-label^='Play']").first.bounding_box()
        assert transport["y"] + transport["height"] <= height


def test_without_page_flags_the_map_is_said_to_be_missing(page, shown, tmp_path):
    alone = load_capture("b-files-85", model=False)
    object.__setattr__(alone.capture, "kind", None)
    alone.capture.meta["maps"].clear()
    open_page(page, alone, tmp_path)
    assert page.locator(NOTE).inner_text() == "No page flags were captured: this run has no map."
    page.locator("canvas").first.hover(position={"x": 150, "y": 60})
    assert not page.locator(".hotmem-tooltip").is_visible()
