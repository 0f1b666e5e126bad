"""The initial ramdisk: the guest program as /init, and the drivers that it needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.capture.drivers import ordered_drivers
from tools.capture.errors import CaptureToolError
from tools.capture.kernels import Kernel
from tools.capture.programs import need, run

GUEST = Path(__file__).with_name("guest")
FLAGS = ("-std=gnu11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-D_GNU_SOURCE")

DRIVERS = ("virtio_pci", "virtio_console", "virtio_blk")
"""Loaded in every capture, needed or not: all captures of a kernel then start alike."""

FILE_MODE, FOLDER_MODE = 0o100755, 0o040755
_FIELDS = 13
"""Numbers in the head of an entry, each eight hexadecimal digits."""


def cpio_newc(files: Mapping[str, bytes]) -> bytes:
    """Return a cpio archive of the kind that Linux unpacks at boot, with all folders needed.

    files: contents by path without a leading slash. The same files give the same bytes.
    Format: Documentation/driver-api/early-userspace/buffer-format.rst, 6.1.
    """
    folders = {
        "/".join(parts[:n]) for parts in (f.split("/") for f in files) for n in range(1, len(parts))
    }
    entries: list[tuple[str, int, bytes]] = [(f, FOLDER_MODE, b"") for f in sorted(folders)]
    entries += [(name, FILE_MODE, data) for name, data in sorted(files.items())]
    parts = [_entry(number, *entry) for number, entry in enumerate(entries, 1)]
    return b"".join([*parts, _entry(0, "TRAILER!!!", 0, b"")])


def _entry(inode: int, name: str, mode: int, data: bytes) -> bytes:
    text = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0)
    head = b"070701" + "".join(f"{n:08x}" for n in numbers).encode("ascii")
    return _padded(head + text) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def build_guest(cache: Path, *, is_32_bit: bool) -> bytes:
    """Compile the guest program, unless the cache has it for these very sources.

    Raises
    ------
    CaptureToolError
        When there is no compiler, or none for that word size.
    """
    sources = sorted(GUEST.glob("*.c"))
    flags = [*FLAGS, *(["-m32"] if is_32_bit else [])]
    seen = hashlib.sha256(" ".join(flags).encode())
    for path in sorted(GUEST.glob("*.[ch]")):
        seen.update(path.name.encode() + path.read_bytes())
    program = cache / "guest" / seen.hexdigest()[:16]
    if not program.is_file():
        program.parent.mkdir(parents=True, exist_ok=True)
        compiler = need("gcc", "to compile the program that runs inside the captured machine")
        doing = "compiling the guest program"
        if is_32_bit:
            doing += " for 32 bits (Debian's package gcc-multilib)"
        part = program.with_suffix(".part")
        run([compiler, *flags, "-o", str(part), *map(str, sources)], doing)
        part.rename(program)
    return program.read_bytes()


def build_initrd(
    kernel: Kernel, cache: Path, *, more_drivers: Iterable[str] = (), srat: bytes = b""
) -> bytes:
    """Return the initial ramdisk of a capture.

    srat: an ACPI table that takes the place of the machine's own; it must be the first file
    (Documentation/admin-guide/acpi/initrd_table_override.rst, 6.1).
    """
    drivers = ordered_drivers(kernel.modules, [*DRIVERS, *more_drivers])
    if len(drivers) > 99:
        raise CaptureToolError("the drivers need more than 99 others")
    files = {"init": build_guest(cache, is_32_bit=kernel.is_32_bit)}
    files |= {f"modules/{n:02d}-{name}.ko": data for n, (name, data) in enumerate(drivers)}
    override = cpio_newc({"kernel/firmware/acpi/srat.aml": srat}) if srat else b""
    return override + cpio_newc(files)
