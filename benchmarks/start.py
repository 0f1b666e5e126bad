"""What a start costs: `import hotmem_viz` over `import numpy`, in processes of their own."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.row import Row, timed


def import_seconds(module: str) -> float:
    """Seconds of a process that imports one module and ends."""
    return timed(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))


def all_rows() -> list[Row]:
    """Measure in pairs, so that a machine whose speed drifts does not matter."""
    import_seconds("hotmem_viz")
    ratio = statistics.median(
        import_seconds("hotmem_viz") / import_seconds("numpy") for _ in range(15)
    )
    return [Row("import hotmem_viz, over import numpy", ratio, "x", "<= 1.3", ratio <= 1.3)]
