"""The house stands as it was drawn: who imports whom, what is documented, how long files are.

Each rule is a function from a folder to its violations, tried on the package and, so that it is
known to bite, on a small planted tree.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.file_rules import MAX_LINES, foreign_places, joined, too_long, undocumented
from tests.import_rules import import_violations

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hotmem_viz"


def test_imports_go_down():
    assert import_violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("where", "source", "complaint"),
    [
        ("memory/a.py", "from hotmem_viz.mechanisms import buddy", "memory imports mechanisms"),
        ("views/a.py", "import hotmem_viz.memory.physical", "views imports memory"),
        ("recording/a.py", "from hotmem_viz.views import wire", "recording imports views"),
        ("machine/a.py", "def f():\n    import numpy", "machine uses numpy"),
        ("recording/a.py", "import pandas", "pandas at module level"),
        ("memory/a.py", "from . import b", "relative import"),
        ("errors.py", "import hotmem_viz", "errors imports __init__"),
        ("surprise/a.py", "", "no row in the import table"),
    ],
)
def test_an_import_that_goes_up_is_found(tmp_path, where, source, complaint):
    for part in ("memory", "mechanisms", "views", "recording", "machine"):
        (tmp_path / part).mkdir()
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).write_text(source)
    assert complaint in "\n".join(import_violations(tmp_path))


def test_a_recording_may_import_the_views_inside_a_method(tmp_path):
    (tmp_path / "recording").mkdir()
    (tmp_path / "views").mkdir()
    source = "class R:\n    def show(self):\n        from hotmem_viz.views import stage\n"
    (tmp_path / "recording" / "a.py").write_text(source)
    assert import_violations(tmp_path) == []


def modules_loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_numpy_only():
    loaded = modules_loaded_by("import hotmem_viz") - modules_loaded_by("import numpy")
    assert loaded - set(sys.stdlib_module_names) == {"hotmem_viz"}


def test_a_heavy_import_would_be_seen():
    assert "click" in modules_loaded_by("import hotmem_viz.cli")


def test_everything_public_is_documented():
    assert undocumented(PACKAGE) == []


def test_a_missing_docstring_is_found(tmp_path):
    source = 'class A:\n    """Doc."""\n    def f(self): ...\ndef _g(): ...\n'
    (tmp_path / "a.py").write_text(source)
    assert undocumented(tmp_path) == ["a.py: module", "a.py: A.f"]


def test_no_file_is_longer_than_a_reader_bears():
    assert too_long(PACKAGE) + too_long(ROOT / "tests") + too_long(ROOT / "benchmarks") == []


def test_a_long_file_is_found(tmp_path):
    (tmp_path / "a.js").write_text("\n" * (MAX_LINES + 1))
    assert too_long(tmp_path) == ["a.js: 301 lines"]


def test_no_file_names_one_machine_or_registry():
    assert foreign_places(ROOT) == []


def test_a_machine_path_is_found(tmp_path):
    (tmp_path / "a.md").write_text("see " + joined("/", "work/x") + " or " + joined("py", "pi.org"))
    assert foreign_places(tmp_path) == ["a.md:1: " + joined("/", "work/")]
