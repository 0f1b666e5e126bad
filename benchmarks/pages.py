"""A browser and the dashboard, as the browser's rows need them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.conftest import Server, free_port, serving
from tools.ensure_browser import find_chromium


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the machine's browser."""
    program = find_chromium()
    if program is None:
        raise SystemExit("the browser's rows need a browser: install the package chromium")
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """Return an empty page at lecture size."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(120_000)
    return page


@contextmanager
def dashboard(folder: Path) -> Iterator[Server]:
    """Serve the dashboard."""
    port = free_port()
    command = [sys.executable, "-m", "hotmem_viz", "dashboard", "--no-browser", "--port", str(port)]
    with serving(command, f"http://127.0.0.1:{port}", folder / "home", env=keep(folder)) as server:
        yield server


def keep(folder: Path) -> dict[str, str]:
    """Return the environment in which kernels keep bytecode, as an installed package has it.

    Where it is not to be written every kernel compiles the package anew, and only the package.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def note_sent(page: Page) -> list[object]:
    """Return a list that fills with what the page sends to its kernel."""
    sent: list[object] = []

    def note(frame: object) -> None:  # playwright accepts no bound method of a builtin
        sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return sent
