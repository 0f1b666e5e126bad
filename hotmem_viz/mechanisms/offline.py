"""Taking memory offline: refusals in the kernel's order, then migrate and try again without end.

The kernel never gives up by itself: where a page is pinned or finds no room, it scans and migrates
for ever, and only a signal ends that. Here a round that changes nothing is followed by rounds that
change nothing, so their number is computed and model time passes as if they had been run; the
answer says for how long it has been tried. The memory stays isolated meanwhile, as in the kernel,
and once somebody changes something (drops a pin, frees memory) the same attempt can go on.

Left out: notifiers, which may veto; the per-CPU lists, which the kernel empties first.

Source: mm/memory_hotplug.c, 6.1: offline_pages, scan_movable_pages, do_migrate_range;
drivers/base/memory.c: memory_block_offline (KERNEL.md A10).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import hotplug
from hotmem_viz.mechanisms.costs import FAILED_PAGE_NS, OFFLINE_PAGE_NS
from hotmem_viz.mechanisms.hugetlb import dissolve_free, find_used, migrate_huge_pages
from hotmem_viz.mechanisms.isolation import (
    Isolation,
    Veto,
    VetoRule,
    describe_page,
    isolate,
    undo_isolation,
)
from hotmem_viz.mechanisms.migrate import (
    Migration,
    find_on_lru,
    migrate_pages,
    target_nodes,
    target_request,
)
from hotmem_viz.mechanisms.outcome import Outcome, Report
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, EventKind, PageKind, SectionState

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

PATIENCE_NS = 60 * 10**9
"""Model time after which an attempt that changes nothing any more is called endless."""

NO_ZONE = -1


@unique
class Verdict(Enum):
    """How an attempt to take memory offline ends; the value is how people write it."""

    OK = "ok"
    EBUSY = "EBUSY"
    EINVAL = "EINVAL"
    EINTR = "EINTR"
    NEVER_ENDS = "never ends"


@dataclass
class Offlining(Outcome):
    """One attempt to take [start_pfn, end_pfn) offline.

    verdict: how it ended; after NEVER_ENDS the memory is still isolated and `go_on` may be called.
    reason: the kernel's words for a failure. veto: the guilty page of EBUSY; after NEVER_ENDS and
    EINTR the lowest page that had not moved. passes: rounds of scan and migrate. granted counts
    pages that have moved, `frames` are those that changed hands or left, `time_ns` is what the
    whole attempt took.
    """

    start_pfn: int = 0
    end_pfn: int = 0
    zone: int = NO_ZONE
    verdict: Verdict | None = None
    reason: str = ""
    veto: Veto | None = None
    passes: int = 0
    isolation: Isolation | None = None

    @property
    def ended(self) -> bool:
        """Whether there is a verdict."""
        return self.verdict is not None

    def reopen(self) -> None:
        """Let an attempt go on; ParameterError if it is over for good, or never began."""
        if self.isolation is None or self.verdict not in (None, Verdict.NEVER_ENDS):
            raise ParameterError("out", self.verdict, "an attempt that has not ended")
        self.verdict = None


def zone_of_block(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> int:
    """Return the zone that a memory block belongs to, NO_ZONE if there is no single one.

    This is what `valid_zones` of an online block says. Of boot memory the spans of the node's zones
    decide, holes or not, and memory of two nodes has none (memory_block_add_nid,
    early_node_zone_for_memory_block, drivers/base/memory.c, 6.1).
    """
    zones = {s.zone for s in mem.segments if s.start_pfn < end_pfn and start_pfn < s.end_pfn}
    nids = {
        n.nid
        for n in mem.spec.nodes
        if any(r.start_pfn < end_pfn and start_pfn < r.end_pfn for r in n.ranges)
    }
    spans = [
        z
        for z in mem.plan.zones
        if z.nid in nids and z.start_pfn < end_pfn and start_pfn < z.end_pfn
    ]
    return zones.pop() if len(zones) == 1 and len(spans) <= 1 else NO_ZONE


def offline_block(
    mem: PhysicalMemory,
    block: int,
    *,
    signal_at_ns: int | None = None,
    patience_ns: int = PATIENCE_NS,
) -> Offlining:
    """Take one memory block (1 to 16 sections) offline, as writing "offline" to its state does.

    signal_at_ns: when a signal comes, in model time from the start; none unless given.
    patience_ns: for how long to watch an attempt that changes nothing any more.

    A refusal is an answer; raises ParameterError where the block is not online.
    """
    pages = mem.spec.block_pages
    out = start_offline(mem, block * pages, (block + 1) * pages)
    if out.verdict is None:
        go_on(mem, out, signal_at_ns=signal_at_ns, patience_ns=patience_ns)
    return out


def start_offline(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Offlining:
    """Check a range of whole sections, and isolate it; nothing has moved yet.

    In order: EINVAL if no single zone holds it, EINVAL if it has a hole, EBUSY if a page vetoes its
    isolation. The frames of the block's own memory map are left alone.
    """
    size = mem.spec.section_pages
    sections = np.arange(start_pfn // size, -(-end_pfn // size))
    inside = 0 <= start_pfn < end_pfn <= mem.spec.n_sections * size
    if not inside or start_pfn % size or end_pfn % size:
        raise ParameterError("range", (start_pfn, end_pfn), f"whole sections of {size} pages")
    if not (mem.section_state[sections] == SectionState.ONLINE).any():
        raise ParameterError("range", (start_pfn, end_pfn), "memory that is online")
    zone = zone_of_block(mem, start_pfn, end_pfn)
    out = Offlining(start_pfn=start_pfn, end_pfn=end_pfn, zone=zone)
    if zone == NO_ZONE:
        return _refuse(out, Verdict.EINVAL, "multizone range")
    if (mem.kind[sections] == PageKind.HOLE).any():
        return _refuse(out, Verdict.EINVAL, "memory holes")
    isolation = isolate(mem, start_pfn + int(mem.own_map[sections[0]]), end_pfn)
    if isolation.veto:
        out.veto = isolation.veto
        return _refuse(out, Verdict.EBUSY, "failure to isolate range")
    out.isolation = isolation
    mem.section_state[sections] = SectionState.GOING_OFFLINE
    facts: dict[str, int | str] = {"pages": end_pfn - start_pfn}
    out.reports.append(Report(EventKind.ISOLATED, zone, start_pfn, facts))
    return out


def go_on(
    mem: PhysicalMemory,
    out: Offlining,
    *,
    signal_at_ns: int | None = None,
    patience_ns: int = PATIENCE_NS,
) -> None:
    """Scan and migrate until the memory has left, a signal comes, or nothing changes any more.

    May be called again after NEVER_ENDS. signal_at_ns counts from the start of the attempt,
    patience_ns from this call.
    """
    out.reopen()
    stuck = False
    while not stuck and not out.ended and (signal_at_ns is None or out.time_ns < signal_at_ns):
        spent, stuck = _run_round(mem, out)
        until = out.time_ns + patience_ns if signal_at_ns is None else signal_at_ns
        rounds = max(1, -(-(until - out.time_ns) // spent)) if stuck else 1
        out.passes, out.time_ns = out.passes + rounds, out.time_ns + rounds * spent
    if out.verdict is Verdict.OK:
        out.reports.append(_report(EventKind.OFFLINED, out))
    elif not out.ended and signal_at_ns is not None:
        cancel_offline(mem, out)
    elif not out.ended:
        out.verdict = Verdict.NEVER_ENDS
        out.reports.append(_report(EventKind.NEVER_ENDS, out))


def cancel_offline(mem: PhysicalMemory, out: Offlining) -> None:
    """End an attempt by a signal: the memory comes back into use, what has moved stays moved."""
    out.reopen()
    _put_back(mem, out)
    out.verdict, out.reason = Verdict.EINTR, "signal backoff"
    out.reports.append(_report(EventKind.INTERRUPTED, out))


def _put_back(mem: PhysicalMemory, out: Offlining) -> None:
    """Bring the memory of an attempt that failed back into use."""
    if out.isolation:
        undo_isolation(mem, out.isolation)
    size = mem.spec.section_pages
    mem.section_state[out.start_pfn // size : out.end_pfn // size] = SectionState.ONLINE


def _run_round(mem: PhysicalMemory, out: Offlining) -> tuple[int, bool]:
    """Scan once and migrate what is found; take the memory out if it is empty.

    Returns the time in ns, and whether the round changed nothing; then `veto` says why.
    """
    out.veto = None
    start = out.isolation.start_pfn if out.isolation else out.start_pfn
    found, huge = find_on_lru(mem, start, out.end_pfn), find_used(mem, start, out.end_pfn)
    if not len(found) and not len(huge):
        return _finish(mem, out, start)
    nid = int(mem.zones.nid[out.zone])
    gfp, nodes = target_request(mem, out.zone), target_nodes(mem, nid)
    tried = [
        migrate_pages(mem, found, gfp, nid=nid, nodes=nodes),
        migrate_huge_pages(mem, huge, nid=nid, nodes=nodes),
    ]
    for moved in tried:
        _add(out, moved)
    spent = max(FAILED_PAGE_NS, sum(moved.time_ns for moved in tried))
    if any(moved.granted for moved in tried):
        return spent, False
    first = found.lowest(1).pfns() if len(found) else huge[:1] * PAGEBLOCK_PAGES
    no_room = any(moved.no_room for moved in tried)
    out.veto = describe_page(mem, int(first[0]), VetoRule.NO_ROOM if no_room else VetoRule.PINNED)
    return spent, True


def _finish(mem: PhysicalMemory, out: Offlining, start: int) -> tuple[int, bool]:
    """Dissolve free huge pages; take the memory out of its zone if every frame is free."""
    dissolved = dissolve_free(mem, start, out.end_pfn)
    out.frames |= dissolved.frames
    if dissolved.refused:
        first = np.flatnonzero(mem.kind.reshape(-1)[start : out.end_pfn] == PageKind.HUGETLB)[0]
        out.veto = describe_page(mem, start + int(first), VetoRule.PROMISED)
        _put_back(mem, out)
        _refuse(out, Verdict.EBUSY, "failure to dissolve huge pages")
        return FAILED_PAGE_NS, False
    held = np.flatnonzero(mem.kind.reshape(-1)[start : out.end_pfn] != PageKind.FREE)
    if len(held):
        # Not on the LRU and not reserved, in ZONE_MOVABLE: nobody will ever come back to it.
        out.veto = describe_page(mem, start + int(held[0]), VetoRule.UNMOVABLE)
        return FAILED_PAGE_NS, True
    left = hotplug.take_out(mem, out.start_pfn, out.end_pfn)
    out.frames, out.by_zone = out.frames | left.frames, left.by_zone
    out.verdict = Verdict.OK
    return (out.end_pfn - out.start_pfn) * OFFLINE_PAGE_NS, False


def _add(out: Offlining, moved: Migration) -> None:
    """Enter what one round moved."""
    out.granted += moved.granted
    out.moves += moved.moves
    out.frames |= moved.frames
    out.released += moved.released
    out.reports += moved.reports
    if not moved.granted and not moved.refused:
        return
    facts: dict[str, int | str] = {
        "pages": moved.granted,
        "pinned": moved.pinned,
        "no_room": moved.no_room,
    }
    out.reports.append(Report(EventKind.MIGRATED, out.zone, out.start_pfn, facts))


def _refuse(out: Offlining, verdict: Verdict, reason: str) -> Offlining:
    out.verdict, out.reason, out.refused = verdict, reason, 1
    out.reports.append(_report(EventKind.OFFLINE_REFUSED, out))
    return out


def _report(kind: EventKind, out: Offlining) -> Report:
    """Report on an attempt as a whole, with what a caption needs."""
    facts: dict[str, int | str] = {
        "start_pfn": out.start_pfn,
        "end_pfn": out.end_pfn,
        "verdict": out.verdict.value if out.verdict else "",
        "reason": out.reason,
        "moved": out.granted,
        "passes": out.passes,
        "time_ns": out.time_ns,
    }
    pfn = out.start_pfn
    if out.veto:
        pfn = out.veto.pfn
        facts |= {"kind": out.veto.kind.name, "rule": out.veto.rule.name, "owner": out.veto.owner}
    return Report(kind, out.zone, pfn, facts)
