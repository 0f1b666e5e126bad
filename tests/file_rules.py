"""What every file answers to: docstrings, a bearable length, no trace of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.import_rules import python_files

MAX_LINES = 300


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


def joined(*parts: str) -> str:
    return "".join(parts)  # Spelled in pieces, or this file would find itself.


FOREIGN = re.compile(
    "|".join(
        [
            joined(r"(?<![\w.])/", r"work/"),
            joined(r"(?<![\w.$}])/", r"tmp/\w"),
            joined("/", r"root/"),
            joined("/", r"home/(?!jovyan)\w+"),
            joined("py", r"pi\.org"),
            joined("python", r"hosted\.org"),
            joined("registry", r"\.npmjs"),
            joined("npmm", "irror|arti", "factory|jf", r"rog\.io|dev", "pi"),
            joined("--extra-", "index-url|--index", "-url"),
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
