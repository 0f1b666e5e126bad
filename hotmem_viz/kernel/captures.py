"""A capture: what one boot of a real kernel said, and the machine that it was taken on.

The full captures and the compact ones under data/captures have the same form: a .tar.xz with
manifest.json, console.txt and frames/STAGE/FILE. Compact ones hold fewer files.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, ParameterError
from hotmem_viz.kernel import captured_pages
from hotmem_viz.kernel.archive import read_tar_xz
from hotmem_viz.kernel.blocks import MemoryBlock, parse_blocks
from hotmem_viz.kernel.console import BootLog, parse_console
from hotmem_viz.kernel.procfs import SlabInfo, parse_meminfo, parse_slabinfo
from hotmem_viz.kernel.srat import SratMemory, parse_srat
from hotmem_viz.kernel.zoneinfo import ZoneInfo, parse_zoneinfo
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.kernel.page_flags import PageRuns
    from hotmem_viz.kernel.pageblocks import PageblockTypes

SUFFIX = ".tar.xz"
SNAPSHOT = "hotmem-viz host"
"""`source` in the manifest of a snapshot of a running machine."""

SECTION_PAGES = {Arch.X86_64: 32768, Arch.PAE: 131072}
"""SECTION_SIZE_BITS of arch/x86/include/asm/sparsemem.h: 128 MiB, and 512 MiB with PAE."""

_CONSOLE = "console.txt"


@dataclass(frozen=True)
class Capture:
    """One boot of a real kernel. `files` are raw bytes by path; the rest is read on demand."""

    path: Path
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """The capture's name, such as b-files-85: that of its file."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def title(self) -> str:
        """What the capture shows, in a few words."""
        return str(self.manifest.get("shows", ""))

    @property
    def kernel(self) -> str:
        """The kernel's release, such as 6.1.0-56-cloud-amd64."""
        return str(self.manifest["kernel"])

    @property
    def profile_name(self) -> str:
        """The profile of that kernel: its version, with -pae for a 32-bit one."""
        version = ".".join(self.kernel.split(".")[:2])
        return f"{version}-pae" if self.arch is Arch.PAE else version

    @property
    def arch(self) -> Arch:
        """The architecture of that kernel."""
        return Arch.PAE if self.kernel.endswith(("-pae", "-686-pae")) else Arch.X86_64

    @property
    def cmdline(self) -> str:
        """The kernel's command line."""
        return str(self.manifest["cmdline"])

    @property
    def args(self) -> Mapping[str, Any]:
        """The scenario's arguments."""
        args = self.manifest.get("args") or {}
        return dict(args)

    @property
    def status(self) -> str:
        """Whether the run came to its end: "done" or "guest-ended"."""
        return str(self.manifest.get("status", ""))

    @property
    def is_snapshot(self) -> bool:
        """Whether it was taken of a running machine: its only stage is the moment of asking."""
        return self.manifest.get("source") == SNAPSHOT

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """The moments that have a zoneinfo, such as boot and end, in alphabetical order."""
        tail = "/zoneinfo"
        names = (p for p in self.files if p.startswith("frames/") and p.endswith(tail))
        return tuple(sorted(n.removeprefix("frames/").removesuffix(tail) for n in names))

    def has(self, path: str) -> bool:
        """Tell whether a file is there: "console.txt" or one below frames/."""
        return self._key(path) in self.files

    def data(self, path: str) -> bytes:
        """Return a file as it is.

        Raises
        ------
        CaptureError
            When the capture has no such file.
        """
        key = self._key(path)
        if key not in self.files:
            raise CaptureError(self.path, f"the capture has no {path}")
        return self.files[key]

    def text(self, path: str) -> str:
        """Return a file as text; "console.txt" may hold stray bytes, others may not."""
        data = self.data(path)
        if path == _CONSOLE:
            return data.decode("utf-8", "replace")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise CaptureError(self.where(path), "not a text", line) from None

    def where(self, path: str) -> str:
        """Name a file of the capture for an error message."""
        return f"{self.path}:{path}"

    @staticmethod
    def _key(path: str) -> str:
        return path if path in (_CONSOLE, "manifest.json") else f"frames/{path}"

    @cached_property
    def boot_log(self) -> BootLog:
        """The console, read."""
        return parse_console(self.text(_CONSOLE), self.where(_CONSOLE))

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
        return _parse_json(self.data(path), self.where(path))


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
    manifest = _parse_json(files["manifest.json"], f"{where}:manifest.json")
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


def _parse_json(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CaptureError(where, f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise CaptureError(where, "not a table of names and values")
    return value


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
        raise CaptureError(capture.where(_CONSOLE), str(error)) from None
    return spec, parse_boot_options(capture.cmdline, strict=False)


def _marked(start: int, end: int, marks: list[tuple[int, int]]) -> list[PfnRange]:
    """Cut a range where hot-plug marks begin and end."""
    cuts = sorted({start, end, *(c for m in marks for c in m if start < c < end)})
    return [
        PfnRange(a, b, hotpluggable=any(low <= a < high for low, high in marks))
        for a, b in itertools.pairwise(cuts)
    ]
