"""Voila as the dashboard starts it: its connections last, its kernels are culled with patience."""

from __future__ import annotations

import asyncio

from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from hotmem_viz.apps.voila_app import DashboardApp, PatientKernelManager


class Handler(WebSocketMixin):
    """A websocket's handler, as far as its pings go."""

    def __init__(self, settings):
        self.settings = settings


def test_no_connection_is_cut_between_one_ping_and_the_next():
    handler = Handler(DashboardApp().tornado_settings)
    assert handler.ping_interval == 0 or handler.ping_timeout > handler.ping_interval


def test_the_default_of_one_interval_would_cut_them():
    handler = Handler({"ws_ping_timeout": Handler({}).ping_interval})
    assert not handler.ping_timeout > handler.ping_interval


def test_a_kernel_is_culled_at_the_second_look_and_never_while_somebody_is_there(monkeypatch):
    culled = []

    async def cull(_manager, kernel_id):
        culled.append(kernel_id)

    monkeypatch.setattr(AsyncMappingKernelManager, "cull_kernel_if_idle", cull)
    manager = PatientKernelManager()

    def look(connections):
        manager._kernel_connections["k"] = connections
        asyncio.run(manager.cull_kernel_if_idle("k"))
        return list(culled)

    assert look(0) == []
    assert look(1) == [], "a page has connected meanwhile"
    assert look(0) == [], "the count begins anew"
    assert look(0) == ["k"]
