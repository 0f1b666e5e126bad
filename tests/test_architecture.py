"""The house stands as it was drawn: who imports whom, what is documented, how long files are.

Each rule is a function from a folder to its violations, tried on the package and, so that it is
known to bite, on a small planted tree.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hotmem_viz"

LEAVES = {"vocabulary", "units", "errors", "settings", "_checks"}
DOWN_TO_RECORDING = {"machine", "memory", "mechanisms", "scenarios", "recording"}
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(LEAVES, LEAVES),
    "machine": LEAVES,
    "memory": LEAVES | {"machine"},
    "mechanisms": LEAVES | {"machine", "memory"},
    # A scenario yields the recorder's Ticks and Events; the recorder knows no scenario.
    "scenarios": LEAVES | {"machine", "memory", "mechanisms", "recording"},
    "recording": LEAVES | {"machine", "memory"},
    "kernel": LEAVES | DOWN_TO_RECORDING,
    "lessons": LEAVES | DOWN_TO_RECORDING,
    "catalog": LEAVES | DOWN_TO_RECORDING | {"kernel"},
    "views": LEAVES | {"machine", "recording"},
    "apps": LEAVES | DOWN_TO_RECORDING | {"kernel", "lessons", "catalog", "views", "__init__"},
    "__init__": LEAVES | DOWN_TO_RECORDING | {"kernel", "catalog", "apps"},
    "cli": LEAVES | DOWN_TO_RECORDING | {"kernel", "catalog", "apps", "__init__"},
    "__main__": {"cli"},
}
"""Row: a part of the package; its set: the other parts it may import."""

THIRD_PARTY: dict[str, set[str]] = {
    **{leaf: set() for leaf in LEAVES},
    "machine": set(),
    "memory": {"numpy"},
    "mechanisms": {"numpy"},
    "scenarios": {"numpy"},
    "recording": {"numpy", "pandas", "matplotlib"},
    "kernel": {"numpy"},
    "lessons": {"numpy"},
    "catalog": set(),
    "views": {"numpy", "pandas", "matplotlib", "anywidget", "traitlets", "PIL", "IPython"},
    "__init__": {"numpy"},
    "cli": {"click"},
    "__main__": set(),
}
"""Libraries a part may use; apps may use any that pyproject.toml names."""

STANDARD = {*sys.stdlib_module_names, "_typeshed"}
HEAVY = ("pandas", "matplotlib", "ipywidgets", "anywidget", "traitlets", "voila", "IPython", "PIL")
IMPORTED_WITH_THE_PACKAGE = {"__init__", *LEAVES, *DOWN_TO_RECORDING, "cli", "__main__"}
MAX_LINES = 300


def python_files(package: Path) -> Iterator[tuple[Path, str, ast.Module]]:
    """Yield every Python file of the package with the part it belongs to and its tree."""
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package).parts[0].removesuffix(".py")
        yield path, part, ast.parse(path.read_text(encoding="utf-8"))


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every module that is imported anywhere in the tree, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "hotmem_viz":
                yield from ((f"hotmem_viz.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield module, node.lineno


def lazily_imported(tree: ast.AST) -> set[tuple[str, int]]:
    """Return the imports that stand inside a function's body, hence run only when it does."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node for node in ast.walk(tree) if isinstance(node, functions)]
    return {found for body in bodies for found in imported_modules(body)}


def target_part(module: str, package: Path) -> str:
    """Return the part of the package that `hotmem_viz...` names: `__init__` for itself."""
    names = module.split(".")[1:]
    if not names:
        return "__init__"
    is_part = (package / names[0]).is_dir() or (package / f"{names[0]}.py").is_file()
    return names[0] if is_part else "__init__"


def import_violations(package: Path) -> list[str]:
    """Return imports that go up, or to a library that the part has no business with."""
    found = []
    for path, part, tree in python_files(package):
        where = path.relative_to(package).as_posix()
        if part not in MAY_IMPORT:
            found.append(f"{where}: {part} has no row in the import table")
            continue
        lazy = lazily_imported(tree)
        for module, line in imported_modules(tree):
            is_lazy = (module, line) in lazy
            if module.startswith("hotmem_viz"):
                complaint = _own_import(part, target_part(module, package), is_lazy)
            else:
                is_lazy = is_lazy or _is_type_checking(tree, line)
                complaint = _foreign_import(part, module.split(".")[0], is_lazy)
            if complaint:
                found.append(f"{where}:{line}: {complaint}")
    return found


def _own_import(part: str, target: str, is_lazy: bool) -> str:
    # A recording displays and exports itself through the views.
    excused = part == "recording" and target == "views" and is_lazy
    allowed = target in MAY_IMPORT[part] | {part} or excused
    return "" if allowed else f"{part} imports {target}"


def _foreign_import(part: str, top: str, is_lazy: bool) -> str:
    if not top:
        return "relative import"
    if top in STANDARD or part not in THIRD_PARTY:
        return ""
    if top not in THIRD_PARTY[part]:
        return f"{part} uses {top}"
    heavy = top in HEAVY and part in IMPORTED_WITH_THE_PACKAGE
    return f"{top} at module level" if heavy and not is_lazy else ""


def _is_type_checking(tree: ast.Module, line: int) -> bool:
    blocks = (n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))
    return any(block.lineno <= line <= (block.end_lineno or 0) for block in blocks)


def undocumented(package: Path) -> list[str]:
    """Modules, and public classes, functions and methods, without a docstring."""
    found = []
    for path, _, tree in python_files(package):
        where = path.relative_to(package).as_posix()
        if not ast.get_docstring(tree):
            found.append(f"{where}: module")
        found += [f"{where}: {name}" for name in _undocumented_names(tree)]
    return found


def _undocumented_names(scope: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for node in scope.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") or _is_overload(node):
            continue
        if not ast.get_docstring(node):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented_names(node, f"{node.name}.")


def _is_overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)


def too_long(root: Path) -> list[str]:
    """Source files of more than 300 lines."""
    sources = (p for pattern in ("*.py", "*.js", "*.mjs", "*.css") for p in root.rglob(pattern))
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in sources}
    return [f"{p.relative_to(root)}: {n} lines" for p, n in lengths.items() if n > MAX_LINES]


def _word(*parts: str) -> str:
    return "".join(parts)  # Spelled in pieces, or this file would find itself.


FOREIGN = re.compile(
    "|".join(
        [
            _word(r"(?<![\w.])/", r"work/"),
            _word(r"(?<![\w.$}])/", r"tmp/\w"),
            _word("/", r"root/"),
            _word("/", r"home/(?!jovyan)\w+"),
            _word("py", r"pi\.org"),
            _word("python", r"hosted\.org"),
            _word("registry", r"\.npmjs"),
            _word("npmm", "irror|arti", "factory|jf", r"rog\.io|dev", "pi"),
            _word("--extra-", "index-url|--index", "-url"),
        ]
    )
)
TEXT = {".py", ".md", ".toml", ".txt", ".js", ".mjs", ".css", ".j2", ".html", ".json", ".ipynb",
        ".sh", ".yml", ".yaml", ""}  # fmt: skip
MADE_BY_TOOLS = {".git", ".venv", "build", "dist", "__pycache__", "data", "node_modules",
                 ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}  # fmt: skip


def tracked_files(root: Path) -> list[Path]:
    """Return the files git tracks, or in a plain copy all that are not made by a tool."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and (root / ".git").exists():
        names = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        names = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
    return [
        root / p
        for p in names
        if not MADE_BY_TOOLS & set(p.parts) and p.suffix in TEXT and (root / p).is_file()
    ]


def foreign_places(root: Path) -> list[str]:
    """Paths of one machine and hosts of one registry, in files that everybody gets."""
    found = []
    for path in tracked_files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if match := FOREIGN.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {match.group()}")
    return found


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
    (tmp_path / "a.md").write_text("see " + _word("/", "work/x") + " or " + _word("py", "pi.org"))
    assert foreign_places(tmp_path) == ["a.md:1: " + _word("/", "work/")]
