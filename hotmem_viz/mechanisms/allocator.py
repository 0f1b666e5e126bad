"""alloc_pages and free_pages: many requests of one kind at once, as if made one by one.

The fast path tries every allowed zone down to its low mark; then kswapd is woken and the zones
are tried down to their min mark; then the request reclaims for itself; then it is out of memory.

Left out: per-CPU lists (drained before any refusal, so they change no verdict), atomic and
high-priority reserves, compaction (order > 0 requests here are small slabs), the OOM killer's
victim, which the exhaustion lesson does not need: it ends there.

Sources: mm/page_alloc.c, 6.1: get_page_from_freelist, __alloc_pages_slowpath, boost_watermark,
alloc_flags_nofragment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms import buddy, reclaim
from hotmem_viz.mechanisms.fallback import fall_back
from hotmem_viz.mechanisms.outcome import Outcome, Report
from hotmem_viz.mechanisms.watermarks import requests_allowed
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.vocabulary import (
    MAX_ORDER,
    PAGEBLOCK_PAGES,
    EventKind,
    MigrateType,
    PageKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from hotmem_viz.mechanisms.requests import Gfp
    from hotmem_viz.memory.physical import PhysicalMemory

BOOST_PERCENT = 150
"""watermark_boost_factor, 15000 of 10000 (Documentation/admin-guide/sysctl/vm.rst)."""

COSTLY_ORDER = 3
"""Above this order a request gives up when reclaim alone does not help (mmzone.h)."""

BOOST_FLOOR_PAGES = 4 * PAGEBLOCK_PAGES
"""Zones smaller than four pageblocks are never boosted."""


@dataclass
class _Call:
    """One call's requests, and what has become of them so far."""

    mem: PhysicalMemory
    gfp: Gfp
    order: int
    kind: PageKind
    owner: int
    left: int
    out: Outcome = field(default_factory=Outcome)
    parts: list[FrameSet] = field(default_factory=list)

    def give(self, zone: int, frames: FrameSet, served: int) -> None:
        """Hand out frames."""
        self.mem.fill(frames, self.kind, self.owner)
        self.parts.append(frames)
        self.left -= served
        self.out.by_zone[zone] = self.out.by_zone.get(zone, 0) + (served << self.order)

    def facts(self) -> dict[str, int | str]:
        """Say what is still asked for, as reports do."""
        return {"left": self.left, "kind": self.kind.name, "gfp": self.gfp.name}

    def allowed(self, zone: int, mark: str, raised: int = 0) -> int:
        """Count the requests that the zone's mark, raised by so many pages, would let through."""
        zones = self.mem.zones
        level = int(getattr(zones, mark)[zone] + zones.boost[zone]) + raised
        reserve = int(zones.protection[zone, self.gfp.highest])
        return min(self.left, requests_allowed(int(zones.free[zone]), level, reserve, self.order))


def alloc_pages(
    mem: PhysicalMemory,
    gfp: Gfp,
    count: int,
    kind: PageKind,
    *,
    order: int = 0,
    owner: int = 0,
    nid: int = 0,
    nodes: Collection[int] | None = None,
    may_reclaim: bool = True,
) -> Outcome:
    """Serve `count` requests of 2**order pages for a task on node `nid`.

    nodes: ids of the nodes that may serve them (the kernel's nodemask); all unless given.
    may_reclaim is False for a request that has something else to try: it neither wakes kswapd nor
    reclaims, and its refusal is not reported. Requests that no zone can serve are refused, which
    is an answer and not an error; raises ParameterError only for misuse. Work grows with the
    groups of 1,024 frames that are touched.
    """
    if not 0 <= order <= MAX_ORDER:
        raise ParameterError("order", order, f"0 to {MAX_ORDER}")
    if kind <= PageKind.FREE:
        raise ParameterError("kind", kind.name, "a kind that holds memory")
    if count < 0:
        raise ParameterError("count", count, "0 or more")
    if nid not in mem.kswapd_failures:
        raise ParameterError("nid", nid, f"one of {sorted(mem.kswapd_failures)}")
    call = _Call(mem, gfp, order, kind, owner, count)
    zonelist = _within(mem, mem.zonelists[nid, int(gfp.highest)], nodes)
    if unmixed := _within(mem, mem.unmixed_zones[nid, int(gfp.highest)], nodes):
        _serve(call, unmixed, "low", whole_only=True)
    _serve(call, zonelist, "low")
    while may_reclaim and call.left and _wake_kswapd(call, zonelist):
        _serve(call, zonelist, "low")
    if call.left:
        _serve(call, zonelist, "min")
    if call.left and may_reclaim:
        _reclaim_and_retry(call, zonelist)
    call.out.granted, call.out.refused = count - call.left, call.left
    call.out.frames = union(call.parts)
    return call.out


def _within(mem: PhysicalMemory, zonelist: list[int], nodes: Collection[int] | None) -> list[int]:
    """Keep the zones of some nodes."""
    return zonelist if nodes is None else [z for z in zonelist if int(mem.zones.nid[z]) in nodes]


def _reclaim_and_retry(call: _Call, zonelist: list[int]) -> None:
    """Let the request reclaim for itself, as long as that frees anything; else it is OOM."""
    report, last = call.out.reports.append, zonelist[-1] if zonelist else -1
    report(Report(EventKind.REFUSED, last, facts=call.facts()))
    freed = 0
    while call.left:
        before = call.left
        frames = reclaim.reclaim_directly(call.mem, zonelist, call.left << call.order)
        if len(frames):
            freed += len(frames)
            call.out.released.append(frames)
            _serve(call, zonelist, "min")
        if not len(frames) or (call.order > COSTLY_ORDER and call.left == before):
            break
    if freed:
        report(Report(EventKind.RECLAIM, zonelist[0], facts={"pages": freed, "direct": 1}))
    if call.left:
        report(Report(EventKind.OOM, facts=call.facts()))


def free_pages(mem: PhysicalMemory, frames: FrameSet) -> Outcome:
    """Free held frames, of whatever kinds; buddies merge at once."""
    buddy.give_back(mem, frames)
    return Outcome(released=[frames])


def _serve(call: _Call, zonelist: list[int], mark: str, *, whole_only: bool = False) -> None:
    """Try zone after zone down to a mark ("low" or "min"), own lists first, then fallback."""
    mem, gfp = call.mem, call.gfp
    for zone in zonelist:
        while call.left and (n := call.allowed(zone, mark)) > 0:
            frames, served = buddy.take(mem, zone, gfp.migratetype, call.order, n)
            if not served:
                raised = _next_boost(mem, zone) - int(mem.zones.boost[zone])
                single = call.allowed(zone, mark, raised) if raised else None
                got = fall_back(
                    mem, zone, gfp.migratetype, call.order, n, whole_only=whole_only, single=single
                )
                if not got.served:
                    break
                frames, served = got.frames, got.served
                call.out.reports.append(
                    Report(
                        EventKind.FALLBACK,
                        zone,
                        got.pfn,
                        {
                            "how": got.how,
                            "from": MigrateType(got.source).name,
                            "to": gfp.migratetype.name,
                        },
                    )
                )
                call.give(zone, frames, served)
                if got.fragmented:
                    boost_watermark(mem, zone)
                    _take_back_boost(call, zone)
                continue
            call.give(zone, frames, served)


def _take_back_boost(call: _Call, zone: int) -> None:
    """Wake kswapd for a zone that was just boosted: it takes the boost back at the end of its run.

    Captures show a run for each pageblock that is broken into, and boosts that stay once sixteen
    runs have freed nothing, those during boot counted. A run that changes nothing else is not
    reported. rmqueue, mm/page_alloc.c, 6.1 (ZONE_BOOSTED_WATERMARK).
    """
    zones = call.mem.zones
    if not zones.boost[zone]:
        return
    frames, reports = reclaim.run_kswapd(call.mem, int(zones.nid[zone]), int(zones.type[zone]))
    if len(reports) > 1:
        call.out.reports.extend(reports)
    if len(frames):
        call.out.released.append(frames)


def _wake_kswapd(call: _Call, zonelist: list[int]) -> bool:
    """Wake kswapd on every node of the list; say whether it freed anything."""
    freed = False
    for nid in dict.fromkeys(int(call.mem.zones.nid[z]) for z in zonelist):
        frames, reports = reclaim.run_kswapd(call.mem, nid, call.gfp.highest)
        call.out.reports.extend(reports)
        if len(frames):
            call.out.released.append(frames)
            freed = True
    return freed


def _next_boost(mem: PhysicalMemory, zone: int) -> int:
    """Return a zone's boost after one more fragmenting fallback."""
    boost = int(mem.zones.boost[zone])
    if mem.zones.managed[zone] < BOOST_FLOOR_PAGES:
        return boost
    cap = max(PAGEBLOCK_PAGES, int(mem.zones.high[zone]) * BOOST_PERCENT // 100)
    return min(boost + PAGEBLOCK_PAGES, cap)


def boost_watermark(mem: PhysicalMemory, zone: int) -> None:
    """Raise a zone's boost by one pageblock, up to its cap, after a fragmenting fallback."""
    mem.zones.boost[zone] = _next_boost(mem, zone)
