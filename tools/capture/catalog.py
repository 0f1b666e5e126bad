"""The captures that the tool can take by name: machine, kernel, options and load of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.capture.errors import CaptureToolError
from tools.capture.machine import BOOT_ARGUMENTS, Machine

Arguments = Mapping[str, int | str]

K61, K61_PAE = "6.1.0-56-cloud-amd64", "6.1.0-50-686-pae"
K612, K72 = "6.12.107+deb13-cloud-amd64", "7.2.13+deb14-cloud-amd64"

SCENARIOS = ("boot", "meta", "pt", "sweep", "hotadd", "growth")


@dataclass(frozen=True)
class Order:
    """One capture to take.

    Attributes
    ----------
    name, shows
        Of the capture. The first letter of the name, after a kernel's mark such as v612-, is
        its family: a boot layouts, b metadata, c page tables, d offlining and hot-add, e PAE.
    append
        Options of the kernel.
    scenario, arguments
        What the guest does, and hm.* for it.
    hotpluggable
        Nodes that an SRAT of the tool's own marks hot-pluggable.
    """

    name: str
    shows: str
    machine: Machine = field(default_factory=Machine)
    kernel: str = K61
    append: str = ""
    scenario: str = "boot"
    arguments: Arguments = field(default_factory=dict)
    hotpluggable: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            known = ", ".join(SCENARIOS)
            raise CaptureToolError(f"no scenario {self.scenario!r}; there are {known}")
        if self.scenario in ("meta", "pt") and not self.arguments.get("kind"):
            raise CaptureToolError(f"the scenario {self.scenario} needs a load: --set kind=...")

    @property
    def cmdline(self) -> str:
        """The kernel's command line."""
        words = [BOOT_ARGUMENTS, self.append, f"hm.scen={self.scenario}"]
        words += [f"hm.{key}={value}" for key, value in self.arguments.items()]
        return " ".join(w for w in words if w)


_TWO_NODES = Machine("2G", ("1G", "1G"), below_4g="512M")
_HOT = Machine("1G", slots=8, limit="9G")

ORDERS: tuple[Order, ...] = (
    # Boot layouts.
    Order(
        "a-2cpu-movablecore-60pct",
        "two CPUs, movablecore=60%, 2 nodes x 1 GiB, 512 MiB below 4G",
        Machine("2G", ("1G", "1G"), below_4g="512M", cpus=2),
        append="movablecore=60%",
    ),
    Order(
        "a-three-kernelcore-900M",
        "kernelcore=900M, 3 nodes of 512, 1536 and 768 MiB, 512 MiB below 4G",
        Machine("2816M", ("512M", "1536M", "768M"), below_4g="512M"),
        append="kernelcore=900M",
    ),
    Order(
        "a-three-movable_node-2",
        "movable_node, the last of 3 nodes (768, 512, 1280 MiB) hot-pluggable",
        Machine("2560M", ("768M", "512M", "1280M"), below_4g="768M"),
        append="movable_node",
        hotpluggable=(2,),
    ),
    # Metadata until nothing is left.
    Order(
        "b-files-768M-60",
        "empty tmpfs files until OOM, 768 MiB, 60% movable",
        Machine("768M"),
        append="movablecore=60%",
        scenario="meta",
        arguments={"kind": "files", "step": 10000, "max": 9000000, "BALL": 200},
    ),
    Order(
        "b-sockets-1536M-70",
        "AF_UNIX datagrams parked in receive queues, 1536 MiB, 70% movable",
        Machine("1536M"),
        append="movablecore=70%",
        scenario="meta",
        arguments={"kind": "sockets", "step": 250, "max": 300000, "BALL": 200},
    ),
    Order(
        "b-procs-640M-50",
        "sleeping processes, 640 MiB, 50% movable",
        Machine("640M"),
        append="movablecore=50%",
        scenario="meta",
        arguments={"kind": "procs", "step": 100, "max": 300000},
    ),
    Order(
        "b-pipes-2cpu-1G-75",
        "pipes holding 4 pages each, 1 GiB, two CPUs, 75% movable",
        Machine("1G", cpus=2),
        append="movablecore=75%",
        scenario="meta",
        arguments={"kind": "pipes", "step": 500, "max": 300000, "BALL": 100},
    ),
    # Page tables.
    Order(
        "c-procs-1536M-128M-80",
        "processes that share a segment of 128 MiB, 1536 MiB, 80% movable",
        Machine("1536M"),
        append="movablecore=80%",
        scenario="pt",
        arguments={"kind": "procs", "step": 20, "max": 100000, "mb": 128, "BALL": 100},
    ),
    Order(
        "c-zero-2G-70",
        "one page read in each 2 MiB, 2 GiB, 70% movable",
        Machine("2G"),
        append="movablecore=70%",
        scenario="pt",
        arguments={"kind": "sparse-zero", "step": 2000, "max": 2000000, "BALL": 100},
    ),
    Order(
        "c-procs-sparse-768M-512M-60",
        "processes that read one page in each 2 MiB of 512 MiB, 768 MiB, 60% movable",
        Machine("768M"),
        append="movablecore=60%",
        scenario="pt",
        arguments={"kind": "procs-sparse", "step": 10, "max": 100000, "mb": 512, "BALL": 100},
    ),
    # Offlining, and memory added.
    Order(
        "d-sweep-movable50-huge",
        "every block offline in turn, 200 huge pages in the pool",
        _TWO_NODES,
        append="movablecore=50%",
        scenario="sweep",
        arguments={"load": "huge200", "secs": 6},
    ),
    Order(
        "d-sweep-movable60-tmpfs",
        "every block offline in turn, 500 MiB of tmpfs",
        _TWO_NODES,
        append="movablecore=60%",
        scenario="sweep",
        arguments={"load": "tmpfs500", "secs": 6},
    ),
    Order(
        "d-sweep-kernel-pin",
        "every block offline in turn, no ZONE_MOVABLE, 300 MiB pinned in kernel zones",
        _TWO_NODES,
        scenario="sweep",
        arguments={"load": "pin300", "secs": 6},
    ),
    Order(
        "d-hot-auto-ratio100",
        "auto-movable with a ratio of 100%: four 512 MiB modules on a machine of 1 GiB",
        _HOT,
        append="memory_hotplug.online_policy=auto-movable memory_hotplug.auto_movable_ratio=100",
        scenario="hotadd",
        arguments={"mb": 512, "n": 4, "how": "online"},
    ),
    Order(
        "d-hot-memmap-128M",
        "memmap_on_memory, a module of one block",
        _HOT,
        append="memory_hotplug.memmap_on_memory=1",
        scenario="hotadd",
        arguments={"mb": 128, "how": "online_movable"},
    ),
    Order(
        "d-grow-320M-768M",
        "768 MiB modules added to a machine of 320 MiB until it dies",
        Machine("320M", slots=64, limit="64G"),
        scenario="growth",
        arguments={"mb": 768, "n": 24},
    ),
    # 32-bit PAE.
    Order(
        "e-boot-08G",
        "32-bit PAE, 8 GiB",
        Machine("8G"),
        kernel=K61_PAE,
    ),
    Order(
        "e-boot-02G-vmalloc-256M",
        "32-bit PAE, 2 GiB, vmalloc=256M",
        Machine("2G"),
        kernel=K61_PAE,
        append="vmalloc=256M",
    ),
    Order(
        "e-sockets-08G",
        "32-bit PAE, 8 GiB: parked datagrams until lowmem OOM",
        Machine("8G"),
        kernel=K61_PAE,
        scenario="meta",
        arguments={
            "kind": "sockets",
            "step": 500,
            "max": 300000,
            "NEAR_KB": 50000,
            "BALL": 400,
        },
    ),
    Order(
        "e-ptes-02G-nohighpte",
        "32-bit PAE, 2 GiB: N processes x 1 GiB sparse, userpte=nohigh",
        Machine("2G"),
        kernel=K61_PAE,
        append="userpte=nohigh",
        scenario="pt",
        arguments={
            "kind": "procs-sparse",
            "step": 10,
            "max": 100000,
            "mb": 1024,
            "NEAR_KB": 50000,
            "BALL": 400,
        },
    ),
    # Later kernels.
    Order(
        "v612-d-sweep-movable40-anon",
        "every block offline in turn, 500 MiB of anonymous memory",
        _TWO_NODES,
        kernel=K612,
        append="movablecore=40%",
        scenario="sweep",
        arguments={"load": "anon500", "secs": 6},
    ),
    Order(
        "v612-d-hot-768M-movable",
        "a 768 MiB module onlined to ZONE_MOVABLE, 900 MiB anonymous, removed",
        Machine("1280M", slots=8, limit="9G"),
        kernel=K612,
        append="memhp_default_state=offline",
        scenario="hotadd",
        arguments={"mb": 768, "how": "online_movable", "load": "anon900"},
    ),
    Order(
        "v612-b-files-1G-65",
        "empty tmpfs files until OOM, 1 GiB, 65% movable",
        Machine("1G"),
        kernel=K612,
        append="movablecore=65%",
        scenario="meta",
        arguments={"kind": "files", "step": 20000, "max": 9000000, "BALL": 200},
    ),
    Order(
        "v72-c-procs-1536M-256M-75",
        "processes that share a segment of 256 MiB, 1536 MiB, 75% movable",
        Machine("1536M"),
        kernel=K72,
        append="movablecore=75%",
        scenario="pt",
        arguments={"kind": "procs", "step": 10, "max": 100000, "mb": 256, "BALL": 100},
    ),
)
"""Machines and loads of the project's own; each is one command away."""
