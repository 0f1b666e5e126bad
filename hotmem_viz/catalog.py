"""Scenarios by name, and running one: the package's front door for Python.

Stands beside the house's line, above the scenarios, because a machine may come from a capture.
"""

from __future__ import annotations

import dataclasses
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.machine.profiles import PROFILES, find_profile
from hotmem_viz.recording.cells import MAX_CELLS
from hotmem_viz.recording.pair import Pair, pair_recordings
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.scoreboard import Strategies, pair_steps
from hotmem_viz.scenarios.parameters import DEFAULT_MOVABLE, build_parameters
from hotmem_viz.scenarios.setup import Setup, choose_options, choose_preset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotmem_viz.recording.recording import Recording

SCENARIOS = {
    "boot_options": "BootOptionsRun",
    "exhaustion": "Exhaustion",
    "hot_remove": "HotRemove",
    "starvation": "Starvation",
    "stop_machine": "StopMachine",
    "strategies": "StrategyRun",
}
"""Scenarios by name: a module of `hotmem_viz.scenarios`, and the class in it."""

TITLES = {
    "exhaustion": "Kernel zones run dry",
    "boot_options": "Movable memory by boot option",
    "starvation": "Page tables starve",
    "hot_remove": "Hot-remove and what stays behind",
    "stop_machine": "Stop the machine and re-point a section",
    "strategies": "Strategies side by side",
}
"""Titles in the order of a lecture: the classes' own, so that nothing is loaded to name them."""

REPLAYED = ("exhaustion", "strategies")
"""Scenarios whose requests another run can be given, one by one."""

DRAWN_BY = ("workload", "user", "seed", "then")
"""Parameters that two runs must have in common for the second to replay the first's requests."""

PAIR_CELLS = MAX_CELLS // 2
"""Two maps share a screen: each has half of its cells."""


def list_lessons() -> dict[str, str]:
    """Return the titles of the scenarios by name, in the order of a lecture."""
    return {name: title for name, title in TITLES.items() if name in SCENARIOS}


def find_scenario(name: str) -> tuple[type[Any], type[Any]]:
    """Return a scenario, a class that is a `scenarios.setup.Scenario`, and its parameters' type.

    Raises ParameterError for an unknown name.
    """
    if name not in SCENARIOS:
        raise ParameterError("scenario", name, f"scenarios are {', '.join(SCENARIOS)}")
    # Loaded when asked for: a lesson does not wait for the other lessons.
    module = import_module(f"hotmem_viz.scenarios.{name}")
    scenario = getattr(module, SCENARIOS[name])
    return scenario, scenario.parameters_type


def read_settings(
    name: str, texts: Mapping[str, str], read: Callable[[str], Any]
) -> dict[str, Any]:
    """Turn parameters that were typed into values; raises ParameterError for an unknown scenario.

    A parameter that is a text stays as it was typed: the kernel 6.10 is not 6.1. Others become
    what `read` makes of them.
    """
    _, parameters_type = find_scenario(name)
    is_text = {f.name for f in dataclasses.fields(parameters_type) if f.type == "str"}
    return {key: text if key in is_text else read(text) for key, text in texts.items()}


def choose_setup(machine: str, movable: float | None, boot: str, profile: str = "") -> Setup:
    """Set up a machine by the name of a preset, or the name or path of a capture.

    profile: the kernel by name, whatever the preset or the capture would bring; the machine takes
    the build for its own architecture. Raises ParameterError where there is none.
    """
    if machine in PRESETS:
        return choose_preset(machine, movable, boot, DEFAULT_MOVABLE, profile)
    # A preset's lesson does not wait for the parsers of what kernels print.
    from hotmem_viz.kernel.captures import open_capture, spec_from_capture

    try:
        capture = open_capture(machine)
    except CaptureError as error:
        allowed = f"allowed are {', '.join(PRESETS)}, or a capture ({error.reason})"
        raise ParameterError("machine", machine, allowed) from None
    spec, options = spec_from_capture(capture)
    kernel = find_profile(profile, spec.arch) if profile else find_profile(capture.profile_name)
    return Setup(spec, choose_options(movable, boot, options), kernel)


def find_kernels(machine: str) -> tuple[str, ...]:
    """List the kernels that a machine can boot, by name: the one that it brings, then the others.

    Raises ParameterError for a machine that is neither a preset nor a capture.
    """
    own = choose_setup(machine, None, "").profile
    others = (name for name, p in PROFILES.items() if p.arch is own.arch and p is not own)
    return own.name, *others


def build_run(name: str, **parameters: Any) -> Any:
    """Build a scenario, ready to run, without running it; see `scenarios.setup.Scenario`."""
    scenario, parameters_type = find_scenario(name)
    p = build_parameters(parameters_type, parameters)
    return _with_defaults(scenario(p, scenario.prepare(p, choose_setup)))


def _with_defaults(run: Any) -> Any:
    """Let the recording say what its parameters are by default: a link holds only the others."""
    run.meta["defaults"] = dataclasses.asdict(type(run).parameters_type())
    return run


def build_pair(
    name: str, profiles: Sequence[str] | None = None, **parameters: Any
) -> tuple[Any, Any]:
    """Build two runs of a scenario without running them; the second replays the requests.

    profiles: two kernels by name, "" for the machine's own. A parameter with two values, such as
    machine=("pae", "64bit"), is the first on the left and the second on the right. Without any of
    these the kernels are 6.1 and 7.2. Where the two differ in what draws the requests, each has
    its own. Raises ParameterError as `run` does, and where nothing can be shown side by side.
    """
    find_scenario(name)
    if name not in REPLAYED:
        allowed = f"scenarios whose requests a second run can replay are {', '.join(REPLAYED)}"
        raise ParameterError("scenario", name, allowed)
    sides = _two_sides(profiles, parameters)
    if name == "strategies":
        # All runs of a seed are asked for the same, whatever the strategy.
        return build_run(name, **sides[0]), build_run(name, **sides[1])
    from hotmem_viz.scenarios.exhaustion import Exhaustion

    left, right = (build_parameters(Exhaustion.parameters_type, side) for side in sides)
    first = Exhaustion(left, Exhaustion.prepare(left, choose_setup))
    setup = Exhaustion.prepare(right, choose_setup)
    asked = {int(nid) for nid in first.workload.node}
    if not asked <= {n.nid for n in setup.spec.nodes}:
        raise ParameterError("machine", right.machine, f"a machine with nodes {sorted(asked)}")
    same = all(getattr(left, n) == getattr(right, n) for n in DRAWN_BY)
    second = Exhaustion(right, setup, first.workload if same else None)
    return _with_defaults(first), _with_defaults(second)


def _two_sides(
    profiles: Sequence[str] | None, parameters: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split parameters with two values into those of the left and of the right."""
    given = dict(parameters)
    twice = [n for n, v in given.items() if isinstance(v, tuple | list) and len(v) == 2]
    if profiles is not None and "profile" in given:
        raise ParameterError("profile", given["profile"], "profiles already says which two")
    if profiles is None and not twice:
        profiles = given.pop("profile", None) or ("6.1", "7.2")
    if profiles is not None:
        if isinstance(profiles, str) or len(profiles) != 2:
            raise ParameterError("profiles", profiles, "the names of two kernels are needed")
        given["profile"], twice = tuple(profiles), [*twice, "profile"]
    left, right = ({**given, **{n: given[n][side] for n in twice}} for side in (0, 1))
    return left, right


def pair_runs(left: Recording, right: Recording) -> Pair:
    """Put two runs of a scenario side by side, operation by operation, or by steps of a plan.

    Larger and larger boxes begin their operations anew each time: those go by memory installed.
    """
    metas = (left.meta, right.meta)
    if metas[0].get("scenario") == "strategies":
        return pair_steps(left, right)
    by = "installed" if any("boots" in meta for meta in metas) else "objects"
    names = [[read(meta) for meta in metas] for read in CALLED_BY]
    told = next(((a, b) for a, b in names if a != b and a and b), None)
    return pair_recordings(left, right, by=by, titles=told)


def _share(name: str, words: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a title that says a parameter as a share."""

    def read(meta: Mapping[str, Any]) -> str:
        given = meta["parameters"]
        value = given.get(name)
        if name == "movable" and value is None and not given.get("boot"):
            # What these boot with where nothing is said; others bring options of their own.
            value = DEFAULT_MOVABLE if given.get("machine") in ("classroom", "server") else None
        return "" if value is None else f"{value:.0%} {words}"

    return read


CALLED_BY: tuple[Callable[[Mapping[str, Any]], str], ...] = (
    lambda meta: str(meta["machine"]["title"]),
    lambda meta: find_profile(meta["profile"]).release,
    _share("movable", "movable"),
    _share("held", "in use"),
)
"""What two runs are called: by the first of these in which they differ."""


def beside(name: str, profiles: Sequence[str] | None = None, **parameters: Any) -> Pair:
    """Run a scenario twice, the same requests for both, on one time cursor; see `build_pair`.

    profiles: two kernels by name, "" for the machine's own; by default 6.1 and 7.2, unless a
    parameter with two values, such as machine=("pae", "64bit"), says what differs. The other
    parameters are those of the scenario. Raises ParameterError for what is not allowed.
    """
    left, right = build_pair(name, profiles, **parameters)
    return pair_runs(record(left, PAIR_CELLS), record(right, PAIR_CELLS))


def run(name: str, **parameters: Any) -> Recording:
    """Run a scenario and return its recording, which shows itself as a stage in a notebook.

    name: one of SCENARIOS. The parameters are those of the scenario, for example movable=0.85 and
    seed=7; raises ParameterError for a name or a value that is not allowed.
    """
    return record(build_run(name, **parameters))


def strategies(**parameters: Any) -> Strategies:
    """Run all strategies on the same machine, load and removal requests, and return them together.

    The parameters are those of the scenario `strategies` but for `strategy` itself. Raises
    ParameterError for a name or a value that is not allowed.
    """
    runs = build_strategies(**parameters)
    return Strategies({name: record(each, PAIR_CELLS) for name, each in runs.items()})


def build_strategies(**parameters: Any) -> dict[str, Any]:
    """Build a run of each strategy, by name, without running them; raises as `strategies` does."""
    if "strategy" in parameters:
        allowed = "all of them are run; hotmem_viz.run takes one"
        raise ParameterError("strategy", parameters["strategy"], allowed)
    from hotmem_viz.scenarios.strategy_parameters import STRATEGIES

    return {n: build_run("strategies", strategy=n, **parameters) for n in STRATEGIES.values()}


def record_strategy(strategy: str, **parameters: Any) -> Recording:
    """Run one strategy and record it so that two fit on a screen; raises as `run` does."""
    return record(build_run("strategies", strategy=strategy, **parameters), PAIR_CELLS)
