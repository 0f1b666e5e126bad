"""QEMU's monitor: modules of memory plugged in and out while the guest runs."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

MIB = 1 << 20
PATIENCE = 20.0
EJECT_REFUSED = 0x82
"""The guest's answer (_OST) that it will not let a module go; 0x84 says that it tries."""

_WORTH_NOTING = ("ACPI_DEVICE_OST", "DEVICE_DELETED", "MEM_UNPLUG_ERROR")


class MonitorError(Exception):
    """The monitor refused a command, or is gone."""


@dataclass
class Monitor:
    """One connection to QEMU's monitor."""

    connection: socket.socket
    events: list[dict[str, Any]] = field(default_factory=list)
    slots: dict[str, str] = field(default_factory=dict)
    _buffer: bytes = b""

    def start(self) -> None:
        """Read the greeting and leave the state in which nothing but that is allowed."""
        self._message(time.monotonic() + PATIENCE)
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: Any) -> Any:
        """Give a command and return its answer; events that come first are kept.

        Raises
        ------
        MonitorError
            When QEMU refuses it, or says nothing for long.
        """
        text = json.dumps({"execute": name, "arguments": arguments})
        try:
            self.connection.sendall(text.encode() + b"\n")
        except OSError as error:
            raise MonitorError(f"QEMU closed its monitor ({error})") from None
        until = time.monotonic() + PATIENCE
        while True:
            try:
                message = self._message(until)
            except TimeoutError:
                raise MonitorError("no answer from QEMU") from None
            if "error" in message:
                raise MonitorError(str(message["error"].get("desc", "refused")))
            if "return" in message:
                return message["return"]
            self.events.append(message)

    def next_event(self, until: float) -> dict[str, Any] | None:
        """Return the next event that came, or None when none does in time."""
        if self.events:
            return self.events.pop(0)
        try:
            return self._message(until)
        except TimeoutError:
            return None

    def _message(self, until: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            rest = until - time.monotonic()
            if rest <= 0:
                raise TimeoutError
            self.connection.settimeout(rest)
            try:
                data = self.connection.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                raise MonitorError("QEMU closed its monitor")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise MonitorError("QEMU sent what is no message")
        return message


def add_module(monitor: Monitor, name: str, mib: int, node: int) -> str:
    """Plug in a module of memory; returns the answer for the guest."""
    backend = f"{name}-memory"
    properties = {"qom-type": "memory-backend-ram", "id": backend, "reserve": False}
    try:
        monitor.command("object-add", **properties, size=mib * MIB)
        monitor.command("device_add", driver="pc-dimm", id=name, memdev=backend, node=node)
        for device in monitor.command("query-memory-devices"):
            monitor.slots[str(device["data"].get("id"))] = str(device["data"].get("slot"))
    except MonitorError as error:
        return f"err {error}"
    return "ok added"


def remove_module(monitor: Monitor, name: str, seconds: float) -> str:
    """Ask for a module back and wait for what the guest does; returns the answer for it."""
    monitor.events.clear()
    start = time.monotonic()
    try:
        monitor.command("device_del", id=name)
    except MonitorError as error:
        return f"err {error}"
    seen: list[tuple[str, int | None, int | None]] = []
    deleted = refused = False
    while not (deleted or refused):
        event = monitor.next_event(start + seconds)
        if event is None:
            break
        kind = str(event.get("event"))
        if kind not in _WORTH_NOTING:
            continue
        data = event.get("data", {})
        info = data.get("info", {})
        if str(info.get("slot", monitor.slots.get(name))) != monitor.slots.get(name):
            continue
        seen.append((kind, info.get("source"), info.get("status")))
        deleted = kind == "DEVICE_DELETED" and data.get("device", name) == name
        refused = kind == "ACPI_DEVICE_OST" and info.get("status") == EJECT_REFUSED
    verdict = "ok deleted" if deleted else "err not-deleted"
    return f"{verdict} host_seconds={time.monotonic() - start:.2f} events={seen}"


def answer(monitor: Monitor, request: str) -> str:
    """Do what the guest asks for: "add NAME MIB NODE" or "del NAME SECONDS"."""
    words = request.split()
    try:
        match words:
            case ["add", name, mib, node]:
                return add_module(monitor, name, int(mib), int(node))
            case ["del", name, seconds]:
                return remove_module(monitor, name, float(seconds))
    except ValueError:
        pass
    return f"err not understood: {request[:60]}"
