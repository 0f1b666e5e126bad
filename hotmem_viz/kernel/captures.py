"""A capture: what one boot of a real kernel said, and the machine that it was taken on.

The full captures and the compact ones under data/captures have the same form: a .tar.xz with
manifest.json, console.txt and frames/STAGE/FILE. Compact ones hold fewer files.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel import capture_files, captured_pages
from hotmem_viz.kernel.archive import read_tar_xz
from hotmem_viz.kernel.blocks import MemoryBlock, parse_blocks
from hotmem_viz.kernel.buddyinfo import BuddyZone, parse_buddyinfo
from hotmem_viz.kernel.capture_files import CONSOLE, CaptureFiles, parse_json
from hotmem_viz.kernel.console import BootLog, parse_console
from hotmem_viz.kernel.hotplug_answers import (
    Growth,
    OfflineAttempt,
    Onlined,
    Removal,
    parse_growth,
    parse_onlining,
    parse_removals,
    parse_sweep,
)
from hotmem_viz.kernel.iomem import Resource, parse_iomem
from hotmem_viz.kernel.pagetypeinfo import PageTypeInfo, parse_pagetypeinfo
from hotmem_viz.kernel.procfs import SlabInfo, parse_meminfo, parse_slabinfo, parse_vmstat
from hotmem_viz.kernel.srat import SratMemory, parse_srat
from hotmem_viz.kernel.zoneinfo import ZoneInfo, parse_zoneinfo
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange

if TYPE_CHECKING:
    from hotmem_viz.kernel.page_flags import PageRuns
    from hotmem_viz.kernel.pageblocks import PageblockTypes

SUFFIX = capture_files.SUFFIX
SECTION_PAGES = {Arch.X86_64: 32768, Arch.PAE: 131072}
"""SECTION_SIZE_BITS of arch/x86/include/asm/sparsemem.h: 128 MiB, and 512 MiB with PAE."""


@dataclass(frozen=True)
class Capture(CaptureFiles):
    """One boot of a real kernel, whose texts and pages are read on demand.

    Every reader raises CaptureError when the file is missing, or is not what a kernel prints.
    """

    @cached_property
    def boot_log(self) -> BootLog:
        """The console, read."""
        return parse_console(self.text(CONSOLE), self.where(CONSOLE))

    @cached_property
    def srat(self) -> tuple[SratMemory, ...]:
        """The memory entries of the SRAT; none where the machine had no such table."""
        path = "acpi/SRAT"
        return parse_srat(self.data(path), self.where(path)) if self.has(path) else ()

    def zoneinfo(self, stage: str = "boot") -> tuple[ZoneInfo, ...]:
        """Return the zones at a stage."""
        path = f"{stage}/zoneinfo"
        return parse_zoneinfo(self.text(path), self.where(path))

    def slabinfo(self, stage: str = "boot") -> dict[str, SlabInfo]:
        """Return the slab caches at a stage."""
        path = f"{stage}/slabinfo"
        return parse_slabinfo(self.text(path), self.where(path))

    def meminfo(self, stage: str = "boot") -> dict[str, int]:
        """Return meminfo at a stage."""
        path = f"{stage}/meminfo"
        return parse_meminfo(self.text(path), self.where(path))

    def vmstat(self, stage: str = "boot") -> dict[str, int]:
        """Return vmstat at a stage."""
        path = f"{stage}/vmstat"
        return parse_vmstat(self.text(path), self.where(path))

    def buddyinfo(self, stage: str = "boot") -> tuple[BuddyZone, ...]:
        """Return the free lists of the zones at a stage."""
        path = f"{stage}/buddyinfo"
        return parse_buddyinfo(self.text(path), self.where(path))

    def pagetypeinfo(self, stage: str = "boot") -> PageTypeInfo:
        """Return free blocks and pageblocks by migrate type at a stage."""
        path = f"{stage}/pagetypeinfo"
        return parse_pagetypeinfo(self.text(path), self.where(path))

    def iomem(self, stage: str = "boot") -> tuple[Resource, ...]:
        """Return the ranges of physical addresses at a stage."""
        path = f"{stage}/iomem"
        return parse_iomem(self.text(path), self.where(path))

    def sweep(self) -> tuple[OfflineAttempt, ...]:
        """Return what came of setting every block offline; nothing where nobody tried."""
        path = "sweep/sweep"
        return parse_sweep(self.text(path), self.where(path)) if self.has(path) else ()

    def onlining(self) -> tuple[Onlined, ...]:
        """Return how blocks were onlined; nothing where nobody did."""
        return (
            parse_onlining(self.text("online"), self.where("online")) if self.has("online") else ()
        )

    def removals(self) -> tuple[Removal, ...]:
        """Return what came of asking out each DIMM, in order; nothing where nobody did."""
        return parse_removals(self.text("del"), self.where("del")) if self.has("del") else ()

    def growth(self) -> tuple[Growth, ...]:
        """Return the machine after each DIMM that was added, in order."""
        names = (n.removeprefix("frames/grow/") for n in self.files if n.startswith("frames/grow/"))
        paths = [
            f"grow/{number}" for number in sorted((n for n in names if n.isdecimal()), key=int)
        ]
        return tuple(g for p in paths for g in parse_growth(self.text(p), self.where(p)))

    def blocks(self, stage: str = "boot") -> tuple[MemoryBlock, ...]:
        """Return the memory blocks at a stage; none where the kernel has no such folder."""
        path = f"{stage}/blocks"
        return parse_blocks(self.text(path), self.where(path)) if self.has(path) else ()

    def page_runs(self, stage: str = "boot") -> PageRuns:
        """Return the flags of all pages at a stage; of one block for before/memoryN."""
        return captured_pages.read_runs(self, "kpf", stage)

    def page_words(self, stage: str = "boot") -> PageRuns:
        """Return what the page structs said at a stage: zone, node, held, free blocks."""
        return captured_pages.read_runs(self, "pages", stage)

    def page_kinds(self, stage: str = "boot") -> PageRuns:
        """Return what all pages held at a stage, as far as flags and page structs tell."""
        return captured_pages.captured_kinds(self, stage)

    def pageblock_types(self, stage: str = "boot") -> PageblockTypes:
        """Return the migrate types of pageblocks at a stage."""
        return captured_pages.read_pageblocks(self, stage)

    def result(self, load: str) -> dict[str, Any]:
        """Return what a load reported: operations done, signal, seconds."""
        path = f"result/{load}"
        return parse_json(self.data(path), self.where(path))


def open_capture(path: str | Path) -> Capture:
    """Read a capture from a .tar.xz file, or one of the package's own by name.

    Raises
    ------
    CaptureError
        When it is missing, damaged, or not a capture; names the file and the reason.
    """
    where = Path(path)
    if where.suffix == "" and len(where.parts) == 1 and str(path) in capture_names():
        where = captures_folder() / f"{path}{SUFFIX}"
    files = read_tar_xz(where)
    if "manifest.json" not in files:
        raise CaptureError(where, "no manifest.json in it: not a capture")
    manifest = parse_json(files["manifest.json"], f"{where}:manifest.json")
    for key in ("name", "kernel", "cmdline"):
        if not isinstance(manifest.get(key), str):
            raise CaptureError(f"{where}:manifest.json", f"{key} is missing")
    if not isinstance(manifest.get("args") or {}, dict):
        raise CaptureError(f"{where}:manifest.json", "args is no table")
    return Capture(where, manifest, files)


def captures_folder() -> Path:
    """Return the folder of the captures that come with the package."""
    from hotmem_viz.settings import data_folder

    return data_folder() / "captures"


def capture_names() -> tuple[str, ...]:
    """Return the names of the captures that come with the package, sorted."""
    return tuple(sorted(p.name.removesuffix(SUFFIX) for p in captures_folder().glob(f"*{SUFFIX}")))


def spec_from_capture(capture: Capture) -> tuple[MachineSpec, BootOptions]:
    """Return the machine a capture was taken on, and its boot options.

    Memory is what the log lists per node; hot-plug marks are those of the SRAT, cleared for
    the node that held the initial ramdisk, as numa_clear_kernel_node_hotplug does
    (arch/x86/mm/numa.c, 6.1; the node of the kernel's image is cleared by the zone plan). The
    command line is read as the kernel reads it.
    """
    log = capture.boot_log
    marks = [(m.start_pfn, m.end_pfn) for m in capture.srat if m.hotpluggable]
    nodes = []
    for nid, ranges in sorted(log.node_ranges.items()):
        holds_ramdisk = log.ramdisk is not None and any(
            start < log.ramdisk[1] and log.ramdisk[0] < end for start, end in ranges
        )
        pieces = [p for r in ranges for p in _marked(*r, [] if holds_ramdisk else marks)]
        nodes.append(NodeSpec(nid, tuple(pieces)))
    try:
        spec = MachineSpec(
            name=capture.name,
            nodes=tuple(nodes),
            arch=capture.arch,
            section_pages=SECTION_PAGES[capture.arch],
            cpus=log.cpus,
            title=capture.title,
            hotplug_end_pfn=max((m.end_pfn for m in capture.srat), default=0),
        )
    except ParameterError as error:
        raise CaptureError(capture.where(CONSOLE), str(error)) from None
    return spec, parse_boot_options(capture.cmdline, strict=False)


def _marked(start: int, end: int, marks: list[tuple[int, int]]) -> list[PfnRange]:
    """Cut a range where hot-plug marks begin and end."""
    cuts = sorted({start, end, *(c for m in marks for c in m if start < c < end)})
    return [
        PfnRange(a, b, hotpluggable=any(low <= a < high for low, high in marks))
        for a, b in itertools.pairwise(cuts)
    ]
