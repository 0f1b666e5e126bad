"""From a scenario's name to a file, by the file's ending; a run at a terminal shows progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.catalog import PAIR_CELLS, build_pair, build_run, pair_runs
from hotmem_viz.recording.recorder import Run, Tick, record

if TYPE_CHECKING:
    from hotmem_viz.recording.pair import Pair
    from hotmem_viz.recording.recording import Recording


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


def pair_with_progress(scenario: str, parameters: dict[str, Any], beside: str) -> Pair:
    """Run and record a scenario under its kernel and under another, as run_with_progress does."""
    settings = dict(parameters)
    profiles = (settings.pop("profile", ""), beside)
    left, right = build_pair(scenario, profiles, **settings)
    return pair_runs(
        _record(left, scenario, PAIR_CELLS), _record(right, f"{scenario}, {beside}", PAIR_CELLS)
    )


def _record(run: Run, title: str, max_cells: int | None = None) -> Recording:
    return record(WatchedRun(run, title) if sys.stderr.isatty() else run, max_cells)


def write_recording(recording: Recording, out: Path, tick: int | None = None) -> None:
    """Write `recording` to `out` as its ending says.

    .npz the whole recording; .csv its counters, one row a tick; .html a page that plays from
    disk; .png the stage at `tick`, by default at the last mark. Raises ParameterError for a tick
    that was not recorded.
    """
    suffix = out.suffix.lower()
    if suffix == ".npz":
        recording.save(out)
    elif suffix == ".csv":
        recording.counters.to_csv(out)
    elif suffix == ".html":
        recording.to_html(out)
    else:
        from hotmem_viz.views.figures import save_png

        chosen = recording.last_mark if tick is None else recording.check_tick(tick)
        save_png(recording, chosen, out)
