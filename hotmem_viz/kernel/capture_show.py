"""A captured kernel on the stage, and the model's run of the same machine and load beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, HotmemError
from hotmem_viz.kernel.capture_counters import ATTEMPTS
from hotmem_viz.kernel.capture_recording import record_capture
from hotmem_viz.kernel.captures import Capture, open_capture
from hotmem_viz.kernel.changing_run import STEPS
from hotmem_viz.kernel.compare_loads import MAX_PAGES
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.load_recording import record_load
from hotmem_viz.recording.pair import Pair, pair_recordings

if TYPE_CHECKING:
    from pathlib import Path

    from hotmem_viz.recording.recording import Recording

BY = "objects"
"""Both sides stand where the same number of operations was done; in a sweep, of ATTEMPTS."""

PAIR_CELLS = 1 << 15
"""Cells of each map: two maps side by side must fit a projector of 1280 x 720."""


@dataclass(frozen=True)
class CaptureShow:
    """What `load_capture` returns; it shows itself as a stage in a notebook.

    source: the capture's files. capture: the captured run. model: the model's run, None where
    there is none. pair: both on one cursor, None without the model's. why: why there is no model,
    or only its boot.
    """

    source: Capture
    capture: Recording
    model: Recording | None
    pair: Pair | None
    why: str = ""

    @property
    def shown(self) -> Recording | Pair:
        """What the stage shows: both runs, or the captured one alone."""
        return self.pair or self.capture

    def to_html(self, path: str | Path | None = None) -> str:
        """Return, and with `path` also write, one HTML page that plays without a network."""
        return self.shown.to_html(path)

    def __repr__(self) -> str:
        beside = f"beside {self.model!r}" if self.model else f"alone: {self.why}"
        return f"<CaptureShow of {self.source.name}: {self.capture!r}, {beside}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.shown._repr_mimebundle_(**kwargs)


def load_capture(path: str | Path, *, model: bool = True) -> CaptureShow:
    """Read a capture and show it, with the model's run of the same load beside it.

    path: a .tar.xz file, or the name of a capture that comes with the package. model: False to
    show the captured kernel alone. Attempts to take blocks offline start from the captured state.
    Where the model cannot run the load it shows its boot; where it has no profile of that kernel,
    or its machine does not boot, the capture stands alone.

    Raises
    ------
    CaptureError
        When the file is missing, damaged or no capture, or its machine did not come up.
    """
    return show_capture(open_capture(path), model=model)


def show_capture(capture: Capture, *, model: bool = True) -> CaptureShow:
    """Show a capture that is open already; see `load_capture`."""
    run, titles, why = _model_run(capture) if model else (None, ("", ""), "not asked for")
    if run is None:
        return CaptureShow(capture, record_capture(capture), None, None, why)
    captured = record_capture(capture, PAIR_CELLS)
    names = set.intersection(*({c["name"] for c in r.meta["counters"]} for r in (captured, run)))
    by = next((name for name in (ATTEMPTS, STEPS) if name in names), BY)
    pair = pair_recordings(captured, run, by=by, titles=titles)
    return CaptureShow(capture, captured, run, pair, why)


def _model_run(capture: Capture) -> tuple[Recording | None, tuple[str, str], str]:
    """Return the model's run, what to call both, and why it is missing or its load is."""
    titles = (f"Linux {capture.kernel}", "")
    try:
        machine = ComparedMachine(capture)
        if machine.unpredicted or machine.profile is None:
            return None, titles, machine.unpredicted
        if machine.spec.present_pages > MAX_PAGES:
            return None, titles, "the machine is too large to run the model on"
        run, name, why = record_load(machine, machine.profile, PAIR_CELLS)
    except CaptureError as error:
        return None, titles, str(error)
    except HotmemError as error:
        return None, titles, f"{capture.path}: {error}"
    return run, (titles[0], name), why
