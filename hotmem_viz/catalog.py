"""Scenarios by name, and running one: the package's front door for Python.

Stands beside the house's line, above the scenarios, because a machine may come from a capture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel.captures import open_capture, spec_from_capture
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.recording.recorder import record
from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.scenarios.parameters import DEFAULT_MOVABLE, ExhaustionParameters, build_parameters
from hotmem_viz.scenarios.setup import Setup, choose_options, choose_preset

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

SCENARIOS = {"exhaustion": (Exhaustion, ExhaustionParameters)}


def find_scenario(name: str) -> tuple[type[Exhaustion], type[ExhaustionParameters]]:
    """Return a scenario and its parameters' type; raises ParameterError for an unknown name."""
    if name not in SCENARIOS:
        raise ParameterError("scenario", name, f"scenarios are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def choose_setup(machine: str, movable: float | None, boot: str) -> Setup:
    """Set up a machine by the name of a preset, or the name or path of a capture."""
    if machine in PRESETS:
        return choose_preset(machine, movable, boot, DEFAULT_MOVABLE)
    try:
        capture = open_capture(machine)
    except CaptureError as error:
        allowed = f"allowed are {', '.join(PRESETS)}, or a capture ({error.reason})"
        raise ParameterError("machine", machine, allowed) from None
    spec, options = spec_from_capture(capture)
    return Setup(spec, choose_options(movable, boot, options), find_profile(capture.profile_name))


def build_run(name: str, **parameters: Any) -> Exhaustion:
    """Build a scenario, ready to run, without running it."""
    scenario, parameters_type = find_scenario(name)
    p = build_parameters(parameters_type, parameters)
    return scenario(p, choose_setup(p.machine, p.movable, p.boot))


def run(name: str, **parameters: Any) -> Recording:
    """Run a scenario and return its recording, which shows itself as a stage in a notebook.

    name: "exhaustion". The parameters are those of the scenario, for example movable=0.85 and
    seed=7; raises ParameterError for a name or a value that is not allowed.
    """
    return record(build_run(name, **parameters))
