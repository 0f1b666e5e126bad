"""A captured machine whose blocks go and come, in the model: zones and marks at each moment.

What the started system holds is left out: marks come from managed pages, which are the
capture's at boot and the model's from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_pages import block_pages
from hotmem_viz.kernel.compare_machine import type_of
from hotmem_viz.kernel.compare_marks import initial_pages
from hotmem_viz.kernel.hot_events import BlockEvent, block_range, new_blocks
from hotmem_viz.machine.booted import BootLayout
from hotmem_viz.machine.hotplug_options import OFFLINE
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.mechanisms.add_memory import own_map_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.boot import set_watermarks
from hotmem_viz.mechanisms.hotplug import put_in, take_out
from hotmem_viz.mechanisms.online_zone import choose_zone
from hotmem_viz.mechanisms.zonelists import build_all_zonelists
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.memory.build import all_groups, build_memory
from hotmem_viz.vocabulary import SectionState, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.memory.physical import PhysicalMemory

MAX_PAGES = 1 << 28
"""1 TiB of memory; a machine with more is not run."""


def spec_with_slots(machine: ComparedMachine, slots: Iterable[tuple[int, int, int]]) -> MachineSpec:
    """Return a captured machine with memory slots: node, first pfn, end. Touching ones join."""
    joined: list[tuple[int, int, int]] = []
    for nid, start, end in sorted(slots, key=lambda s: s[1]):
        if joined and joined[-1][0] == nid and joined[-1][2] == start:
            joined[-1] = (nid, joined[-1][1], end)
        else:
            joined.append((nid, start, end))
    top = max([machine.spec.end_pfn, *(end for _, _, end in joined)])
    if top > MAX_PAGES:
        raise CaptureError(machine.capture.path, "the machine is too large to plug memory into")
    nodes = tuple(NodeSpec(nid, (PfnRange(start, end),)) for nid, start, end in joined)
    pages = block_pages(machine.capture)
    return replace(
        machine.spec,
        pluggable=nodes,
        hotplug=True,
        block_sections=max(1, pages // machine.spec.section_pages),
    )


@dataclass
class HotRun:
    """A machine as of some moment after boot. `zone_of` names the zone of each block onlined."""

    machine: ComparedMachine
    mem: PhysicalMemory
    zone_of: dict[int, ZoneType]

    def apply(self, events: Iterable[BlockEvent]) -> None:
        """Let blocks go offline, or come online in the zone that the model chooses."""
        mem, options = self.mem, self.machine.options
        for event in events:
            start, end = block_range(self.machine.capture, event.block)
            if event.how == OFFLINE:
                take_out(mem, start, end)
                self.zone_of.pop(event.block, None)
                continue
            zone = choose_zone(mem, start, end, event.how, options)
            group = next((g for g in mem.groups if g.start_pfn <= start < g.end_pfn), None)
            own = (
                own_map_pages(mem, group.end_pfn - group.start_pfn, options, group) if group else 0
            )
            put_in(mem, zone, start, end, own_map=own)
            self.zone_of[event.block] = zone

    def choose(self, block: int, how: str) -> ZoneType:
        """Return the zone that a block would come into now."""
        start, end = block_range(self.machine.capture, block)
        return choose_zone(self.mem, start, end, how, self.machine.options)


def start_run(machine: ComparedMachine) -> HotRun | None:
    """Return a captured machine at boot; None without a profile for its kernel."""
    if machine.profile is None or machine.plan is None:
        return None
    capture = machine.capture
    blocks = new_blocks(capture)
    slots = [(b.nid, *block_range(capture, b.phys_index)) for b in blocks]
    spec = spec_with_slots(machine, slots)
    layout = BootLayout((), (), MappingProxyType({}))
    mem = build_memory(spec, machine.plan, layout, machine.profile)
    count_blocks(mem, all_groups(mem), +1)
    seen = {(z.nid, type_of(z)): z for z in machine.zones}
    for z in range(len(mem.zones)):
        zone = seen.get((int(mem.zones.nid[z]), ZoneType(int(mem.zones.type[z]))))
        mem.zones.managed[z] = zone.managed if zone else 0
    build_all_zonelists(mem)
    pages = initial_pages(machine)
    set_watermarks(mem, dict(zip(seen, pages, strict=True)))
    for z in range(len(mem.zones)):
        # A node that is not there yet has no marks, even where empty zones of others have.
        if int(mem.zones.nid[z]) not in {nid for nid, _ in seen}:
            mem.zones.min[z] = mem.zones.low[z] = mem.zones.high[z] = 0
    for _, start, end in slots:
        sections = slice(start // spec.section_pages, end // spec.section_pages)
        mem.section_state[sections] = SectionState.OFFLINE
    mem.groups.extend(_devices(capture, [(start, end) for _, start, end in slots]))
    return HotRun(machine, mem, {})


def _devices(capture: Capture, blocks: list[tuple[int, int]]) -> list[MemoryGroup]:
    """Return the devices: DIMMs of the size that the scenario added, or one virtio-mem device."""
    if not blocks:
        return []
    if capture.has("vmem"):
        unit = blocks[0][1] - blocks[0][0]
        return [MemoryGroup(blocks[0][0], blocks[-1][1], unit_pages=unit)]
    size = dimm_pages(capture)
    return [MemoryGroup(s, s + size) for s in range(blocks[0][0], blocks[-1][1], size)]


def dimm_pages(capture: Capture) -> int:
    """Return the size of a DIMM by the scenario's arguments, in pages."""
    size = capture.args.get("mb")
    pages = block_pages(capture)
    if not isinstance(size, int) or not 0 < size <= 1 << 24 or (size << 8) % pages:
        raise CaptureError(
            capture.where("manifest.json"), f"mb is no size of a DIMM: {size!r}"[:120]
        )
    return size << 8
