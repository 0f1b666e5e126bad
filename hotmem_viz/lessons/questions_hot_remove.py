"""Questions of notebook 04: what the kernel answers when a memory block has to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.catalog import run
from hotmem_viz.errors import HotmemError
from hotmem_viz.lessons.captured_block import list_sweeps, take_block
from hotmem_viz.lessons.question import Mistake, Question, Scene
from hotmem_viz.mechanisms.offline import Verdict
from hotmem_viz.scenarios.hot_parameters import DIMM_BLOCKS
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from hotmem_viz.lessons.questions import Draw, Maker
    from hotmem_viz.recording.recording import Event, Recording

NOTEBOOK = "04"

ANSWERS = {
    Verdict.OK: "it goes offline",
    Verdict.EBUSY: "EBUSY, before anything has moved",
    Verdict.EINVAL: "EINVAL, at once",
    Verdict.NEVER_ENDS: "no answer: it tries again without end, until a signal comes",
}
"""What a request to take a memory block offline is answered."""

RULES = {
    Verdict.OK: "what can move moves; the loop ends when every page of the block is free",
    Verdict.EBUSY: "every page is looked at before the block is isolated, and one may veto",
    Verdict.EINVAL: "only a whole block of one zone is looked at",
    Verdict.NEVER_ENDS: "a page that does not move now is tried again, without limit",
}
"""The kernel's rule behind each answer (mm/memory_hotplug.c, mm/page_isolation.c, 6.1)."""

SLIPS = {
    Verdict.OK: "if all that is in the block could move, and had room elsewhere",
    Verdict.EBUSY: "if one page in it vetoed isolation",
    Verdict.EINVAL: "if the block had a hole, or lay in two zones",
    Verdict.NEVER_ENDS: "if isolation saw no obstacle and migration met one again and again",
}

ENDS = {
    EventKind.OFFLINED.name: Verdict.OK,
    EventKind.OFFLINE_REFUSED.name: Verdict.EBUSY,
    EventKind.NEVER_ENDS.name: Verdict.NEVER_ENDS,
}

CASES = {
    "slab": ("kernel", "A memory block of a kernel zone holds one slab page and is else free."),
    "pin": (
        "movable",
        (
            "A memory block of ZONE_MOVABLE is full of users' pages. A device holds a reference to "
            "one of them, for a transfer under way."
        ),
    ),
    "memmap": (
        "movable",
        (
            "A memory block at the end of a node's ZONE_MOVABLE holds, since boot, the struct "
            "pages that describe the node itself."
        ),
    ),
    "no_room": (
        "movable",
        (
            "A memory block of ZONE_MOVABLE is full of users' pages, none of them pinned. A greedy "
            "program has just filled all other memory, down to the min marks."
        ),
    ),
    "huge": (
        "movable",
        (
            "A memory block of ZONE_MOVABLE holds a huge page of 2 MiB that a database uses. "
            "Elsewhere there are 2 MiB in one piece."
        ),
    ),
    "device": (
        "kernel",
        (
            "A memory block of a kernel zone holds one page of a network driver's ring buffer, and "
            "is else free."
        ),
    ),
    "page_table": (
        "kernel",
        (
            "A memory block of a kernel zone holds one page table of a process that sleeps, and is "
            "else free."
        ),
    ),
}
"""What is in the way, by its name in the scenario: where the block lies, and the words for it."""


def find_answer(recording: Recording) -> tuple[Event, Verdict]:
    """Return the first event that ends a request, or says that it does not end, and the verdict."""
    for event in recording.event_list:
        if event.kind in ENDS:
            return event, ENDS[event.kind]
    raise HotmemError("hot_remove: nothing was asked to go offline")


def offline_answer(draw: Draw) -> Question:
    """Ask how a request ends that meets one of the scenario's obstacles."""
    obstacle = draw.pick(tuple(CASES))
    where, text = CASES[obstacle]
    settings = {"where": where, "obstacle": obstacle, "ending": "never", "seed": draw.seed}
    event, verdict = find_answer(run("hot_remove", **settings))
    return Question(
        text=f"{text} “offline” is written to the block's state. What is the answer?",
        answer=ANSWERS[verdict],
        mistakes=tuple(Mistake(ANSWERS[v], SLIPS[v]) for v in ANSWERS if v is not verdict),
        why=event.text,
        rule=RULES[verdict],
        function=event.function,
        claims=event.claims,
        see=Scene("hot_remove", settings, event.tick, event.title),
    )


def captured_block(draw: Draw) -> Question:
    """Ask for the answer of a real kernel, from what its page flags showed the moment before."""
    case = take_block(draw.pick(list_sweeps()), draw)
    given = case.verdict
    return Question(
        text="\n\n".join(
            (
                case.machine,
                f"{case.place} Just before the attempt it held {case.held}. {case.room}.",
                "“offline” is written to its state. What does the kernel answer?",
            )
        ),
        answer=ANSWERS[given],
        mistakes=tuple(Mistake(ANSWERS[v], SLIPS[v]) for v in ANSWERS if v is not given),
        why=f"{case.reason} {case.observed}",
        rule=RULES[given],
        function=case.function,
        claims=case.claims,
        see=case.see,
    )


def dimm_blocks(draw: Draw) -> Question:
    """Ask how many blocks of a DIMM an idle system's kernel holds after a while."""
    idle = draw.pick((1, 5, 20, 45, 60))
    settings: dict[str, Any] = {"machine": "small", "what": "dimm", "where": "kernel"}
    settings |= {"idle": float(idle), "seed": draw.seed}
    recording = run("hot_remove", **settings)
    refused = {e.pfn for e in recording.event_list if e.kind == EventKind.OFFLINE_REFUSED.name}
    end = next(e for e in recording.event_list if e.kind == EventKind.UNPLUGGED.name)
    size = recording.meta["machine"]["section_pages"]
    held = len({pfn // size for pfn in refused})
    asked = round(idle * float(recording.meta["parameters"]["kernel_rate"]))
    return Question(
        text=(
            f"A DIMM of {DIMM_BLOCKS} memory blocks, {size:,} pages each, is onlined with "
            f"online_kernel on a machine that has no other Normal zone. For {idle} s nothing runs "
            f"but the kernel itself, which takes {asked:,} pages: two fifths of them inodes and "
            "dentries, the rest slabs, stacks and page tables. How many blocks can then not go?"
        ),
        unit=f"of {DIMM_BLOCKS} blocks",
        answer=held,
        mistakes=(
            Mistake(0, "if an idle kernel used the memory that it had before"),
            Mistake(-(-asked // size), "if all pages of the kernel filled the same pageblocks"),
            Mistake(DIMM_BLOCKS, "if they were scattered over all of the DIMM"),
        ),
        why=(
            "The zonelist names the highest kernel zone first, so all of it lands in the DIMM. The "
            "first reclaimable page claims a whole free block of 4 MiB, the first unmovable page "
            f"another; each fills before a further one is touched. {end.text}"
        ),
        rule="the highest kernel zone first; a pageblock for each migrate type",
        function="get_page_from_freelist(), steal_suitable_fallback(), mm/page_alloc.c",
        claims=("S16",),
        see=Scene("hot_remove", settings, end.tick, end.title),
    )


MAKERS: dict[str, Maker] = {
    "offline_answer": offline_answer,
    "captured_block": captured_block,
    "dimm_blocks": dimm_blocks,
}
