"""Rows of a machine's zones and memory blocks, and neighbouring blocks taken together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotmem_viz.kernel.zone_room import is_kernel_zone, reserve_of, useless_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.blocks import MemoryBlock
    from hotmem_viz.kernel.zoneinfo import ZoneInfo


def zone_rows(zones: Sequence[ZoneInfo]) -> list[dict[str, Any]]:
    """Return a row for each zone that spans memory, in pages.

    `useless` is free, but not for a kernel request. `zones` are all, for the columns of
    protection are counted by them.
    """
    return [
        {
            "nid": zone.nid,
            "zone": zone.name,
            "start_pfn": zone.start_pfn,
            "spanned": zone.spanned,
            "present": zone.present,
            "managed": zone.managed,
            "free": zone.free,
            "min": zone.min,
            "low": zone.low,
            "high": zone.high,
            "boost": zone.boost,
            "protection": list(zone.protection),
            "reserve": reserve_of(zone, zones) if is_kernel_zone(zone) else None,
            "kernel": is_kernel_zone(zone),
            "useless": useless_pages(zone, zones),
        }
        for zone in zones
        if zone.spanned
    ]


def block_rows(blocks: Sequence[MemoryBlock], block_pages: int) -> list[dict[str, Any]]:
    """Return a row for each memory block."""
    return [
        {
            "number": block.number,
            "nid": block.nid,
            "state": block.state,
            "zones": ",".join(block.valid_zones),
            "start_pfn": block.phys_index * block_pages,
            "pages": block_pages,
        }
        for block in blocks
    ]


@dataclass(frozen=True)
class BlockRun:
    """Neighbouring memory blocks, `first` to `last` inclusive, that are alike."""

    first: int
    last: int
    state: str
    zones: tuple[str, ...]
    nid: int

    @property
    def label(self) -> str:
        """The run's name: memory5, or memory0–31."""
        return f"memory{self.first}" + (f"–{self.last}" if self.last > self.first else "")


def group_blocks(blocks: Sequence[MemoryBlock]) -> tuple[BlockRun, ...]:
    """Take neighbouring blocks of one state, zone and node together, in the order given."""
    runs: list[BlockRun] = []
    for block in blocks:
        alike = (block.state, block.valid_zones, block.nid)
        last = runs[-1] if runs else None
        if last and (last.last + 1, (last.state, last.zones, last.nid)) == (block.number, alike):
            runs[-1] = BlockRun(last.first, block.number, *alike)
        else:
            runs.append(BlockRun(block.number, block.number, *alike))
    return tuple(runs)
