"""The measures of a strategy, read at every tick from the model: what the scoreboard sums up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.isolation import LRU_KINDS
from hotmem_viz.scenarios.describe import describe_memory, read_memory
from hotmem_viz.vocabulary import ONLINE_STATES, PAGE_SIZE, PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.remap_reading import MapGauges
    from hotmem_viz.scenarios.strategy_load import Load
    from hotmem_viz.scenarios.strategy_parameters import StrategiesParameters

METADATA = (PageKind.RECLAIMABLE_SLAB, PageKind.SLAB, PageKind.KERNEL_STACK)
ENTRIES = 512
"""Entries of a page table, which is also the pages that one of the lowest level maps."""

COUNTERS = {
    "step": ("steps", "steps of the plan, the same for all strategies"),
    "metadata_usable": ("bytes", "what metadata could fill if users' pages made room"),
    "mappable": ("bytes", "address space whose page tables exist or could be built"),
    "metadata_asked": ("pages", "metadata asked for"),
    "metadata_given": ("pages", "metadata given"),
    "sections_asked": ("sections", "sections asked to go"),
    "sections_removed": ("sections", "sections that went"),
    "broken_left": ("sections", "sections of the broken node that are still in use"),
    "pause_ns": ("ns", "time that the machine stood still, by the cost model"),
    "loads_mean": ("loads", "dependent loads of a kernel address lookup, on average"),
    "tax_ns": ("ns", "what migrating page tables would have cost every fault so far"),
    "table_held": ("sections", "refused sections that page tables alone hold"),
    "decisions": ("decisions", "values typed, and memory blocks that a person chose a zone for"),
    "remote": ("pages", "metadata served by another node"),
    "spilt": ("pages", "devices' pages that did not fit their region"),
}


@dataclass
class Tally:
    """What a run has counted so far; broken: the sections of the node that breaks, once it does."""

    step: int = 0
    asked: int = 0
    removed: int = 0
    table_held: int = 0
    decisions: int = 0
    broken: range = range(0)

    def count_left(self, mem: PhysicalMemory) -> int:
        """Count the sections of the broken node that are still in use."""
        return int(np.isin(mem.section_state[list(self.broken)], ONLINE_STATES).sum())


def find_room(mem: PhysicalMemory) -> int:
    """Count the pages that kernel requests could still have if users' pages made room.

    In every zone that GFP_KERNEL may use: free and users' pages, down to the min mark and the
    protection, boosts apart, which end (__zone_watermark_ok, mm/page_alloc.c, 6.1).
    """
    z = mem.zones
    users = mem.zone_kinds[:, list(LRU_KINDS)].sum(axis=1)
    room = z.free + users - z.min - z.protection[:, ZoneType.NORMAL]
    return int(np.maximum(room[z.type <= ZoneType.NORMAL], 0).sum())


def usable_bytes(mem: PhysicalMemory) -> int:
    """Bytes that metadata has, or could have."""
    held = int(mem.zone_kinds[:, list(METADATA)].sum())
    return (held + find_room(mem)) * PAGE_SIZE


def mappable_bytes(mem: PhysicalMemory, tables: int) -> int:
    """Bytes of address space whose tables of the lowest level exist, `tables`, or could be built.

    A table of the level above is needed for every 512 of them; those of higher levels are left out.
    """
    more = find_room(mem) * ENTRIES // (ENTRIES + 1)
    return (tables + more) * ENTRIES * PAGE_SIZE


def describe_counters(mem: PhysicalMemory) -> list[dict[str, Any]]:
    """Return names, units and labels of the counters, in the order of `read_counters`."""
    own = [{"name": n, "unit": unit, "label": label} for n, (unit, label) in COUNTERS.items()]
    return [*describe_memory(mem), *own]


def read_counters(
    mem: PhysicalMemory, tally: Tally, load: Load, gauges: MapGauges, p: StrategiesParameters
) -> np.ndarray:
    """Read all counters: (F,) float64."""
    own = (
        tally.step,
        usable_bytes(mem),
        mappable_bytes(mem, load.mapped_tables),
        load.asked["metadata"],
        load.given["metadata"],
        tally.asked,
        tally.removed,
        tally.count_left(mem),
        gauges.pause_ns,
        gauges.look_up().mean,
        load.faults * p.fault_ns * p.tax,
        tally.table_held,
        tally.decisions,
        load.remote,
        load.region.spilled if load.region else 0,
    )
    return np.concatenate((read_memory(mem), own), dtype=np.float64)
