"""Voila as the dashboard needs it: says when it listens, and culls without a race."""

from __future__ import annotations

import logging
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from voila.app import Voila

from hotmem_viz.apps.server import announce

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager


class PatientKernelManager(AsyncMappingKernelManager):
    """Culls an abandoned kernel at the second look, not the first.

    A preheated kernel may have waited in its pool for longer than the timeout. The moment it is
    handed out it counts as idle, and until the page has connected it would be culled: a page
    that never comes alive.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._abandoned: set[str] = set()

    # Its base declares start_kernel to return a str, and replaces it by a coroutine.
    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel; what it mutters while being ended is kept from the terminal."""
        if getattr(self.parent, "log_level", 0) > logging.INFO:
            kwargs.setdefault("stderr", subprocess.DEVNULL)
        kernel_id: str = await super().start_kernel(**kwargs)
        return kernel_id

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Cull `kernel_id` if nobody was connected at this look and at the one before."""
        if self._kernel_connections.get(kernel_id):
            self._abandoned.discard(kernel_id)
        elif kernel_id in self._abandoned:
            await super().cull_kernel_if_idle(kernel_id)
        else:
            self._abandoned.add(kernel_id)

    def remove_kernel(self, kernel_id: str) -> KernelManager:
        """Forget `kernel_id`, which has ended, and return its manager."""
        self._abandoned.discard(kernel_id)
        return super().remove_kernel(kernel_id)


class DashboardApp(Voila):
    """Voila with one notebook, announced once it listens."""

    def __init__(self, *, open_browser: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._open_page = open_browser
        # Voila would open a file of its own making that forwards to the page.
        self.open_browser = False
        # No pings: the page is on this machine, and asks for its kernel by itself while paused.
        # Jupyter counts in milliseconds what tornado reads as seconds: no timeout suits both, and
        # one of a single interval cuts every connection after half a minute.
        self.tornado_settings = {"ws_ping_interval": 0}

    def listen(self) -> None:
        """Listen and serve; the address is announced by the running loop, hence once it is up."""
        IOLoop.current().add_callback(self._announce)
        super().listen()

    def _announce(self) -> None:
        # Raised in the midst of a task, KeyboardInterrupt would end with a traceback.
        signal.signal(signal.SIGINT, self._end)
        announce(self.port, open_browser=self._open_page)

    def _end(self, *_signal: object) -> None:
        # A second Ctrl-C need not wait for the kernels to end.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.ioloop.add_callback_from_signal(self.ioloop.stop)
