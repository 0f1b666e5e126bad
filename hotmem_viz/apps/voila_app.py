"""Voila as the dashboard needs it: says when it listens, and culls without a race."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.websocket import WS_PING_INTERVAL
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from voila.app import Voila

from hotmem_viz.apps.server import announce


class PatientKernelManager(AsyncMappingKernelManager):
    """Culls an abandoned kernel at the second look, not the first.

    A preheated kernel may have waited in its pool for longer than the timeout. The moment it is
    handed out it counts as idle, and until the page has connected it would be culled: a page
    that never comes alive.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._abandoned: set[str] = set()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Cull `kernel_id` if nobody was connected at this look and at the one before."""
        if self._kernel_connections.get(kernel_id):
            self._abandoned.discard(kernel_id)
        elif kernel_id in self._abandoned:
            await super().cull_kernel_if_idle(kernel_id)
        else:
            self._abandoned.add(kernel_id)

    def remove_kernel(self, kernel_id: str) -> None:
        """Forget `kernel_id`, which has ended."""
        self._abandoned.discard(kernel_id)
        super().remove_kernel(kernel_id)


class DashboardApp(Voila):
    """Voila with one notebook, announced once it listens."""

    def __init__(self, *, open_browser: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._open_page = open_browser
        # Voila would open a file of its own making that forwards to the page.
        self.open_browser = False
        # Jupyter's default, three intervals, is longer than tornado allows, which then complains.
        self.tornado_settings = {"ws_ping_timeout": WS_PING_INTERVAL}

    def listen(self) -> None:
        """Listen and serve; the address is announced by the running loop, hence once it is up."""
        IOLoop.current().add_callback(self._announce)
        super().listen()

    def _announce(self) -> None:
        announce(self.port, open_browser=self._open_page)
