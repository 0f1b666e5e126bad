"""What many tests need: a port that is free, and servers that start, answer and are gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quiet_environment(home: Path) -> dict[str, str]:
    """Return an environment in which Jupyter reads and writes below `home` alone."""
    folders = {
        f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "RUNTIME", "DATA")
    }
    # The checkout is what the tests test, whether or not it is installed.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    home_of = {"IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": path}
    return {**os.environ, **folders, **home_of, "BROWSER": "true"}


class Server:
    """A server that was started as a child process and answered once."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self.process, self.address, self.log = process, address, log


@contextmanager
def serving(
    command: Sequence[str],
    address: str,
    home: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    path: str = "/",
) -> Iterator[Server]:
    """Run `command` until the block ends; the block starts once `address` + `path` answers."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    environment = {**quiet_environment(home), **(env or {})}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=cwd or home,
            start_new_session=True,
        )
    try:
        wait_until_it_answers(address + path, process, log)
        yield Server(process, address, log)
    finally:
        end(process)


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once `url` answers; fail with the log if the server ends or never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended at once:\n{log.read_text(errors='replace')}")
        try:
            with urllib.request.urlopen(url, timeout=30):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"no answer from {url}:\n{log.read_text(errors='replace')}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process as a person would, and its whole group if that does not do."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard, started by its own command."""
    port = free_port()
    command = [sys.executable, "-m", "hotmem_viz", "dashboard", "--no-browser", "--port", str(port)]
    with serving(command, f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("voila")) as server:
        yield server


@pytest.fixture
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m hotmem_viz` with the given words and return what it printed."""

    def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hotmem_viz", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd or ROOT)

    return run
