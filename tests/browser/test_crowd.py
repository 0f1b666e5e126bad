"""Six strategies on one cursor in a browser: six maps, words of one of them, a live scoreboard."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz.recording.measures import describe_measures
from hotmem_viz.units import format_bytes
from tests.browser.stage import NEXT_FRAME, READ_CANVAS, open_offline

pytestmark = pytest.mark.browser

MAPS = ".hotmem-run canvas[role=img]"
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(
    '.hotmem-run, .hotmem-transport, .hotmem-caption, .hotmem-deck, .hotmem-zones, .hotmem-legend')]
    .map(e => e.getBoundingClientRect()).filter(b => b.width * b.height > 0);
  return boxes.flatMap((a, i) => boxes.slice(0, i).filter(b =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)).length;
}"""


@pytest.fixture(scope="module")
def lineup():
    """All strategies of a seed of its own."""
    return hotmem_viz.strategies(seed=11).lineup


@pytest.fixture
def stage(page, lineup, tmp_path):
    """The exported page's stage, with the network off."""
    return open_offline(page, lineup, tmp_path)


def pictures(page):
    """Return a hash of each side's map, once a frame has been painted."""
    page.evaluate(NEXT_FRAME)
    maps = page.locator(MAPS)
    return [maps.nth(i).evaluate(READ_CANVAS)["hash"] for i in range(maps.count())]


def test_six_maps_go_on_and_back_together(page, stage, lineup):
    stage.focus()
    runs = page.locator(".hotmem-run")
    assert runs.count() == 6
    seen = {}
    for position in (0, 5, 15, 40, lineup.n_positions - 1):
        stage.seek(position)
        stood = [int(runs.nth(i).get_attribute("data-tick") or -1) for i in range(6)]
        assert stood == lineup.ticks[position].tolist()
        seen[position] = pictures(page)
        assert len(set(seen[position])) >= 3
    for position in (40, 15, 5, 0):
        stage.seek(position)
        assert pictures(page) == seen[position]
    stage.press("ArrowRight")
    stage.wait_for("tick", "1")
    stage.press("ArrowLeft")
    stage.wait_for("tick", "0")
    assert pictures(page) == seen[0]


def test_words_are_about_the_side_in_focus(page, stage, lineup):
    stage.focus()
    stage.seek(lineup.n_positions - 1)
    captions, lines = page.locator(".hotmem-caption-title"), page.locator(".hotmem-run-line")
    said = [r.event_list[-1].title for r in lineup.recordings]
    for side in (5, 0, 2):
        stage.press(str(side + 1))
        page.locator(f'.hotmem-run.hotmem-side{side}[aria-current="true"]').wait_for()
        assert captions.all_inner_texts() == [said[side]]
    # A click on another map is to that side; the next one opens the section that lies there.
    runs = page.locator(".hotmem-run")
    runs.nth(4).locator("canvas[role=img]").click(position={"x": 45, "y": 12})
    page.locator('.hotmem-run.hotmem-side4[aria-current="true"]').wait_for()
    assert captions.all_inner_texts() == [said[4]]
    assert not page.locator(".hotmem-detail").is_visible()
    runs.nth(4).locator("canvas[role=img]").click(position={"x": 45, "y": 12})
    page.locator(".hotmem-detail").wait_for()
    stage.press("Escape")
    page.locator(".hotmem-detail").wait_for(state="hidden")
    assert [line.split("\n")[0][:12] for line in lines.all_inner_texts()] == [
        title.removeprefix(f"{name}: ")[:12]
        for title, name in zip(said, lineup.titles, strict=True)
    ]


def test_the_scoreboard_is_what_the_counters_say_at_the_cursor(page, stage, lineup):
    stage.focus()
    names = [m["name"] for m in describe_measures()]
    rows = page.locator(".hotmem-score-row")
    for position in (12, lineup.n_positions - 1):
        stage.seek(position)
        for side, recording in enumerate(lineup.recordings):
            row = recording.counters.iloc[lineup.ticks[position, side]]
            cells = rows.nth(side).locator("td").all_inner_texts()
            found = dict(zip(names, (cell.lstrip("★▽ ") for cell in cells), strict=True))
            asked, gone = int(row["sections_asked"]), int(row["sections_removed"])
            assert found["removed"] == f"{gone} of {asked}"
            assert found["decisions"] == str(int(row["decisions"]))
            assert found["given"] == format_bytes(int(row["metadata_given"]) * 4096)


NAMES_OUTSIDE = """() => {
  const chart = document.querySelector('.hotmem-chart').getBoundingClientRect();
  return [...document.querySelectorAll('.hotmem-chart-name')].map(e => e.getBoundingClientRect())
    .filter(b => b.top < chart.top || b.bottom > chart.bottom || b.right > chart.right).length;
}"""


@pytest.mark.parametrize("height", [900, 1080])
def test_the_names_of_six_lines_stay_inside_the_chart(page, stage, height):
    page.set_viewport_size({"width": 1920, "height": height})
    page.locator(".hotmem-chart-name").nth(5).wait_for()
    page.evaluate(NEXT_FRAME)
    assert page.evaluate(NAMES_OUTSIDE) == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (900, 700)])
def test_nothing_overlaps_and_a_projector_need_not_scroll(page, stage, width, height):
    page.set_viewport_size({"width": width, "height": height})
    stage.focus()
    page.evaluate(NEXT_FRAME)
    assert page.evaluate(OVERLAPS) == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1280:
        assert page.evaluate("document.documentElement.scrollHeight") <= height
    sizes = page.locator(".hotmem-stage").evaluate(
        """root => [...root.querySelectorAll(':not(.hotmem-swatch)')].filter(e =>
          e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
          .map(e => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert min(sizes) >= 14
