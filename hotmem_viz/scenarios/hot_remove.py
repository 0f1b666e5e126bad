"""Hot-remove as it is: a memory block, a node or a DIMM has to go offline, and what is in the way.

ZONE_MOVABLE lets memory leave quickly (S45), but one kernel page keeps a whole block elsewhere
(S16 to S18), a pin or a lack of room makes the loop run for ever, and what was chosen at boot
changes only by offlining and onlining again (S46).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.isolation import find_veto
from hotmem_viz.mechanisms.offline import NO_ZONE, Verdict, zone_of_block
from hotmem_viz.mechanisms.outcome import Outcome
from hotmem_viz.scenarios import describe
from hotmem_viz.scenarios import hot_telling as telling
from hotmem_viz.scenarios.hot_attempt import BATCH, BATCH_OF_MANY, Attempt
from hotmem_viz.scenarios.hot_counters import (
    Clocks,
    describe_counters,
    measure_corner,
    read_counters,
)
from hotmem_viz.scenarios.hot_dimm import Dimm, list_online_blocks
from hotmem_viz.scenarios.hot_filling import TURNS, Filling
from hotmem_viz.scenarios.hot_obstacles import Obstacle, place_obstacle
from hotmem_viz.scenarios.hot_parameters import (
    KERNEL_OBSTACLES,
    HotRemoveParameters,
    prepare_machine,
)
from hotmem_viz.scenarios.story import Story
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import EventKind, PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.setup import FindMachine, Setup

WHAT_WORDS = {"block": "A memory block", "node": "A whole node", "dimm": "A DIMM that is added now"}


class HotRemove:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`.

    attempts: the requests made, with every outcome of the mechanisms. obstacle_pfn: the page that
    was put in the way, -1 without one.
    """

    name = "hot_remove"
    title = "Hot-remove and what stays behind"
    parameters_type = HotRemoveParameters

    def __init__(self, parameters: HotRemoveParameters, setup: Setup) -> None:
        self.parameters = p = parameters
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        self.clocks = Clocks()
        self.story = Story(mem, lambda: read_counters(mem, self.clocks).tolist())
        self.filling = Filling(mem, p)
        self.dimm = Dimm(self.story, self.filling, setup.options) if p.what == "dimm" else None
        self.attempts: list[Attempt] = []
        self.obstacle_pfn = -1
        self.meta: dict[str, Any] = {
            **describe.describe_run(self, setup.profile),
            "panels": ["meters"],
            "meters": ["corner"],
            **describe.describe_machine(mem),
            "counters": describe_counters(mem),
        }
        self._release: Callable[[], Outcome] | None = None
        self._guilty = -1

    @classmethod
    def prepare(cls, parameters: HotRemoveParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine that the parameters ask for."""
        return prepare_machine(parameters, find_machine)

    def ticks(self) -> Iterator[Tick]:
        """Run the scenario to its end and yield its ticks, the booted machine first."""
        p, story = self.parameters, self.story
        told = telling.tell_boot(self.memory, WHAT_WORDS[p.what])
        yield from story.tell(EventKind.BOOT, **told, mark=False)
        yield story.flush()
        if self.dimm:
            yield from self.dimm.plug_in()
            describe.widen_zones(self.meta["zones"], self.memory)
        yield from self._fill()
        for side in ("movable", "kernel") if p.where == "both" else (p.where,):
            if p.what == "block":
                blocks = self._find_blocks(side)
                yield from self._hinder(blocks, side)
                yield from self._request([self._guilty], BATCH)
        if p.what != "block":
            blocks = self._blocks_of_all()
            yield from self._hinder(blocks, p.what)
            yield from self._request(blocks, BATCH_OF_MANY)
        if p.what == "node":
            left = sum(a.out.verdict is Verdict.OK for a in self.attempts)
            spent = self.clocks.movable_ns + self.clocks.kernel_ns
            told = telling.tell_node(self.nid, left, len(blocks), spent)
            yield from story.tell(EventKind.NODE_LEFT, **told)
            yield story.flush()
        if self.dimm:
            yield from self.dimm.pull_out()
        told = telling.tell_corner(measure_corner(self.memory))
        yield from story.tell(EventKind.CORNER, **told)
        yield story.flush()

    @property
    def nid(self) -> int:
        """The node whose memory has to go."""
        return self.memory.spec.nodes[-1].nid

    def _fill(self) -> Iterator[Tick]:
        """Let users fill their share of the free memory."""
        story, mem = self.story, self.memory
        pages = int(mem.zones.free.sum() * self.parameters.user)
        if not pages:
            return
        given = 0
        for turn in range(TURNS):
            got = self.filling.fill(turn, pages)
            given += got.granted
            story.take(got)
            if turn == TURNS - 1:
                text = (
                    f"Programs and files hold {format_pages(given)} now, in Movable zones where "
                    "there are any, or else in kernel zones. All of it can be migrated."
                )
                yield from story.tell(
                    EventKind.FILLED,
                    "Users fill their share",
                    text,
                    claims=("S45",),
                    rule="A5",
                    function="alloc_pages()",
                )
            yield story.flush()

    def _blocks_of_all(self) -> list[int]:
        """List the blocks of the DIMM, or of the node, ascending."""
        mem, size = self.memory, self.memory.spec.block_pages
        if self.dimm:
            return list(range(self.dimm.start_pfn // size, self.dimm.end_pfn // size))
        return [
            b for b in list_online_blocks(self.memory) if mem.spec.node_of(b * size) == self.nid
        ]

    def _find_blocks(self, side: str) -> list[int]:
        """Find blocks of one zone that nothing keeps yet, of the last node that has any."""
        mem, size = self.memory, self.memory.spec.block_pages
        found: list[tuple[int, int]] = []
        for block in list_online_blocks(self.memory):
            zone = zone_of_block(mem, block * size, (block + 1) * size)
            if zone == NO_ZONE or (mem.zones.type[zone] == ZoneType.MOVABLE) != (side == "movable"):
                continue
            part = mem.kind.reshape(-1)[block * size : (block + 1) * size]
            if self.parameters.obstacle == "memmap" and side == "movable":
                fits = bool((part == PageKind.MEMMAP).any())
            else:
                fits = find_veto(mem, block * size, (block + 1) * size) is None
            if fits and not (part == PageKind.HOLE).any():
                found.append((int(mem.zones.nid[zone]), block))
        last = max((nid for nid, _ in found), default=-1)
        if last < 0:
            raise ParameterError("where", side, "a zone with a block that could go")
        return [block for nid, block in found if nid == last]

    def _hinder(self, blocks: list[int], side: str) -> Iterator[Tick]:
        """Let something come in the way; the block that has it, or a chosen one, is `_guilty`."""
        if side == "movable" and self.parameters.obstacle in KERNEL_OBSTACLES:
            found = Obstacle(self.filling.choose(blocks))
        else:
            found = place_obstacle(self.filling, blocks)
        self._guilty, self._release = found.block, found.release
        if not found.title:
            return
        self.obstacle_pfn = found.pfn
        if found.outcome is not None:
            self.story.take(found.outcome)
        yield from self.story.tell(
            EventKind.IN_THE_WAY,
            found.title,
            found.text,
            claims=found.claims,
            rule="A5",
            function=found.function,
            pfn=found.pfn,
        )
        yield self.story.flush()

    def _request(self, blocks: list[int], batch: int) -> Iterator[Tick]:
        """Ask for one block after another; an attempt that still runs keeps the rest waiting.

        Somebody waits for the block that has the obstacle, or for the first that is refused.
        """
        waited = self.parameters.obstacle != "nothing"
        for block in blocks:
            attempt = Attempt(self.story, self.clocks, self.parameters, block, batch)
            self.attempts.append(attempt)
            mine = block == self._guilty
            first = not waited and self.parameters.what == "dimm"
            release = self._release if mine else None
            yield from attempt.run(waits=mine or first, release=release)
            waited |= attempt.out.verdict is not Verdict.OK
            if attempt.out.verdict is Verdict.NEVER_ENDS:
                return
