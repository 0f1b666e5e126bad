"""Several boots on one map: the caption is in sight, later boots are not, pfns are their own."""

from __future__ import annotations

import re

import pytest

import hotmem_viz
from hotmem_viz.views.palette import colour
from tests.browser.stage import StagePage, open_exported

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recording():
    """Three boots of a machine whose boards change."""
    return hotmem_viz.run("boot_options", seed=7)


@pytest.fixture
def stage(page, recording, tmp_path):
    """The exported page's stage."""
    return open_exported(page, recording, tmp_path)


def hover(stage: StagePage, section: int) -> str:
    """Return what is said of the middle of a section; nothing if nothing is."""
    stage.page.mouse.move(2, 2)
    stage.page.mouse.move(*stage.root.evaluate(f"root => root.hotmem.middleOf({section})"))
    tooltip = stage.root.locator(".hotmem-tooltip")
    return tooltip.inner_text() if tooltip.is_visible() else ""


def ground_of(stage: StagePage, section: int) -> str:
    """Return the colour of the map in the middle of a section."""
    middle = f"""canvas => {{
      const box = canvas.getBoundingClientRect();
      const [x, y] = canvas.closest('.hotmem-stage').hotmem.middleOf({section});
      const {{data}} = canvas.getContext('2d').getImageData(x - box.left, y - box.top, 1, 1);
      return [...data.slice(0, 3)];
    }}"""
    red, green, blue = stage.canvas.evaluate(middle)
    return f"#{red:02x}{green:02x}{blue:02x}"


def test_the_caption_stands_above_the_fold_of_a_projector(stage):
    assert stage.page.viewport_size == {"width": 1280, "height": 720}
    box = stage.root.locator(".hotmem-caption").bounding_box()
    assert box["y"] + box["height"] <= 720


def test_a_later_boot_is_hidden_until_it_comes_and_speaks_of_its_own_pfns(stage, recording):
    pages = recording.meta["machine"]["section_pages"]
    band = recording.meta["boots"][1]["first_pfn"]
    boots = [c["name"] for c in recording.meta["counters"]].index("boots")
    tick = recording.counters_array[:, boots].tolist().index(2)
    section = band // pages + 2
    stage.seek(tick - 1)
    before = stage.picture()
    assert ground_of(stage, section) == colour("panel", "light")
    assert hover(stage, section) == ""
    assert "§2, page" in hover(stage, 2)
    stage.seek(tick)
    after = stage.picture()
    assert after != before
    assert ground_of(stage, section) != colour("panel", "light")
    told = hover(stage, section)
    [pfn] = re.findall(r"pfn\s+([\d,]+)", told)
    assert 2 * pages <= int(pfn.replace(",", "")) < 3 * pages
    assert "§2, page" in told
    stage.seek(tick - 1)
    assert stage.picture() == before


def test_nothing_is_said_to_be_free_of_a_zone_without_pages(page, tmp_path):
    recording = hotmem_viz.run("stop_machine", seed=7)
    empty = [z for z in recording.meta["zones"] if z["present"] == 0]
    assert empty
    page.set_viewport_size({"width": 1920, "height": 1080})
    stage = open_exported(page, recording, tmp_path)
    zones = stage.root.locator(".hotmem-zone-free").all_inner_texts()
    assert [text.strip() for text in zones].count("empty") == len(empty)
    assert not any("of 4 KiB" in text for text in zones)
