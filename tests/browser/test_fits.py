"""Every scenario as it begins fits a projector: no page that scrolls, nothing cut off."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz.catalog import SCENARIOS
from tests.browser.stage import open_exported

pytestmark = pytest.mark.browser

PARTS = (
    ".hotmem-caption",
    ".hotmem-zones",
    ".hotmem-legend",
    ".hotmem-optional",
    ".hotmem-meters-list",
    ".hotmem-zone-remote",
)
CUT_OFF = """parts => [...document.querySelectorAll(parts)]
  .filter(el => el.offsetHeight > 0)
  .filter(el => el.scrollHeight > el.clientHeight + 1 || el.scrollWidth > el.clientWidth + 1)
  .map(el => `${el.className}: ${el.scrollWidth} x ${el.scrollHeight}`)"""
PAGE = "() => [document.scrollingElement.scrollWidth, document.scrollingElement.scrollHeight]"


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_fits_a_projector_at_every_mark(page, tmp_path, name, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    recording = hotmem_viz.run(name)
    stage = open_exported(page, recording, tmp_path)
    for tick in sorted({0, *(e.tick for e in recording.event_list if e.mark)}):
        stage.seek(tick)
        assert page.evaluate(CUT_OFF, ", ".join(PARTS)) == [], tick
    assert page.evaluate(PAGE) == list(size)
