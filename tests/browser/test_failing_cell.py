"""A cell that fails must be seen: the waiting picture gives way to Voila's words."""

from __future__ import annotations

import sys

import nbformat
import pytest

from hotmem_viz.settings import package_folder
from tests.conftest import free_port, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def broken(tmp_path):
    """A Voila with the project's template and a notebook whose only cell fails."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    path = tmp_path / "broken.ipynb"
    nbformat.write(notebook, path)
    port = free_port()
    options = ["--no-browser", "--template=hotmem", "--Voila.ip=127.0.0.1", f"--port={port}"]
    command = [sys.executable, "-m", "voila", path, *options]
    jupyter = {"JUPYTER_PATH": str(package_folder() / "apps" / "jupyter")}
    with serving(command, f"http://127.0.0.1:{port}", tmp_path / "home", env=jupyter) as server:
        yield server


def test_a_failing_cell_is_seen(page, broken):
    page.goto(broken.address + "/")
    page.get_by_text("There was an error when executing cell").wait_for()
    page.wait_for_selector("#hotmem-start", state="detached")
    # Voila still fetches parts of itself; leaving now would count as a broken script.
    page.wait_for_load_state("networkidle")
