"""Films of a recording: which ticks are shown for how long; the .gif of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.palette import Theme
from hotmem_viz.views.picture.frame import draw_frame, make_plan
from hotmem_viz.views.picture.inks import MOST

if TYPE_CHECKING:
    from PIL.Image import Image

    from hotmem_viz.recording.recording import Recording

MOST_FRAMES = 300
"""Longer runs show every second tick, every third and so on, and every tick that tells."""

HOLD_SECONDS = 3.0
"""How long a tick stands that has a mark or a caption."""

RUN_SECONDS = 22.0
"""A whole run takes about so long, as on the stage, and the holds besides."""

SLOWEST, FASTEST = 1, 50
"""Frames a second. A GIF counts in hundredths, and browsers slow down what is below two."""

USUAL_FASTEST = 25

Watch = Callable[[Iterable[Any]], Iterable[Any]]
"""Something that passes on what it gets and may show how far it is."""


@dataclass(frozen=True)
class Film:
    """Ticks in order, and for how many seconds each is shown."""

    ticks: list[int]
    seconds: list[float]
    fps: float


def plan_film(
    recording: Recording,
    fps: float | None = None,
    first: int | None = None,
    last: int | None = None,
) -> Film:
    """Choose the ticks of a film and how long each is shown.

    fps: frames a second, 1 to 50; left out, the run takes some twenty seconds. Ticks with a mark
    or a caption are never left out, and stand longer. Raises ParameterError.
    """
    start, end = recording.check_span(first, last)
    if fps is not None and not SLOWEST <= fps <= FASTEST:
        raise ParameterError("fps", fps, f"{SLOWEST} to {FASTEST} frames a second can be shown")
    step = math.ceil((end - start + 1) / MOST_FRAMES)
    telling = {e.tick for e in recording.event_list if e.mark}
    telling |= {int(c["tick"]) for c in recording.meta["captions"]} | {end}
    telling = {tick for tick in telling if start <= tick <= end}
    ticks = sorted({start, *range(start, end + 1, step)} | telling)
    if fps is None:
        fps = min(USUAL_FASTEST, max(SLOWEST + 1, round(len(ticks) / RUN_SECONDS)))
    seconds = [max(HOLD_SECONDS, 1 / fps) if tick in telling else 1 / fps for tick in ticks]
    return Film(ticks, seconds, fps)


def _centiseconds(seconds: list[float]) -> list[int]:
    """Return delays in hundredths of a second that add up to the same time."""
    ends = np.rint(100 * np.cumsum(seconds)).astype(int)
    return [int(delay) for delay in np.diff(ends, prepend=0)]


def save_gif(
    recording: Recording,
    path: str | Path,
    theme: Theme = "light",
    fps: float | None = None,
    first: int | None = None,
    last: int | None = None,
    watch: Watch = iter,
) -> None:
    """Write a film as a .gif that plays for ever; see `plan_film`.

    Raises ParameterError for what cannot be shown, OSError if `path` cannot be written.
    """
    from PIL import Image

    film = plan_film(recording, fps, first, last)
    plan = make_plan(recording, theme)
    table = plan.sheet.inks.table()

    def images() -> Iterator[Image.Image]:
        for tick in watch(film.ticks):
            image = Image.fromarray(draw_frame(plan, recording, tick))
            image.putpalette(table.tobytes())
            yield image

    frames = images()
    opening = next(frames)
    opening.save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames,
        palette=table.tobytes(),
        # What stays as it was is transparent, and only the box that changed is stored.
        optimize=True,
        transparency=MOST,
        disposal=1,
        duration=[10 * delay for delay in _centiseconds(film.seconds)],
        loop=0,
    )
