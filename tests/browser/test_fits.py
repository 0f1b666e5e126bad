"""Every scenario as it begins fits a projector and a notebook's cell: nothing is cut off."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz.catalog import SCENARIOS
from hotmem_viz.kernel.capture_show import load_capture
from hotmem_viz.recording.pair import pair_recordings
from tests.browser.stage import open_exported

pytestmark = pytest.mark.browser

PARTS = (
    ".hotmem-caption",
    ".hotmem-zones",
    ".hotmem-legend",
    ".hotmem-optional",
    ".hotmem-meters-list",
    ".hotmem-zone-remote",
    ".hotmem-lanes-head",
    ".hotmem-lanes-legend",
)
CUT_OFF = """parts => [...document.querySelectorAll(parts)]
  .filter(el => el.offsetHeight > 0)
  .filter(el => el.scrollHeight > el.clientHeight + 1 || el.scrollWidth > el.clientWidth + 1)
  .map(el => `${el.className}: ${el.scrollWidth} x ${el.scrollHeight}`)"""
PAGE = "() => [document.scrollingElement.scrollWidth, document.scrollingElement.scrollHeight]"


WIDE = [(1280, 720), (1920, 1080)]
NARROW = [(700, 800), (900, 700)]


def cut_off(stage, recording):
    """Return what is cut off at any mark, by its tick."""
    ticks = sorted({0, *(e.tick for e in recording.event_list if e.mark)})
    found = {}
    for tick in ticks:
        stage.seek(tick)
        found[tick] = stage.page.evaluate(CUT_OFF, ", ".join(PARTS))
    return {tick: parts for tick, parts in found.items() if parts}


@pytest.mark.parametrize("size", [*WIDE, *NARROW])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_fits_a_projector_at_every_mark(page, tmp_path, name, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    recording = hotmem_viz.run(name)
    stage = open_exported(page, recording, tmp_path)
    assert cut_off(stage, recording) == {}
    width, height = page.evaluate(PAGE)
    assert width == size[0]
    if size in WIDE:
        assert height == size[1]


@pytest.mark.parametrize("size", [(700, 800), (1024, 768), (1920, 1080)])
def test_two_machines_that_stop_are_told_in_columns_that_hold_the_words(page, tmp_path, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    left, right = (hotmem_viz.run("stop_machine", cpus=cpus) for cpus in (8, 12))
    stage = open_exported(page, pair_recordings(left, right), tmp_path)
    tab = stage.root.locator(".hotmem-deck-strip button", has_text="CPU lanes")
    if tab.is_visible():
        tab.click()
    assert stage.root.locator(".hotmem-lanes-head:visible").count() == 2
    assert cut_off(stage, left) == {}


def test_a_recording_of_a_single_moment_says_so_instead_of_a_chart(page, tmp_path):
    shown = load_capture("a-none", model=False)
    assert shown.capture.n_ticks == 1
    stage = open_exported(page, shown, tmp_path)
    chart = stage.root.locator(".hotmem-chart")
    assert "a single moment" in chart.inner_text()
    assert chart.locator("svg").count() == 0
    assert not chart.locator(".hotmem-chart-cursor").is_visible()
