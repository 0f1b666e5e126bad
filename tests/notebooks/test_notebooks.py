"""The notebooks as students get them: stored clean, thin, and running from top to bottom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from hotmem_viz.lessons.questions import list_questions
from tests.conftest import quiet_environment

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
MAX_LINES = 10
KEPT_METADATA = {"kernelspec", "language_info", "title", "voila"}


def stains(notebook):
    """Return what a saved notebook should not carry: results, counts, pictures, editor state."""
    found = [f"metadata {name}" for name in sorted(set(notebook.metadata) - KEPT_METADATA)]
    for number, cell in enumerate(notebook.cells):
        found += [f"cell {number}: attachments"] * bool(cell.get("attachments"))
        found += [f"cell {number}: metadata"] * bool(set(cell.metadata) - {"tags"})
        if cell.cell_type == "code":
            found += [f"cell {number}: outputs"] * bool(cell.outputs)
            found += [f"cell {number}: execution count"] * (cell.execution_count is not None)
    return found


def thick_cells(notebook):
    """Return the code cells that are long or define something."""
    defines = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if len(cell.source.splitlines()) > MAX_LINES:
            found.append(f"cell {number}: long")
        if any(isinstance(node, defines) for node in ast.walk(ast.parse(cell.source))):
            found.append(f"cell {number}: defines")
    return found


LESSONS = [path for path in NOTEBOOKS if path.stem != "dashboard"]


def test_there_are_the_lessons_and_the_dashboard():
    numbers = [path.stem[:2] for path in LESSONS]
    assert numbers == [f"{i:02}" for i in range(len(numbers))]
    assert {"00", "01", "02", "03"} <= set(numbers)
    assert len(NOTEBOOKS) == len(LESSONS) + 1


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts(path):
    notebook = nbformat.read(path, as_version=4)
    words = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    for part in ("**What you will learn**", "### What to look for", "## Questions", "## Further reading"):
        assert part in words, part
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    assert "hotmem_viz.app(" in code
    asked = re.findall(r'hotmem_viz\.question\("(\w+)"', code)
    assert tuple(sorted(asked)) == tuple(sorted(list_questions(path.stem[:2])))
    assert "http" not in words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_clean_and_thin(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert stains(notebook) == []
    assert thick_cells(notebook) == []
    assert path.stat().st_size < 50_000


def test_a_stained_or_thick_notebook_is_found():
    code = nbformat.v4.new_code_cell("def f():\n    pass\n" + "1\n" * 9, execution_count=1)
    code.outputs = [nbformat.v4.new_output("stream", text="x")]
    words = nbformat.v4.new_markdown_cell("x", attachments={"a.png": {}}, metadata={"slide": 1})
    notebook = nbformat.v4.new_notebook(cells=[code, words], metadata={"widgets": {}})
    assert stains(notebook) == [
        "metadata widgets",
        "cell 0: outputs",
        "cell 0: execution count",
        "cell 1: attachments",
        "cell 1: metadata",
    ]
    assert thick_cells(notebook) == ["cell 0: long", "cell 0: defines"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    for name, value in quiet_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("application/vnd.jupyter.widget-view+json" in o.get("data", {}) for o in outputs)
    assert [output for output in outputs if output.get("name") == "stderr"] == []
