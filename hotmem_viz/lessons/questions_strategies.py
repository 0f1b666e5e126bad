"""Questions of notebook 06: what bounds the zone today, what adding memory costs, who gets what."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hotmem_viz.catalog import strategies
from hotmem_viz.lessons.captured_scene import find_captured
from hotmem_viz.lessons.question import Mistake, Question, Scene
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.hotplug_options import AUTO_MOVABLE_RATIO, ONLINE_MOVABLE
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.recording.measures import MEASURES
from hotmem_viz.recording.scoreboard import read_measure
from hotmem_viz.scenarios.strategy_parameters import STRATEGIES
from hotmem_viz.units import GIB
from hotmem_viz.vocabulary import PAGE_SIZE, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.lessons.questions import Draw, Maker
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.recording.recording import Recording
    from hotmem_viz.recording.scoreboard import Strategies

NOTEBOOK = "06"
AUTO = "memory_hotplug.online_policy=auto-movable"


def _machine(gib: int, slots: int) -> MachineSpec:
    """Return a PC of some GiB, 3 of them below its hole, with room for DIMMs of a GiB above."""
    # The first page and the last 96 KiB of the first 640 are firmware's.
    low = (PfnRange(1, 159), PfnRange(256, 3 * GIB))
    end = (gib + 1) * GIB
    slot = NodeSpec(0, (PfnRange(end, end + slots * GIB),))
    return MachineSpec(
        "asked", (NodeSpec(0, (*low, PfnRange(4 * GIB, end))),), hotplug=True, pluggable=(slot,)
    )


def _plug(mem: PhysicalMemory, options: BootOptions, how: str) -> Iterator[tuple[int, bool]]:
    """Add DIMMs of a GiB one after another; yield the pages each cost, and if it is Movable."""
    start = mem.spec.pluggable[0].ranges[0].start_pfn
    for first in range(start, mem.spec.pluggable[0].ranges[0].end_pfn, GIB):
        paid = len(add_memory(mem, first, first + GIB, options).frames)
        zone = next(iter(online_memory(mem, first, first + GIB, options, how=how).by_zone))
        yield paid, bool(mem.zones.type[zone] == ZoneType.MOVABLE)


def _if_added_counted(gib: float, dimms: int) -> int:
    """Count the DIMMs in Movable if kernel memory that is added raised the quota as well."""
    kernel, movable = gib, 0
    for _ in range(dimms):
        if (movable + 1) * 100 <= kernel * AUTO_MOVABLE_RATIO:
            movable += 1
        else:
            kernel += 1
    return movable


def auto_movable(draw: Draw) -> Question:
    """Ask how many DIMMs the auto-movable policy lets into ZONE_MOVABLE."""
    gib = draw.pick((4, 5, 6, 7, 8))
    spec = _machine(gib, 4 * gib)
    mem = boot_machine(spec, BootOptions(), PROFILES["6.1"])
    options = parse_boot_options(AUTO, strict=True)
    movable = sum(is_movable for _, is_movable in _plug(mem, options, "online"))
    present = spec.present_pages
    counted = _if_added_counted(present / GIB, 4 * gib)
    return Question(
        text=(
            f"A virtual machine boots with {gib} GiB and {AUTO}. Then {4 * gib} DIMMs of 1 GiB are "
            "added, one after another, each onlined with the plain word online. How many of them "
            "come into ZONE_MOVABLE?"
        ),
        unit="DIMMs",
        answer=movable,
        mistakes=(
            Mistake(present * 3 // GIB, "with a ratio of exactly 3:1; firmware holds some pages"),
            Mistake(counted, "if kernel memory that is added later raised the quota"),
            Mistake(4 * gib, "if the policy asked only what the memory could be used for"),
            Mistake(0, "without the policy: plain online keeps the zones in one piece"),
        ),
        why=(
            f"Movable memory may reach {AUTO_MOVABLE_RATIO} % of what kernel zones had at boot. "
            f"That is {present:,} pages, a little less than {gib} GiB, so with 300 % the last DIMM "
            "would just miss: hence the one percent. A DIMM is decided on as a whole, and kernel "
            "memory that is added later does not count. Nobody types an address."
        ),
        rule=f"movable + new <= {AUTO_MOVABLE_RATIO} % of early kernel memory",
        function="auto_movable_can_online_movable(), mm/memory_hotplug.c",
        claims=("S9", "S10"),
        see=find_captured("d-hot-online-policy-auto", "The blocks are online"),
    )


def map_cost(draw: Draw) -> Question:
    """Ask what kernel zones pay for memory that they will never be allowed to use."""
    dimms = draw.pick((8, 12, 16, 24))
    mem = boot_machine(_machine(4, dimms), BootOptions(), PROFILES["6.1"])
    paid = sum(pages for pages, _ in _plug(mem, BootOptions(), ONLINE_MOVABLE))
    mib = paid * PAGE_SIZE / (1 << 20)
    return Question(
        text=(
            f"A machine of 4 GiB gets {dimms} DIMMs of 1 GiB, all of them onlined with "
            "online_movable (Linux 6.1, default options). How much memory does this take from its "
            "kernel zones?"
        ),
        unit="MiB",
        answer=round(mib),
        mistakes=(
            Mistake(0, "if added memory carried its own map; 6.1 does that for DIMMs of one block"),
            Mistake(dimms * 8, "with the 32 bytes a page of a 32-bit kernel"),
            Mistake(dimms * 2, "with page tables for it alone"),
            Mistake(dimms * 1024 // 4, "if the kernel needed its share of one in four"),
        ),
        why=(
            "64 bytes for each page are 16 MiB a GiB, and the tables and devices of sysfs a little "
            f"more: {mib / dimms:.2f} MiB for each DIMM, taken when it is added and before anybody "
            "uses it. Real kernels paid 16.05. Memory that only users may have is paid for by the "
            "kernel's zones; memmap_on_memory (5.13, for such DIMMs by 6.12) moves the bill."
        ),
        rule="512 pages of map for each block of 128 MiB",
        function="add_memory_resource(), vmemmap_populate()",
        claims=("S10",),
        see=Scene("hot_remove", {"what": "dimm"}, 1, "A DIMM is plugged in"),
    )


ASKED = {
    "removed": (
        "sections",
        (
            "{asked} times a section is asked to go: single ones first, then those of a node that "
            "breaks. How many go?"
        ),
    ),
    "usable": (
        "MiB",
        (
            "Before the load begins, with nothing but the booted kernel on it: how much of the "
            "machine could metadata fill?"
        ),
    ),
}
"""What is asked of a strategy: a measure of the scoreboard, its unit, the question."""

WORTH = {
    "removed": "A kernel page in a section keeps it, where nothing lets it move",
    "usable": "Only kernel zones can hold metadata, down to their marks and reserves",
}

SCORED = {m.name: m for m in MEASURES}
"""The scoreboard's measures by name."""


@cache
def _run_all(seed: int) -> Strategies:
    """Run every strategy; questions that share a seed share the runs."""
    return strategies(seed=seed)


def _measure(recording: Recording, name: str) -> int:
    """Return a measure of the scoreboard in the unit that is asked for."""
    value = read_measure(recording, SCORED[name])
    return round(value / (1 << 20)) if ASKED[name][0] == "MiB" else int(value)


def under_a_strategy(draw: Draw) -> Question:
    """Ask for a measure of one of the six strategies; the wrong answers are those of others."""
    name = draw.pick(tuple(STRATEGIES.values()))
    measure = draw.pick(tuple(ASKED))
    runs = _run_all(draw.pick((7, 8, 9)))
    recording = runs.recordings[name]
    end, start = recording.event_list[-1], recording.event_list[0]
    unit, asked = ASKED[measure]
    others = tuple(
        Mistake(_measure(runs.recordings[other], measure), f"under “{title}”")
        for other, title in runs.titles.items()
        if other != name
    )
    every = int(recording.counters["sections_asked"].iloc[-1])
    return Question(
        text=(
            f"{recording.meta['machine']['title']}. Strategy: {start.title}. {start.text}\n\n"
            f"{asked.format(asked=every)}"
        ),
        unit=unit,
        answer=_measure(recording, measure),
        mistakes=others,
        why=f"{WORTH[measure]}. {end.text}",
        rule="same machine, same load, same removal requests, by the same seed",
        claims=("S20", "S47"),
        see=Scene(
            "strategies",
            {"strategy": name, "seed": recording.meta["seed"]},
            end.tick,
            end.title,
        ),
    )


MAKERS: dict[str, Maker] = {
    "auto_movable": auto_movable,
    "map_cost": map_cost,
    "under_a_strategy": under_a_strategy,
}
