"""From a scenario's name to a file, by the file's ending; a run at a terminal shows progress."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.catalog import (
    PAIR_CELLS,
    build_pair,
    build_run,
    build_strategies,
    find_scenario,
    pair_runs,
)
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.recorder import Run, Tick, record
from hotmem_viz.recording.scoreboard import Strategies
from hotmem_viz.scenarios.parameters import build_parameters
from hotmem_viz.scenarios.strategy_parameters import ALL

if TYPE_CHECKING:
    from hotmem_viz.recording.lineup import Lineup
    from hotmem_viz.recording.recording import Recording

_FILM, _CHART = ("theme", "fps", "first", "last"), ("theme", "first", "last")

ENDINGS: dict[str, tuple[str, ...]] = {
    ".npz": (),
    ".csv": (),
    ".html": (),
    ".png": ("tick", "theme"),
    ".gif": _FILM,
    ".mp4": _FILM,
    ".svg": _CHART,
    ".pdf": _CHART,
}
"""What can be written, and which options of `run` each has a use for."""

OPTIONS = {
    "tick": "--tick",
    "theme": "--theme",
    "fps": "--fps",
    "first": "--from",
    "last": "--to",
}
"""Options of `run` by the name of their parameter."""


class WatchedRun:
    """A run that shows its ticks on a progress bar while they are recorded."""

    def __init__(self, run: Run, title: str) -> None:
        self.memory, self.meta = run.memory, run.meta
        self._run, self._title = run, title

    def ticks(self) -> Iterator[Tick]:
        """Yield the run's ticks, counting them on stderr."""
        from tqdm import tqdm

        yield from tqdm(self._run.ticks(), desc=self._title, unit=" ticks", leave=False)


def run_with_progress(scenario: str, parameters: dict[str, Any]) -> Recording:
    """Run and record a scenario, with a progress bar where stderr is a terminal.

    Raises ParameterError for an unknown scenario, an unknown parameter or a value not allowed.
    """
    return _record(build_run(scenario, **parameters), scenario)


def line_up_with_progress(
    scenario: str, parameters: dict[str, Any], beside: dict[str, Any]
) -> Lineup:
    """Run and record a scenario twice, or all strategies, as run_with_progress does.

    beside: what is different the second time, such as {"profile": "7.2"}; of strategies, a
    "profile" is another strategy, as a word alone is read, and "all" is all of them.
    """
    if scenario == "strategies":
        if beside == {"profile": ALL}:
            return _record_all(build_strategies(**parameters)).lineup
        beside = {"strategy" if name == "profile" else name: v for name, v in beside.items()}
    _, parameters_type = find_scenario(scenario)
    usual = {f.name: f.default for f in dataclasses.fields(parameters_type)}
    build_parameters(parameters_type, {n: v for n, v in beside.items() if n not in usual})
    twice = {n: (parameters.get(n, usual.get(n)), value) for n, value in beside.items()}
    left, right = build_pair(scenario, **{**parameters, **twice})
    second = f"{scenario}, {', '.join(map(str, beside.values()))}"
    return pair_runs(_record(left, scenario, PAIR_CELLS), _record(right, second, PAIR_CELLS))


def write_scoreboard(parameters: dict[str, Any], out: Path, theme: str) -> None:
    """Run all strategies, with progress as above, and write their scoreboard to `out`.

    Raises ParameterError for parameters or an ending that are not allowed, before anything runs.
    """
    from hotmem_viz.views.palette import check_theme
    from hotmem_viz.views.scoreboard import check_ending

    check_ending(out)
    runs = build_strategies(**parameters)
    _record_all(runs).save(out, check_theme(theme))


def _record_all(runs: dict[str, Run]) -> Strategies:
    return Strategies({n: _record(run, n, PAIR_CELLS) for n, run in runs.items()})


def _record(run: Run, title: str, max_cells: int | None = None) -> Recording:
    return record(WatchedRun(run, title) if sys.stderr.isatty() else run, max_cells)


def check_wishes(out: Path, wishes: dict[str, Any]) -> None:
    """See, before anything runs, that `out` can be written and has a use for every option given.

    wishes: the options of `run` by the name of their parameter, None where not given. Raises
    ParameterError for one that the ending has no use for, HotmemError where there is no ffmpeg.
    """
    suffix = out.suffix.lower()
    for name, value in wishes.items():
        if value is not None and name not in ENDINGS[suffix]:
            users = ", ".join(ending for ending, used in ENDINGS.items() if name in used)
            allowed = f"{users} can have it, and {suffix} has no use for it"
            raise ParameterError(OPTIONS[name], value, allowed)
    if suffix == ".mp4":
        from hotmem_viz.views.picture.video import find_ffmpeg

        find_ffmpeg()


def _watch(ticks: Iterable[Any]) -> Iterable[Any]:
    """Show how many pictures are drawn, where stderr is a terminal."""
    from tqdm import tqdm

    return tqdm(ticks, desc="pictures", unit=" pictures", leave=False, disable=None)


def write_recording(recording: Recording, out: Path, **wishes: Any) -> None:
    """Write `recording` to `out` as its ending says.

    .npz the whole recording; .csv its counters, one row a tick; .html a page that plays from
    disk; .png the picture of a tick, by default the last mark; .gif and .mp4 a film; .svg and
    .pdf the time chart. wishes: tick, theme, fps, first, last, None where the default will do.
    Raises ParameterError for a tick that was not recorded.
    """
    suffix = out.suffix.lower()
    given = {name: value for name, value in wishes.items() if value is not None}
    recording.check_span(given.get("first"), given.get("last"), ("--from", "--to"))
    recording.check_span(given.get("tick"), None, ("--tick", ""))
    if suffix == ".npz":
        recording.save(out)
    elif suffix == ".csv":
        recording.counters.to_csv(out)
    elif suffix == ".html":
        recording.to_html(out)
    elif suffix == ".png":
        from hotmem_viz.views.printed import save_png

        save_png(recording, given.pop("tick", recording.last_mark), out, **given)
    elif suffix in {".gif", ".mp4"}:
        write = recording.to_gif if suffix == ".gif" else recording.to_mp4
        write(out, watch=_watch, **given)
    else:
        chart = recording.to_svg if suffix == ".svg" else recording.to_pdf
        chart(out, **given)
