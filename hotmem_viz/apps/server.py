"""Starts the two servers: Voila with the dashboard, JupyterLab with the notebooks.

Both run inside this process and listen on 127.0.0.1 alone, so that ending the command ends
them, and a kernel that lost its server ends by itself.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import threading
import webbrowser
from pathlib import Path

import click

from hotmem_viz.errors import HotmemError
from hotmem_viz.settings import checkout_folder, notebooks_folder, package_folder

HOST = "127.0.0.1"
DASHBOARD_NOTEBOOK = "dashboard.ipynb"
KERNEL_MANAGER = "hotmem_viz.apps.voila_app.PatientKernelManager"
FIRST_NOTEBOOK = "00-map-of-memory.ipynb"


def serve_dashboard(*, port: int, open_browser: bool, debug: bool = False) -> None:
    """Serve the dashboard's notebook at / until Ctrl-C or SIGTERM.

    Raises HotmemError if `port` is taken; no other port is tried.
    """
    require_free_port(port)
    _prefer_own_files()
    from hotmem_viz.apps.voila_app import DashboardApp

    app = DashboardApp.instance(open_browser=open_browser)
    app.initialize([str(notebooks_folder() / DASHBOARD_NOTEBOOK), *_voila_options(port, debug)])
    app.start()


def _voila_options(port: int, debug: bool) -> list[str]:
    return [
        f"--Voila.ip={HOST}",
        f"--Voila.port={port}",
        "--Voila.port_retries=0",
        "--VoilaConfiguration.template=hotmem",
        "--VoilaConfiguration.strip_sources=True",
        f"--VoilaConfiguration.multi_kernel_manager_class={KERNEL_MANAGER}",
        # One kernel waits, already rendered, for the next visitor.
        "--VoilaConfiguration.preheat_kernel=True",
        "--VoilaConfiguration.default_pool_size=1",
        # A closed page says nothing to the server: without culling every visit leaves a kernel.
        "--MappingKernelManager.cull_interval=60",
        "--MappingKernelManager.cull_idle_timeout=300",
        "--MappingKernelManager.cull_connected=False",
        # Other users of the machine cannot read what page and kernel say to each other.
        "--KernelManager.transport_encryption=auto",
        f"--VoilaConfiguration.show_tracebacks={debug}",
        # Below ERROR, Voila warns about every JupyterLab extension it does not need.
        f"--Application.log_level={'INFO' if debug else 'ERROR'}",
    ]


def serve_lab(
    *, port: int, open_browser: bool, folder: Path | None = None, debug: bool = False
) -> None:
    """Open JupyterLab on the notebooks, on a copy of them where they belong to a package.

    folder: where such a copy goes, by default `hotmem-viz-notebooks` in the home folder. Raises
    HotmemError if `port` is taken.
    """
    require_free_port(port)
    _prefer_own_files()
    from jupyterlab.labapp import LabApp

    root = writable_notebooks(folder)
    options = [
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        f"--ServerApp.open_browser={open_browser}",
        f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
        # News would be fetched from the project's site: nothing here leaves the machine.
        "--LabApp.news_url=None",
        # Nor does a question about news cover the stage in front of a class.
        f"--LabApp.app_settings_dir={package_folder() / 'apps' / 'jupyter' / 'lab-settings'}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.allow_root=True",
    ]
    LabApp.launch_instance([*options, *(["--debug"] if debug else [])])


def writable_notebooks(folder: Path | None = None) -> Path:
    """Return a folder of notebooks that may be changed; what is there already stays as it is."""
    if folder is None and checkout_folder() is not None:
        return notebooks_folder()
    target = (folder or Path.home() / "hotmem-viz-notebooks").resolve()
    target.mkdir(parents=True, exist_ok=True)
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        if not (target / source.name).exists():
            shutil.copyfile(source, target / source.name)
    return target


def require_free_port(port: int) -> None:
    """Raise HotmemError unless `port` of the loopback address can be listened on."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            # Connections of a server that just ended must not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken" if taken else f"cannot be used ({error.strerror})"
            raise HotmemError(
                f"port {port} on {HOST} {reason}; end the other program or choose --port N"
            ) from error


def _prefer_own_files() -> None:
    """Let Voila find the template inside the package, and kernels the package itself, first."""
    _put_first("JUPYTER_PATH", package_folder() / "apps" / "jupyter")
    if checkout_folder() is not None:
        _put_first("PYTHONPATH", package_folder().parent)


def _put_first(variable: str, folder: Path) -> None:
    others = os.environ.get(variable)
    os.environ[variable] = f"{folder}{os.pathsep}{others}" if others else str(folder)


def announce(port: int, *, open_browser: bool) -> None:
    """Print the dashboard's address, and open it."""
    address = f"http://{HOST}:{port}/"
    click.echo(f"hotmem-viz: the dashboard is at {address} (Ctrl-C ends it)")
    if open_browser:
        # A browser that runs in this terminal must not hold up the server.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
