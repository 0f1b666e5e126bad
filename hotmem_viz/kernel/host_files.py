"""Reads what a running Linux says of its memory, as far as permissions allow, and never too much.

The files get the names that they have in a capture, so that a snapshot of this machine is one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotmem_viz.kernel.host_pages import FlagsError, read_page_flags

if TYPE_CHECKING:
    from pathlib import Path

MAX_TEXT_BYTES = 16 << 20
"""A text of /proc larger than this is left out; zoneinfo of 1,000 CPUs and 8 nodes has 3 MiB."""

MAX_BLOCKS = 1 << 15
"""Memory blocks read at most: a TiB has 8,192 of 128 MiB, or 512 of 2 GiB."""

STAGE = "frames/boot"
PROC_FILES = {
    name: f"{STAGE}/{name}"
    for name in (
        "zoneinfo",
        "buddyinfo",
        "pagetypeinfo",
        "meminfo",
        "vmstat",
        "slabinfo",
        "iomem",
    )
} | {"cmdline": "frames/cmdline", "version": "frames/version"}
"""What is read of /proc, and where a capture keeps it."""

_BLOCKS = "sys/devices/system/memory"
_NODES = "sys/devices/system/node"
_SRAT = "sys/firmware/acpi/tables/SRAT"
_LOG = "dev/kmsg"
_WORD_BYTES = 200
_LOG_KEPT = re.compile(
    r"Linux version |Command line: |Kernel command line: |BIOS-e820: |Zone ranges:|Movable zone "
    r"start|Early memory node ranges|  \w+ +\[mem |  \w+ +empty|  [Nn]ode +\d+: |Initmem setup|"
    r"(?:Allocated new )?RAMDISK: |Freeing |Memory: |setup_percpu: |.*HIGHMEM available|"
    r".* invoked oom-killer: |Mem-Info:|active_anon:|Node \d+ (?:\w+ )?(?:free|active_anon):|"
    r"lowmem_reserve\[\]:| free:\d+ free_pcp:"
)
"""Lines of the kernel's log that speak of memory; nothing else of it is kept."""


@dataclass(frozen=True)
class Unread:
    """Something that could not be read: its path, and why in a few words."""

    path: str
    why: str


@dataclass
class HostFiles:
    """What was read, by name in a capture, and what was not."""

    root: Path
    files: dict[str, bytes] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    def take(self, source: str, name: str) -> None:
        """Read one file below the root, or note why not."""
        try:
            self.files[name] = _read_bounded(self.root / source)
        except OSError as error:
            self.skip(source, _reason(error))

    def skip(self, source: str, why: str) -> None:
        """Note what is not read, and why."""
        self.unread.append(Unread(f"/{source}", why))


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "not there: this kernel or container does not show it"
    if isinstance(error, PermissionError):
        return "permission denied; root may read it"
    return error.strerror or type(error).__name__


def _read_bounded(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        parts: list[bytes] = []
        size = 0
        while size <= MAX_TEXT_BYTES:
            part = file.read(1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
    raise OSError(0, f"larger than {MAX_TEXT_BYTES >> 20} MiB: left out")


def read_host_files(root: Path, *, pages: bool = True) -> HostFiles:
    """Read all there is below `root`, "/" for the machine itself.

    pages: the flags of all pages too, which takes the kernel up to a second.
    """
    host = HostFiles(root)
    for source, name in PROC_FILES.items():
        host.take(f"proc/{source}", name)
    _check_addresses(host)
    _read_blocks(host)
    _read_nodes(host)
    host.take(_SRAT, "frames/acpi/SRAT")
    _read_log(host)
    _read_flags(host, whole=pages)
    return host


def _check_addresses(host: HostFiles) -> None:
    """Note that the addresses of iomem are hidden, which the kernel shows as zeros."""
    lines = host.files.get(PROC_FILES["iomem"], b"").splitlines()
    if lines and all(re.match(rb" *0+-0+ :", line) for line in lines):
        host.skip("proc/iomem", "its addresses are zero; root sees them")


def _read_nodes(host: HostFiles) -> None:
    folder = host.root / _NODES
    for nid in _numbers(folder, "node"):
        host.take(f"{_NODES}/node{nid}/meminfo", f"{STAGE}/node{nid}-meminfo")


def _numbers(folder: Path, word: str) -> list[int]:
    """Return the numbers of the entries `word`N of a folder, ascending; none without it."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return []
    found = (re.fullmatch(rf"{word}(\d{{1,7}})", name, re.ASCII) for name in names)
    return sorted(int(m[1]) for m in found if m)


def _read_blocks(host: HostFiles) -> None:
    """Gather the folder of memory blocks to one text, as captures do."""
    folder = host.root / _BLOCKS
    host.take(f"{_BLOCKS}/block_size_bytes", "frames/block_size_bytes")
    if "frames/block_size_bytes" not in host.files:
        return
    host.take(f"{_BLOCKS}/auto_online_blocks", "frames/auto_online_blocks")
    numbers = _numbers(folder, "memory")
    if len(numbers) > MAX_BLOCKS:
        host.skip(f"{_BLOCKS}/memory*", f"only the first {MAX_BLOCKS:,} of {len(numbers):,} read")
    nodes = {
        number: nid
        for nid in reversed(_numbers(host.root / _NODES, "node"))
        for number in _numbers(host.root / _NODES / f"node{nid}", "memory")
    }
    lines, failed = ["# block phys_index state valid_zones removable node"], 0
    for number in numbers[:MAX_BLOCKS]:
        try:
            lines.append(_read_block(str(folder), f"memory{number}", nodes.get(number, 0)))
        except OSError:
            failed += 1  # A block that is being removed right now, or a folder kept closed.
    if failed:
        host.skip(f"{_BLOCKS}/memory*", f"{failed:,} of {len(numbers):,} could not be read")
    host.files[f"{STAGE}/blocks"] = ("\n".join(lines) + "\n").encode()


def _read_block(folder: str, name: str, nid: int) -> str:
    """Read one memory block as a line of the captures' table."""
    state, index = _word(f"{folder}/{name}/state"), _word(f"{folder}/{name}/phys_index")
    # Kernels without hot-remove have neither of these two files.
    zones = _word(f"{folder}/{name}/valid_zones", "none") or "none"
    return f"{name} {index} {state} {zones} {_word(f'{folder}/{name}/removable', '0')} node{nid}"


def _word(path: str, missing: str | None = None) -> str:
    """Read a file of a few words, joined by commas. Plain calls: a machine has 30,000 of them."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        if missing is None:
            raise
        return missing
    try:
        return b",".join(os.read(fd, _WORD_BYTES).split()).decode("ascii", "replace")
    finally:
        os.close(fd)


def _read_log(host: HostFiles) -> None:
    """Take the lines of the kernel's log that speak of memory."""
    try:
        records = _read_records(host.root / _LOG)
    except OSError as error:
        host.skip(_LOG, _reason(error))
        return
    kept = [line for line in records if _LOG_KEPT.match(line)]
    host.files["console.txt"] = "".join(f"{line}\n" for line in kept).encode()
    if not any(line.startswith("Early memory node ranges") for line in kept):
        host.skip(_LOG, "the boot's lines are no longer in the kernel's log")


def _read_records(path: Path) -> list[str]:
    """Read the log without waiting for more: records "level,number,time,flags;text"."""
    parts, size = [], 0
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        while size <= MAX_TEXT_BYTES:
            try:
                part = os.read(fd, 1 << 16)
            except BlockingIOError:
                break
            except BrokenPipeError:
                continue  # The record was overwritten before it could be read.
            if not part:
                break
            parts.append(part)
            size += len(part)
    finally:
        os.close(fd)
    lines = b"".join(parts).decode("utf-8", "replace").splitlines()
    return [line.partition(";")[2] for line in lines if not line.startswith(" ")]


def _read_flags(host: HostFiles, *, whole: bool) -> None:
    """Take the flags of all pages, or else only find out whether they may be read."""
    source = "proc/kpageflags"
    try:
        if whole:
            host.files["frames/kpf/boot"] = read_page_flags(host.root / source)
        else:
            with (host.root / source).open("rb", buffering=0) as file:
                file.read(8)
    except FlagsError as error:
        host.skip(source, str(error))
    except OSError as error:
        host.skip(source, _reason(error))
