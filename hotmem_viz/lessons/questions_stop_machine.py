"""Questions of notebook 05: the pause, the page that was taken for another kind, and the tax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.catalog import build_run
from hotmem_viz.errors import HotmemError
from hotmem_viz.lessons.question import Mistake, Question, Scene, find_scene
from hotmem_viz.machine.page_geometry import GEOMETRIES, count_tables
from hotmem_viz.mechanisms.stop_machine import DAY_S, StopCosts, StopTime, TaxOrStall, stop_time
from hotmem_viz.units import GIB, percent
from hotmem_viz.vocabulary import EventKind, TableLevel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "05"
SECTION_PAGES = 1 << 15
"""128 MiB: a section of x86-64."""

MS = 1e6


def pause(draw: Draw) -> Question:
    """Ask how long the machine stands still, by the cost model; every constant is assumed."""
    percent = draw.pick((1, 2, 5, 10, 20))
    cpus, gib = draw.pick((16, 64, 256)), draw.pick((1, 4, 16, 64))
    processes = draw.pick((20, 100, 400, 1000))
    copied = SECTION_PAGES * percent // 100
    geometry = GEOMETRIES["4-level"]
    tables = count_tables(geometry, 0, gib * GIB)
    leaves = tables.pop(TableLevel.PTE) * processes * 512
    entries = sum(tables.values()) * processes * 512
    costs = StopCosts()

    def take(pages: int, read: int, copiers: int = 1) -> StopTime:
        given = StopCosts(copiers=copiers)
        return stop_time(given, cpus, copied=pages, entries=read, fixed=0)

    found = take(copied, entries)
    seen, _ = find_scene("stop_machine", {"seed": 7}, EventKind.RESUMED.name)
    return Question(
        text=(
            f"{percent} % of a section of {SECTION_PAGES:,} pages stay behind and have to be "
            f"copied. The machine has {cpus} CPUs, of which one works, and {processes:,} "
            f"processes; each has mapped and touched {gib} GiB in pages of 4 KiB. Arrival takes "
            f"{costs.rendezvous_ns / 1000:.0f} µs and {costs.rendezvous_cpu_ns / 1000:.0f} µs for "
            f"each CPU, copying a page {costs.copy_page_ns / 1000:g} µs, reading an entry "
            f"{costs.scan_entry_ns:g} ns, the last flush {costs.flush_ns / 1000:.0f} µs. How long "
            "does everything stand still?"
        ),
        unit="ms",
        answer=found.total / MS,
        mistakes=(
            Mistake(take(copied, entries + leaves).total / MS, "if the walk read PTE pages too"),
            Mistake(take(SECTION_PAGES, entries).total / MS, "if all of the section were copied"),
            Mistake(take(copied, entries, cpus).total / MS, "if every CPU copied"),
            Mistake(take(copied, 0).total / MS, "without the walk over the page tables"),
        ),
        why=(
            f"{copied:,} pages take {found.copy / MS:.2f} ms, {entries:,} entries of upper tables "
            f"{found.scan / MS:.2f} ms, arrival and flush "
            f"{(found.rendezvous + found.flush) / MS:.2f} ms. Entries of PTE pages point at pages "
            f"and at no table, so {leaves:,} of them are not read. Read from memory and not from "
            "the cache, an entry takes some 12.5 ns. Nobody has measured such a pause."
        ),
        rule="T = arrival + N·copy / W + E·scan + rewriting + flush",
        function="stop_machine(), kernel/stop_machine.c",
        claims=("S26", "S27", "S35"),
        see=seen,
    )


READS = {
    "old": "what was there before the stop; nothing reports an error",
    "new": "what the kernel has just written",
    "zero": "zeroes, because the old frame is free by then",
    "fault": "nothing: the access faults, and somebody is told",
}
"""What may be read of a page that was moved away."""

SLIPS = {
    "old": "if the reader goes by the number of the old frame",
    "new": "if the reader goes through the kernel's map of sections",
    "zero": "if frames that become free were cleared",
    "fault": "if anybody watched the old frame; an IOMMU that still maps it does not",
}

READERS = {
    "the device": False,
    "a task that follows its old pointer to an object in the page": True,
    "a task that was stopped with the page's physical address in a register": False,
}
"""Who reads, and whether by a virtual address."""


def _after_the_remap(seed: int) -> tuple[dict[bool, str], int, int, Scene]:
    """Run the scenario until a page's old frame and its address hold different things.

    Returns what is read by a virtual address (True) and by the frame's number, the page, its
    section, and where it is seen.
    """
    settings = {"failure": "corrupt", "seed": seed}
    scenario = build_run("stop_machine", **settings)
    old = 0
    for tick, event in _events(scenario):
        page = np.array([max(scenario.gauges.device_pfn, 0)])
        frame, found = (
            int(read(page)[0]) for read in (scenario.map.contents.read, scenario.map.read)
        )
        if event.kind == EventKind.STOPPED.name:
            old = frame
        elif event.kind == EventKind.CORRUPTED.name:
            # What the kernel wrote last is what nobody else holds.
            words = {old: "old", scenario.map.contents.last: "new", 0: "zero"}
            section = int(page[0]) // scenario.memory.spec.section_pages
            reads = {True: words.get(found, "fault"), False: words.get(frame, "fault")}
            return reads, int(page[0]), section, Scene("stop_machine", settings, tick, event.title)
    raise HotmemError("stop_machine: no device read anything")


def _events(scenario: Any) -> Iterator[tuple[int, Any]]:
    for number, tick in enumerate(scenario.ticks()):
        for event in tick.events:
            yield number, event


def after_the_remap(draw: Draw) -> Question:
    """Ask what is read of a page that was taken for one that is only reached virtually."""
    reader = draw.pick(tuple(READERS))
    reads, pfn, section, seen = _after_the_remap(draw.seed)
    word = reads[READERS[reader]]
    return Question(
        text=(
            f"A driver has mapped slab page {pfn:,} of section {section} for DMA, and nothing "
            "marks it. The machine stops, the page is copied, the section is re-pointed, all goes "
            "on. The kernel then writes to the page, by the address it has always used. What does "
            f"{reader} read?"
        ),
        answer=READS[word],
        mistakes=tuple(Mistake(READS[w], slip) for w, slip in SLIPS.items() if w != word),
        why=(
            "Virtual addresses lead to the new frame. A frame's number leads to the old one, "
            "whoever kept it: a device, which stop_machine does not stop, or a task in the middle "
            "of its work (Q8, Q9). Who may say that a page is reached by its virtual address "
            "alone? No kernel marks pages so (Q13)."
        ),
        rule="the remap covers virtual users only",
        function="virt_to_phys(), dma_map_single()",
        claims=("S33", "S34"),
        see=seen,
    )


def removals(draw: Draw) -> Question:
    """Ask how many stops a day are worth what movable page tables would cost all the time."""
    faults = draw.pick((1_000, 10_000, 50_000, 100_000))
    tax = draw.pick((0.016, 0.03))
    settings = {"faults": float(faults), "tax": tax, "seed": draw.seed}
    seen, recording = find_scene("stop_machine", settings, EventKind.TAX.name)
    price = TaxOrStall(*(recording.meta["parameters"][name] for name in TaxOrStall._fields))
    stop_ns = float(recording.counters["pause_ns"].iloc[seen.tick])
    even = price.even_removals(stop_ns)
    return Question(
        text=(
            "Page tables that can be migrated at any time make each page fault "
            f"{percent(tax, 1)} slower, as the patches of 2008 did on a benchmark. A machine takes "
            f"{faults:,} faults a second of {price.fault_ns:.0f} ns. The other way is to stop it "
            f"for {stop_ns / MS:.3f} ms at every removal. How many removals a day cost as much?"
        ),
        unit="removals",
        answer=round(even),
        mistakes=(
            Mistake(round(even / tax), "if the fault itself were the tax"),
            Mistake(round(even / 24), "with the tax of an hour"),
            Mistake(round(tax * DAY_S * 1e9 / stop_ns), "if a CPU did nothing but take faults"),
            Mistake(round(even / DAY_S), "with the tax of a second"),
        ),
        why=(
            f"The tax is {price.tax_day_ns / DAY_S / MS:.3g} ms of each second, "
            f"{price.tax_day_ns / 1e9:.3g} s a day. But this compares sums only: a stall hits "
            "everybody at once, and the lookups that stay slow afterwards are a tax too (Q11, "
            "Q12). Fault rate and cost of a fault are assumed."
        ),
        rule="tax · faults · fault = removals · pause",
        claims=("S36", "S37"),
        see=seen,
    )


MAKERS: dict[str, Maker] = {
    "pause": pause,
    "after_the_remap": after_the_remap,
    "removals": removals,
}
