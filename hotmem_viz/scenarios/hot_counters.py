"""Counters of the hot-remove scenario: two clocks, what was emptied, and the corner meter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.isolation import RESERVED_KINDS, USER_KINDS
from hotmem_viz.scenarios.describe import describe_memory, read_memory
from hotmem_viz.vocabulary import EventKind, PageKind, SectionState, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

OWN = (
    ("passes", "passes", "rounds of scan and migrate"),
    ("moved", "pages", "pages that have moved"),
    ("timer.movable", "s", "clock of the requests in ZONE_MOVABLE"),
    ("timer.kernel", "s", "clock of the requests in kernel zones"),
    ("emptied", "sections", "sections emptied, callbacks included"),
    ("emptied_without", "sections", "sections emptied without callbacks"),
    ("corner.movable", "sections", "Movable sections that could change sides"),
    ("corner.movable_used", "pages", "used pages that would have to leave those first"),
    ("corner.movable_held", "sections", "Movable sections that boot memory holds"),
    ("corner.kernel", "sections", "kernel sections that could change sides"),
    ("corner.kernel_held", "sections", "kernel sections that an unmovable page holds"),
)


@dataclass
class Clocks:
    """What a run has come to so far: times are model time in ns, told is what was told once."""

    passes: int = 0
    moved: int = 0
    movable_ns: float = 0.0
    kernel_ns: float = 0.0
    emptied: int = 0
    emptied_without: int = 0
    told: set[EventKind] = field(default_factory=set)


@dataclass(frozen=True)
class Corner:
    """What would have to go offline to change the ratio of Movable to kernel memory (S46).

    Counts of sections that are online and wholly in one zone.
    """

    movable: int
    movable_held: int
    movable_used: int
    kernel: int
    kernel_held: int


def measure_corner(mem: PhysicalMemory) -> Corner:
    """Count sections by whether they could leave their zone, and what would have to move first.

    The rules are those of `isolation.find_veto`, read from the counts of all sections at once.
    """
    kinds, extents = mem.extent_kinds, mem.extents
    whole = kinds[:, PageKind.FREE :].sum(axis=1) == mem.spec.section_pages
    whole &= mem.section_state[extents.section] == SectionState.ONLINE
    movable = whole & (mem.zones.type[extents.zone] == ZoneType.MOVABLE)
    kernel = whole & ~movable
    used = kinds[:, list(USER_KINDS)].sum(axis=1)
    held = np.where(
        movable,
        kinds[:, list(RESERVED_KINDS)].sum(axis=1) > 0,
        used + kinds[:, PageKind.FREE] < mem.spec.section_pages,
    )
    can_go = movable & ~held
    return Corner(
        int(can_go.sum()),
        int((movable & held).sum()),
        int(used[can_go].sum()),
        int((kernel & ~held).sum()),
        int((kernel & held).sum()),
    )


def describe_counters(mem: PhysicalMemory) -> list[dict[str, Any]]:
    """Return names, units and labels of the counters, in the order of `read_counters`."""
    zones = range(len(mem.zones))
    managed = [
        {
            "name": f"zone{z}.managed",
            "unit": "pages",
            "zone": z,
            "label": f"{mem.zones.label(z)}: managed",
        }
        for z in zones
    ]
    own = [{"name": n, "unit": unit, "label": label} for n, unit, label in OWN]
    return [*describe_memory(mem), *managed, *own]


def read_counters(mem: PhysicalMemory, clocks: Clocks) -> np.ndarray:
    """Read all counters: (F,) float64."""
    corner = measure_corner(mem)
    own = (
        clocks.passes,
        clocks.moved,
        clocks.movable_ns / 1e9,
        clocks.kernel_ns / 1e9,
        clocks.emptied,
        clocks.emptied_without,
        corner.movable,
        corner.movable_used,
        corner.movable_held,
        corner.kernel,
        corner.kernel_held,
    )
    return np.concatenate((read_memory(mem), mem.zones.managed, own), dtype=np.float64)
