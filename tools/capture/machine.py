"""The machine of a capture, and QEMU's command line for it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.capture.errors import CaptureToolError

BOOT_ARGUMENTS = (
    "console=ttyS0,115200 panic=-1 loglevel=8 ignore_loglevel mitigations=off nokaslr "
    "tsc=reliable random.trust_cpu=on rdinit=/init"
)
"""The same for all: a log that tells everything, a machine that ends when its kernel does, and
nothing drawn by chance."""

_UNITS = {"M": 1, "G": 1024}


def mib(text: str) -> int:
    """Return a size such as 512M or 3G in MiB.

    Raises
    ------
    CaptureToolError
        When it is not one.
    """
    number, unit = text[:-1], text[-1:].upper()
    if unit not in _UNITS or not (number.isascii() and number.isdigit()) or int(number) == 0:
        raise CaptureToolError(f"{text!r} is no size of memory; one looks like 512M or 3G")
    return int(number) * _UNITS[unit]


@dataclass(frozen=True)
class Machine:
    """What is bought: memory, nodes, CPUs, room for more.

    Attributes
    ----------
    memory
        All of it, such as 1G.
    nodes
        Memory of each node; empty means one node that no table describes.
    below_4g
        How much lies below 4 GiB; empty is QEMU's default of 3 GiB or 3.5.
    cpus
        Processors, all of them of the first node.
    slots, limit
        Modules that can be added, and the most memory then.
    """

    memory: str = "1G"
    nodes: tuple[str, ...] = ()
    below_4g: str = ""
    cpus: int = 1
    slots: int = 0
    limit: str = ""

    def __post_init__(self) -> None:
        total = mib(self.memory)
        if self.nodes and sum(map(mib, self.nodes)) != total:
            raise CaptureToolError(f"the nodes {', '.join(self.nodes)} do not add up to {total}M")
        if not 1 <= self.cpus <= 64:
            raise CaptureToolError(f"{self.cpus} CPUs are not from 1 to 64")
        if self.slots and (not self.limit or mib(self.limit) <= total):
            raise CaptureToolError("slots for more memory need a limit above the memory")

    def qemu_arguments(self, cpu: str) -> list[str]:
        """Return the arguments that describe memory and processors."""
        low = f",max-ram-below-4g={self.below_4g}" if self.below_4g else ""
        memory = self.memory
        if self.slots:
            memory += f",slots={self.slots},maxmem={self.limit}"
        nodes = self.nodes or ((self.memory,) if self.slots else ())
        plain = not nodes
        pool = ",memory-backend=all" if plain else ""
        words = ["-machine", f"pc{low}{pool}", "-cpu", cpu, "-m", memory]
        words += ["-smp", str(self.cpus)]
        if plain:
            # Not reserved: a host need not have the memory that a guest never touches.
            words += ["-object", f"memory-backend-ram,id=all,size={mib(self.memory)}M,reserve=off"]
        for nid, size in enumerate(nodes):
            cpus = f",cpus=0-{self.cpus - 1}" if nid == 0 else ""
            backend = f"memory-backend-ram,id=ram{nid},size={mib(size)}M,reserve=off"
            words += ["-object", backend, "-numa", f"node,nodeid={nid},memdev=ram{nid}{cpus}"]
        return words


def cpu_model(kernel: str) -> str:
    """Return the processor for a kernel: without cmpxchg16b from 6.12 on.

    Those kernels take slab objects with it, and QEMU's TCG (7.2, counting instructions) does it
    wrong now and then: the kernel crashes in kmalloc.
    """
    return "qemu64" if kernel.startswith("6.1.") else "qemu64,-cx16"


def qemu_command(
    machine: Machine, cmdline: str, *, cpu: str = "qemu64", disk: bool = False
) -> list[str]:
    """Return QEMU's command line, with @NAME@ for each file of the run.

    On one CPU time is counted in instructions: the same machine then does the same at the same
    moment, whatever else its host does. Several CPUs that wait for each other never start so.
    """
    words = ["qemu-system-x86_64", "-accel", "tcg", *machine.qemu_arguments(cpu)]
    words += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-seed", "42"]
    words += ["-rtc", "base=2012-11-28T21:38:47,clock=vm"]
    if machine.cpus == 1:
        words += ["-icount", "shift=1,sleep=off"]
    words += ["-kernel", "@VMLINUZ@", "-initrd", "@INITRD@", "-append", cmdline]
    words += ["-chardev", "file,id=con,path=@CONSOLE@", "-serial", "chardev:con"]
    words += ["-device", "virtio-serial-pci", "-chardev", "socket,id=hm,path=@PORT@"]
    words += ["-device", "virtserialport,chardev=hm,name=hm", "-qmp", "unix:@QMP@"]
    if disk:
        words += ["-drive", "file=@DISK@,if=virtio,format=raw"]
    return words


def fill_in(command: list[str], files: dict[str, str]) -> list[str]:
    """Put the names of this run's files where @NAME@ stands."""
    filled = []
    for word in command:
        for name, path in files.items():
            word = word.replace(f"@{name}@", path)  # noqa: PLW2901  a word may hold one name
        filled.append(word)
    return filled
