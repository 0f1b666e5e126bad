"""The stop_machine scenario in words: what each step did, by which rule, and what nobody knows.

Each function returns what `Story.tell` is given. From the residue on nothing was ever built, so
every caption says "unproven".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.residue import Handling, Residue
from hotmem_viz.units import counted, percent
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.remap import Remap
    from hotmem_viz.mechanisms.stop_machine import StopTime
    from hotmem_viz.mechanisms.table_walk import Walk
    from hotmem_viz.scenarios.remap_parameters import StopMachineParameters

Told = dict[str, Any]


def told(
    kind: EventKind,
    title: str,
    text: str,
    *claims: str,
    rule: str = "",
    function: str = "",
    questions: tuple[str, ...] = (),
    unproven: bool = True,
    pfn: int = -1,
) -> Told:
    """Return what `Story.tell` is given; unproven unless said otherwise."""
    return {
        "kind": kind,
        "title": title,
        "text": text,
        "claims": claims,
        "rule": rule,
        "function": function,
        "questions": questions,
        "unproven": unproven,
        "pfn": pfn,
    }


def ms(time_ns: float) -> str:
    """Return a time as people read it."""
    return f"{time_ns / 1e6:.2f} ms" if time_ns >= 1e5 else f"{time_ns / 1e3:.1f} µs"


def pages(count: int) -> str:
    """Return a number of pages in words."""
    return counted(count, "page")


def boot(free: int) -> Told:
    """Say what the machine starts with."""
    text = (
        f"No ZONE_MOVABLE: kernel memory may lie in any section, so no zone runs dry while {free:,}"
        " pages lie free. The price comes when a section has to go."
    )
    return told(
        EventKind.BOOT, "One kind of memory for all", text, "S44", rule="A5",
        function="gfp_zone", unproven=False,
    )  # fmt: skip


def survivors(kept: int, freed: int) -> Told:
    """Say what the burst left behind."""
    text = (
        f"A burst of kernel memory is over. {freed:,} of its pages are free again, {kept:,} stay,"
        " scattered: a slab page stays while one object in it lives."
    )
    return told(
        EventKind.BURST_OVER, "Survivors of a burst", text, "S16", rule="A5",
        function="kmem_cache_free", unproven=False,
    )  # fmt: skip


def asked(section: int, residue: Residue, nid: int, pfn: int) -> Told:
    """Say which section has to go, and why today it could not."""
    moves = len(residue.only(Handling.NO_ROOM))
    rest = len(residue) - moves
    text = (
        f"Section {section} of node {nid} has to go. {moves:,} of its pages can migrate; {rest:,}"
        " cannot."
    )
    if rest:
        text += " Today the first of those vetoes it; here the section is isolated all the same."
    return told(
        EventKind.ISOLATED, f"Section {section} is asked to go", text, "S24", rule="A9",
        function="has_unmovable_pages", unproven=bool(rest), pfn=pfn,
    )  # fmt: skip


def emptied(moved: int, left: int, time_ns: float) -> Told:
    """Say what migrated."""
    text = (
        f"{pages(moved)} {'has' if moved == 1 else 'have'} migrated in about {ms(time_ns)}, at a"
        f" published 4.8 µs each. {left:,} {'is' if left == 1 else 'are'} left, and trying again"
        " would not change that."
    )
    return told(
        EventKind.MIGRATED, "What can move has moved", text, "S24", rule="A10",
        function="do_migrate_range", unproven=False,
    )  # fmt: skip


def residue(found: Residue) -> Told:
    """Say what stayed, class by class."""
    counts = np.bincount(found.handling, minlength=len(Handling))
    parts = [
        f"{counts[Handling.REMAP]:,} reached by virtual address alone (slabs, stacks)",
        f"{counts[Handling.WALK]:,} of page tables, whose parents must be found",
        f"{len(found.stuck):,} that nothing can move",
    ]
    text = "What stayed, by class: " + "; ".join(parts) + ". No kernel marks pages like this (Q13)."
    stay = "stays" if len(found) == 1 else "stay"
    return told(
        EventKind.RESIDUE, f"{pages(len(found))} {stay} behind", text, "S25", "S33", "S35",
        rule="5.3", questions=("Q13",), pfn=int(found.pfns[0]) if len(found) else -1,
    )  # fmt: skip


def reserved(remap: Remap, need: int) -> Told:
    """Say where the residue is to go, and what that costs."""
    room, size = remap.room, remap.mem.spec.section_pages
    if room.section >= 0:
        text = (
            f"The mail re-points a section, which reads like one base: so {pages(need)}"
            f" {'takes' if need == 1 else 'take'} all of section {room.section}; {size - need:,}"
            " frames of it are free but of no use."
        )
        questions: tuple[str, ...] = ("Q1",)
    else:
        text = (
            f"A frame for each of {pages(need)}, wherever there is room, and"
            f" {counted(len(room.splits), 'page table')}, because 2 MiB mappings have to be broken"
            " for good."
        )
        questions = ("Q1", "Q4")
    text += " All that could fail is done before the stop."
    return told(
        EventKind.RESERVED, "Room for the residue", text, "S27", rule="5.2",
        questions=questions, pfn=int(room.targets[0]) if need else -1,
    )  # fmt: skip


def stopped(cpus: int, pause: StopTime) -> Told:
    """Say that the machine stands still."""
    who = f"All {cpus} CPUs have" if cpus > 1 else "The only CPU has"
    text = (
        f"{who} stopped, interrupts off: {ms(pause.rendezvous)}, an assumption."
        " Devices go on, and a stopped task may hold a physical address in a register (Q8, Q9)."
    )
    return told(
        EventKind.STOPPED, "The whole machine stops", text, "S26", rule="A13",
        function="stop_machine", questions=("Q8", "Q9", "Q12"),
    )  # fmt: skip


def copied(remap: Remap, pause: StopTime, copiers: int) -> Told:
    """Say what was copied, and whether it has left its node."""
    mem, source, target = remap.mem, remap.residue.pfns, remap.room.targets
    zone = mem.zone.reshape(-1)
    away = int((mem.zones.nid[zone[source]] != mem.zones.nid[zone[target]]).sum())
    by = "one CPU" if copiers == 1 else f"{copiers} CPUs"
    text = (
        f"{pages(len(source))} copied by {by}: {ms(pause.copy)} as assumed. The old frames still"
        " hold the same bytes; nobody has been told of the new ones yet."
    )
    if away:
        text += f" {away:,} of the copies lie on another node from now on (Q14)."
    elif len(mem.spec.nids) > 1:
        text += " This time there was room on the same node; the mail does not ask for it (Q14)."
    return told(
        EventKind.COPIED, "Copy the pages that cannot move", text, "S27", rule="4.5",
        function="copy_page", questions=("Q14",), pfn=int(source[0]) if len(source) else -1,
    )  # fmt: skip


def written(remap: Remap, names: list[int], entries: int) -> Told:
    """Say how the map changed."""
    to = f"section {remap.room.section}" if remap.room.section >= 0 else "a frame for each page"
    named = ", ".join(map(str, names))
    text = (
        f"Virtual section {named} now leads to {to}: {entries:,} entries of the map. Addresses"
        " stay as they are; pfn, struct page and frame do not agree any more (Q3), and"
        " SPARSE_VMEMMAP counts on it that they do."
    )
    return told(
        EventKind.TABLE_WRITTEN, "Same address, another frame", text, "S21", "S28", "S31",
        rule="5.2", function="pfn_to_page", questions=("Q2", "Q3", "Q5"),
        pfn=int(remap.residue.pfns[0]),
    )  # fmt: skip


def walked(walk: Walk, processes: int, pause: StopTime) -> Told:
    """Say what the walk read and rewrote."""
    fixed = len(walk.parents)
    text = (
        f"{counted(processes, 'process', 'processes')}, found through pgd_list; {walk.tables:,}"
        f" upper tables, {walk.entries:,} entries read in {ms(pause.scan)} as assumed."
        f" {counted(fixed, 'entry', 'entries')} pointed at a table that moved and"
        f" {'is' if fixed == 1 else 'are'} rewritten;"
        f" {counted(len(walk.tops), 'top table')} moved, so CR3 is reloaded where one is in use."
    )
    return told(
        EventKind.TABLES_WALKED, "Walk all processes' page tables", text, "S35",
        rule="A15", function="sync_global_pgds", questions=("Q10",),
    )  # fmt: skip


def resumed(pause: StopTime) -> Told:
    """Say how long it took."""
    text = (
        f"Every CPU flushes its TLB and goes on. The pause: {ms(pause.total)} by the formula, of"
        f" which {ms(pause.copy)} copying and {ms(pause.scan)} walking. Nobody has measured one."
    )
    return told(
        EventKind.RESUMED, f"Resume after {ms(pause.total)}", text, "S29", rule="A16",
        function="__flush_tlb_all", questions=("Q12",),
    )  # fmt: skip


def migrated(section: int, live: int) -> Told:
    """Say what the section is now."""
    text = (
        f"Section {section} is offline-migrated: its frames may be pulled out, while {live:,} of"
        " its pages live on elsewhere under their old addresses."
    )
    return told(
        EventKind.OFFLINE_MIGRATED, "Offline-migrated", text, "S25", "S32", rule="5.1",
        questions=("Q6",),
    )  # fmt: skip


def emptied_whole(section: int) -> Told:
    """Say that nothing stayed."""
    text = f"Nothing stayed in section {section}: it is offline without any stop."
    return told(
        EventKind.OFFLINED, "Offline, as today", text, "S24", rule="A10",
        function="offline_pages", unproven=False,
    )  # fmt: skip


def lookups(fast: int, slow: int, shares: tuple[int, int], loads: float) -> Told:
    """Say what a lookup costs from now on."""
    live, every = shares
    text = (
        f"{live:,} of {every:,} kernel pages are looked up with {slow} dependent load"
        f"{'' if slow == 1 else 's'}, the others with {fast}: {loads:.3f} on average, if each is"
        " asked for as often. Every lookup first asks which kind it is (Q11). Never measured."
    )
    return told(
        EventKind.LOOKUP, "Lookups, fast and slow", text, "S21", "S22", "S23", "S30", "S32",
        rule="A14", function="virt_to_phys", questions=("Q11",),
    )  # fmt: skip


def taxed(pause_ns: float, p: StopMachineParameters) -> Told:
    """Set the pause against a tax on every fault."""
    worth = f"{pause_ns / p.tax_ns:,.1f} s of it" if p.tax_ns else "nothing, as there is none"
    text = (
        "Patches of 2008 could migrate page tables at any time, and taxed every fault: 3 %, then"
        f" 1.6 % of a benchmark, as reported. At {percent(p.tax, 1)}, {p.faults:,.0f} faults a"
        f" second of {p.fault_ns:,.0f} ns pay {ms(p.tax_ns)} a second. One pause of {ms(pause_ns)}"
        f" is worth {worth}. Fault rate and cost are assumed."
    )
    return told(
        EventKind.TAX, "A tax for ever, or a stall now", text, "S36", "S37", rule="4.4",
        questions=("Q11", "Q12"),
    )  # fmt: skip
