"""A real browser whose pages may speak to this machine and to nobody else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.conftest import Server, free_port, serving
from tools.ensure_browser import PACKAGE, find_chromium

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Even a request that the guard below missed could not get out.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOCAL_SCHEMES = {"data", "blob", "file", "about"}
IGNORED_ERRORS = ("favicon.ico",)


class Guard:
    """Notes what a page asks for and complains about, and judges it at the end."""

    def __init__(self, page: Page) -> None:
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.console: list[str] = []
        page.on("request", lambda request: self._saw(request.url))
        page.on("websocket", lambda socket: self._saw(socket.url))
        page.on("pageerror", self._broke)
        page.on("console", self._said)

    def _saw(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in LOCAL_SCHEMES and parts.hostname not in LOOPBACK:
            self.outside.append(url)

    def _broke(self, error: Error) -> None:
        self.errors.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console.append(message.text)

    def check(self) -> None:
        """Fail if anything left the machine, or a script of the page broke."""
        assert self.outside == [], "the page asked for something that is not on this machine"
        assert self.errors == [], "a script of the page broke"


# Not for the session: while playwright's synchronous interface is open, an event loop counts as
# running in this thread, and every other test's asyncio.run() would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome as found on this machine, without a window."""
    program = find_chromium()
    if program is None:
        pytest.fail(f"the browser tests need a browser: install the package {PACKAGE}", False)
    flags = [*FLAGS, "--no-sandbox"] if _is_root() else list(FLAGS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page at lecture size; it must stay on this machine and whole."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light")
    context.set_default_timeout(60_000)
    page = context.new_page()
    guard = Guard(page)
    yield page
    context.close()
    guard.check()


@pytest.fixture
def sent(page: Page) -> list[str | bytes]:
    """Everything the page sends to its kernel, as it goes."""
    frames: list[str | bytes] = []

    def note(frame: str | bytes) -> None:  # playwright accepts no bound method of a builtin
        frames.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return frames


@pytest.fixture
def bare_page(browser: Browser) -> Iterator[Page]:
    """A fresh page without the guard, for trying the guard itself."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on a copy of the notebooks, drivable from the page."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None",
    ]
    address = f"http://127.0.0.1:{port}"
    with serving(command, address, home, cwd=home, path="/api/status") as server:
        yield server
