"""One request to take a memory block offline, told as it goes: isolate, move, wait, end.

The mechanisms decide everything; here an attempt is cut into ticks. One pass moves its pages in
batches, so that they can be seen on their way, and an attempt without end is watched several times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.mechanisms.isolation import RESERVED_KINDS
from hotmem_viz.mechanisms.migrate import (
    find_on_lru,
    migrate_pages,
    target_nodes,
    target_request,
)
from hotmem_viz.mechanisms.offline import Offlining, Verdict, cancel_offline, go_on, start_offline
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.scenarios import hot_telling as telling
from hotmem_viz.scenarios.boot_ranges import name_nodes
from hotmem_viz.scenarios.hot_callbacks import call_owners
from hotmem_viz.units import counted, format_pages
from hotmem_viz.vocabulary import EventKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.hot_counters import Clocks
    from hotmem_viz.scenarios.hot_parameters import HotRemoveParameters
    from hotmem_viz.scenarios.story import Story

BATCH, BATCH_OF_MANY = 128, 1024
"""Pages that move in a tick: of one block, and where many blocks have to go."""

WATCHED = (0.02, 0.23, 0.75)
"""Shares of the patience after which an attempt without end is looked at."""


class Attempt:
    """Requests to take one memory block offline, from the first to the last.

    waits: whether somebody waits and tries again after a failure. release: makes the cause go
    away, and says so; None where nobody can. After `run`, `out` is the last attempt.
    """

    def __init__(
        self, story: Story, clocks: Clocks, parameters: HotRemoveParameters, block: int, batch: int
    ) -> None:
        self.story, self.mem, self.clocks = story, story.mem, clocks
        self.parameters, self.block, self.batch = parameters, block, batch
        self.pages = self.mem.spec.block_pages
        self.out = Offlining()
        self.outcomes: list[Offlining] = []
        self.waited_ns = 0.0
        self._helped = False

    def run(self, *, waits: bool, release: Callable[[], Outcome] | None = None) -> Iterator[Tick]:
        """Ask, and tell what becomes of it until nothing more is tried."""
        yield from self._try()
        if self._failed and self.parameters.callbacks:
            yield from self._call_owners()
        if self.out.verdict is Verdict.EBUSY and waits:
            yield from self._ask_again()
        ending = self.parameters.ending
        if self._failed and waits and ending == "released" and release is not None:
            yield from self._after_release(release())
        if self._still_runs and ending != "never":
            yield from self._signal()

    @property
    def _failed(self) -> bool:
        return self.out.verdict in (Verdict.EBUSY, Verdict.NEVER_ENDS)

    @property
    def _still_runs(self) -> bool:
        return self.out.verdict is Verdict.NEVER_ENDS

    def _try(self) -> Iterator[Tick]:
        """Make one attempt."""
        mem, story = self.mem, self.story
        self.out = out = start_offline(mem, self.block * self.pages, (self.block + 1) * self.pages)
        self.outcomes.append(out)
        if out.ended:
            yield from story.tell(EventKind.OFFLINE_REFUSED, **telling.tell_refused(mem, out))
            yield story.flush()
            return
        yield from self._tell_once(EventKind.ISOLATED, telling.tell_isolated(mem, out))
        yield story.flush()
        yield from self._first_pass()
        yield from self._go_on()

    def _first_pass(self) -> Iterator[Tick]:
        """Move what is found in one scan, batch by batch."""
        mem, out = self.mem, self.out
        start = out.start_pfn
        nid = int(mem.zones.nid[out.zone])
        gfp, nodes = target_request(mem, out.zone), target_nodes(mem, nid)
        pfns = find_on_lru(mem, start, out.end_pfn).pfns()
        for i in range(0, len(pfns), self.batch):
            batch = FrameSet.of_pfns(pfns[i : i + self.batch])
            moved = migrate_pages(mem, batch, gfp, nid=nid, nodes=nodes)
            out.granted, out.time_ns = out.granted + moved.granted, out.time_ns + moved.time_ns
            self.clocks.moved += moved.granted
            self._pass_time(moved.time_ns)
            self.story.take(moved)
            if not i:
                yield from self._tell_moving(len(pfns), moved.granted)
            if moved.granted:
                yield self.story.flush()
            if moved.no_room:
                break
        if len(pfns):
            out.passes += 1
            self.clocks.passes += 1

    def _tell_moving(self, found: int, moved: int) -> Iterator[Tick]:
        if not moved:
            return
        mem, out = self.mem, self.out
        targets = name_nodes(tuple(target_nodes(mem, int(mem.zones.nid[out.zone]))))
        text = (
            f"The first pass finds {counted(found, 'page')} on the LRU lists, to be copied to "
            f"{targets}. The reverse map finds who maps a page, migration entries stand in for it "
            "meanwhile; a page takes 4.8 µs (published, of another machine). Page frame numbers "
            "change, virtual addresses do not."
        )
        yield from self.story.tell(
            EventKind.MIGRATED,
            "The first pass moves pages",
            text,
            claims=telling.leaving_claims(mem, out.zone),
            rule="A10",
            function="do_migrate_range()",
            pfn=out.start_pfn,
            zone=out.zone,
            mark=self._is_first(EventKind.MIGRATED),
        )

    def _is_first(self, kind: EventKind) -> bool:
        """Say whether a kind is told for the first time; of many blocks only that is a mark."""
        first = kind not in self.clocks.told or self.batch == BATCH
        self.clocks.told.add(kind)
        return first

    def _tell_once(self, kind: EventKind, told: dict[str, Any]) -> Iterator[Tick]:
        """Tell what comes again with every block."""
        yield from self.story.tell(kind, **told, mark=self._is_first(kind))

    def _go_on(self) -> Iterator[Tick]:
        """Let the kernel's loop run; where it has no end, look at it a few times."""
        mem, out = self.mem, self.out
        zone = out.zone
        before = (int(mem.zones.managed[zone]), int(mem.zones.low[zone]))
        for share in WATCHED:
            self._advance(max(1, int(self.parameters.patience * share * 1e9)))
            if out.verdict is not Verdict.NEVER_ENDS:
                break
            told = telling.tell_endless(mem, out)
            yield from self.story.tell(EventKind.NEVER_ENDS, **told)
            yield self.story.flush()
        if out.verdict is Verdict.OK:
            self.clocks.emptied += self.pages // mem.spec.section_pages
            if not self._helped:
                self.clocks.emptied_without += self.pages // mem.spec.section_pages
            told = telling.tell_offlined(mem, out, before)
            yield from self._tell_once(EventKind.OFFLINED, told)
            yield self.story.flush()
        elif out.verdict is Verdict.EBUSY:
            told = telling.tell_refused(mem, out)
            yield from self.story.tell(EventKind.OFFLINE_REFUSED, **told)
            yield self.story.flush()

    def _advance(self, patience_ns: int) -> None:
        """Run the loop of the mechanism, and enter what is new in its answer."""
        out = self.out
        passes, moved, spent = out.passes, out.granted, out.time_ns
        moves, released = len(out.moves), len(out.released)
        go_on(self.mem, out, patience_ns=patience_ns)
        new = Outcome(frames=out.frames, moves=out.moves[moves:], released=out.released[released:])
        self.story.take(new, out.time_ns - spent)
        self.clocks.passes += out.passes - passes
        self.clocks.moved += out.granted - moved
        self._pass_time(out.time_ns - spent)

    def _pass_time(self, time_ns: float) -> None:
        """Let the clock of the zone's side go on."""
        zone = self.out.zone
        if zone >= 0 and self.mem.zones.type[zone] == ZoneType.MOVABLE:
            self.clocks.movable_ns += time_ns
        else:
            self.clocks.kernel_ns += time_ns

    def _ask_again(self) -> Iterator[Tick]:
        """Ask once more after the patience; nothing has changed, so the answer is the same."""
        wait = self.parameters.patience * 1e9
        start = self.block * self.pages
        self.out = again = start_offline(self.mem, start, start + self.pages)
        self.outcomes.append(again)
        veto = again.veto
        if veto is None:
            return
        self.waited_ns += wait
        self.story.time_ns += wait
        self._pass_time(wait)
        text = (
            f"{self.parameters.patience:,g} s of model time later the answer is the same: "
            f"{again.verdict.value if again.verdict else ''}, {telling.name_page(veto)}. "
            "Nothing tells the page's owner that it is in the way, so the request may be repeated "
            "for ever. In ZONE_MOVABLE there would be no such page."
        )
        if veto.kind in RESERVED_KINDS:
            text = text.replace(" In ZONE_MOVABLE there would be no such page.", "")
        yield from self.story.tell(
            EventKind.ASKED_AGAIN,
            "Asked again, refused again",
            text,
            claims=telling.claims_of(veto),
            rule="A9",
            function=telling.RULES[veto.rule][1],
            pfn=veto.pfn,
            zone=again.zone,
        )
        yield self.story.flush()

    def _after_release(self, outcome: Outcome) -> Iterator[Tick]:
        """Tell that the cause is gone, and go on or begin again."""
        self.story.take(outcome)
        veto = self.out.veto
        text = (
            f"Whoever held {format_pages(len(outcome.frames))} has let go. The kernel did "
            "nothing for that and was not told: the next try simply finds the way free."
        )
        yield from self.story.tell(
            EventKind.RELEASED,
            "The cause goes away",
            text,
            claims=telling.claims_of(veto) if veto else ("S45",),
            rule="A10",
            function="scan_movable_pages()",
            pfn=int(outcome.frames.pfns()[0]),
            zone=self.out.zone,
        )
        yield self.story.flush()
        if self.out.verdict is Verdict.NEVER_ENDS:
            yield from self._go_on()
        else:
            yield from self._try()

    def _signal(self) -> Iterator[Tick]:
        cancel_offline(self.mem, self.out)
        told = telling.tell_interrupted(self.mem, self.out)
        yield from self.story.tell(EventKind.INTERRUPTED, **told)
        yield self.story.flush()

    def _call_owners(self) -> Iterator[Tick]:
        """Ask every owner in the block to let go, as the mail has heard of other systems (S19)."""
        asked, freed = call_owners(self.mem, self.block, self.parameters)
        if not asked:
            return
        self._helped = True
        latency = len(asked) * self.parameters.callback_ms * 1e6
        self.story.take(freed, latency)
        self._pass_time(latency)
        self.waited_ns += latency
        said = ", ".join(f"{name}: {'yes' if yes else 'no'}" for name, yes in asked.items())
        text = (
            f"Hearsay in the mail: other systems make each owner have a callback by which the VM "
            f"forces it to let go. Asked here: {said}. Let go: "
            f"{counted(len(freed.frames), 'page')}. Success and latency are chosen, not measured. "
            "Linux has shrinkers; they may decline."
        )
        yield from self.story.tell(
            EventKind.CALLBACK,
            "Every owner is asked to let go",
            text,
            claims=("S19",),
            rule="5.6",
            function="shrink_slab()",
            pfn=self.block * self.pages,
            zone=self.out.zone,
            unproven=True,
        )
        yield self.story.flush()
        if self.out.verdict is Verdict.NEVER_ENDS:
            yield from self._go_on()
        else:
            yield from self._try()
