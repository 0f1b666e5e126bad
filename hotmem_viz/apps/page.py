"""What every app has: an error panel that shows what went wrong, and one run at a time.

While somebody drags a slider, wishes come faster than runs. Only the newest counts: a run starts
when the event loop has read all waiting messages, and the chart is drawn when nobody waits.
"""

from __future__ import annotations

import asyncio
import html
import traceback
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.errors import HotmemError, ParameterError
from hotmem_viz.recording.lineup import Lineup

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.views.stage import Stage

ALONE = "alone"
"""The choice of no second run; "" would be the kernel that the machine brings."""

SETTLE_SECONDS = 0.002
"""Long enough for messages that already wait to be read, far below what anyone notices."""

REST_SECONDS = 0.4
"""How long controls have to rest before what is below the stage follows."""


class ErrorPanel(widgets.HTML):
    """A line that is empty as long as all is well; `error` is what it shows, or None."""

    error: BaseException | None = None

    def clear(self) -> None:
        """Say nothing."""
        self.error = None
        self.value = ""

    def show(self, error: BaseException) -> None:
        """Show an error: its one line if it is the package's own, else with its place."""
        if isinstance(error, HotmemError):
            text = html.escape(str(error))
        else:
            where = html.escape("".join(traceback.format_exception(error)[-2:]))
            text = (
                f"{html.escape(type(error).__name__)}: {html.escape(str(error))}<pre>{where}</pre>"
            )
        self.error = error
        self.value = f'<div class="hotmem-error" role="alert">{text}</div>'


class Linked:
    """What an app has for links: the state that it shows, and a way to go to one.

    Beside it an app has its `stage`.
    """

    stage: Stage

    @property
    def shown(self) -> Recording | Lineup | None:
        """What is on the stage: a recording, or several on one cursor."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """The exact state as a link's fragment, which `hotmem_viz.app(state=...)` takes."""
        from hotmem_viz.links import write_link

        shown = self.shown
        return "" if shown is None else write_link(shown, self.stage.tick, self.stage.theme)

    def enter(self, tick: int, theme: str) -> None:
        """Go to a tick, or a position of several runs; raises ParameterError if there is none."""
        shown = self.shown
        if shown is None:
            return
        last = (shown.n_positions if isinstance(shown, Lineup) else shown.n_ticks) - 1
        if tick > last:
            raise ParameterError("tick", tick, f"a whole number from 0 to {last} is needed")
        self.stage.tick, self.stage.theme = tick, theme


def tidy(value: float) -> float:
    """Return the number that a slider stands for: its browser makes 0.15000000000000002 of 0.15."""
    near = round(value, 9)
    return near if abs(near - value) < 1e-12 else value


def is_moved(change: Any) -> bool:
    """Whether a control has another value now, and not the same one as its browser rounds it.

    A slider's browser makes 0.8500000000000001 of 0.85 as soon as it is drawn, and says so.
    """
    old, new = change.old, change.new
    return not (isinstance(old, float) and isinstance(new, float) and tidy(old) == tidy(new))


class Later:
    """Runs an action soon, once, however often it is asked for; errors go to a panel."""

    def __init__(self, action: Callable[[], None], panel: ErrorPanel, delay: float) -> None:
        self._action, self._panel, self._delay = action, panel, delay
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the action has been asked for and has not yet run."""
        return self._handle is not None

    def ask(self) -> None:
        """Ask for the action; without a running event loop it runs at once."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.run()
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = loop.call_later(self._delay, self.run)

    def run(self) -> None:
        """Run the action now."""
        self._handle = None
        try:
            self._action()
        except Exception as error:  # noqa: BLE001 - a callback has nobody else to tell
            self._panel.show(error)
