"""Exhaustion: the zones that kernel memory may use run dry while other memory lies free.

The mail's simple example (S12): "metadata intensive workloads will not be able to use all of
memory because the kernel allocations will be confined to a subset of memory". The same run on a
32-bit PAE machine, where the subset is lowmem, shows why the mail calls them one problem (S11).
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.oom import count_room
from hotmem_viz.mechanisms.outcome import Moves, Report
from hotmem_viz.mechanisms.requests import GFP_OF_KIND, Gfp
from hotmem_viz.recording.recorder import Tick
from hotmem_viz.scenarios import cache_telling, describe, telling
from hotmem_viz.scenarios.exhaustion_held import HeldObjects, count_cached
from hotmem_viz.scenarios.exhaustion_machines import find_setup
from hotmem_viz.scenarios.exhaustion_turns import draw_turns, size_turns
from hotmem_viz.scenarios.locality import Locality
from hotmem_viz.scenarios.parameters import DIMMS, HUGE_PAGES, REBOOTS, ExhaustionParameters
from hotmem_viz.scenarios.workloads import Stockpile, find_operation, find_stocks
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.memory.frames import FrameSet
    from hotmem_viz.recording.recording import Event
    from hotmem_viz.scenarios.setup import FindMachine, Setup
    from hotmem_viz.scenarios.workloads import Workload

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
    EventKind.CACHE_STOPS,
)
"""Kinds of which only the first is told; the rest would fill the table with repetitions."""

SCARCE_TURNS, LAST_PIECES = 3, 6
"""When less than so many turns fit, turns are cut in so many pieces: the end in slow motion."""


GOES_ON = {
    DIMMS: ("exhaustion_dimms", "AddedDimms"),
    REBOOTS: ("exhaustion_reboots", "LargerBoxes"),
    HUGE_PAGES: ("exhaustion_huge", "HugePagePool"),
}
"""What a run goes on to: module and class, by the parameter `then`."""


class Exhaustion:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`.

    Where the parameters say what comes then, making one makes the subclass that goes on to it, as
    pathlib.Path does for systems. requests: the workload of another run, to be replayed as it is;
    without it one is drawn from the seed.
    """

    name = "exhaustion"
    title = "Kernel zones run dry"
    parameters_type = ExhaustionParameters

    def __new__(
        cls, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> Self:
        """Choose the class by what comes then."""
        del setup, requests
        if cls is not Exhaustion or not parameters.then:
            return super().__new__(cls)
        module, name = GOES_ON[parameters.then]
        chosen = getattr(import_module(f"hotmem_viz.scenarios.{module}"), name)
        made: Self = super().__new__(chosen)
        return made

    def __init__(
        self, parameters: ExhaustionParameters, setup: Setup, requests: Workload | None = None
    ) -> None:
        self.parameters = p = parameters
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        operation = find_operation(setup.profile, p.workload)
        self.turn_pages = size_turns(mem, find_stocks(setup.profile, operation))
        self.workload = (
            draw_turns(p, setup, self.turn_pages)
            if requests is None
            else requests.on_kernel(setup.profile)
        )
        self.objects = telling.OBJECT_NAMES[p.workload]
        self._locality = Locality(mem.spec)
        *listed, made = describe.describe_counters(mem, self.objects)
        self.meta: dict[str, Any] = {
            **describe.describe_run(self, setup.profile),
            **describe.describe_machine(mem),
            "counters": [*listed, *self._locality.describe(), *self._list_own(), made],
        }
        self._shrinks = self.workload.operation.shrinkable and p.held < 1
        self._metadata = mem.owners.add(f"metadata: {p.workload}", shrinkable=self._shrinks)
        self._held = HeldObjects(mem, p.held if self._shrinks else 0, self._metadata, p.seed)
        self._program = mem.owners.add("user program")
        self._file_cache = mem.owners.add("page cache")
        self._seen: set[EventKind] = set()
        self._tick = 0
        self._touched: list[FrameSet] = []
        self._reports: list[Report] = []
        self._moves: list[Moves] = []
        self._time = 0.0
        self._user_pages = self._operations = self._cached = 0
        self._stockpile = Stockpile(self.workload.stocks)
        self._exits: dict[int, list[FrameSet]] = {}
        self.is_over = False
        self._park_ballast()

    @classmethod
    def prepare(cls, parameters: ExhaustionParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine that the parameters ask for."""
        return find_setup(parameters, find_machine)

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
        yield Tick(0.0, self._read(), events=[boot], captions=[boot.caption()])
        yield from self._begin()
        for turn in range(len(self.workload)):
            if self._has_enough():
                break
            self._exit_processes(turn)
            yield from self._user_turn(turn)
            yield from self._metadata_turn(turn)
            self._look_at_cache()
            if self._touched:
                yield self._flush()
            if self.is_over:
                return
        yield from self._go_on()

    def _look_at_cache(self) -> None:
        """Notice the first turn in which a cache that can be shrunk has not grown."""
        before, self._cached = self._cached, count_cached(self.memory)
        if self._shrinks and self._cached <= before:
            facts: dict[str, int | str] = {"pages": self._cached}
            self._reports.append(Report(EventKind.CACHE_STOPS, facts=facts))

    def _begin(self) -> Iterator[Tick]:
        """Do what comes before the first turn: nothing, where nothing comes after them."""
        yield from ()

    def _has_enough(self) -> bool:
        """Say whether what comes then may begin: never, where nothing does."""
        return False

    def _go_on(self) -> Iterator[Tick]:
        """End a run in which nothing was refused."""
        done = cache_telling.tell_done(self.memory, self._tick, self.objects, self._operations)
        yield self._flush(done)

    def _read(self) -> np.ndarray:
        pages, remote = self._user_pages, self._locality.remote
        own = describe.read_counters(
            self.memory, user_pages=pages, remote=remote, objects=self._operations
        )
        return np.concatenate((own[:-1], self._locality.read(), self._read_own(), own[-1:]))

    def _list_own(self) -> list[dict[str, Any]]:
        """Return names, units and labels of counters that only what comes then has."""
        return []

    def _read_own(self) -> Sequence[float]:
        """Read those counters."""
        return ()

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
            captions=[e.caption() for e in marks[-1:]],
            details=describe.find_sections(self.memory, events),
            moves=[(m.source, m.target) for m in self._moves],
        )
        self._touched, self._reports, self._moves = [], [], []
        return tick

    def _take_in(self, gfp: Gfp, outcome: Outcome, nid: int) -> list[Tick]:
        """Note what requests did. A kind of event seen for the first time ends its tick."""
        self._touched += [outcome.frames, *outcome.released]
        self._time += sum(outcome.by_zone.values()) * PAGE_NS
        if gfp.highest <= ZoneType.NORMAL:
            for zone, pages in outcome.by_zone.items():
                self._locality.note(nid, {int(self.memory.zones.nid[zone]): pages})
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
        room = count_room(self.memory, ZoneType.NORMAL)
        return room < SCARCE_TURNS * self.turn_pages and not self._shrinks

    def _do_operations(self, operations: int, turn: int) -> Iterator[Tick]:
        """Ask for the slabs that some more operations need."""
        wanted, nid = self._operations + operations, int(self.workload.node[turn])
        for stock in self.workload.stocks:
            outcome = self._stockpile.ask(self.memory, stock, wanted, owner=self._metadata, nid=nid)
            if outcome is None:
                continue
            self._held.keep(outcome.frames, stock)
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
