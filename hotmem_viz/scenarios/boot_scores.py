"""The counters of a run of several boots: each boot's zones, and the score of the one that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.oom import count_useless, estimate_available
from hotmem_viz.mechanisms.several_boots import BAND_NIDS
from hotmem_viz.scenarios.describe import TYPES, ZONE_COUNTERS, describe_machine, describe_memory
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.mechanisms.several_boots import SeveralBoots
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.boards import Score
    from hotmem_viz.scenarios.locality import Locality

SCORE_COUNTERS = {
    "remote": ("pages", "kernel pages served by another node"),
    "wrongly_movable": ("pages", "movable, though the table does not mark it"),
    "wrongly_kernel": ("pages", "marked hot-pluggable, and in a kernel zone"),
    "without_kernel": ("nodes", "nodes without kernel memory"),
    "decisions": ("decisions", "what a person had to type"),
    "boots": ("boots", "boots so far"),
}


def describe_boots(
    boots: SeveralBoots, specs: Sequence[MachineSpec], locality: Locality
) -> dict[str, Any]:
    """Return a recording's meta about the machines, their zones and the counters."""
    meta = describe_zones(boots, specs, SCORE_COUNTERS)
    meta["counters"] += locality.describe()
    return meta


def describe_zones(
    boots: SeveralBoots, specs: Sequence[MachineSpec], own: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """Return the same with other counters at the end; own: unit and label by name."""
    mem = boots.memory
    meta = describe_machine(mem)
    for row in (*meta["machine"]["nodes"], *meta["zones"]):
        row["boot"], row["nid"] = divmod(row["nid"], BAND_NIDS)
    for zone in meta["zones"]:
        zone["managed"] = zone["present"]
    meta["machine"].update(
        name=specs[0].name, title=specs[0].title, present_pages=max(s.present_pages for s in specs)
    )
    counters = describe_memory(mem)
    for counter in counters:
        if "zone" in counter:
            zone = meta["zones"][counter["zone"]]
            what = ZONE_COUNTERS[counter["name"].split(".")[1]]
            where = f"{zone['zone']} of node {zone['nid']}, boot {zone['boot'] + 1}"
            counter["label"] = f"{where}: {what}"
    counters += [
        {"name": name, "unit": unit, "label": label} for name, (unit, label) in own.items()
    ]
    return {**meta, "counters": counters}


def read_boots(
    boots: SeveralBoots, machines: Sequence[PhysicalMemory], score: Score, locality: Locality
) -> np.ndarray:
    """Read all counters: (F,) float64. machines: those that have booted, the last one runs."""
    scores = (
        locality.remote,
        score.wrongly_movable,
        score.wrongly_kernel,
        len(score.without_kernel),
        score.decisions,
        len(machines),
    )
    return read_zones(boots, machines, (*scores, *locality.read()))


def read_zones(
    boots: SeveralBoots, machines: Sequence[PhysicalMemory], own: Sequence[float]
) -> np.ndarray:
    """Read the counters of all zones and of the boot that runs, and its own at the end."""
    table = np.zeros((len(ZONE_COUNTERS), len(boots.memory.zones)))
    for band, mem in enumerate(machines):
        zones = mem.zones
        columns = np.stack(
            (
                zones.free,
                zones.min + zones.boost,
                zones.low + zones.boost,
                zones.high + zones.boost,
                zones.boost,
                count_useless(mem, ZoneType.NORMAL),
            )
        )
        for row in range(len(zones)):
            nid = band * BAND_NIDS + int(zones.nid[row])
            at = boots.memory.zones.row(nid, int(zones.type[row]))
            if at >= 0:
                table[:, at] = columns[:, row]
    mem = machines[-1]
    types = mem.zone_types.sum(axis=0)[list(TYPES)]
    totals = (mem.zones.free.sum(), count_useless(mem, ZoneType.NORMAL).sum())
    return np.concatenate(
        (
            table.ravel(),
            mem.zone_kinds.sum(axis=0),
            types,
            (*totals, estimate_available(mem)),
            own,
        ),
        dtype=np.float64,
    )
