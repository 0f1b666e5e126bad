"""Two kernels on one cursor in a browser: both maps play, step back and meet their own marks."""

from __future__ import annotations

import pytest

import hotmem_viz
from tests.browser.stage import NEXT_FRAME, READ_CANVAS, StagePage, open_offline

pytestmark = pytest.mark.browser

MAPS = ".hotmem-run canvas[role=img]"


@pytest.fixture(scope="module")
def pair():
    """The lesson under two kernels."""
    return hotmem_viz.beside("exhaustion", ("6.1", "7.2"), movable=0.85)


@pytest.fixture
def stage(page, pair, tmp_path):
    """The exported page's stage, with the network off."""
    return open_offline(page, pair, tmp_path)


def pictures(stage):
    """Return a hash of each side's map, once a frame has been painted."""
    stage.page.evaluate(NEXT_FRAME)
    maps = stage.page.locator(MAPS)
    return [maps.nth(i).evaluate(READ_CANVAS)["hash"] for i in range(maps.count())]


def ticks(stage):
    """Return the tick at which each side stands."""
    runs = stage.page.locator(".hotmem-run")
    return [int(runs.nth(i).get_attribute("data-tick") or -1) for i in range(runs.count())]


def test_both_maps_go_forwards_and_the_same_way_back(stage, pair):
    assert (stage.tick, stage.ticks) == (0, pair.n_positions)
    stage.focus()
    first = pictures(stage)
    assert len(first) == 2
    seen = []
    for position in range(1, 7):
        stage.press("ArrowRight")
        stage.wait_for("tick", str(position))
        assert ticks(stage) == pair.ticks[position].tolist()
        seen.append(pictures(stage))
    for side in (0, 1):
        assert len({picture[side] for picture in seen}) > 3
    for position in range(5, 0, -1):
        stage.press("ArrowLeft")
        stage.wait_for("tick", str(position))
        assert pictures(stage) == seen[position - 1]
    stage.press("Home")
    stage.wait_for("tick", "0")
    assert pictures(stage) == first


def test_it_plays_to_the_end_and_arrives_where_a_jump_does(stage, pair):
    stage.focus()
    stage.press("End")
    stage.wait_for_tick("tick === ticks - 1")
    last = pictures(stage)
    assert last[0] != last[1], "two kernels do not end alike"
    for _ in range(9):
        stage.press("ArrowLeft")
    stage.wait_for_tick("tick === ticks - 10")
    stage.press("Space")
    stage.wait_for("playing", "true")
    stage.wait_for_tick("tick === ticks - 1")
    stage.wait_for("playing", "false")
    assert pictures(stage) == last
    assert ticks(stage) == [r.n_ticks - 1 for r in pair.recordings]


def test_the_clickers_keys_meet_the_marks_of_both(stage, page, pair):
    stage.focus()
    found: dict[int, list[tuple[int, int]]] = {position: [] for position, *_ in pair.marks}
    for position, side, tick in pair.marks:
        found[position].append((side, tick))
    for position in sorted(found):
        stage.press("PageDown")
        stage.wait_for("tick", str(position))
        for side, tick in found[position]:
            assert ticks(stage)[side] == tick
            told = page.locator(".hotmem-caption").nth(side).inner_text()
            wanted = [
                e.title for e in pair.recordings[side].event_list if e.tick == tick and e.mark
            ]
            assert any(title in told for title in wanted), (position, side)
    bars = [page.locator(f".hotmem-mark-of{side}").count() for side in (0, 1)]
    assert bars == [sum(1 for _, s, _ in pair.marks if s == side) for side in (0, 1)]


def test_a_side_that_has_ended_says_so(stage, page, pair):
    ends = [pair.position_of(side, r.n_ticks - 1) for side, r in enumerate(pair.recordings)]
    early = ends.index(min(ends))
    assert ends[early] < pair.n_positions - 1
    stage.focus()
    stage.press("End")
    stage.wait_for_tick("tick === ticks - 1")
    places = page.locator(".hotmem-run-place")
    assert "ended at" in places.nth(early).inner_text()
    assert "ended" not in places.nth(1 - early).inner_text()


def test_each_map_answers_the_pointer_for_itself(stage, page):
    spot = {"x": 70, "y": 50}
    maps = page.locator(MAPS)
    maps.nth(1).hover(position=spot)
    page.locator(".hotmem-tooltip").get_by_text("pfn").first.wait_for()
    assert page.locator(".hotmem-hover:not([hidden])").count() == 2, "the same section on both"
    maps.nth(1).click(position=spot)
    page.locator(".hotmem-detail-title", has_text="B · Section").wait_for()
    assert page.locator(".hotmem-pick:not([hidden])").count() == 1
    stage.press("Escape")
    page.locator(".hotmem-detail").wait_for(state="hidden")
    maps.nth(0).click(position=spot)
    page.locator(".hotmem-detail-title", has_text="A · Section").wait_for()


@pytest.mark.parametrize(("width", "beside"), [(700, False), (1024, True), (1920, True)])
def test_sides_stand_beside_one_another_where_there_is_room(stage, page, width, beside):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(
        "width => document.querySelector('.hotmem-stage').clientWidth <= width", arg=width
    )
    page.evaluate(NEXT_FRAME)
    boxes = [page.locator(MAPS).nth(i).bounding_box() for i in (0, 1)]
    a, b = (box for box in boxes if box is not None)
    assert (abs(a["y"] - b["y"]) < 1) is beside
    assert (a["x"] + a["width"] <= b["x"]) is beside
    assert max(a["x"] + a["width"], b["x"] + b["width"]) <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_dashboard_shows_a_second_kernel_and_goes_back_to_one(page, sent, dashboard):
    page.goto(dashboard.address + "/")
    stage = StagePage(page).wait_until_ready()
    alone = stage.ticks
    choice = page.get_by_label("beside it")
    choice.select_option(label="Linux 7.2")
    page.wait_for_selector(".hotmem-stage.hotmem-pair")
    page.wait_for_function(f"document.querySelectorAll({MAPS!r}).length === 2")
    stage.wait_for("busy", "false")
    pair = hotmem_viz.beside("exhaustion", ("", "7.2"))
    assert stage.ticks == pair.n_positions
    names = page.locator(".hotmem-run-name")
    assert [names.nth(i).inner_text() for i in (0, 1)] == list(pair.titles)

    stage.focus()
    before = len(sent)
    stage.press("Space")
    stage.wait_for("playing", "true")
    stage.wait_for_tick("tick >= 20")
    told = len(sent) - before
    stage.press("Space")
    stage.wait_for("playing", "false")
    assert told == 0
    assert page.locator(".hotmem-chart svg").count() == 1

    choice.select_option(label="none")
    page.wait_for_selector(".hotmem-stage:not(.hotmem-pair)")
    page.wait_for_function(f"document.querySelectorAll({MAPS!r}).length === 1")
    stage.wait_for("ticks", str(alone))
