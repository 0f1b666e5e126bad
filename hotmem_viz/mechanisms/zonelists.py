"""In which order zones are tried: own node from its highest zone down, then the next node's.

Source: mm/page_alloc.c `build_all_zonelists` (6.1). The nearest node comes first; of nodes that
are equally far, as all are on a machine whose SLIT tells nothing, the next id upwards and around.
The kernel's small penalties that spread load over equal distances are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.memory.physical import PhysicalMemory


def order_nodes(nids: list[int], nid: int, spec: MachineSpec | None = None) -> list[int]:
    """Order node ids by distance from `nid`: itself, the nearest, then upwards and around.

    spec: whose SLIT it is; without one all others are equally far.
    """
    far = {n: spec.distance(nid, n) if spec else int(n != nid) for n in nids}
    return sorted(nids, key=lambda n: (far[n], n < nid, n))


def build_zonelist(mem: PhysicalMemory, nid: int, highest: int) -> list[int]:
    """List the zones a request of node `nid` may use, in the order in which they are tried.

    highest: the request's highest ZoneType. Returns rows of the zone table; zones without
    managed pages are left out.
    """
    zones = mem.zones
    rows = [
        (int(zones.nid[z]), int(zones.type[z]), z)
        for z in range(len(zones))
        if zones.managed[z] > 0 and zones.type[z] <= highest
    ]
    place = {n: i for i, n in enumerate(order_nodes(sorted(mem.kswapd_failures), nid, mem.spec))}
    return [z for _, _, z in sorted(rows, key=lambda r: (place[r[0]], -r[1]))]


def build_all_zonelists(mem: PhysicalMemory) -> None:
    """Write every zonelist of a machine; needed again whenever a zone appears or empties."""
    mem.zonelists.clear()
    for nid in mem.kswapd_failures:
        for highest in ZoneType:
            zonelist = build_zonelist(mem, nid, highest)
            mem.zonelists[nid, int(highest)] = zonelist
            mem.unmixed_zones[nid, int(highest)] = find_unmixed(mem, zonelist)


def find_unmixed(mem: PhysicalMemory, zonelist: list[int]) -> list[int]:
    """List the zones that a first try may not mix types in (ALLOC_NOFRAGMENT).

    The preferred node's zones, but only where the preferred one is Normal and there is a DMA32
    zone to turn to: alloc_flags_nofragment, mm/page_alloc.c, 6.1.
    """
    zones = mem.zones
    if not zonelist or zones.type[zonelist[0]] != ZoneType.NORMAL:
        return []
    local = [z for z in zonelist if zones.nid[z] == zones.nid[zonelist[0]]]
    return local if any(zones.type[z] == ZoneType.DMA32 for z in local) else []
