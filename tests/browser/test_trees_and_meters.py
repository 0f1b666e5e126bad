"""Page-table trees and meters in the exported page: they follow the ticks both ways."""

from __future__ import annotations

from typing import Any

import pytest

import hotmem_viz
from tests.browser.stage import NEXT_FRAME, open_offline
from tests.scenarios.ledger import column

pytestmark = pytest.mark.browser

READ_TREES = """() => {
  const root = document.querySelector('.hotmem-trees');
  const all = [...root.querySelectorAll('.hotmem-table')];
  const shown = all.filter(el => el.style.display !== 'none');
  const count = name => shown.filter(el => el.classList.contains(`hotmem-table-${name}`)).length;
  return {
    boxes: shown.length,
    ...Object.fromEntries(['new', 'gone', 'visited', 'rewritten', 'moved'].map(n => [n, count(n)])),
    label: root.getAttribute('aria-label'),
  };
}"""
READ_METERS = """() => Object.fromEntries([...document.querySelectorAll('.hotmem-meter')].map(el =>
  [el.querySelector('.hotmem-chip').textContent, el.getAttribute('aria-label')
    ?? el.querySelector('svg').getAttribute('aria-label')]))"""


def show_panel(stage, name):
    tab = stage.page.locator(".hotmem-deck-strip .hotmem-segment", has_text=name)
    if tab.count() and tab.first.is_visible():
        tab.first.click()


def go(stage, tick):
    stage.seek(tick)
    stage.page.evaluate(NEXT_FRAME)


@pytest.fixture(scope="module")
def stopped():
    return hotmem_viz.run("stop_machine", devices=0.03)


def tick_of(recording, kind):
    return next(e.tick for e in recording.event_list if e.kind == kind)


def test_trees_light_up_at_the_walk_and_not_beside_it(page, stopped, tmp_path):
    stage = open_offline(page, stopped, tmp_path)
    show_panel(stage, "page tables")
    walk = tick_of(stopped, "TABLES_WALKED")
    seen: dict[int, dict[str, Any]] = {}
    for tick in (0, walk - 1, walk, walk + 1, walk, walk - 1, 0):
        go(stage, tick)
        trees = page.evaluate(READ_TREES)
        assert seen.setdefault(tick, trees) == trees, f"tick {tick} differs on the way back"
    rows = stopped.rows["tables"].at(walk)
    counts = {n: int((rows["change"] == n).sum()) for n in (2, 3, 4)}
    at = seen[walk]
    # 12 processes of 3 upper tables and 8 of the lowest level.
    assert (at["boxes"], seen[0]["boxes"]) == (12 * 11, 0)
    assert (at["visited"], at["rewritten"], at["moved"]) == (counts[2], counts[3], counts[4])
    assert counts[2] == 36
    for tick in (walk - 1, walk + 1):
        assert [seen[tick][n] for n in ("visited", "rewritten", "moved")] == [0, 0, 0]
    scanned = int(column(stopped, "entries_scanned")[walk])
    assert f"The walk reads {scanned:,} entries in 36 upper tables" in at["label"]
    last = stopped.n_ticks - 1
    go(stage, last)
    assert page.evaluate(READ_TREES)["boxes"] == 0


def test_a_table_tells_where_it_lies_and_opens_its_section(page, stopped, tmp_path):
    stage = open_offline(page, stopped, tmp_path)
    show_panel(stage, "page tables")
    walk = tick_of(stopped, "TABLES_WALKED")
    go(stage, walk)
    moved = page.locator(".hotmem-table-moved").last
    moved.hover()
    tip = page.locator(".hotmem-tooltip")
    tip.wait_for(state="visible")
    words = tip.inner_text()
    assert "PTE table of process" in words
    assert "moved" in words
    section = words.split("§")[1].split()[0]
    moved.click()
    detail = page.locator(".hotmem-detail")
    detail.wait_for(state="visible")
    assert f"§{section}" in detail.inner_text()


def test_tables_can_be_reached_by_keyboard_without_moving_time(page, stopped, tmp_path):
    stage = open_offline(page, stopped, tmp_path)
    show_panel(stage, "page tables")
    walk = tick_of(stopped, "TABLES_WALKED")
    go(stage, walk)
    page.locator(".hotmem-trees").focus()
    for key in ("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert "PUD table of process 2" in page.locator(".hotmem-tooltip").inner_text()
    assert stage.tick == walk
    page.keyboard.press("ArrowRight")
    stage.wait_for("tick", str(walk + 1))


def test_meters_follow_the_ticks_both_ways(page, stopped, tmp_path):
    stage = open_offline(page, stopped, tmp_path)
    show_panel(stage, "meters")
    ticks = (2, tick_of(stopped, "STOPPED"), tick_of(stopped, "TAX"), stopped.n_ticks - 1)
    seen: dict[int, dict[str, Any]] = {}
    for tick in (*ticks, *reversed(ticks)):
        go(stage, tick)
        meters = page.evaluate(READ_METERS)
        assert set(meters) == {"S39", "S41", "S37"}
        assert seen.setdefault(tick, meters) == meters, f"tick {tick} differs on the way back"
    for tick, meters in seen.items():
        held, spilled = (int(column(stopped, f"device.{n}")[tick]) for n in ("held", "spilled"))
        assert f"{held:,} of 1,024 pages" in meters["S39"]
        assert f"spilled elsewhere{spilled:,} pages" in meters["S39"]
    reached = [int(seen[t]["S41"].split(": ")[1].split(" of")[0]) for t in ticks]
    # Drivers first; isolation, migration, residue, room and the stop; then all of them.
    assert reached == [1, 6, 12, 12]
    assert "has not stopped yet" in seen[2]["S37"]
    even = column(stopped, "even_removals")[ticks[2]]
    assert f"So do {even:,.0f} removals a day" in seen[ticks[2]]["S37"]


@pytest.mark.parametrize(
    ("name", "claim", "words"),
    [
        ("hot_remove", "S46", "{:,.0f} of {:,.0f} sections could go"),
        ("boot_options", "S3", "{:,.0f} pages"),
    ],
)
def test_meters_of_other_lessons_show_their_counters(page, tmp_path, name, claim, words):
    recording = hotmem_viz.run(name)
    stage = open_offline(page, recording, tmp_path)
    show_panel(stage, "meters")
    told = set()
    for tick in range(0, recording.n_ticks, 3):
        go(stage, tick)
        said = page.evaluate(READ_METERS)[claim]
        if name == "hot_remove":
            can, held = (
                column(recording, f"corner.{n}")[tick] for n in ("movable", "movable_held")
            )
            assert words.format(can, can + held) in said
        else:
            for distance in ("10", "20"):
                assert words.format(column(recording, f"distance.{distance}")[tick]) in said
        told.add(said)
    assert len(told) > 2


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1024, 700)])
def test_nothing_is_smaller_than_14_pixels_or_sticks_out(page, stopped, tmp_path, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    stage = open_offline(page, stopped, tmp_path)
    go(stage, tick_of(stopped, "TABLES_WALKED"))
    for name in ("page tables", "meters"):
        show_panel(stage, name)
        page.evaluate(NEXT_FRAME)
        bad = page.evaluate(
            """name => {
              const panel = [...document.querySelectorAll('.hotmem-optional')]
                .find(el => el.getAttribute('aria-label') === name);
              const room = panel.getBoundingClientRect();
              const out = [];
              for (const el of panel.querySelectorAll('text, p, li, span, h4')) {
                if (!el.textContent || !el.getClientRects().length) continue;
                const size = parseFloat(getComputedStyle(el).fontSize);
                if (size < 14) out.push(['small', el.textContent]);
                const box = el.getBoundingClientRect();
                if (box.left < room.left - 1 || box.right > room.right + 1)
                  out.push(['wide', el.textContent]);
              }
              return out;
            }""",
            name,
        )
        assert bad == []
