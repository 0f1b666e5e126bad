"""Holds the model against captures of real kernels, row by row; see docs/compare.md.

Each captured machine is rebuilt from the capture's inputs alone: node ranges, SRAT, command line
and the arguments of its load. What no machine description holds comes from the kernel profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError, HotmemError
from hotmem_viz.kernel import (
    compare_boot,
    compare_free,
    compare_loads,
    compare_marks,
    compare_tables,
)
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.compare_machine import ComparedMachine

if TYPE_CHECKING:
    from hotmem_viz.kernel.compare_rows import Row

GROUPS: tuple[Callable[[ComparedMachine], Iterator[Row]], ...] = (
    compare_boot.boot_rows,
    compare_boot.movable_start_rows,
    compare_boot.zone_rows,
    compare_boot.block_rows,
    compare_boot.managed_rows,
    compare_boot.lowmem_rows,
    compare_marks.protection_rows,
    compare_marks.mark_rows,
    compare_marks.sum_of_min_rows,
    compare_loads.load_rows,
    compare_loads.inequality_rows,
    compare_tables.table_rows,
    compare_tables.late_mark_rows,
    compare_free.order_rows,
    compare_free.free_page_rows,
)
"""Everything that is compared. A group that a capture has nothing for yields no row."""

_DAMAGE = (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What reading a hostile text may raise besides the errors that are meant."""


@dataclass(frozen=True)
class Compared:
    """The rows of one capture. `error` is why it could not be used, or not all of it."""

    name: str
    kernel: str
    profile: str
    rows: tuple[Row, ...]
    error: str = ""


def compare_capture(path: str) -> Compared:
    """Compare one capture, by path or by the name of one that comes with the package.

    Never raises for what is in the file: a damaged capture has its `error`, and the rows that
    could be had all the same.
    """
    rows: list[Row] = []
    errors: list[str] = []
    try:
        capture = open_capture(path)
        machine = ComparedMachine(capture)
    except HotmemError as error:
        return Compared(str(path), "", "", (), str(error))
    except _DAMAGE as error:
        return Compared(str(path), "", "", (), _unforeseen(path, error))
    for group in GROUPS:
        try:
            rows.extend(group(machine))
        except CaptureError as error:
            errors.append(str(error))
        except HotmemError as error:
            errors.append(f"{path}: {error}")
        except _DAMAGE as error:
            errors.append(_unforeseen(path, error))
    distinct = list(dict.fromkeys(errors))
    more = f" (and {len(distinct) - 1} more)" if len(distinct) > 1 else ""
    profile = machine.profile.name if machine.profile else ""
    return Compared(
        capture.name, capture.kernel, profile, tuple(rows), f"{distinct[0]}{more}" if errors else ""
    )


def _unforeseen(path: object, error: BaseException) -> str:
    return f"{path}: damaged ({type(error).__name__}: {error})"


def compare_captures(paths: Iterable[str]) -> Iterator[Compared]:
    """Compare captures one after another."""
    return (compare_capture(path) for path in paths)


def exit_status(compared: Iterable[Compared]) -> int:
    """Return 2 if a capture could not be used, 1 if a row is out of tolerance, else 0."""
    results = list(compared)
    if any(c.error for c in results):
        return 2
    return int(any(row.ok is False for c in results for row in c.rows))
