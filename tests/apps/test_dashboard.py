"""The dashboard: a tab a scenario, each made when it is first opened, with its own errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hotmem_viz
from hotmem_viz import catalog
from hotmem_viz.apps import lesson
from hotmem_viz.errors import ParameterError
from hotmem_viz.views.address import AddressReader

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
    monkeypatch.setattr("hotmem_viz.apps.lesson.make_lesson", note)
    return names


def choose(board, name):
    board.tabs.selected_index = board.names.index(name)


def test_every_scenario_has_a_title_which_is_its_class_s_own():
    assert set(catalog.SCENARIOS) <= set(catalog.TITLES)
    for name, title in catalog.list_lessons().items():
        assert catalog.find_scenario(name)[0].title == title


def test_every_scenario_has_a_tab_in_the_order_of_a_lecture():
    board = hotmem_viz.dashboard()
    assert set(board.names) == set(catalog.SCENARIOS)
    assert list(board.names) == [name for name in catalog.TITLES if name in board.names]
    assert board.tabs.titles == tuple(catalog.TITLES[name] for name in board.names)


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
    place = board.tabs.children[board.names.index("hot_remove")]
    assert "boots" in place.children[0].value
    choose(board, "hot_remove")
    assert made == ["exhaustion", "hot_remove"]
    assert place.children == (board.lessons["hot_remove"],)
    assert board.lessons["hot_remove"].recording.meta["scenario"] == "hot_remove"
    for name in ("exhaustion", "hot_remove"):
        choose(board, name)
    board.tabs.selected_index = None
    assert made == ["exhaustion", "hot_remove"]


def test_what_goes_wrong_in_a_tab_stays_there_and_is_tried_again(made):
    board = hotmem_viz.dashboard()
    choose(board, "starvation")
    (panel,) = board.tabs.children[board.tabs.selected_index].children
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


LINK = "#scenario=hot_remove&obstacle=pin&user=0.25&seed=9&tick=14&theme=dark"


def test_a_link_opens_its_tab_at_its_tick_with_the_controls_set_and_runs_once(made):
    board = hotmem_viz.dashboard()
    assert {lesson.stage.address for lesson in board.lessons.values()} == {"none"}
    board.open_link(LINK)
    assert made == ["exhaustion", "hot_remove"]
    assert board.tabs.selected_index == board.names.index("hot_remove")
    lesson = board.lessons["hot_remove"]
    values = {name: control.value for name, control in lesson.inputs.items()}
    assert (values["obstacle"], values["user"], values["seed"]) == ("pin", 0.25, 9)
    assert (lesson.stage.tick, lesson.state) == (14, LINK[1:])
    assert {one.stage.address for one in board.lessons.values()} == {"write"}
    assert {one.stage.theme for one in board.lessons.values()} == {"dark"}


def test_a_second_link_to_a_tab_takes_the_place_of_what_is_there(made):
    board = hotmem_viz.dashboard()
    board.open_link(LINK)
    before = board.lessons["hot_remove"]
    board.open_link("#scenario=hot_remove&seed=3&tick=2")
    lesson = board.lessons["hot_remove"]
    assert lesson is not before
    assert lesson.state == "scenario=hot_remove&seed=3&tick=2"
    assert board.tabs.children[board.tabs.selected_index].children == (lesson,)
    assert made == ["exhaustion", "hot_remove", "hot_remove"]


def test_an_address_without_a_fragment_changes_nothing(made):
    board = hotmem_viz.dashboard()
    lesson = board.lessons["exhaustion"]
    for empty in ("", "#", " "):
        board.open_link(empty)
    assert made == ["exhaustion"]
    assert board.lessons == {"exhaustion": lesson}
    assert lesson.stage.address == "wait"


@pytest.mark.parametrize(
    ("link", "scenario", "line"),
    [
        ("#scenario=<b>&seed=1", "exhaustion", "scenario: &#x27;&lt;b&gt;&#x27; is not allowed"),
        ("#scenario=hot_remove&obstacle=<b>&seed=1", "hot_remove", "obstacle: &#x27;&lt;b&gt;"),
        ("#scenario=hot_remove&tick=9999&seed=1", "hot_remove", "tick: 9999 is not allowed"),
        ("#boot=movablecore%3D<b>&seed=1", "exhaustion", "&lt;b&gt;"),
        ("x" * 10**6, "exhaustion", "link: &#x27;xxx"),
    ],
)
def test_a_hostile_link_costs_a_line_and_everything_is_as_by_default(link, scenario, line):
    board = hotmem_viz.dashboard()
    board.open_link(link)
    lesson = board.lessons[scenario]
    assert board.tabs.selected_index == board.names.index(scenario)
    assert line in lesson.errors.value
    assert "<b>" not in lesson.errors.value
    assert lesson.state == f"scenario={scenario}&seed=7&tick=0"
    assert lesson.stage.address == "wait"
    lesson.stage.tick = 1
    assert lesson.stage.address == "write"
    assert line in lesson.errors.value


def test_the_address_is_written_from_the_first_change_on(made):
    board = hotmem_viz.dashboard()
    board.open_link("")
    choose(board, "hot_remove")
    assert {lesson.stage.address for lesson in board.lessons.values()} == {"write"}
    choose(board, "boot_options")
    assert board.lessons["boot_options"].stage.address == "write"


def test_only_an_address_that_was_read_reaches_the_dashboard():
    heard: list[str] = []
    reader = AddressReader(heard.append)
    for content in ({"type": "address", "text": "#a=b"}, {"type": "ping"}, "text", {}):
        reader._handle_custom_msg(content, [])
    assert heard == ["#a=b"]
