"""A machine whose section 36 can be remapped, and the steps of a remap for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.page_geometry import GEOMETRIES
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.mechanisms import remap
from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.residue import classify
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.memory.address_map import AddressMap
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.map_invariants import validate_map
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.vocabulary import PageKind
from tests.machines import occupy

FOUR = GEOMETRIES["4-level"]
SECTION, SIZE = 36, 1024


def make_remap(top_pages):
    """Return a map of the kernel's memory, and address spaces with tables to be moved.

    A classroom machine with processes, whose section 36 holds some of everything that moves.
    """
    spec = replace(find_preset("classroom"), hotplug=True)
    mem = boot_machine(spec, BootOptions(), PROFILES["6.1"])
    base = SECTION * SIZE
    mem_free = np.flatnonzero(mem.kind.reshape(-1)[:base] == PageKind.FREE)
    program, slab = mem.owners.add("a program"), mem.owners.add("a cache")
    # All below is taken, so that tables come to lie in the section; the rest of it is filled.
    occupy(mem, mem_free, PageKind.ANON, program)
    mem.zones.min[:] = mem.zones.low[:] = mem.zones.high[:] = 0
    mem.zones.protection[:] = 0
    s = AddressSpaces(mem, replace(FOUR, top_pages=top_pages))
    rows, _ = start_processes(s, 9, program)
    maps = map_regions(s, rows, np.arange(9) * 7000 + 500, 1300)
    touch(s, Access(maps, np.zeros(9, np.int64), np.full(9, 90), 13, False))
    free_pages(mem, FrameSet.of_pfns(mem_free[-6000:]))
    left = base + np.flatnonzero(mem.kind[SECTION] == PageKind.FREE)
    occupy(mem, left[3:40:2], PageKind.SLAB, slab)
    occupy(mem, left[60:70], PageKind.RECLAIMABLE_SLAB, slab)
    occupy(mem, left[-70:-50], PageKind.KERNEL_BUFFER, slab)
    occupy(mem, left[90:300:3], PageKind.ANON, program)
    return AddressMap(mem), s


def names_and_tags(amap, section=SECTION):
    pfns = classify(amap.mem, section).pfns
    names = amap.names_of(pfns)
    return names, amap.contents.read(pfns)


def sound(amap, s):
    validate_memory(amap.mem)
    validate_map(amap)
    s_rows = s.tables.frame[np.flatnonzero(s.tables.level[: s.tables.used] >= 0)]
    assert (amap.mem.kind.reshape(-1)[s_rows] == PageKind.PAGE_TABLE).all()
    validate_spaces(s)


def prepare(amap, s, section=SECTION, *, whole=True, leaving=()):
    attempt = remap.start(amap, section)
    while not remap.is_emptied(attempt):
        remap.empty(attempt, 50)
    remap.find_residue(attempt)
    if not attempt.verdict:
        remap.reserve(attempt, s, whole=whole, leaving=leaving)
    return attempt


def finish(attempt, s):
    assert remap.look_again(attempt)
    remap.copy(attempt)
    remap.write_map(attempt)
    remap.fix_tables(attempt, s)
    remap.leave(attempt)
