"""Which app a scenario has: one of its own, or the one that its parameters declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotmem_viz.apps.exhaustion import ExhaustionApp
    from hotmem_viz.apps.scenario import ScenarioApp


def make_lesson(name: str, **parameters: Any) -> ExhaustionApp | ScenarioApp:
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
