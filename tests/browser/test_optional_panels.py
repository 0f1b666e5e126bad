"""Panels that a recording asks for, in an exported page: what they say, who chooses, what fits."""

from __future__ import annotations

import pytest

import hotmem_viz
from tests.browser.stage import open_exported
from tests.scenarios.ledger import column

pytestmark = pytest.mark.browser

PANELS = ".hotmem-deck"
LANES = ".hotmem-lanes-drawing"
MAP = ".hotmem-address-drawing"
BADGE = ".hotmem-address-words .hotmem-unproven"
CUT_OFF = """() => [...document.querySelectorAll('.hotmem-optional')]
  .filter(frame => frame.offsetHeight > 0)
  .filter(frame => frame.scrollHeight > frame.clientHeight + 1
    || frame.scrollWidth > frame.clientWidth + 1)
  .map(frame => frame.getAttribute('aria-label'))"""
WIDE_ENOUGH = "w => document.querySelector('.hotmem-stage').clientWidth > w - 60"
SIZES = [(1280, 720), (1920, 1080), (2500, 1300), (900, 800), (700, 800)]


@pytest.fixture(scope="module")
def recording():
    """A run whose machine stops."""
    return hotmem_viz.run("stop_machine", target="page", failure="corrupt", cpus=12)


@pytest.fixture
def stage(page, recording, tmp_path):
    """The exported page's stage."""
    page.set_viewport_size({"width": 1280, "height": 720})
    return open_exported(page, recording, tmp_path)


def tick_of(recording, kind):
    return next(e.tick for e in recording.event_list if e.kind == kind)


def label(stage, drawing):
    return stage.root.locator(drawing).first.get_attribute("aria-label")


def shown(stage):
    return stage.root.locator(PANELS).get_attribute("data-panels").split(",")


def test_what_the_lanes_say_is_a_function_of_the_tick(stage, recording):
    stop = range(tick_of(recording, "STOPPED"), tick_of(recording, "RESUMED") + 1)
    said = []
    for tick in stop:
        stage.seek(tick)
        stage.root.get_by_role("button", name="CPU lanes").click()
        said.append(label(stage, LANES))
    assert all(words.startswith("12 CPU lanes.") for words in said)
    assert all("by the cost model, not measured" in words for words in said)
    assert len(set(said)) == len(said)
    pause = column(recording, "pause_ns")[-1]
    assert f"{pause / 1e6:.2f} ms pause" in said[-1]
    for tick, words in reversed(list(zip(stop, said, strict=True))):
        stage.seek(tick)
        assert label(stage, LANES) == words


def test_a_part_of_the_pause_leads_to_its_tick(stage, recording):
    stage.seek(tick_of(recording, "STOPPED"))
    stage.root.get_by_role("button", name="walking page tables").focus()
    stage.press("Enter")
    stage.wait_for_tick(f"tick === {tick_of(recording, 'TABLES_WALKED')}")


def test_the_map_tells_both_readings_and_the_device(stage, recording):
    tick = tick_of(recording, "LOOKUP")
    stage.seek(tick)
    assert shown(stage) == ["address_map"]
    mean = column(recording, "loads_mean")[tick]
    slow = column(recording, "loads_slow")[tick]
    words = f"{slow:.0f} if every lookup is slow, {mean:.3f} if only moved sections are."
    assert words in label(stage, MAP)
    assert stage.root.locator(".hotmem-address-packet").count() == 2
    assert stage.root.locator(f"{BADGE}:visible").count() == 1
    corrupted = next(e for e in recording.event_list if e.kind == "CORRUPTED")
    stage.seek(corrupted.tick)
    assert f"the kernel writes {corrupted.pfn:,}." in label(stage, MAP)
    assert stage.root.locator(".hotmem-address-packet").count() == 0
    stage.root.get_by_role("button", name="address map").click()
    stage.seek(0)
    assert "All 64 sections lie where the 1:1 map has them." in label(stage, MAP)
    assert stage.root.locator(f"{BADGE}:visible").count() == 0


def test_events_choose_a_panel_until_a_person_does(stage, page, recording):
    assert shown(stage) == ["chart"]
    stage.seek(tick_of(recording, "DEVICE_PAGE"))
    assert shown(stage) == ["address_map"]
    stage.seek(tick_of(recording, "STOPPED"))
    assert shown(stage) == ["lanes"]
    stage.seek(tick_of(recording, "TABLE_WRITTEN"))
    assert shown(stage) == ["address_map"]
    stage.root.get_by_role("button", name="time chart").focus()
    stage.press("Enter")
    assert shown(stage) == ["chart"]
    assert stage.root.locator(".hotmem-chart").is_visible()
    stage.seek(tick_of(recording, "STOPPED"))
    assert shown(stage) == ["chart"]
    stage.root.focus()
    stage.press("p")
    assert shown(stage) == ["lanes"]
    stage.root.get_by_role("button", name="follow events").click()
    stage.seek(tick_of(recording, "LOOKUP"))
    assert shown(stage) == ["address_map"]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(stage, page, recording, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    if size[0] < 1000:
        page.wait_for_selector(".hotmem-stage:not(.hotmem-wide)")
    else:
        page.wait_for_function(WIDE_ENOUGH, arg=size[0])
    for event in recording.event_list:
        if event.mark:
            stage.seek(event.tick)
            assert page.evaluate(CUT_OFF) == [], event.kind
    width = page.evaluate("() => document.scrollingElement.scrollWidth")
    assert width <= size[0]
    if size[0] >= 1280:
        assert page.evaluate("() => document.scrollingElement.scrollHeight") <= size[1]


def test_a_recording_without_panels_has_none(page, tmp_path):
    recording = hotmem_viz.run("exhaustion", movable=0.85, seed=7)
    stage = open_exported(page, recording, tmp_path)
    assert stage.root.locator(PANELS).is_hidden()
    assert stage.root.locator(".hotmem-chart").is_visible()
    assert "hotmem-decked" not in (stage.root.get_attribute("class") or "")
