"""Who may import whom: the table, and a walk over the syntax trees that finds what breaks it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

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
    # The ledger runs scenarios by name, questions ask about captures; neither knows a lesson.
    "lessons": LEAVES | DOWN_TO_RECORDING | {"catalog", "kernel"},
    "catalog": LEAVES | DOWN_TO_RECORDING | {"kernel"},
    "links": LEAVES | {"machine", "scenarios", "recording", "kernel", "catalog"},
    "views": LEAVES | {"machine", "recording"},
    "apps": LEAVES
    | DOWN_TO_RECORDING
    | {"kernel", "lessons", "catalog", "links", "views", "__init__"},
    "__init__": LEAVES | DOWN_TO_RECORDING | {"kernel", "catalog", "lessons", "apps"},
    "cli": LEAVES
    | DOWN_TO_RECORDING
    | {"kernel", "catalog", "apps", "cli_kernels", "cli_lessons", "__init__"},
    "cli_kernels": LEAVES | {"kernel", "recording"},
    "cli_lessons": LEAVES | {"lessons"},
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
    "kernel": {"numpy", "pandas", "IPython"},
    "lessons": {"numpy"},
    "catalog": set(),
    "links": set(),
    "views": {
        "numpy",
        "pandas",
        "matplotlib",
        "anywidget",
        "traitlets",
        "PIL",
        "IPython",
        "imageio_ffmpeg",
    },
    "__init__": {"numpy"},
    "cli": {"click"},
    "cli_kernels": {"click", "tqdm"},
    "cli_lessons": {"click"},
    "__main__": set(),
}
"""Libraries a part may use; apps may use any that pyproject.toml names."""

STANDARD = {*sys.stdlib_module_names, "_typeshed"}
HEAVY = ("pandas", "matplotlib", "ipywidgets", "anywidget", "traitlets", "voila", "IPython", "PIL")
IMPORTED_WITH_THE_PACKAGE = {
    "__init__",
    *LEAVES,
    *DOWN_TO_RECORDING,
    "cli",
    "cli_kernels",
    "__main__",
}


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
    # A recording displays and exports itself through the views, a question displays itself.
    excused = part in ("recording", "lessons") and target == "views" and is_lazy
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
