"""What people get: the wheel holds everything, and works away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel, built once."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("hotmem_viz-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel; third-party libraries are lent by this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / "python"
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # A folder named in a .pth file is searched, the .pth files in it are not: the libraries are
    # found, an editable install of the checkout is not.
    (Path(purelib) / "lent.pth").write_text(sysconfig.get_path("purelib"))
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True)
    return binaries


def run_installed(installed, *words, cwd):
    """Run a program of the fresh environment away from the checkout."""
    clean = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "JUPYTER_PATH"}}
    return subprocess.run(
        [installed / words[0], *words[1:]],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**clean, "HOME": str(cwd)},
    )


def test_the_wheel_holds_what_the_course_needs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "hotmem_viz"
    package = {
        f"hotmem_viz/{p.relative_to(source).as_posix()}"
        for p in source.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert package - names == set()
    for folder in ("notebooks", "data"):
        shipped = {
            f"hotmem_viz/{p.relative_to(ROOT).as_posix()}"
            for p in (ROOT / folder).rglob("*")
            if p.is_file() and ".ipynb_checkpoints" not in p.parts
        }
        assert shipped
        assert shipped - names == set()
    assert any(n.endswith("share/jupyter/voila/templates/hotmem/index.html.j2") for n in names)
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert not [n for n in names if n.startswith(("tests", "tools", "benchmarks"))]


def test_the_installed_package_finds_its_files(installed, tmp_path):
    code = (
        "import hotmem_viz, json; from hotmem_viz import settings as s; print(json.dumps(["
        "hotmem_viz.__file__, s.checkout_folder() is None,"
        "sorted(p.name for p in s.notebooks_folder().glob('*.ipynb')), s.data_folder().is_dir()]))"
    )
    done = run_installed(installed, "python", "-c", code, cwd=tmp_path)
    assert done.stderr == ""
    file, alone, notebooks, data = json.loads(done.stdout)
    assert Path(file).is_relative_to(installed.parent)
    assert alone
    assert data
    assert notebooks == sorted(p.name for p in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_installed_command_runs_a_lesson(installed, tmp_path):
    done = run_installed(
        installed, "hotmem-viz", "run", "exhaustion", "--out", "x.html", cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "x.html").stat().st_size < 2_000_000


def test_notebooks_of_an_installed_package_are_copied_once_and_kept(installed, tmp_path):
    code = "from hotmem_viz.apps.server import writable_notebooks as w; print(w())"
    folder = Path(run_installed(installed, "python", "-c", code, cwd=tmp_path).stdout.strip())
    assert folder.is_relative_to(tmp_path)
    edited = folder / "00-map-of-memory.ipynb"
    assert edited.read_bytes() == (ROOT / "notebooks" / edited.name).read_bytes()
    edited.write_text("mine")
    run_installed(installed, "python", "-c", code, cwd=tmp_path)
    assert edited.read_text() == "mine"
