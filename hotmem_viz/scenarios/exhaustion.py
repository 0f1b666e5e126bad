"""Exhaustion: the zones that kernel memory may use run dry while other memory lies free.

The mail's simple example (S12): "metadata intensive workloads will not be able to use all of
memory because the kernel allocations will be confined to a subset of memory". The same run on a
32-bit PAE machine, where the subset is lowmem, shows why the mail calls them one problem (S11).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.requests import GFP_OF_KIND, Gfp
from hotmem_viz.recording.recorder import Tick
from hotmem_viz.scenarios import describe, telling
from hotmem_viz.scenarios.workloads import Stock, Stockpile, draw_workload, find_stocks
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.mechanisms.outcome import Outcome, Report
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.recording.recording import Event
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import Setup
    from hotmem_viz.scenarios.workloads import Workload

TURNS = 1200
"""Turns drawn at most, enough to fill any machine at the largest turn allowed; a workload that
still fits after them has fitted."""

TURNS_SHRINKABLE = 400
"""Turns of a workload whose memory can be taken back: it would go on for ever."""

TICKS_TO_FILL = 160
"""The kernel zones, empty, would be filled in about this many turns."""

PAGE_NS = 1000.0
"""Model time of handing out a page: zeroing 4 KiB, a nominal figure that orders the ticks and
claims nothing about speed."""

FREQUENT = (
    EventKind.FALLBACK,
    EventKind.MIXING,
    EventKind.SPILL,
    EventKind.RECLAIM,
    EventKind.KSWAPD_WAKE,
    EventKind.REFUSED,
)
"""Kinds of which only the first is told; the rest would fill the table with repetitions."""

SCARCE_TURNS, LAST_PIECES = 3, 6
"""When less than so many turns fit, turns are cut in so many pieces: the end in slow motion."""


class Exhaustion:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`.

    requests: the workload of another run of this machine, to be replayed as it is; without it
    one is drawn from the seed.
    """

    name = "exhaustion"
    title = "Kernel zones run dry"

    def __init__(
        self, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> None:
        self.parameters = p = parameters
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        self._kernel = telling.kernel_zones(mem)
        operation = setup.profile.operations[p.workload]
        self.turn_pages = self._size_turns(find_stocks(setup.profile, operation))
        self.workload = self._draw(setup) if requests is None else requests.on_kernel(setup.profile)
        self.objects = telling.OBJECT_NAMES[p.workload]
        self.meta: dict[str, Any] = {
            "scenario": self.name,
            "title": self.title,
            "parameters": asdict(p),
            "seed": p.seed,
            "profile": setup.profile.name,
            **describe.describe_machine(mem),
            "counters": describe.describe_counters(mem, self.objects),
        }
        shrinkable = self.workload.operation.shrinkable
        self._metadata = mem.owners.add(f"metadata: {p.workload}", shrinkable=shrinkable)
        self._program = mem.owners.add("user program")
        self._file_cache = mem.owners.add("page cache")
        self._seen: set[EventKind] = set()
        self._tick = 0
        self._touched: list[FrameSet] = []
        self._reports: list[Report] = []
        self._time = 0.0
        self._user_pages = self._remote = self._operations = 0
        self._stockpile = Stockpile(self.workload.stocks)
        self._exits: dict[int, list[FrameSet]] = {}
        self.is_over = False
        self._park_ballast()

    def _size_turns(self, stocks: tuple[Stock, ...]) -> int:
        """Size a turn so that the zones that most of an operation may use last for a while."""
        mem = self.memory
        costliest = max(stocks, key=lambda s: s.pages_per_operation)
        usable = mem.zones.free[mem.zones.type <= costliest.gfp.highest].sum()
        cap = max(512, mem.spec.present_pages // 1024)
        return int(np.clip(usable // TICKS_TO_FILL, 8, cap))

    def _draw(self, setup: Setup) -> Workload:
        p = self.parameters
        shrinkable = setup.profile.operations[p.workload].shrinkable
        return draw_workload(
            setup.profile,
            p.workload,
            [n.nid for n in setup.spec.nodes],
            user=p.user,
            turn_pages=self.turn_pages,
            turns=TURNS_SHRINKABLE if shrinkable else TURNS,
            rng=np.random.default_rng(p.seed),
        )

    def _park_ballast(self) -> None:
        """Park socket pairs before the first tick."""
        mem, pairs = self.memory, self.parameters.ballast
        if not pairs:
            return
        owner = mem.owners.add("parked sockets")
        parked = Stockpile(find_stocks(mem.profile, mem.profile.operations["ballast"]))
        for stock in parked.stocks:
            parked.ask(mem, stock, pairs, owner=owner)

    def ticks(self) -> Iterator[Tick]:
        """Run the scenario to its end and yield its ticks, the booted machine first."""
        boot = telling.tell_boot(self.memory, telling.STORIES[self.parameters.workload])
        yield Tick(0.0, self._read(), events=[boot], captions=[telling.caption_of(boot)])
        for turn in range(len(self.workload)):
            self._exit_processes(turn)
            yield from self._user_turn(turn)
            yield from self._metadata_turn(turn)
            if self._touched:
                yield self._flush()
            if self.is_over:
                return
        done = telling.tell_done(self.memory, self._tick, self.objects, self._operations)
        yield self._flush(done)

    def _read(self) -> np.ndarray:
        return describe.read_counters(
            self.memory, user_pages=self._user_pages, remote=self._remote, objects=self._operations
        )

    def _flush(self, last: Event | None = None) -> Tick:
        """End the tick that has gathered."""
        self._tick += 1
        events = [] if last is None else [replace(last, tick=self._tick)]
        for report in self._reports:
            first = report.kind not in self._seen
            self._seen.add(report.kind)
            if first or report.kind not in FREQUENT:
                events.append(telling.tell(self.memory, report, self._tick, mark=first))
        marks = [e for e in events if e.mark]
        tick = Tick(
            self._time,
            self._read(),
            touched=self._touched,
            events=events,
            captions=[telling.caption_of(e) for e in marks[-1:]],
            details=self._sections_of(events),
        )
        self._touched, self._reports = [], []
        return tick

    def _sections_of(self, events: list[Event]) -> list[int]:
        """Sections that marks name: the pfn's, or the last one of the zone."""
        mem, found = self.memory, []
        for event in events:
            if event.mark and event.pfn >= 0:
                found.append(event.pfn // mem.spec.section_pages)
            elif event.mark and event.zone >= 0:
                part = mem.extents.zone_slices[event.zone]
                found.append(int(mem.extents.section[part][-1]))
        return found

    def _take_in(self, gfp: Gfp, outcome: Outcome, nid: int) -> list[Tick]:
        """Note what requests did. A kind of event seen for the first time ends its tick."""
        self._touched += [outcome.frames, *outcome.released]
        self._time += sum(outcome.by_zone.values()) * PAGE_NS
        if gfp.highest <= ZoneType.NORMAL:
            nids = self.memory.zones.nid
            self._remote += sum(n for z, n in outcome.by_zone.items() if nids[z] != nid)
        ticks = []
        for report in telling.sort_reports(self.memory, outcome, gfp):
            self._reports.append(report)
            if report.kind not in self._seen:
                ticks.append(self._flush())
        return ticks

    def _user_turn(self, turn: int) -> Iterator[Tick]:
        """Let the user actor touch memory and read files."""
        w = self.workload
        wishes = (
            (PageKind.ANON, int(w.anon[turn]), self._program),
            (PageKind.PAGE_CACHE, int(w.cache[turn]), self._file_cache),
            (PageKind.BUFFER, int(w.buffers[turn]), self._file_cache),
        )
        for kind, count, owner in wishes:
            if not count or self.is_over:
                continue
            gfp, nid = GFP_OF_KIND[kind], int(w.node[turn])
            outcome = alloc_pages(self.memory, gfp, count, kind, owner=owner, nid=nid)
            ticks = self._take_in(gfp, outcome, nid)
            self._user_pages += outcome.granted
            if kind is PageKind.ANON and w.exit_turn[turn]:
                self._exits.setdefault(int(w.exit_turn[turn]), []).append(outcome.frames)
            yield from ticks
            self.is_over = outcome.refused > 0

    def _exit_processes(self, turn: int) -> None:
        """Free what the processes that exit now have held."""
        for frames in self._exits.pop(turn, []):
            free_pages(self.memory, frames)
            self._touched.append(frames)

    def _metadata_turn(self, turn: int) -> Iterator[Tick]:
        """Let the metadata actor do its operations; in small pieces once room gets scarce."""
        operations = int(self.workload.operations[turn])
        pieces = LAST_PIECES if self._is_scarce() else 1
        for piece in range(pieces):
            if self.is_over:
                return
            share = operations * (piece + 1) // pieces - operations * piece // pieces
            yield from self._do_operations(share, turn)
            if pieces > 1 and self._touched:
                yield self._flush()

    def _is_scarce(self) -> bool:
        """Say whether the end is near: kernel zones hold a few turns, and nothing can shrink."""
        zones = self.memory.zones
        line = zones.min + zones.boost + zones.protection[:, ZoneType.NORMAL]
        room = np.maximum(zones.free - line, 0)[self._kernel]
        near = bool(room.sum() < SCARCE_TURNS * self.turn_pages)
        return near and not self.workload.operation.shrinkable

    def _do_operations(self, operations: int, turn: int) -> Iterator[Tick]:
        """Ask for the slabs that some more operations need."""
        wanted, nid = self._operations + operations, int(self.workload.node[turn])
        for stock in self.workload.stocks:
            outcome = self._stockpile.ask(self.memory, stock, wanted, owner=self._metadata, nid=nid)
            if outcome is None:
                continue
            ticks = self._take_in(stock.gfp, outcome, nid)
            if outcome.refused:
                self.is_over = True
                self._operations = self._stockpile.operations(wanted)
                yield from self._corrected(ticks)
                return
            yield from ticks
        self._operations = wanted

    def _corrected(self, ticks: list[Tick]) -> list[Tick]:
        """Enter the final number of operations into the ticks of the refusal."""
        for tick in ticks:
            tick.counters = [*tick.counters[:-1], self._operations]
        return ticks
