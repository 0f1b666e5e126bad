"""The dashboard: a tab a scenario, each made when it is first opened, with its own errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.apps import lesson
from hotmem_viz.errors import ParameterError

SCENARIO_MODULES = """
import sys
import hotmem_viz
hotmem_viz.dashboard()
from hotmem_viz.catalog import SCENARIOS
print(*sorted(n for n in SCENARIOS if f"hotmem_viz.scenarios.{n}" in sys.modules))
"""


@pytest.fixture
def made(monkeypatch):
    """The scenarios whose lessons were made, in order; "starvation" cannot be made."""
    names = []
    make = lesson.make_lesson

    def note(name, **parameters):
        names.append(name)
        if name == "starvation":
            raise ParameterError("tables", "<b>", "none is left")
        return make(name, **parameters)

    monkeypatch.setattr("hotmem_viz.apps.dashboard.make_lesson", note)
    return names


def choose(board, name):
    board.selected_index = board.names.index(name)


def test_every_scenario_has_a_title_which_is_its_class_s_own():
    assert set(catalog.SCENARIOS) <= set(catalog.TITLES)
    for name, title in catalog.list_lessons().items():
        assert catalog.find_scenario(name)[0].title == title


def test_every_scenario_has_a_tab_in_the_order_of_a_lecture():
    board = hotmem_viz.dashboard()
    assert set(board.names) == set(catalog.SCENARIOS)
    assert list(board.names) == [name for name in catalog.TITLES if name in board.names]
    assert board.titles == tuple(catalog.TITLES[name] for name in board.names)


def test_a_scenario_that_is_not_there_has_no_tab(monkeypatch):
    monkeypatch.delitem(catalog.SCENARIOS, "hot_remove")
    assert "hot_remove" not in hotmem_viz.dashboard().names


def test_only_the_first_scenario_is_loaded_at_the_start():
    command = [sys.executable, "-c", SCENARIO_MODULES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["exhaustion"]


def test_a_lesson_is_made_once_when_its_tab_is_first_opened(made):
    board = hotmem_viz.dashboard()
    assert made == ["exhaustion"]
    place = board.children[board.names.index("hot_remove")]
    assert "boots" in place.children[0].value
    choose(board, "hot_remove")
    assert made == ["exhaustion", "hot_remove"]
    assert place.children == (board.lessons["hot_remove"],)
    assert board.lessons["hot_remove"].recording.meta["scenario"] == "hot_remove"
    for name in ("exhaustion", "hot_remove"):
        choose(board, name)
    board.selected_index = None
    assert made == ["exhaustion", "hot_remove"]


def test_what_goes_wrong_in_a_tab_stays_there_and_is_tried_again(made):
    board = hotmem_viz.dashboard()
    choose(board, "starvation")
    (panel,) = board.children[board.selected_index].children
    assert "tables: &#x27;&lt;b&gt;&#x27; is not allowed; none is left" in panel.value
    assert "starvation" not in board.lessons
    choose(board, "exhaustion")
    assert board.lessons["exhaustion"].errors.value == ""
    choose(board, "starvation")
    assert made.count("starvation") == 2


def test_a_theme_chosen_on_one_stage_is_that_of_all_also_of_those_made_later():
    board = hotmem_viz.dashboard()
    choose(board, "hot_remove")
    board.lessons["hot_remove"].stage.theme = "dark"
    choose(board, "starvation")
    themes = {name: lesson.stage.theme for name, lesson in board.lessons.items()}
    assert themes == {"exhaustion": "dark", "hot_remove": "dark", "starvation": "dark"}
