"""Physical memory hot-remove in Linux, seen: a model, its recordings, and a stage to play them.

run     run a scenario, get a Recording
beside  run it twice, under two kernels or on two machines, get both on one time cursor
strategies  run all six strategies, get a scoreboard, and any two on one time cursor
load    read a Recording from a file
app     a scenario with its controls, for notebooks
dashboard  all scenarios, a tab each
load_capture  show a captured kernel, and the model's run of its load beside it
host    this machine's zones and memory blocks
question, questions  predict, then reveal: a question of the lessons, and the names of all
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hotmem_viz.kernel.capture_show import CaptureShow
    from hotmem_viz.kernel.host import Host
    from hotmem_viz.lessons.question import Question
    from hotmem_viz.recording.pair import Pair
    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.recording.scoreboard import Strategies

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "app",
    "beside",
    "dashboard",
    "host",
    "load",
    "load_capture",
    "question",
    "questions",
    "run",
    "strategies",
]


def run(name: str, **parameters: Any) -> Recording:
    """Run a scenario and return its recording, which shows itself as a stage in a notebook.

    name: "exhaustion". Its parameters: machine, movable, boot, workload, user, seed and profile
    (the kernel); see `hotmem_viz.scenarios.parameters.ExhaustionParameters`. Raises
    ParameterError for a name or a value that is not allowed.
    """
    from hotmem_viz.catalog import run as run_scenario

    return run_scenario(name, **parameters)


def beside(name: str, profiles: Sequence[str] | None = None, **parameters: Any) -> Pair:
    """Run a scenario twice, the same requests for both, on one time cursor.

    profiles: two names of `hotmem_viz.machine.profiles.PROFILES`, or "" for the kernel that the
    machine brings; 6.1 and 7.2 unless something else differs. A parameter of `run` with two values
    differs: machine=("pae", "64bit") shows PAE's lowmem beside a ZONE_MOVABLE of the same sizes,
    movable=(0.0, 0.75) a machine without the zone and with it. The result shows itself as a stage
    with both runs. Raises ParameterError for a name or a value that is not allowed.
    """
    from hotmem_viz.catalog import beside as run_beside

    return run_beside(name, profiles, **parameters)


def strategies(**parameters: Any) -> Strategies:
    """Run all six strategies of hot-remove: the same machine, load and removal requests.

    parameters: those of the scenario `strategies`, for example seed=7, but for `strategy`. The
    result has `.scoreboard`, a DataFrame; `.save("scoreboard.svg")`, its picture;
    `.pair("percent", "remap")`, two of them on one time cursor, which shows itself as a stage;
    and `.recordings` by name. Raises ParameterError for a name or a value that is not allowed.
    """
    from hotmem_viz.catalog import strategies as run_strategies

    return run_strategies(**parameters)


def load(path: str | Path) -> Recording:
    """Read a recording from an .npz file; raises RecordingError if it is none."""
    from hotmem_viz.recording.store import load as load_recording

    return load_recording(path)


def load_capture(path: str | Path) -> CaptureShow:
    """Show a captured kernel on the stage, the model's run of the same load beside it.

    path: a .tar.xz file, or the name of a capture that comes with the package, such as
    "b-files-85". `.capture` and `.model` are the single recordings. Raises CaptureError if it is
    no capture, or of a machine that did not come up.
    """
    from hotmem_viz.kernel.capture_show import load_capture as load_and_show

    return load_and_show(path)


def app(name: str | None = None, *, state: str | None = None, **parameters: Any) -> Any:
    """Return a scenario with its controls as a widget, for a notebook.

    name: the one that `state` names, else exhaustion. state: where to stand, as `.state` of such a
    widget or a link to the dashboard says it; what it says wrongly is shown in a line. Raises
    ParameterError for a name or a parameter that is not allowed, and for parameters beside a state.
    """
    from hotmem_viz.apps.lesson import FIRST, make_lesson, restore_lesson

    if state is None:
        return make_lesson(name or FIRST, **parameters)
    if parameters:
        from hotmem_viz.errors import ParameterError

        raise ParameterError("state", state, f"it excludes {', '.join(parameters)}; give one")
    return restore_lesson(state, name)[1]


def dashboard() -> Any:
    """Return all scenarios as one widget, a tab each, every one made when it is first opened."""
    from hotmem_viz.apps.dashboard import Dashboard

    return Dashboard()


def question(name: str, seed: int = 7) -> Question:
    """Return a question of the lessons with the numbers of a seed; it shows itself in a notebook.

    name: one of `questions()`. Its key is computed from the model. `.text`, `.choices`,
    `.check(...)` and `.reveal()` serve where there are no widgets, as printing it does. Raises
    ParameterError for a name or a seed that is not allowed.
    """
    from hotmem_viz.lessons.questions import ask

    return ask(name, seed)


def questions(notebook: str = "") -> tuple[str, ...]:
    """Return the names of all questions, or those of one notebook, by a number such as "02"."""
    from hotmem_viz.lessons.questions import list_questions

    return list_questions(notebook)


def host() -> Host:
    """Return this machine's zones and memory blocks, which show themselves as tables.

    Raises HostError where there is nothing to read: no Linux, or a container that hides it.
    """
    from hotmem_viz.kernel.host import read_host

    return read_host()
