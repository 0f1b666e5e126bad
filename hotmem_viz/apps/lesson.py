"""Which app a scenario has, and the app that a link asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.apps.page import ALONE
from hotmem_viz.catalog import SCENARIOS
from hotmem_viz.errors import ParameterError

if TYPE_CHECKING:
    from hotmem_viz.apps.exhaustion import ExhaustionApp
    from hotmem_viz.apps.scenario import ScenarioApp

FIRST = "exhaustion"
"""The scenario where nobody names one."""


def make_lesson(name: str = FIRST, **parameters: Any) -> ExhaustionApp | ScenarioApp:
    """Make a scenario's app with its controls set to `parameters`; raises ParameterError."""
    # Each is loaded when wanted: the first paint does not wait for the other.
    if name == "exhaustion":
        from hotmem_viz.apps.exhaustion import ExhaustionApp

        return ExhaustionApp(**parameters)
    if name == "strategies":
        from hotmem_viz.apps.strategies import StrategiesApp

        return StrategiesApp(**parameters)
    from hotmem_viz.apps.scenario import ScenarioApp

    return ScenarioApp(name, **parameters)


def restore_lesson(link: str, name: str | None = None) -> tuple[str, ExhaustionApp | ScenarioApp]:
    """Make the app that a link asks for, at its tick and in its theme; returns its name too.

    link: a link, its fragment or the text of a state. name: the only scenario that will do. What
    is not allowed costs everything that the link says but its scenario: the app shows one line
    about it, and the defaults.
    """
    try:
        return _restore(link, name)
    except Exception as error:  # noqa: BLE001 (whatever a link does, the lesson is there)
        fallback = name or _named_scenario(link)
        lesson = make_lesson(fallback)
        lesson.errors.show(error)
        return fallback, lesson


def _restore(link: str, name: str | None) -> tuple[str, ExhaustionApp | ScenarioApp]:
    from hotmem_viz.links import read_link

    state = read_link(link, name or FIRST)
    if name is not None and state.scenario != name:
        raise ParameterError("scenario", state.scenario, f"this is the lesson {name}")
    beside = {} if state.beside is None else {"beside": state.beside}
    if state.scenario == "strategies" and not beside:
        # By itself that lesson shows two; a link that names one is to one.
        beside = {"beside": ALONE}
    lesson = make_lesson(state.scenario, **beside, **state.parameters)
    if lesson.errors.error is not None:
        raise lesson.errors.error
    if state.beside is not None and lesson.beside.value == ALONE:
        allowed = ", ".join(map(repr, dict(lesson.beside.options).values()))
        raise ParameterError("beside", state.beside, f"beside such a run can stand {allowed}")
    lesson.enter(state.tick, state.theme)
    return state.scenario, lesson


def _named_scenario(link: str) -> str:
    """Return the scenario that a link names if it can be read and there is such a one."""
    from hotmem_viz.links import split_fragment

    try:
        said = split_fragment(link).scenario
    except ParameterError:
        return FIRST
    return said if said in SCENARIOS else FIRST
