"""The machine at hand: its zones and memory blocks, as far as its kernel shows them.

A snapshot is a capture with a single stage, "boot", which here is the moment of asking: it can be
saved, opened, compared and shown like any other.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotmem_viz.errors import CaptureError, HostError
from hotmem_viz.kernel.archive_writing import write_tar_xz
from hotmem_viz.kernel.blocks import parse_blocks
from hotmem_viz.kernel.capture_files import SNAPSHOT, SUFFIX
from hotmem_viz.kernel.captures import Capture
from hotmem_viz.kernel.host_files import STAGE, HostFiles, Unread, read_host_files
from hotmem_viz.kernel.host_tables import BlockRun, block_rows, group_blocks, zone_rows
from hotmem_viz.kernel.lines import to_int
from hotmem_viz.kernel.procfs import parse_meminfo
from hotmem_viz.kernel.zoneinfo import parse_zoneinfo
from hotmem_viz.units import format_bytes
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    import pandas as pd

    from hotmem_viz.kernel.blocks import MemoryBlock
    from hotmem_viz.kernel.zoneinfo import ZoneInfo
    from hotmem_viz.recording.recording import Recording

NAME = "host"
_HERE = "this machine"
_KIB = 1024
_ZONEINFO, _BLOCK_SIZE = "proc/zoneinfo", "frames/block_size_bytes"


def _parse_block_size(text: str, path: str) -> int:
    return to_int(text.strip(), path, 1, "the size of a memory block", 16)


_UNDERSTOOD: tuple[tuple[str, str, Callable[[str, str], object]], ...] = (
    (_ZONEINFO, f"{STAGE}/zoneinfo", parse_zoneinfo),
    ("proc/meminfo", f"{STAGE}/meminfo", parse_meminfo),
    ("sys/devices/system/memory", f"{STAGE}/blocks", parse_blocks),
    ("sys/devices/system/memory/block_size_bytes", _BLOCK_SIZE, _parse_block_size),
)
"""Texts that the tables are made of: path, name in a capture, parser."""


@dataclass(frozen=True)
class Host:
    """What this machine shows of its memory. `unread` says what it does not show, and why."""

    capture: Capture
    unread: tuple[Unread, ...]
    page_size: int

    @cached_property
    def zone_infos(self) -> tuple[ZoneInfo, ...]:
        """The zones, empty ones too; none where zoneinfo could not be read."""
        return self.capture.zoneinfo() if self.capture.has("boot/zoneinfo") else ()

    @cached_property
    def memory_blocks(self) -> tuple[MemoryBlock, ...]:
        """The memory blocks, ascending; none where the kernel has no such folder."""
        return self.capture.blocks()

    @cached_property
    def block_runs(self) -> tuple[BlockRun, ...]:
        """Neighbouring blocks of one state, zone and node, taken together."""
        return group_blocks(self.memory_blocks)

    @cached_property
    def block_pages(self) -> int:
        """Pages of a memory block; 0 where there are none."""
        text = self.capture.files.get(_BLOCK_SIZE, b"0").decode()
        return _parse_block_size(text, _BLOCK_SIZE) // self.page_size

    @cached_property
    def meminfo(self) -> dict[str, int]:
        """/proc/meminfo, in kB; empty where it could not be read."""
        return self.capture.meminfo() if self.capture.has("boot/meminfo") else {}

    @property
    def mem_available(self) -> int | None:
        """Pages that MemAvailable claims; None where meminfo lacks it."""
        claimed = self.meminfo.get("MemAvailable")
        return None if claimed is None else claimed * _KIB // self.page_size

    @property
    def zones(self) -> pd.DataFrame:
        """The zones as a DataFrame, a row each; numbers in pages of `page_size` bytes."""
        import pandas as pd

        return pd.DataFrame(zone_rows(self.zone_infos))

    @property
    def blocks(self) -> pd.DataFrame:
        """The memory blocks as a DataFrame, a row each."""
        import pandas as pd

        return pd.DataFrame(block_rows(self.memory_blocks, self.block_pages))

    @property
    def has_page_flags(self) -> bool:
        """Whether the flags of all pages were read."""
        return self.capture.has("kpf/boot")

    @cached_property
    def recording(self) -> Recording:
        """The machine as a recording of one tick, for the stage.

        Raises HostError where pages are not of 4 KiB, CaptureError where nothing tells what memory
        there is.
        """
        from hotmem_viz.kernel.capture_recording import record_capture

        if self.page_size != PAGE_SIZE:
            size = format_bytes(self.page_size)
            raise HostError(f"the stage shows pages of 4 KiB, this machine has pages of {size}")
        return record_capture(self.capture)

    def to_json(self) -> dict[str, Any]:
        """Return all as JSON-able values; pages where no other unit is named."""
        return {
            "kernel": self.capture.kernel,
            "page_size": self.page_size,
            "block_pages": self.block_pages,
            "mem_available": self.mem_available,
            "zones": zone_rows(self.zone_infos),
            "blocks": block_rows(self.memory_blocks, self.block_pages),
            "unread": [{"path": u.path, "why": u.why} for u in self.unread],
        }

    def save(self, path: str | Path) -> Path:
        """Write the snapshot as a capture and return its path, which must end in .tar.xz.

        It holds the command line and the log's lines about memory: look at it before you give
        it away.
        """
        path = Path(path)
        if not path.name.endswith(SUFFIX):
            raise HostError(f"{path}: a snapshot's name must end in {SUFFIX}")
        write_tar_xz(path, path.name.removesuffix(SUFFIX), self.capture.files)
        return path

    def __str__(self) -> str:
        from hotmem_viz.kernel.host_text import host_text

        return host_text(self)

    def _repr_html_(self) -> str:
        from hotmem_viz.kernel.host_text import host_html

        return host_html(self)

    def _ipython_display_(self) -> None:
        """Show the tables, and the stage below them where page flags could be read."""
        from IPython import display

        notebook: Any = display  # IPython's own functions are not typed.
        notebook.display(notebook.HTML(self._repr_html_()))
        if self.has_page_flags and self.page_size == PAGE_SIZE:
            notebook.display(self.recording)


def read_host(root: str | Path = "/", *, pages: bool = True) -> Host:
    """Read this machine's zones and memory blocks.

    root: where /proc, /sys and /dev stand, for a tree that was copied from elsewhere. pages: the
    flags of all pages too, which root may read.

    Raises
    ------
    HostError
        Where this is no Linux, or neither zones nor memory blocks can be read.
    """
    top = Path(root)
    if top == Path("/") and sys.platform != "linux":
        raise HostError(f"this system is no Linux ({sys.platform}): it has no zones to read")
    read = read_host_files(top, pages=pages)
    _drop_what_is_not_understood(read)
    if not any(f"{STAGE}/{name}" in read.files for name in ("zoneinfo", "blocks")):
        raise HostError(_nothing_to_read(read))
    release, version = _release(read.files)
    page_size = os.sysconf("SC_PAGE_SIZE") if top == Path("/") else PAGE_SIZE
    manifest = {
        "name": NAME,
        "shows": "zones and memory blocks of a running machine",
        "kernel": release,
        "version": version,
        "cmdline": read.files.get("frames/cmdline", b"").decode("utf-8", "replace").strip(),
        "args": {},
        "status": "done",
        "source": SNAPSHOT,
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "page_size": page_size,
        "unread": [{"path": u.path, "why": u.why} for u in read.unread],
    }
    read.files["manifest.json"] = json.dumps(manifest, indent=1).encode()
    return Host(Capture(Path(_HERE), manifest, read.files), tuple(read.unread), page_size)


def _drop_what_is_not_understood(read: HostFiles) -> None:
    """Take out every text that its parser refuses, and note why."""
    for path, name, parse in _UNDERSTOOD:
        data = read.files.get(name)
        if data is None:
            continue
        try:
            parse(data.decode("utf-8", "replace"), path)
        except CaptureError as error:
            line = f"line {error.line}: " if error.line else ""
            read.skip(path, f"not understood, {line}{error.reason}")
            del read.files[name]


def _nothing_to_read(read: HostFiles) -> str:
    """Say why there are neither zones nor blocks."""
    why = [f"{u.path}: {u.why}" for u in read.unread if u.path == f"/{_ZONEINFO}"]
    return f"neither zones nor memory blocks can be read here; {why[0] if why else 'no reason'}"


def _release(files: dict[str, bytes]) -> tuple[str, str]:
    """Return the kernel's release and the text of /proc/version."""
    text = files.get("frames/version", b"").decode("utf-8", "replace").strip()
    words = text.split()
    return (words[2] if words[:2] == ["Linux", "version"] and len(words) > 2 else "unknown"), text
