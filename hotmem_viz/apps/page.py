"""What every app has: an error panel that shows what went wrong, and one run at a time.

While somebody drags a slider, wishes come faster than runs. Only the newest counts: a run starts
when the event loop has read all waiting messages, and the chart is drawn when nobody waits.
"""

from __future__ import annotations

import asyncio
import html
import traceback
from typing import TYPE_CHECKING

import ipywidgets as widgets

from hotmem_viz.errors import HotmemError

if TYPE_CHECKING:
    from collections.abc import Callable

SETTLE_SECONDS = 0.002
"""Long enough for messages that already wait to be read, far below what anyone notices."""


class ErrorPanel(widgets.HTML):
    """A line that is empty as long as all is well."""

    def clear(self) -> None:
        """Say nothing."""
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
        self.value = f'<div class="hotmem-error" role="alert">{text}</div>'


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
