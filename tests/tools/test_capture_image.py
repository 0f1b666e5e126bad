"""The initial ramdisk: an archive that others can read, drivers in the right order."""

from __future__ import annotations

import lzma
import shutil
import subprocess

import pytest

from tools.capture.drivers import ordered_drivers, read_depends
from tools.capture.errors import CaptureToolError
from tools.capture.image import cpio_newc

FILES = {"init": b"\x7fELF12345", "modules/00-virtio.ko": b"", "modules/01-ring.ko": b"abc"}


def parse_newc(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Read an archive by the format's description: a head of 13 numbers, all padded to 4."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        numbers = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        at = (at + 110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(data)
            return found
        found[name] = (mode, data[at : at + size])
        at = (at + size + 3) // 4 * 4


def test_an_archive_holds_its_files_and_their_folders():
    found = parse_newc(cpio_newc(FILES))
    assert {n: d for n, (mode, d) in found.items() if mode & 0o170000 == 0o100000} == FILES
    assert [n for n, (mode, _) in found.items() if mode & 0o170000 == 0o040000] == ["modules"]
    assert list(found).index("modules") < list(found).index("modules/00-virtio.ko")
    assert found["init"][0] & 0o111


@pytest.mark.skipif(not shutil.which("cpio"), reason="cpio is not installed")
def test_cpio_reads_the_archive_too():
    done = subprocess.run(
        ["cpio", "-t"], input=cpio_newc(FILES), capture_output=True, check=True, timeout=20
    )
    assert done.stdout.decode().split() == ["modules", *sorted(FILES)]


def driver(*needed: str) -> bytes:
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(needed).encode() + b"\0name=x\0"


def make_drivers(folder, **drivers: bytes):
    for name, data in drivers.items():
        path = folder / "kernel" / "drivers" / f"{name}.ko"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_a_driver_comes_after_all_that_it_needs(tmp_path):
    make_drivers(
        tmp_path,
        virtio=driver(),
        virtio_ring=driver("virtio"),
        virtio_pci=driver("virtio-ring", "virtio"),
        other=driver(),
    )
    names = [name for name, _ in ordered_drivers(tmp_path, ["virtio_pci", "virtio_ring"])]
    assert names == ["virtio", "virtio_ring", "virtio_pci"]


def test_a_packed_driver_is_unpacked_and_a_built_in_one_left_out(tmp_path):
    make_drivers(tmp_path, ring=driver("virtio"))
    packed = tmp_path / "kernel" / "drivers" / "ring.ko"
    packed.with_suffix(".ko.xz").write_bytes(lzma.compress(packed.read_bytes()))
    packed.unlink()
    (tmp_path / "modules.builtin").write_text("kernel/drivers/virtio/virtio.ko\n")
    assert ordered_drivers(tmp_path, ["ring"]) == [("ring", driver("virtio"))]


def test_drivers_that_need_each_other_do_not_hang(tmp_path):
    make_drivers(tmp_path, a=driver("b"), b=driver("a"))
    assert [name for name, _ in ordered_drivers(tmp_path, ["a"])] == ["b", "a"]


def test_a_missing_driver_is_named(tmp_path):
    make_drivers(tmp_path, ring=driver("virtio"))
    with pytest.raises(CaptureToolError, match="has no driver virtio"):
        ordered_drivers(tmp_path, ["ring"])


def test_a_driver_without_needs_needs_nothing():
    assert read_depends(driver()) == ()
    assert read_depends(b"no such words") == ()
