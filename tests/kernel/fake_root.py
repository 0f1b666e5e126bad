"""A tree of /proc, /sys and /dev as a captured kernel would have shown it."""

from __future__ import annotations

from pathlib import Path

from hotmem_viz.kernel.captures import open_capture

PROC = ("zoneinfo", "buddyinfo", "pagetypeinfo", "meminfo", "vmstat", "slabinfo", "iomem")
HEX_BLOCK = "8000000"


def write_tree(root: Path, name: str) -> Path:
    """Write the texts of one of the package's captures where a kernel would show them."""
    capture = open_capture(name)
    (root / "proc").mkdir(parents=True)
    for file in PROC:
        if capture.has(f"boot/{file}"):
            (root / "proc" / file).write_bytes(capture.data(f"boot/{file}"))
    (root / "proc/cmdline").write_text(capture.cmdline + "\n")
    (root / "proc/version").write_text(f"Linux version {capture.kernel} (someone@somewhere) #1\n")
    write_blocks(root, capture.text("boot/blocks"))
    write_log(root, capture.text("console.txt"))
    return root


def write_blocks(root: Path, table: str) -> None:
    """Write the folder of memory blocks from a capture's table of them."""
    folder, nodes = root / "sys/devices/system/memory", root / "sys/devices/system/node"
    folder.mkdir(parents=True)
    (folder / "block_size_bytes").write_text(f"{HEX_BLOCK}\n")
    (folder / "auto_online_blocks").write_text("offline\n")
    for line in table.splitlines()[1:]:
        name, index, state, zones, removable, node = line.split()
        block = folder / name
        block.mkdir()
        (nodes / node / name).mkdir(parents=True)
        (block / "phys_index").write_text(f"{index}\n")
        (block / "state").write_text(f"{state}\n")
        (block / "valid_zones").write_text(zones.replace(",", " ") + "\n")
        (block / "removable").write_text(f"{removable}\n")


def write_log(root: Path, console: str) -> None:
    """Write a boot log as /dev/kmsg gives it, with lines of no concern and facts of a device."""
    lines = [line.partition("] ")[2] for line in console.splitlines() if line.startswith("[")]
    records = [f"6,{n},{n * 1000},-;{line}" for n, line in enumerate(lines)]
    records[3:3] = ["6,9999,1,-;usb 1-1: SerialNumber: secret", " SUBSYSTEM=usb"]
    (root / "dev").mkdir()
    (root / "dev/kmsg").write_text("\n".join(records) + "\n")
