"""What a capture measured at each moment, as the counters of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.kernel.capture_zones import ZoneState
from hotmem_viz.scenarios.describe import GLOBAL_COUNTERS, ZONE_COUNTERS
from hotmem_viz.scenarios.telling import OBJECT_NAMES
from hotmem_viz.vocabulary import PAGE_SIZE, PageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.capture_zones import Key
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.moments import Moment

_KIB_PER_PAGE = PAGE_SIZE // 1024

CHANGING = {
    "managed": "pages of the page allocator",
    "reserve": "kept back from a kernel request",
}
"""Counters of a zone that only captures have, for their memory comes and goes."""

ATTEMPTS = "attempts"
"""Counter of a sweep: attempts to take a memory block offline that were made so far."""

MEMINFO = {
    "MemAvailable": "mem_available",
    "AnonPages": "meminfo.anon",
    "Cached": "meminfo.cached",
    "SReclaimable": "meminfo.reclaimable_slab",
    "SUnreclaim": "meminfo.slab",
    "PageTables": "meminfo.page_tables",
    "KernelStack": "meminfo.kernel_stacks",
}
"""Lines of /proc/meminfo, and the counters that they become."""


def load_of(capture: Capture) -> str:
    """Name the load that a capture ran, or ""."""
    return str(capture.args.get("kind", ""))


def objects_of(load: str) -> str:
    """Name what a load makes, such as files; operations where there is no word for it."""
    return OBJECT_NAMES.get(load, "operations")


def describe_counters(zones: Sequence[dict[str, Any]], objects: str) -> list[dict[str, Any]]:
    """Return names, units and labels of the counters, in the order of `read_counters`."""
    listed: list[dict[str, Any]] = [
        {
            "name": f"zone{zone['id']}.{name}",
            "unit": "pages",
            "zone": zone["id"],
            "label": f"node {zone['nid']} {zone['zone']}: {label}",
        }
        for name, label in (ZONE_COUNTERS | CHANGING).items()
        for zone in zones
    ]
    listed += [
        {
            "name": f"kind.{kind.name.lower()}",
            "unit": "pages",
            "label": f"{kind.name.lower().replace('_', ' ')}, by the page flags read last",
        }
        for kind in PageKind
    ]
    listed += [
        {"name": name, "unit": "pages", "label": GLOBAL_COUNTERS[name]}
        for name in ("free", "useless")
    ]
    listed += [
        {"name": name, "unit": "pages", "label": f"{line} of /proc/meminfo"}
        for line, name in MEMINFO.items()
    ]
    return [*listed, {"name": "objects", "unit": objects, "label": f"{objects} made"}]


def describe_attempts() -> dict[str, Any]:
    """Return name, unit and label of the counter that a sweep has besides, as its last."""
    return {"name": ATTEMPTS, "unit": "attempts", "label": "attempts to take a block offline"}


def count_attempts(moments: Sequence[Moment]) -> np.ndarray:
    """Return how many attempts to take a block offline were made by each moment: (T, 1) int64."""
    made: np.ndarray = np.cumsum([m.attempt is not None for m in moments])[:, None]
    return made


def read_counters(
    moments: Sequence[Moment],
    states: Sequence[dict[Key, ZoneState]],
    kinds: np.ndarray,
    zones: Sequence[dict[str, Any]],
) -> np.ndarray:
    """Return all counters: (T, F) float64.

    kinds: (T, K) int64, pages of each kind by the flags read last. What a moment does not say of
    meminfo stays as it was.
    """
    rows, meminfo = [], dict.fromkeys(MEMINFO, 0)
    keys = [(zone["nid"], zone["zone"]) for zone in zones]
    for moment, state, counted in zip(moments, states, kinds, strict=True):
        if moment.meminfo is not None:
            meminfo |= {n: moment.meminfo[n] for n in MEMINFO if n in moment.meminfo}
        at = [state.get(key, ZoneState()) for key in keys]
        row: list[float] = [getattr(z, n) for n in (*ZONE_COUNTERS, *CHANGING) for z in at]
        row += counted.tolist()
        row += [sum(z.free for z in at), sum(z.useless for z in at)]
        row += [kib // _KIB_PER_PAGE for kib in meminfo.values()]
        rows.append([*row, moment.operations])
    return np.array(rows, np.float64)
