"""What a recording says about its machine, and the counters read at every tick."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hotmem_viz.mechanisms.oom import count_useless, estimate_available
from hotmem_viz.memory.address_spaces import frames_of_levels
from hotmem_viz.vocabulary import PAGE_SIZE, PAGEBLOCK_PAGES, MigrateType, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hotmem_viz.machine.page_geometry import PageGeometry
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec, NodeSpec
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Event

ZONE_COUNTERS = {
    "free": "free",
    "min": "min mark, boost included",
    "low": "low mark, boost included",
    "high": "high mark, boost included",
    "boost": "boost of the marks",
    "useless": "free but of no use to a kernel request",
}
GLOBAL_COUNTERS = {
    "free": "free memory",
    "useless": "free but of no use to a kernel request",
    "mem_available": "what MemAvailable claims",
}
WORKLOAD_COUNTERS = {
    "user_pages": "user pages asked for and given",
    "remote": "kernel pages served by another node",
}
TYPES = (MigrateType.UNMOVABLE, MigrateType.MOVABLE, MigrateType.RECLAIMABLE)
_TYPE_COLUMNS = np.array(TYPES)
_SIZES = ("start_pfn", "end_pfn", "present", "managed")


class Described(Protocol):
    """A run that says what it is; parameters are a dataclass, with a seed among them."""

    name: str
    title: str
    parameters: Any


def describe_run(run: Described, profile: KernelProfile) -> dict[str, Any]:
    """Return a recording's meta about what is run: scenario, parameters, seed and kernel."""
    return {
        "scenario": run.name,
        "title": run.title,
        "parameters": asdict(run.parameters),
        "seed": run.parameters.seed,
        "profile": profile.name,
    }


def describe_nodes(nodes: Iterable[NodeSpec]) -> list[dict[str, Any]]:
    """Return a recording's meta about nodes."""
    return [
        {
            "nid": n.nid,
            "hotpluggable": any(r.hotpluggable for r in n.ranges),
            "ranges": [[r.start_pfn, r.end_pfn] for r in n.ranges],
        }
        for n in nodes
    ]


def describe_machine(mem: PhysicalMemory) -> dict[str, Any]:
    """Return a recording's meta about the machine: `machine` and `zones`."""
    spec = mem.spec
    machine = {
        "name": spec.name,
        "title": spec.title or spec.name,
        "arch": spec.arch.value,
        "scale": spec.scale,
        "section_pages": spec.section_pages,
        "pageblock_pages": PAGEBLOCK_PAGES,
        "n_sections": spec.n_sections,
        "nodes": describe_nodes(spec.nodes),
        "present_pages": spec.present_pages,
    }
    z = mem.zones
    zones = [
        {
            "id": i,
            "nid": int(z.nid[i]),
            "zone": ZoneType(int(z.type[i])).label,
            "start_pfn": int(z.start_pfn[i]),
            "end_pfn": int(z.end_pfn[i]),
            "present": int(z.present[i]),
            "managed": int(z.managed[i]),
            "reserve": int(z.protection[i, ZoneType.NORMAL]),
            "kernel": bool(z.type[i] <= ZoneType.NORMAL),
        }
        for i in range(len(z))
    ]
    return {"page_size": PAGE_SIZE, "machine": machine, "zones": zones}


def describe_distances(spec: MachineSpec) -> dict[str, Any]:
    """Return a recording's meta about distances: nodes, the table, and whether firmware has one."""
    nids = spec.nids
    table = [[spec.distance(a, b) for b in nids] for a in nids]
    return {"nodes": nids, "table": table, "slit": bool(spec.distances)}


def describe_tables(geometry: PageGeometry) -> dict[str, Any]:
    """Return a recording's meta about page tables: the geometry and its levels, lowest first."""
    frames = frames_of_levels(geometry).tolist()
    levels = [
        {"name": level.level.name, "entries": level.entries, "frames": n}
        for level, n in zip(geometry.levels, frames, strict=True)
    ]
    return {"geometry": geometry.name, "levels": levels}


def describe_levels(geometry: PageGeometry) -> list[dict[str, Any]]:
    """Return the counters of processes' table pages by level, lowest first."""
    names = [level.level.name.lower() for level in geometry.levels]
    return [
        {"name": f"tables.{n}", "unit": "pages", "label": f"{n.upper()} tables of processes"}
        for n in names
    ]


def read_levels(s: AddressSpaces) -> np.ndarray:
    """Count the table pages of the processes that exist by level, lowest first: (D,) int64."""
    # Those that have exited hold none.
    return np.asarray(s.spaces.levels.sum(axis=0) * frames_of_levels(s.geometry))


def widen_zones(listed: list[dict[str, Any]], mem: PhysicalMemory) -> None:
    """Let a recording's zones have room for what they manage now, where that is more.

    listed: the "zones" of `describe_machine`, which are those of the run's beginning.
    """
    for zone, now in zip(listed, describe_machine(mem)["zones"], strict=True):
        if now["managed"] > zone["managed"]:
            zone.update({name: now[name] for name in _SIZES})


def describe_memory(mem: PhysicalMemory) -> list[dict[str, Any]]:
    """Return the names, units and labels of the counters of any run, as `read_memory` has them."""
    listed: list[dict[str, Any]] = []
    for name, label in ZONE_COUNTERS.items():
        listed += [
            {
                "name": f"zone{i}.{name}",
                "unit": "pages",
                "zone": i,
                "label": f"{mem.zones.label(i)}: {label}",
            }
            for i in range(len(mem.zones))
        ]
    listed += [
        {
            "name": f"kind.{kind.name.lower()}",
            "unit": "pages",
            "label": kind.name.lower().replace("_", " "),
        }
        for kind in PageKind
    ]
    listed += [
        {
            "name": f"pageblocks.{t.name.lower()}",
            "unit": "pageblocks",
            "label": f"{t.name.lower()} pageblocks",
        }
        for t in TYPES
    ]
    return listed + _in_pages(GLOBAL_COUNTERS)


def describe_counters(mem: PhysicalMemory, objects: str) -> list[dict[str, Any]]:
    """Return the counters of a run of a workload, in the order of `read_counters`."""
    made = {"name": "objects", "unit": objects, "label": f"{objects} made"}
    return [*describe_memory(mem), *_in_pages(WORKLOAD_COUNTERS), made]


def _in_pages(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": n, "unit": "pages", "label": label} for n, label in labels.items()]


def read_counters(mem: PhysicalMemory, *, user_pages: int, remote: int, objects: int) -> np.ndarray:
    """Read all counters of a run of a workload: (F,) float64."""
    return np.concatenate((read_memory(mem), (user_pages, remote, objects)))


def read_memory(mem: PhysicalMemory) -> np.ndarray:
    """Read the counters that every run has: (F,) float64."""
    zones = mem.zones
    useless = count_useless(mem, ZoneType.NORMAL)
    return np.concatenate(
        (
            zones.free,
            zones.min + zones.boost,
            zones.low + zones.boost,
            zones.high + zones.boost,
            zones.boost,
            useless,
            mem.zone_kinds.sum(axis=0),
            mem.zone_types.sum(axis=0)[_TYPE_COLUMNS],
            (zones.free.sum(), useless.sum(), estimate_available(mem)),
        ),
        dtype=np.float64,
    )


def find_sections(mem: PhysicalMemory, events: Sequence[Event]) -> list[int]:
    """List the sections that marks name: the pfn's, or the last one of the zone."""
    found = []
    for event in events:
        if event.mark and event.pfn >= 0:
            found.append(event.pfn // mem.spec.section_pages)
        elif event.mark and event.zone >= 0:
            part = mem.extents.zone_slices[event.zone]
            found.append(int(mem.extents.section[part][-1]))
    return found
