"""Six strategies, one machine, one load, the same removal requests: what each costs and gives.

No ZONE_MOVABLE; a percent at boot; one node that boots while the rest is added; the auto-movable
policy; release callbacks, of which the mail has heard; and the mail's own proposal (S10, S20, S43,
S47). One run is one strategy; all runs of a seed go through the same steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.machine.hotplug_options import ONLINE, ONLINE_MOVABLE
from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.device_region import set_aside
from hotmem_viz.memory.address_map import AddressMap, Style
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.recording.measures import describe_measures
from hotmem_viz.scenarios import describe
from hotmem_viz.scenarios import strategy_telling as telling
from hotmem_viz.scenarios.remap_reading import MapGauges
from hotmem_viz.scenarios.story import Story
from hotmem_viz.scenarios.strategy_counters import (
    Tally,
    describe_counters,
    mappable_bytes,
    read_counters,
    usable_bytes,
)
from hotmem_viz.scenarios.strategy_load import Load
from hotmem_viz.scenarios.strategy_parameters import (
    ADDED_LATER,
    StrategiesParameters,
    prepare_machine,
)
from hotmem_viz.scenarios.strategy_plan import ACTORS, TURNS, draw_plan, list_blocks
from hotmem_viz.scenarios.strategy_remap import Remapping
from hotmem_viz.scenarios.strategy_removal import Removal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.machine.spec import NodeSpec
    from hotmem_viz.mechanisms.outcome import Outcome
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.setup import FindMachine, Setup

PAGE_NS = 1000.0
"""Model time of handing out a page, nominal as in the exhaustion lesson."""


class StrategyRun:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`. `plan` is what is asked."""

    name = "strategies"
    title = "Strategies side by side"
    parameters_type = StrategiesParameters

    def __init__(self, parameters: StrategiesParameters, setup: Setup) -> None:
        self.parameters = p = parameters
        self.options = setup.options
        self.memory = mem = boot_machine(setup.spec, setup.options, setup.profile)
        every = (*setup.spec.nodes, *setup.spec.pluggable)
        self.nodes, added = every[:-1], every[-1]
        self.plan = draw_plan(p, self.nodes, added, mem.spec.block_pages)
        self.present = sum(n.present_pages for n in self.nodes)
        self.spaces = AddressSpaces(mem, find_geometry(setup.profile))
        self.map = AddressMap(mem, Style())
        self.gauges = MapGauges(self.map)
        self.tally = Tally(decisions=p.typed)
        self.load = Load(self.spaces, self.plan, p)
        self.story = Story(
            mem, lambda: read_counters(mem, self.tally, self.load, self.gauges, p).tolist()
        )
        self.remapping = Remapping(self.story, self.spaces, self.map, self.gauges, p)
        self.removal = Removal(self)
        self._refused: set[str] = set()
        self.meta: dict[str, Any] = {
            **describe.describe_run(self, setup.profile),
            "panels": [*(["lanes", "address_map"] if p.strategy == "remap" else []), "scoreboard"],
            "measures": describe_measures(),
            **self._describe(every),
            "counters": describe_counters(mem),
        }

    def _describe(self, every: tuple[NodeSpec, ...]) -> dict[str, Any]:
        """Return the machine with all of its nodes, those that come later among them."""
        meta = describe.describe_machine(self.memory)
        meta["machine"]["nodes"] = describe.describe_nodes(every)
        meta["machine"]["present_pages"] = sum(n.present_pages for n in every)
        return meta

    @classmethod
    def prepare(cls, parameters: StrategiesParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine as the strategy has it boot."""
        return prepare_machine(parameters, find_machine)

    def ticks(self) -> Iterator[Tick]:
        """Run the strategy to its end and yield its ticks, the booted machine first."""
        p, story = self.parameters, self.story
        if p.strategy == "remap":
            story.set_lookup(self.gauges.lookup())
        yield from self._tell(telling.tell_boot(p))
        yield from self._set_up()
        yield from self._run_load()
        for block in self.plan.blocks.tolist():
            self._next()
            yield from self.removal.ask(block)
        self._next()
        yield from self._add(self.plan.added)
        yield from self._break()
        self._next()
        told = telling.tell_measures(p, self.tally, self.load, self.gauges.pause_ns)
        yield from self._tell(told)

    def _tell(self, told: telling.Told) -> Iterator[Tick]:
        """Say something in a tick of its own."""
        yield from self.story.tell(**told)
        yield self.story.flush()

    def _next(self) -> None:
        """Begin the next step of the plan, the same for all strategies."""
        self.tally.step += 1

    def _set_up(self) -> Iterator[Tick]:
        """Make the machine whole, and see what the kernel may use of it."""
        p, mem = self.parameters, self.memory
        self._next()
        if p.strategy in ADDED_LATER:
            for node in self.nodes[1:]:
                yield from self._add(node)
        if p.strategy == "remap":
            self.load.region = set_aside(mem, p.reserve, self.nodes[0].nid)
            yield from self._tell(telling.tell_region(self.load.region, p))
        usable, mappable = usable_bytes(mem), mappable_bytes(mem, self.load.mapped_tables)
        yield from self._tell(telling.tell_capacity(mem, p, usable, mappable))

    def _add(self, node: NodeSpec) -> Iterator[Tick]:
        """Plug a node in and online its blocks, as the strategy has it."""
        mem, r = self.memory, node.ranges[0]
        chosen = self.parameters.strategy == "hot_add"
        how = ONLINE_MOVABLE if chosen else ONLINE
        added = add_memory(mem, r.start_pfn, r.end_pfn, self.options)
        self.story.take(added)
        if added.refused:
            yield from self._tell(telling.tell_not_added(mem, node))
            return
        online = online_memory(mem, r.start_pfn, r.end_pfn, self.options, how=how)
        self.story.take(online)
        written = online.granted if chosen else 0
        self.tally.decisions += written
        describe.widen_zones(self.meta["zones"], self.memory)
        told = telling.tell_added(mem, node, len(added.frames), written, how)
        yield from self._tell(told)

    def _run_load(self) -> Iterator[Tick]:
        """Make the plan's requests for memory, then let the burst end."""
        load, story = self.load, self.story
        for turn in range(TURNS):
            self._next()
            before = dict(load.given), dict(load.asked)
            for out in load.turn(turn):
                self._take(out)
            for told in self._find_refusals(*before):
                yield from story.tell(**told)
            yield story.flush()
        self._next()
        yield from self._tell(telling.tell_loaded(load, self.parameters.strategy))
        self._next()
        freed = load.shrink()
        gone = load.leave()
        self._take(freed)
        self._take(gone)
        kept = load.given["metadata"] - freed.granted
        yield from self._tell(telling.tell_survivors(freed.granted, kept, gone.granted))

    def _take(self, out: Outcome) -> None:
        self.story.take(out, len(out.frames) * PAGE_NS)

    def _find_refusals(
        self, given: dict[str, int], asked: dict[str, int]
    ) -> Iterator[telling.Told]:
        """Tell what was refused for the first time in a turn."""
        load = self.load
        for what in dict.fromkeys(actor.of for actor in ACTORS):
            short = load.asked[what] - asked[what] > load.given[what] - given[what]
            if short and what not in self._refused:
                self._refused.add(what)
                yield telling.tell_refused(self.memory, what, load)

    def _break(self) -> Iterator[Tick]:
        """Let a node break, and ask all of its blocks to go."""
        p, mem, broken = self.parameters, self.memory, self.plan.broken
        blocks = list_blocks(broken, mem.spec.block_pages)
        size = mem.spec.section_pages
        self._next()
        self.tally.broken = range(broken.start_pfn // size, broken.end_pfn // size)
        yield from self._tell(telling.tell_breaks(broken, len(blocks)))
        for block in blocks:
            self._next()
            yield from self.removal.ask(block, leaving=(broken.nid,))
        self._next()
        left, of = self.tally.count_left(mem), len(self.tally.broken)
        told = telling.tell_left(
            self.plan, left, of, usable_bytes(mem), self.gauges.count_idle(), p.strategy
        )
        yield from self._tell(told)
