"""Questions of notebook 00: sections, memory blocks, and the map that lists every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.lessons.question import Mistake, Question, Scene
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.memory.census import count_kinds
from hotmem_viz.units import GIB, MIB, format_bytes
from hotmem_viz.vocabulary import MAX_ORDER_PAGES, PAGE_SIZE, PAGEBLOCK_PAGES, PageKind

if TYPE_CHECKING:
    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "00"


def section(draw: Draw) -> Question:
    """Ask in which section of an x86-64 machine a physical address lies."""
    gib = draw.whole(5, 16)
    mib = draw.whole(1, 1023)
    server = find_preset("server")
    pages, pfn = server.section_pages, gib * GIB + mib * MIB
    return Question(
        text=(
            f"A page of an x86-64 server begins at physical address {pfn * PAGE_SIZE:#x}, which is "
            f"{gib} GiB and {mib} MiB. Sections count from address 0. In which section is it?"
        ),
        answer=pfn // pages,
        mistakes=(
            Mistake(pfn // PAGEBLOCK_PAGES, "if you count pageblocks of 2 MiB"),
            Mistake(pfn // MAX_ORDER_PAGES, "if you count the buddy allocator's largest blocks"),
            Mistake(pfn // pages + 1, "if the first section is number 1"),
            Mistake(pfn // (8 * pages), "if a section were a GiB"),
            Mistake((pfn - GIB) // pages, "if the hole below 4 GiB had no numbers"),
        ),
        why=(
            f"The page's pfn is {pfn:,}; a section has {pages:,} pages "
            f"({format_bytes(pages * PAGE_SIZE)}), so its number is the pfn shifted right by "
            f"{pages.bit_length() - 1}. Holes have numbers too: what is missing is the memory, not "
            "the address."
        ),
        rule="section = pfn >> PFN_SECTION_SHIFT",
        function="pfn_to_section_nr(), include/linux/mmzone.h",
        claims=("S21",),
        see=Scene("exhaustion", {"machine": "server"}, 0, "the sections of the map"),
    )


def memory_map(draw: Draw) -> Question:
    """Ask how much memory the list of all pages takes; the classroom machine is booted to see."""
    mib = draw.whole(96, 288, 16)
    spec = MachineSpec(
        "asked",
        (NodeSpec(0, (PfnRange(0, 8192), PfnRange(32768, 32768 + (mib - 32) * MIB))),),
        section_pages=1024,
        scale=32,
    )
    mem = boot_machine(spec, BootOptions(), PROFILES["6.1"])
    taken = int(count_kinds(mem)[PageKind.MEMMAP])
    pages = spec.present_pages
    bits = PROFILES["6.1"].struct_page_bytes * 8
    return Question(
        text=(
            f"A machine has {mib} MiB of memory in pages of 4 KiB. Its kernel, one of 64 bits, "
            "keeps a struct page for each of them, from boot on. How many KiB do these take?"
        ),
        unit="KiB",
        answer=taken * 4,
        entered=True,
        within=0.02,
        mistakes=(
            Mistake(pages * bits // 1024, f"if a struct page had {bits} bytes; it has {bits} bits"),
            Mistake(pages * 32 // 1024, "with the 32 bytes of a 32-bit kernel"),
            Mistake(pages * 8 // 1024, "with the 8 bytes of a page-table entry"),
            Mistake(pages // 8192, "with one bit a page"),
        ),
        why=(
            f"{pages:,} pages of {bits // 8} bytes each are {taken:,} pages of memory map: one "
            "64th of the machine, and none of it can move. A classroom machine pays the same share "
            "as a real one."
        ),
        rule="64 bytes for every 4,096: 1/64",
        function="sparse_init_nid(), mm/sparse.c",
        claims=("S21", "S31"),
        see=Scene("exhaustion", {"movable": 0.75}, 0, "the memory map, at the top of each node"),
    )


def memory_block(draw: Draw) -> Question:
    """Ask how much goes offline at once on a machine of some size."""
    gib = draw.pick((16, 24, 48, 63, 64, 66, 97, 100, 130))
    hypervisor = draw.pick((False, True))
    spec = MachineSpec(
        "asked",
        (NodeSpec(0, (PfnRange(0, 3 * GIB), PfnRange(4 * GIB, (gib + 1) * GIB))),),
        hypervisor=hypervisor,
    )
    block, part = spec.block_pages, spec.section_pages
    end = spec.end_pfn // GIB
    where = "under a hypervisor" if hypervisor else "on bare metal"
    rule = {
        (True, True): (
            f"Boot memory ends at {end} GiB. From 64 GiB on a block has up to 16 sections; under a "
            "hypervisor it must divide the end of memory, so it is the largest that does."
        ),
        (True, False): (
            f"Boot memory ends at {end} GiB. From 64 GiB on, bare metal has blocks of 16 sections."
        ),
    }.get(
        (end >= 64, hypervisor),
        f"Boot memory ends at {end} GiB, below 64 GiB: a block is one section.",
    )
    return Question(
        text=(
            f"An x86-64 machine {where} has {gib} GiB of memory: 3 GiB below the PCI hole, the "
            "rest from 4 GiB up. What is the least that it can be asked to take offline?"
        ),
        unit="MiB",
        answer=block // MIB,
        mistakes=(
            Mistake(PAGEBLOCK_PAGES // MIB, "if a pageblock could go alone"),
            Mistake(MAX_ORDER_PAGES // MIB, "if the largest buddy block could go alone"),
            Mistake(part // MIB, "if a block were always one section"),
            Mistake(16 * part // MIB, "if a block always had the most sections it can have"),
            Mistake(8 * part // MIB, "if a GiB were the unit"),
        ),
        why=(
            f"{rule} What sysfs offers is blocks, memoryN: here {block // part} "
            f"section{'s' if block > part else ''} of {format_bytes(part * PAGE_SIZE)}."
        ),
        rule="a memory block has 1 to 16 sections",
        function="probe_memory_block_size(), arch/x86/mm/init_64.c",
        claims=("S24",),
        see=Scene("hot_remove", {}, 0, "the block that is asked to go"),
    )


MAKERS: dict[str, Maker] = {
    "section": section,
    "memory_map": memory_map,
    "memory_block": memory_block,
}
