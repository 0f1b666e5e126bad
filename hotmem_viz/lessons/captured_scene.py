"""What questions share about captured kernels: what placed ZONE_MOVABLE, where to see an answer.

The scene is one that nobody has to run.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from hotmem_viz.errors import HotmemError
from hotmem_viz.kernel.capture_show import load_capture
from hotmem_viz.lessons.question import Scene

if TYPE_CHECKING:
    from hotmem_viz.kernel.capture_show import CaptureShow
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.recording.recording import Recording

CAPTURE = "capture"
"""Stands for the scenario of a captured run, as in its recording's meta."""

_PLACING = re.compile(r"(?:movablecore|kernelcore)=\S+|\bmovable_node\b")


class CapturedScene(Scene):
    """A captured kernel, a tick of its recording, and what it shows; see `find_captured`."""

    @property
    def name(self) -> str:
        """The capture's name."""
        return str(self.parameters["name"])

    @property
    def code(self) -> str:
        """The line of Python that puts it on the stage."""
        return f'hotmem_viz.load_capture("{self.name}").capture'

    def recording(self) -> Recording:
        """Return the captured run."""
        return _alone(self.name)


@cache
def show_once(name: str) -> CaptureShow:
    """Load a capture with the model's run; questions that share one share the runs."""
    return load_capture(name)


@cache
def _alone(name: str) -> Recording:
    return load_capture(name, model=False).capture


def placing_options(capture: Capture) -> str:
    """Return the options of a captured command line that place ZONE_MOVABLE, as they were typed."""
    return " ".join(_PLACING.findall(capture.cmdline))


def find_captured(name: str, title: str = "") -> CapturedScene:
    """Find the first tick of a capture whose event's title begins with some words.

    Raises HotmemError where there is none.
    """
    for event in _alone(name).event_list:
        if event.title.startswith(title):
            return CapturedScene(CAPTURE, {"name": name}, event.tick, event.title)
    raise HotmemError(f"{name}: no event {title!r} in the capture")
