"""Boot options: address ranges on day 1, the same string a month later, and what else there is.

The argument that the mail quotes (S1 to S9), on three boots that stand one below the other: an
address range that a person read off the firmware's table; the same text after the machine has
changed; and, on the changed machine, sizes, a percent, movable_node, or one node that boots alone
and has the rest added, block by block, through the blocks' state files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.movable_map import parse_movable_map, write_movable_map
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.mechanisms.several_boots import SeveralBoots
from hotmem_viz.scenarios import boot_telling as telling
from hotmem_viz.scenarios.boards import (
    BOARDS,
    MONTHS,
    Score,
    change_boards,
    count_decisions,
    hot_ranges,
    lay_out,
    plug_later,
    score_spans,
    srat_rows,
)
from hotmem_viz.scenarios.boot_ranges import read_range
from hotmem_viz.scenarios.boot_scores import describe_boots, read_boots
from hotmem_viz.scenarios.controls import check_parameters, choice, text, whole
from hotmem_viz.scenarios.describe import describe_distances, describe_run
from hotmem_viz.scenarios.locality import Locality
from hotmem_viz.scenarios.setup import Setup
from hotmem_viz.scenarios.story import Story
from hotmem_viz.vocabulary import PageKind, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.setup import FindMachine

RANGES = {
    "read off the table with care": "right",
    "one long range": "swallows",
    "an address that is off": "hole",
}
BESIDE = {
    "kernelcore= as a size": "kernelcore",
    "movablecore= as a size": "movablecore",
    "movablecore= as a percent": "percent",
    "movable_node": "movable_node",
    "one node boots, the rest is added": "hot_add",
}
HOT_ADD = "hot_add"
ASKED_PAGES = 64
"""Kernel pages asked for on each node, to see which node serves them."""

OLD, NEW = PROFILES["2012"], PROFILES["6.1"]
"""The ranges belong to a kernel of 2012; the other options are what 6.1 has."""


@dataclass(frozen=True)
class BootOptionsParameters:
    """What a user may set.

    ranges: what the person types on day 1, or, in `boot`, the text itself. month: what becomes of
    the machine. beside: what the third boot does instead. seed: nothing is drawn here, so all seeds
    give the same run.
    """

    ranges: str = choice("right", RANGES, "range on day 1")
    boot: str = text("", "your own ranges", "such as movablecore_map=24M@152M; empty: as chosen")
    month: str = choice("shrunk", MONTHS, "a month later")
    beside: str = choice(HOT_ADD, BESIDE, "instead")
    seed: int = whole(7, 0, 2**31, "seed", "nothing is drawn here: all seeds give the same run")

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.boot.strip():
            parse_movable_map(self.boot)


def choose_ranges(parameters: BootOptionsParameters, spec: MachineSpec) -> BootOptions:
    """Return the ranges that a person types on day 1, from the table of that day."""
    hot = hot_ranges(spec)
    if parameters.boot.strip():
        return parse_movable_map(parameters.boot)
    typed = {
        "right": hot,
        "swallows": ((hot[0][0], hot[-1][1]),),
        # Half of the address, as a slip of a digit makes it: between the node's two parts.
        "hole": ((hot[0][0] // 2048 * 1024, hot[0][0] // 2048 * 1024 + hot[0][1] - hot[0][0]),),
    }[parameters.ranges]
    return parse_movable_map(write_movable_map(typed))


def choose_beside(beside: str, spec: MachineSpec) -> BootOptions:
    """Return the option of the third boot; its amounts are those of day 1, when it was typed."""
    hot = sum(end - start for start, end in hot_ranges(spec)) // 256
    total = spec.present_pages // 256
    words = {
        "kernelcore": f"kernelcore={total - hot}M",
        "movablecore": f"movablecore={hot}M",
        "percent": f"movablecore={round(100 * hot / total)}%",
        "movable_node": "movable_node",
        HOT_ADD: "",
    }
    return parse_boot_options(words[beside], strict=True)


class BootOptionsRun:
    """One run of the scenario; see `hotmem_viz.recording.recorder.Run`."""

    name = "boot_options"
    title = "Movable memory by boot option"
    parameters_type = BootOptionsParameters

    def __init__(self, parameters: BootOptionsParameters, setup: Setup) -> None:
        self.parameters = p = parameters
        day1, later = setup.spec, lay_out(change_boards(BOARDS, p.month), "boards, changed")
        ranges, beside = setup.options, choose_beside(p.beside, day1)
        self.specs = (day1, later, later)
        self.options = (ranges, ranges, beside)
        profiles = (OLD, OLD, NEW)
        marked = BootOptions(movable_ranges=hot_ranges(later))
        final = marked if p.beside == HOT_ADD else beside
        self.plans = tuple(
            plan_zones(spec, options, profile)
            for spec, options, profile in zip(
                self.specs, (ranges, ranges, final), profiles, strict=True
            )
        )
        at_boot = (day1, later, plug_later(later) if p.beside == HOT_ADD else later)
        self.machines = [
            boot_machine(*what) for what in zip(at_boot, self.options, profiles, strict=True)
        ]
        self.boots = SeveralBoots(self.specs, self.plans, OLD)
        self.memory = self.boots.memory
        self.boots.show(0, self.machines[0])
        self.written = 0
        self.running = 0
        # No board's firmware has a SLIT, so any of the machines will do.
        self.locality = Locality(self.specs[1])
        self.story = Story(self.memory, self._read)
        self.meta: dict[str, Any] = {
            **describe_run(self, OLD),
            "panels": ["meters"],
            "meters": ["distance"],
            "distances": describe_distances(self.specs[1]),
            **describe_boots(self.boots, self.specs, self.locality),
            "boots": [
                {
                    "title": title,
                    "options": options.text or "none: the first node alone",
                    "profile": profile.name,
                    "first_pfn": band * self.boots.band_pages,
                    "srat": srat_rows(spec),
                }
                for band, (title, options, profile, spec) in enumerate(
                    zip(telling.BOOTS, self.options, profiles, self.specs, strict=True)
                )
            ],
        }

    @classmethod
    def prepare(cls, parameters: BootOptionsParameters, find_machine: FindMachine) -> Setup:
        """Set up the machine of day 1, with the ranges that are typed then."""
        del find_machine  # The scenario brings its own machine, which has to change.
        spec = lay_out(BOARDS)
        return Setup(spec, choose_ranges(parameters, spec), OLD)

    @property
    def score(self) -> Score:
        """The score of the boot that runs, from the memory that is online."""
        mem = self.machines[self.running]
        spans = [
            (int(mem.zones.nid[s.zone]), ZoneType(int(mem.zones.type[s.zone])), *s[:2])
            for s in mem.segments
        ]
        typed = count_decisions(self.options[self.running])
        return score_spans(self.specs[self.running], spans, typed + self.written)

    def _read(self) -> Any:
        return read_boots(self.boots, self.machines[: self.running + 1], self.score, self.locality)

    def _show(self, frames: Any = None) -> None:
        mem = self.machines[self.running]
        self.story.touch(self.boots.show(self.running, mem, frames))

    def pfn(self, pfn: int) -> int:
        """Return where a frame of the machine that runs stands in the recording."""
        return pfn + self.running * self.boots.band_pages

    def ticks(self) -> Iterator[Tick]:
        """Run the scenario and yield its ticks."""
        yield from self._tell(telling.tell_table(self.specs[0], self.options[0]))
        yield self.story.flush()
        yield from self._range_boot()
        yield from self._tell(telling.tell_month(self.parameters.month, *self.specs[:2]))
        yield self.story.flush()
        yield from self._next(telling.tell_again(self.options[1], self.parameters.month))
        yield from self._range_boot()
        if self.parameters.beside == HOT_ADD:
            yield from self._next(telling.tell_one_node(self.specs[2]))
            yield from self._hot_add()
        else:
            yield from self._next(
                telling.tell_beside(self.options[2], self.specs[2], self.plans[2])
            )
        yield from self._locality()
        yield from self._tell(telling.tell_beside_score(self.score, self.parameters.beside))
        yield self.story.flush()

    def _tell(self, said: telling.Said) -> Iterator[Tick]:
        yield from self.story.tell(said.kind, said.title, said.text, **said.more)

    def _next(self, said: telling.Said) -> Iterator[Tick]:
        self.running += 1
        self.written = 0
        self.locality.begin()
        self._show()
        yield from self._tell(said)
        yield self.story.flush()

    def _range_boot(self) -> Iterator[Tick]:
        """Tell where each range has landed, who serves kernel pages, and the score."""
        spec, plan = self.specs[self.running], self.plans[self.running]
        for start, end in self.options[self.running].movable_ranges:
            landing = read_range(spec, plan, start, end)
            pfn = self.pfn(start) if landing.nids and not landing.hole else -1
            yield from self._tell(telling.tell_landing(landing, self.running, pfn))
            yield self.story.flush()
        yield from self._locality()
        month = self.parameters.month
        yield from self._tell(telling.tell_score(self.score, self.running, month))
        yield self.story.flush()

    def _locality(self) -> Iterator[Tick]:
        """Ask for some kernel pages on every node, and tell which nodes had none of their own."""
        mem, kernel, lost = self.machines[self.running], GFP["KERNEL"], {}
        owner = mem.owners.add("kernel pages asked for by node")
        nids = [n.nid for n in self.specs[self.running].nodes]
        for nid in nids:
            done = alloc_pages(mem, kernel, ASKED_PAGES, PageKind.SLAB, owner=owner, nid=nid)
            self.story.time_ns += done.granted * 1000.0
            for frames in (done.frames, *done.released):
                self._show(frames)
            served: Counter[int] = Counter()
            for z, n in done.by_zone.items():
                served[int(mem.zones.nid[z])] += n
            self.locality.note(nid, served)
            if set(served) - {nid}:
                lost[nid] = max(served, key=lambda n: served[n])
        remote = self.locality.remote
        yield from self._tell(telling.tell_locality(lost, len(nids), remote, ASKED_PAGES))
        yield self.story.flush()

    def _hot_add(self) -> Iterator[Tick]:
        """Plug in one board after another, and write to each block's state file."""
        mem, options = self.machines[self.running], self.options[self.running]
        for node in self.specs[self.running].nodes[1:]:
            for r in node.ranges:
                how = "online_movable" if r.hotpluggable else "online_kernel"
                done = add_memory(mem, r.start_pfn, r.end_pfn, options)
                self._show(done.frames)
                at = self.pfn(r.start_pfn)
                yield from self._tell(telling.tell_added(mem, node.nid, r, done, at))
                for start in range(r.start_pfn, r.end_pfn, mem.spec.block_pages):
                    end = start + mem.spec.block_pages
                    done = online_memory(mem, start, end, options, how=how)
                    self.written += 1
                    self._show(done.frames)
                    yield from self._tell(telling.tell_block(start // mem.spec.block_pages, how))
                    yield self.story.flush()
