"""What Binder would do, without a container: install exactly what binder/ says, start, open."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from hotmem_viz.settings import BINDER_HOST, DASHBOARD_URLPATH, NOTEBOOK_URLPATH, binder_link
from tests.conftest import free_port, serving

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist")


def pinned():
    """Return the requirements of binder/, the checkout's own line apart."""
    lines = (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def test_every_direct_dependency_is_pinned_to_a_version_that_is_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dashboard"]
    allowed = {r.name: r.specifier for r in map(Requirement, wanted)}
    pins = {r.name: str(r.specifier).removeprefix("==") for r in pinned()}
    assert set(pins) == set(allowed)
    assert all(version in allowed[name] for name, version in pins.items())


def test_links_have_a_host_once_there_is_a_repository():
    assert binder_link(NOTEBOOK_URLPATH, "") == f"?urlpath={NOTEBOOK_URLPATH}"
    whole = binder_link(DASHBOARD_URLPATH, "someone/hotmem_viz")
    assert whole == f"{BINDER_HOST}/v2/gh/someone/hotmem_viz/HEAD?urlpath={DASHBOARD_URLPATH}"


@pytest.mark.parametrize("urlpath", [NOTEBOOK_URLPATH, DASHBOARD_URLPATH])
def test_the_readme_gives_the_links(urlpath):
    assert binder_link(urlpath) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / urlpath.removeprefix("lab/tree/").removeprefix("voila/render/")).is_file()


def binder_python():
    """Return a Python of the version that binder/runtime.txt names, or the one that runs this."""
    name = (ROOT / "binder" / "runtime.txt").read_text().strip().replace("-", "")
    works = (
        shutil.which(name)
        and not subprocess.run(
            [name, "-c", "import ensurepip"], capture_output=True, check=False
        ).returncode
    )
    return name if works else sys.executable


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The checkout's copy and the environment that Binder would build from it."""
    folder = tmp_path_factory.mktemp("binder")
    copy = shutil.copytree(ROOT, folder / "repository", ignore=LEFT_OUT)
    subprocess.run([binder_python(), "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "-r", "binder/requirements.txt"], check=True, cwd=copy)
    return copy, folder / "venv" / "bin"


@pytest.fixture(scope="module")
def hub(built, tmp_path_factory):
    """The one server of a Binder session: JupyterLab, with Voila as its extension."""
    copy, binaries = built
    port = free_port()
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    command = [binaries / "jupyter", "lab", "--ip=127.0.0.1", *options]
    home = tmp_path_factory.mktemp("hub")
    address = f"http://127.0.0.1:{port}/"
    alone = {"PYTHONPATH": ""}
    with serving(command, address, home, cwd=copy, env=alone, path="api/status") as server:
        yield server


def fetch(url):
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.slow
def test_the_link_opens_the_notebook_in_jupyterlab(hub):
    status, page = fetch(hub.address + NOTEBOOK_URLPATH)
    assert status == 200
    assert "jupyter-config-data" in page
    stored = NOTEBOOK_URLPATH.removeprefix("lab/tree/")
    assert fetch(f"{hub.address}api/contents/{stored}")[0] == 200


@pytest.mark.slow
def test_the_link_opens_the_dashboard_in_its_own_template(hub):
    status, page = fetch(hub.address + DASHBOARD_URLPATH)
    assert status == 200
    assert 'id="hotmem-start"' in page
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "There was an error when executing cell" not in page
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']+""", page) == []
