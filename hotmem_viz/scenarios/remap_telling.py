"""The stop_machine scenario in words: what each step did, by which rule, and what nobody knows.

Each function returns what `Story.tell` is given. From the residue on nothing was ever built, so
every caption says "unproven".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.residue import Handling, Residue
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
    return f"{count:,} page" + ("" if count == 1 else "s")


def boot(free: int) -> Told:
    """Say what the machine starts with."""
    text = (
        f"No ZONE_MOVABLE: kernel memory may lie in any section, so no zone runs dry while {free:,}"
        " pages lie free. The price comes when a section has to go."
    )
    return told(EventKind.BOOT, "One kind of memory for all", text, "S44", unproven=False)


def survivors(kept: int, freed: int) -> Told:
    """Say what the burst left behind."""
    text = (
        f"A burst of kernel memory is over. {freed:,} of its pages are free again, {kept:,} stay,"
        " scattered: a slab page stays while one object in it lives."
    )
    return told(
        EventKind.BURST_OVER, "Survivors of a burst", text, "S16", function="kmem_cache_free",
        unproven=False,
    )  # fmt: skip


def asked(section: int, residue: Residue, nid: int, pfn: int) -> Told:
    """Say which section has to go, and why today it could not."""
    moves = len(residue.only(Handling.NO_ROOM))
    rest = len(residue) - moves
    text = (
        f"Section {section} of node {nid} has to go. {moves:,} of its pages can migrate; {rest:,}"
        " cannot. Today the first of those vetoes it; here the section is isolated all the same."
    )
    return told(
        EventKind.ISOLATED, f"Section {section} is asked to go", text, "S24", rule="A9",
        function="has_unmovable_pages", unproven=False, pfn=pfn,
    )  # fmt: skip


def emptied(moved: int, left: int, time_ns: float) -> Told:
    """Say what migrated."""
    text = (
        f"{moved:,} pages have migrated in about {ms(time_ns)}, at a published 4.8 µs each."
        f" {left:,} are left, and trying again would not change that."
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
    return told(
        EventKind.RESIDUE, f"{len(found):,} pages stay behind", text, "S25", "S33", "S35",
        rule="5.3", questions=("Q13",), pfn=int(found.pfns[0]) if len(found) else -1,
    )  # fmt: skip


def reserved(remap: Remap, need: int) -> Told:
    """Say where the residue is to go, and what that costs."""
    room, size = remap.room, remap.mem.spec.section_pages
    if room.section >= 0:
        text = (
            f"The mail re-points a section, which reads like one base: so {need:,} pages take all"
            f" of section {room.section}; {size - need:,} frames of it are free but of no use."
        )
        questions: tuple[str, ...] = ("Q1",)
    else:
        text = (
            f"A frame for each of {need:,} pages, wherever there is room, and"
            f" {len(room.splits)} page tables, because 2 MiB mappings have to be broken for good."
        )
        questions = ("Q1", "Q4")
    text += " All that could fail is done before the stop."
    return told(
        EventKind.RESERVED, "Room for the residue", text, "S27", rule="5.2",
        questions=questions, pfn=int(room.targets[0]) if need else -1,
    )  # fmt: skip


def stopped(cpus: int, pause: StopTime) -> Told:
    """Say that the machine stands still."""
    text = (
        f"All {cpus} CPUs have stopped, interrupts off: {ms(pause.rendezvous)}, an assumption."
        " Devices go on, and a stopped task may hold a physical address in a register (Q8, Q9)."
    )
    return told(
        EventKind.STOPPED, "The whole machine stops", text, "S26", rule="A13",
        function="stop_machine", questions=("Q8", "Q9", "Q12"),
    )  # fmt: skip


def copied(count: int, pause: StopTime, copiers: int) -> Told:
    """Say what was copied."""
    by = "one CPU" if copiers == 1 else f"{copiers} CPUs"
    text = (
        f"{pages(count)} copied by {by}: {ms(pause.copy)} as assumed. The old frames still hold"
        " the same bytes; nobody has been told of the new ones yet."
    )
    return told(EventKind.COPIED, "Copy the pages that cannot move", text, "S27", rule="4.5")


def written(remap: Remap, names: list[int], entries: int) -> Told:
    """Say how the map changed."""
    to = f"section {remap.room.section}" if remap.room.section >= 0 else "a frame for each page"
    named = ", ".join(map(str, names))
    text = (
        f"Virtual section {named} now leads to {to}: {entries:,} entries of the map. Addresses"
        " stay as they are; pfn, struct page and frame do not agree any more (Q3)."
    )
    return told(
        EventKind.TABLE_WRITTEN, "Same address, another frame", text, "S21", "S28", "S31",
        rule="5.2", questions=("Q2", "Q3", "Q5"),
    )  # fmt: skip


def walked(walk: Walk, processes: int, pause: StopTime) -> Told:
    """Say what the walk read and rewrote."""
    text = (
        f"{processes:,} processes, {walk.tables:,} upper tables, {walk.entries:,} entries read in"
        f" {ms(pause.scan)} as assumed; {len(walk.parents):,} pointed at a table that moved and are"
        f" rewritten, {len(walk.tops):,} top tables need CR3 reloaded."
    )
    return told(
        EventKind.TABLES_WALKED, "Walk all processes' page tables", text, "S35",
        rule="A15", function="pgd_list", questions=("Q10",),
    )  # fmt: skip


def resumed(pause: StopTime) -> Told:
    """Say how long it took."""
    text = (
        f"Every CPU flushes its TLB and goes on. The pause: {ms(pause.total)} by the formula, of"
        f" which {ms(pause.copy)} copying and {ms(pause.scan)} walking. Nobody has measured one."
    )
    return told(
        EventKind.RESUMED, f"Resume after {ms(pause.total)}", text, "S29", rule="A16",
        questions=("Q12",),
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
    return told(EventKind.OFFLINED, "Offline, as today", text, "S45", rule="A10", unproven=False)


def lookups(fast: int, slow: int, shares: tuple[int, int], loads: float) -> Told:
    """Say what a lookup costs from now on."""
    live, every = shares
    text = (
        f"{live:,} of {every:,} kernel pages are looked up with {slow} dependent load"
        f"{'' if slow == 1 else 's'}, the others with {fast}: {loads:.3f} on average, if each is"
        " asked for as often. Every lookup first asks which kind it is (Q11). Never measured."
    )
    return told(
        EventKind.LOOKUP, "Lookups, fast and slow", text, "S22", "S23", "S30", "S32", rule="A14",
        function="virt_to_phys", questions=("Q11",),
    )  # fmt: skip


def taxed(pause_ns: float, p: StopMachineParameters) -> Told:
    """Set the pause against a tax on every fault."""
    worth = f"{pause_ns / p.tax_ns:,.1f} s of it" if p.tax_ns else "nothing, as there is none"
    text = (
        f"Migrating page tables at any time would cost {p.tax:.1%} of every fault: {p.faults:,.0f}"
        f" faults a second of {p.fault_ns:,.0f} ns make {ms(p.tax_ns)} a second. One pause of"
        f" {ms(pause_ns)} is worth {worth}. Fault rate and cost are assumed."
    )
    return told(
        EventKind.TAX, "A tax for ever, or a stall now", text, "S36", "S37", rule="4.4",
        questions=("Q11", "Q12"),
    )  # fmt: skip


def drained(section: int) -> Told:
    """Say that the slow state is over."""
    text = (
        f"The last page of section {section} is freed: drained, and offline for good. The mail"
        " does not say so; without it lookups there would be slow for ever."
    )
    return told(EventKind.DRAINED, "Drained", text, "S25", rule="5.2", questions=("Q6",))


def came_home(section: int, count: int) -> Told:
    """Say that the pages are back."""
    text = (
        f"The memory came back, and {pages(count)} were copied home in another stop: section"
        f" {section} is found by the 1:1 map again, fast. Not in the mail."
    )
    return told(EventKind.COPIED_HOME, "Copied home", text, "S22", rule="5.2")


def target_left(host: int, sections: list[int]) -> Told:
    """Say that moves compose."""
    named = ", ".join(map(str, sections)) or "no one"
    text = (
        f"Section {host}, where pages had gone, left as well. The map was written once more for"
        f" section {named}; the addresses have not changed since boot (Q7)."
    )
    return told(
        EventKind.TARGET_REMOVED, "The target goes too", text, "S28", rule="5.2", questions=("Q7",)
    )
