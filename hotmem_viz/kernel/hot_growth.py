"""A captured machine that gets one DIMM after another, in the model and as the kernel had it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.captured_pages import block_pages
from hotmem_viz.kernel.hot_events import is_growth, new_blocks
from hotmem_viz.kernel.hot_run import dimm_pages, spec_with_slots
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE_MOVABLE, ONLINE_STRINGS
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.vocabulary import PAGE_SIZE, PageKind, SectionState, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.zoneinfo import ZoneInfo
    from hotmem_viz.memory.physical import PhysicalMemory

MAX_DIMMS = 256
"""More slots than ACPI has on any machine (ACPI_MAX_RAM_SLOTS of QEMU)."""

_COUNTED = (
    "slab_reclaimable",
    "slab_unreclaimable",
    "page_table_pages",
    "anon_pages",
    "file_pages",
)


@dataclass
class Grown:
    """DIMMs that fit, in order: pages that kernel zones paid for each, and those but for slabs."""

    paid: list[int] = field(default_factory=list)
    maps: list[int] = field(default_factory=list)


def most_dimms(machine: ComparedMachine) -> int:
    """Return how many DIMMs the scenario would have added."""
    if not is_growth(machine.capture):
        return count_dimms(machine)
    n = machine.capture.args.get("n", 0)
    if not isinstance(n, int) or not 0 < n <= MAX_DIMMS:
        where = machine.capture.where("manifest.json")
        raise CaptureError(where, f"n is no number of DIMMs: {n!r}"[:120])
    return n


def count_dimms(machine: ComparedMachine) -> int:
    """Return how many DIMMs the real machine took in."""
    capture = machine.capture
    if is_growth(capture):
        return len(capture.growth())
    pages = len(new_blocks(capture)) * block_pages(capture)
    return max(1, pages // dimm_pages(capture))


def dimm_slots(machine: ComparedMachine, n: int) -> tuple[int, list[tuple[int, int]]]:
    """Return the node of n DIMMs, and first pfn and end of each, one behind the other."""
    nid, start = _window(machine)
    size = dimm_pages(machine.capture)
    return nid, [(low, low + size) for low in range(start, start + n * size, size)]


def way_online(machine: ComparedMachine) -> str:
    """Return the word by which the scenario brings DIMMs online; "offline" where it does not."""
    how = machine.capture.args.get("how", ONLINE_MOVABLE)
    return how if how in ONLINE_STRINGS else OFFLINE


def grow(machine: ComparedMachine) -> Grown:
    """Boot the machine in the model and add DIMMs until one does not fit, or none is left."""
    if machine.profile is None:
        raise CaptureError(machine.capture.path, machine.no_profile)
    capture, options = machine.capture, machine.options
    nid, dimms = dimm_slots(machine, most_dimms(machine))
    spec = spec_with_slots(machine, [(nid, *dimm) for dimm in dimms])
    mem = boot_machine(spec, options, machine.profile)
    how = way_online(machine)
    group = None
    if capture.has("vmem"):
        group = MemoryGroup(*dimms[0], unit_pages=spec.block_pages)
    grown = Grown()
    for low, end in dimms:
        before = _kernel_kinds(mem)
        if add_memory(mem, low, end, options, group).refused:
            break
        paid = _kernel_kinds(mem) - before
        grown.paid.append(int(paid.sum()))
        grown.maps.append(int(paid.sum() - paid[PageKind.SLAB]))
        states = mem.section_state[low // spec.section_pages : end // spec.section_pages]
        if (states == SectionState.OFFLINE).all() and how != OFFLINE:
            online_memory(mem, low, end, options, how=how)
    return grown


def _kernel_kinds(mem: PhysicalMemory) -> np.ndarray:
    """Count what kernel zones hold by kind, what is free left out: (K,) int64."""
    held = mem.zone_kinds[mem.zones.type <= ZoneType.NORMAL].sum(axis=0)
    held[PageKind.FREE] = 0
    return np.asarray(held)


def _window(machine: ComparedMachine) -> tuple[int, int]:
    """Return node and first pfn of the DIMMs: of the first new block, or of the SRAT's window."""
    blocks = new_blocks(machine.capture)
    if blocks:
        return blocks[0].nid, blocks[0].phys_index * block_pages(machine.capture)
    top = machine.spec.end_pfn
    for entry in sorted(machine.capture.srat, key=lambda m: m.start_pfn):
        if entry.hotpluggable and entry.start_pfn >= top:
            return entry.domain, entry.start_pfn
    raise CaptureError(machine.capture.where("acpi/SRAT"), "no window for DIMMs in it")


def map_pages(machine: ComparedMachine, dimms: int) -> int:
    """Return the pages of struct pages that so many DIMMs need, on a 64-bit kernel."""
    bytes_each = machine.profile.struct_page_bytes if machine.profile else 64
    return dimms * dimm_pages(machine.capture) * bytes_each // PAGE_SIZE


@dataclass(frozen=True)
class Paid:
    """What adding DIMMs [first, last) cost kernel zones, in pages, slabs included or not."""

    subject: str
    first: int
    last: int
    pages: int
    slabs: bool


def paid_by_kernel_zones(machine: ComparedMachine) -> Paid | None:
    """Return what adding memory cost: what kernel zones hold more, per-CPU lists not counted.

    Slabs, stacks, page tables of processes and their memory have counters and are taken off; the
    memory map, and the tables that map it, have none on 6.1. While DIMMs are added one by one
    only free pages are printed: then slabs are in, and the first DIMM, before which per-CPU
    lists filled, is left out.
    """
    capture = machine.capture
    last = count_dimms(machine)
    stage = next((s for s in ("added", "plugged", "end") if capture.has(f"{s}/zoneinfo")), "")
    if stage and capture.has(f"{stage}/vmstat") and capture.has("boot/vmstat"):
        held = [
            _kernel_used(capture.zoneinfo(s)) - _accounted(capture.vmstat(s))
            for s in ("boot", stage)
        ]
        names = "DIMM 1" if last == 1 else f"DIMMs 1 to {last}"
        return Paid(f"{names}, but for slabs", 0, last, held[1] - held[0], slabs=False)
    free = [_kernel_free(g.free) for g in capture.growth()]
    if len(free) < 2 or stage:
        return None
    return Paid(f"DIMMs 2 to {last}", 1, last, free[0] - free[-1], slabs=True)


def _accounted(vmstat: dict[str, int]) -> int:
    """Sum the pages of memory in use that vmstat counts by what it holds."""
    pages = sum(vmstat.get(f"nr_{name}", 0) for name in _COUNTED)
    return pages + vmstat.get("nr_kernel_stack", 0) * 1024 // PAGE_SIZE


def _kernel_free(free: dict[str, int]) -> int:
    kernel = [t.label for t in ZoneType if t <= ZoneType.NORMAL]
    return sum(pages for name, pages in free.items() if name in kernel)


def _kernel_used(zones: tuple[ZoneInfo, ...]) -> int:
    kernel = [z for z in zones if z.zone is not None and z.zone <= ZoneType.NORMAL]
    return sum(z.managed - z.free - z.pcp_pages for z in kernel)
