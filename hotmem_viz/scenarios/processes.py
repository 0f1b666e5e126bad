"""Small programs as processes: where their memory lies, and what tables that costs them.

A statically linked program at rest touches four places of its address space, as far apart as every
kernel lays them: code, heap, one page it shares with its parent, stack. On x86-64 that is 4 PTE
tables, 3 PMDs and 2 PUDs. Kernels draw the places at random (mmap_base, arch/x86/mm/mmap.c);
here they are fixed to what is most likely, so a real process can have one table more or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.address_spaces import map_regions, start_processes
from hotmem_viz.mechanisms.touching import Access, touch
from hotmem_viz.units import GIB, MIB

if TYPE_CHECKING:
    from hotmem_viz.machine.page_geometry import PageGeometry
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.address_spaces import AddressSpaces


@dataclass(frozen=True)
class Part:
    """A mapping of a small program: first vpn, pages, and how many of them are read or written."""

    name: str
    start: int
    pages: int
    touched: int
    written: bool


@dataclass(frozen=True)
class ProcessLayout:
    """Where a small program's memory lies.

    parts: its own mappings. map_base: end of what it maps later, which grows down from there. It
    lies in the middle of a GiB, so that a mapping meets as many tables as it does on average.
    """

    parts: tuple[Part, ...]
    map_base: int


def lay_out_process(geometry: PageGeometry) -> ProcessLayout:
    """Lay out a small program in an address space.

    Stacks begin within 16 GiB below the end of it and mappings within a TiB below that on x86-64,
    within 8 MiB and 128 MiB or more below on 32-bit (mmap_base, stack_maxrandom_size).
    """
    end = geometry.user_pages
    if end > 64 * GIB:
        code, heap = 0x400, 0x1200
        stack, base = (end // GIB - 8) * GIB + 3000, (end - 257 * GIB) // GIB * GIB + GIB // 2
    else:
        code, heap = 0x8048, 0xA000
        stack, base = end - 4 * MIB, (end - 130 * MIB) // (2 * MIB) * 2 * MIB
    parts = (
        Part("code", code, 236, 1, written=False),
        Part("heap", heap, 34, 2, written=True),
        Part("shared page", base, 1, 1, written=False),
        Part("stack", stack, 33, 2, written=True),
    )
    return ProcessLayout(parts, base)


def start_small(
    s: AddressSpaces,
    layout: ProcessLayout,
    count: int,
    owner: int,
    *,
    nid: int = 0,
    outcomes: list[Outcome] | None = None,
) -> np.ndarray:
    """Start processes that touch what a small program touches: (n,) rows of those that could.

    Processes for which memory did not suffice have no place in the answer, though they exist.
    outcomes: what was asked for on the way is added to it.
    """
    gathered: list[Outcome] = [] if outcomes is None else outcomes
    rows, started = start_processes(s, count, owner, nid=nid)
    gathered.append(started)
    if not len(rows):
        return rows
    n, parts = len(rows), layout.parts
    starts, pages = [p.start for p in parts] * n, np.array([p.pages for p in parts] * n)
    maps = map_regions(s, rows.repeat(len(parts)), starts, pages).reshape(n, -1)
    done = wanted = 0
    for written in (False, True):
        chosen = [i for i, p in enumerate(parts) if p.written is written]
        touched = np.array([parts[i].touched for i in chosen] * n)
        first = np.zeros(len(touched), np.int64)
        answer = touch(s, Access(maps[:, chosen].ravel(), first, touched, 1, written))
        gathered.append(answer.outcome)
        done, wanted = done + answer.pages, wanted + answer.wanted
    fit = n * done // wanted if done < wanted else n
    return rows[:fit]
