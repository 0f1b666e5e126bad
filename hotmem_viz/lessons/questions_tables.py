"""Questions of notebook 03: how many page tables there are, and how a program meets their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.catalog import build_run
from hotmem_viz.catalog import run as run_scenario
from hotmem_viz.lessons.question import Mistake, Question, Scene, find_scene
from hotmem_viz.machine.page_geometry import GEOMETRIES, count_tables
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.scenarios.starvation_parameters import ASKED, USES
from hotmem_viz.units import GIB, MIB, percent
from hotmem_viz.vocabulary import TableLevel

if TYPE_CHECKING:
    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "03"


def tables(draw: Draw) -> Question:
    """Ask how many page tables one dense mapping has."""
    gib = draw.pick((3, 5, 6, 12, 20, 36, 48, 100, 200, 300, 600, 700, 1100))
    base = draw.pick((0, 1, 1023)) * MIB
    geometry = GEOMETRIES["4-level"]
    start, pages = (512 * GIB) + base, gib * GIB
    counts = count_tables(geometry, start, pages)
    shift = f"{base // MIB} MiB above" if base else "at"
    levels = ", ".join(f"{n:,} {level.name}" for level, n in counts.items())
    spans = {level: -(-pages // (1 << 9 * (i + 1))) for i, level in enumerate(counts)}
    return Question(
        text=(
            f"A process on x86-64 (four levels, pages of 4 KiB) touches every page of {gib} GiB, "
            f"beginning {shift} a multiple of 512 GiB. How many page tables map it, the top one "
            "among them?"
        ),
        unit="tables",
        answer=sum(counts.values()),
        mistakes=(
            Mistake(counts[TableLevel.PTE], "if the lowest level were all"),
            Mistake(sum(spans.values()), "if the mapping began where a table does"),
            Mistake(pages // 1024, "with entries of 4 bytes, 1,024 a table"),
            Mistake(
                counts[TableLevel.PTE] + counts[TableLevel.PMD],
                "if only what /proc/meminfo counts were there",
            ),
            Mistake(pages // 512 + 3, "if each upper level had one table"),
        ),
        why=(
            f"A table has 512 entries: a PTE table spans 2 MiB, a PMD 1 GiB, a PUD 512 GiB. Spans "
            f"touched: {levels}. That is {percent(sum(counts.values()) / pages, 3)} of what is "
            "mapped; PageTables of /proc/meminfo leaves out PUD and PGD on 6.1."
        ),
        rule="one table for every span that is touched",
        function="__handle_mm_fault(), mm/memory.c",
        claims=("S13",),
        see=Scene("starvation", {"use": "dense"}, 0, "one mapping and its tables"),
    )


def sharers(draw: Draw) -> Question:
    """Ask how many processes can map one shared segment before their tables fill the kernel."""
    movable, fill = draw.pick(
        tuple((m, f) for f in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9) for m in (0.5, 0.6, 0.7, 0.75))
    )
    settings = {"movable": movable, "use": "shared", "fill": fill, "processes": 3000}
    scene, run = find_scene("starvation", settings, "REFUSED")
    start, there = run.counters.iloc[0], run.counters.iloc[scene.tick]
    room = int(start["free"] - start["useless"])
    segment = int(build_run("starvation", **settings).use.pages)
    each, own = segment / 512, _own_pages()
    return Question(
        text=(
            f"{percent(movable)} of the classroom machine is ZONE_MOVABLE, where a shared "
            f"segment of {segment // MIB} MiB lies. Its kernel zones have {room / MIB:.1f} MiB "
            "free above marks and reserves. Process after process maps the segment and touches all "
            "of it. "
            f"The kernel spends about {own:.0f} pages on a process besides: stack, task, tables of "
            "its code. With which process does memory for tables run out? (Within a tenth.)"
        ),
        unit="processes",
        entered=True,
        within=0.1,
        answer=int(there["processes"]),
        mistakes=(
            Mistake(int(room / each), "if a process brought nothing else into the kernel"),
            Mistake(
                int(start["free"] / (each + own)), "if tables could lie wherever memory is free"
            ),
            Mistake(int(2 * room / each), "with entries of 4 bytes"),
            Mistake(int(room / own), "if tables of the lowest level were shared"),
        ),
        why=(
            f"Data is shared, tables are not: each process pays {segment // MIB} MiB / 512 = "
            f"{each:.0f} pages of tables, and {own:.0f} for itself. {room:,} pages divided by that "
            f"are {room / (each + own):.0f} processes; the model refuses at "
            f"{int(there['processes'])}, with {int(there['free']) / MIB:.0f} MiB free that no "
            "table may use."
        ),
        rule="N processes on one segment: N times its tables",
        function="__pte_alloc(), mm/memory.c",
        claims=("S13",),
        see=scene,
    )


def _own_pages() -> float:
    """Kernel pages that a small process takes for itself: stack, slab, tables."""
    profile = PROFILES["6.1"]
    one = profile.operations["procs"]
    return one.stacks + one.page_tables + one.slab_pages(profile.caches)


_ENDS = {
    "DONE": "All of it is mapped and touched; nothing is refused",
    "OOM": "mmap succeeds; later a page fault finds no frame for a table, and the OOM killer comes",
    "ENOMEM": "mmap succeeds; the call that fills the tables returns ENOMEM",
}
ASKED_FOR = {
    "fault": "page faults",
    "populate": "mlock, which hands a failed allocation back to its caller",
}
"""Who asks for the tables, and what it does when there are none."""

_MMAP = "mmap itself returns ENOMEM: it sees that the tables cannot be had"
_SLIPS = {
    "DONE": "if tables could lie wherever memory is free",
    "OOM": "if somebody touched more address space than the kernel zones have tables for",
    "ENOMEM": "if the tables were asked for by a call, which can say no",
}


def fault(draw: Draw) -> Question:
    """Ask what a program sees of the end: an error, a kill, or nothing."""
    cases = [(u, a) for u in USES.items() for a in ASKED.items()]
    (use_words, use), (_, asked) = draw.pick(cases)
    movable = draw.pick((0.6, 0.7, 0.75, 0.8))
    settings = {"movable": movable, "use": use, "asked": asked}
    run = run_scenario("starvation", **settings)
    first = next(e for e in run.event_list if e.kind in _ENDS)
    last = run.counters.iloc[first.tick]
    answer = _ENDS[first.kind]
    return Question(
        text=(
            f"{percent(movable)} of the classroom machine is ZONE_MOVABLE. Its use: "
            f"{use_words}; the tables are asked for by {ASKED_FOR[asked]}. What do the programs "
            "see?"
        ),
        answer=answer,
        mistakes=(
            *(Mistake(text, _SLIPS[kind]) for kind, text in _ENDS.items()),
            Mistake(_MMAP, "if mmap built the tables; it only notes a range"),
        ),
        why=(
            f"{first.title}, at tick {first.tick}: tables take {int(last['table_pages']):,} pages "
            f"({int(last['table_pages']) / MIB:.1f} MiB) and map {int(last['mapped']) / MIB:,.0f} "
            "MiB of address space. mmap notes a range; tables are built when a page is touched "
            "(or populated, or locked), and a fault has nobody to return an error to."
        ),
        rule="tables are built at fault, from kernel zones",
        function=first.function or "__handle_mm_fault()",
        claims=("S13",),
        see=Scene("starvation", settings, first.tick, first.title),
    )


MAKERS: dict[str, Maker] = {"tables": tables, "sharers": sharers, "fault": fault}
