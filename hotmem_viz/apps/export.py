"""From a finished recording to a file, by the file's ending; and a run that shows its progress."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording


def run_with_progress(scenario: str, parameters: dict[str, Any]) -> Recording:
    """Return `hotmem_viz.run(scenario, **parameters)`, with a bar where stderr is a terminal.

    Raises ParameterError for an unknown scenario, an unknown parameter or a value not allowed.
    """
    import hotmem_viz

    if not sys.stderr.isatty():
        return hotmem_viz.run(scenario, **parameters)
    from tqdm import tqdm

    with tqdm(desc=scenario, unit=" ticks", leave=False) as bar:
        return hotmem_viz.run(scenario, progress=lambda _tick: bar.update(), **parameters)


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
        chosen = last_mark(recording) if tick is None else recording.check_tick(tick)
        recording.plot(tick=chosen).savefig(out)


def last_mark(recording: Recording) -> int:
    """Return the tick of the last event that is a mark, or the last tick where there is none."""
    marks = [event.tick for event in recording.event_list if event.mark]
    return max(marks, default=recording.n_ticks - 1)
