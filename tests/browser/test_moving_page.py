"""Sections change state on the map and back, and pages that move are seen to move."""

from __future__ import annotations

import pytest

import hotmem_viz
from hotmem_viz.views.section_looks import SECTIONS
from hotmem_viz.vocabulary import SectionState
from tests.browser.stage import StagePage, open_exported

pytestmark = pytest.mark.browser

SECTION, TARGET = 37, 45
FLYING = ".hotmem-flights.hotmem-lit"
AT_REST = ".hotmem-flights:not(.hotmem-lit)"


@pytest.fixture(scope="module")
def recording():
    """A section that is emptied, stopped and re-pointed to another."""
    return hotmem_viz.run("stop_machine", seed=7, section=SECTION)


@pytest.fixture(scope="module")
def ticks(recording):
    """The first tick of each state of the section, and of the first move."""
    i = recording.meta["sections"].index(SECTION)
    states = [int(recording.sections.frame(t)[i]) for t in range(recording.n_ticks)]
    first = {SectionState(s): states.index(s) for s in sorted(set(states))}
    return first, int(recording.rows["moves"].tick[0])


@pytest.fixture
def stage(page, recording, tmp_path):
    """The exported page's stage."""
    return open_exported(page, recording, tmp_path)


def step(stage: StagePage, key: str, tick: int) -> None:
    stage.press(key)
    stage.wait_for("tick", str(tick))


def map_name(stage: StagePage) -> str:
    return stage.canvas.get_attribute("aria-label") or ""


def outlines(stage: StagePage) -> list[bool]:
    paths = stage.root.locator(".hotmem-move-source, .hotmem-move-target").all()
    return [bool(path.get_attribute("d")) for path in paths]


def test_a_state_comes_with_its_tick_and_goes_when_time_steps_back(stage, ticks):
    first, _ = ticks
    tick = first[SectionState.RESERVING]
    hue = SECTIONS[SectionState.TARGET].light
    stage.focus()
    stage.seek(tick - 1)
    before = stage.picture()
    assert before.colours.get(hue, 0) == 0
    assert map_name(stage) == f"memory map: section {SECTION} residual"
    step(stage, "ArrowRight", tick)
    after = stage.picture()
    assert after.colours[hue] > 100
    assert f"section {SECTION} reserving" in map_name(stage)
    assert f"section {TARGET} target" in map_name(stage)
    step(stage, "ArrowLeft", tick - 1)
    assert stage.picture() == before
    stage.seek(0)
    stage.seek(tick)
    assert stage.picture() == after


def test_the_legend_the_hover_and_the_section_in_detail_say_the_state(stage, ticks, page):
    first, _ = ticks
    tick = first[SectionState.OFFLINE_MIGRATED]
    stage.seek(tick)
    rows = stage.root.locator(".hotmem-legend-state")
    listed = [row.get_attribute("data-state") for row in rows.all()]
    assert set(listed) == {state.name.lower() for state in first} | {"target"}
    now = stage.root.locator(".hotmem-legend-state.hotmem-now").all()
    assert {row.get_attribute("data-state") for row in now} == {
        *("online", "offline_migrated", "target"),
    }
    page.mouse.move(*stage.root.evaluate(f"root => root.hotmem.middleOf({SECTION})"))
    tooltip = stage.root.locator(".hotmem-tooltip")
    assert f"§{SECTION}, offline-migrated" in tooltip.inner_text()
    assert "no zone" in tooltip.inner_text()
    assert "no memory" not in tooltip.inner_text()
    page.mouse.click(*stage.root.evaluate(f"root => root.hotmem.middleOf({TARGET})"))
    assert stage.root.locator(".hotmem-detail-title").inner_text() == f"Section §{TARGET} · target"
    stage.seek(0)
    assert stage.root.locator(".hotmem-detail-title").inner_text() == f"Section §{TARGET} · online"


def test_pages_fly_forth_and_back_and_a_jump_only_outlines_them(stage, ticks, recording):
    _, tick = ticks
    moved = int(recording.rows["moves"].at(tick)["pages"].sum())
    told = stage.root.locator(".hotmem-legend-moved")
    stage.focus()
    stage.seek(tick - 1)
    assert outlines(stage) == [False, False]
    stage.press("ArrowRight")
    stage.page.wait_for_selector(FLYING)
    assert told.inner_text() == f"{moved} pages move, 64 drawn"
    assert outlines(stage) == [True, True]
    stage.page.wait_for_selector(AT_REST, state="attached")
    stage.press("ArrowLeft")
    stage.page.wait_for_selector(FLYING)
    assert told.inner_text() == f"{moved} pages move back, 64 drawn"
    stage.page.wait_for_selector(AT_REST, state="attached")
    assert outlines(stage) == [False, False]
    stage.seek(0)
    stage.seek(tick)
    assert stage.page.query_selector(FLYING) is None
    assert outlines(stage) == [True, True]
    assert told.inner_text() == f"{moved} pages move"


def test_nothing_flies_for_those_who_want_less_motion(stage, ticks):
    _, tick = ticks
    stage.page.emulate_media(reduced_motion="reduce")
    stage.focus()
    stage.seek(tick - 1)
    step(stage, "ArrowRight", tick)
    assert stage.page.query_selector(FLYING) is None
    assert outlines(stage) == [True, True]
