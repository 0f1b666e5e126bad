"""Questions of notebook 02: lowmem and highmem, reserves, and kernel zones that run dry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.lessons.question import Mistake, Question, Scene, find_scene
from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.watermarks import protection
from hotmem_viz.units import GIB, MIB, percent
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.lessons.questions import Draw, Maker

NOTEBOOK = "02"
LOWMEM_MIB = 896
"""Lowmem of a kernel split 3 GiB to 1 GiB (arch/x86/mm/init_32.c)."""

NEAR_MIB = 24
"""What an initrd or another build of the same kernel makes of the lowmem that is left."""


def lowmem(draw: Draw) -> Question:
    """Ask how much lowmem a 32-bit box of some size has left after boot."""
    gib = draw.pick((4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 60))
    ram = (PfnRange(1, 159), PfnRange(256, 3 * GIB), PfnRange(4 * GIB, (gib + 1) * GIB))
    spec = MachineSpec("asked", (NodeSpec(0, ram),), arch=Arch.PAE, section_pages=131072)
    profile = PROFILES["6.1-pae"]
    plan = plan_zones(spec, BootOptions(), profile)
    managed = lay_out_boot(spec, plan, BootOptions(), profile).managed_pages(plan)
    left = sum(pages for (_, zone), pages in managed.items() if zone <= ZoneType.NORMAL)
    border = LOWMEM_MIB
    slips = {
        "if lowmem cost nothing": border,
        "with 32 bytes a page and nothing else": border - (spec.present_pages * 32 >> 20),
        "with a struct page of 64 bytes, 64-bit": max(0, border - (spec.end_pfn * 64 >> 20)),
        "if only lowmem itself needed struct pages": (
            border - (border * profile.struct_page_bytes >> 12)
        ),
    }
    map_mib = spec.end_pfn * profile.struct_page_bytes >> 20
    return Question(
        text=(
            "A 32-bit kernel with PAE (Debian's 6.1, user and kernel split 3 GiB to 1 GiB) can "
            f"keep {border} MiB of memory mapped: lowmem. The box has {gib} GiB, 3 of them below "
            "the PCI hole, the rest from 4 GiB up. How much lowmem is left once it has booted?"
        ),
        unit="MiB",
        answer=left // MIB,
        # Errors that cancel one another come near the key by accident: no answer to choose.
        mistakes=tuple(
            Mistake(value, slip)
            for slip, value in slips.items()
            if abs(value - left // MIB) > NEAR_MIB
        ),
        why=(
            f"The memory map alone is {map_mib} MiB: {profile.struct_page_bytes} bytes for each "
            f"page of {spec.end_pfn // GIB} GiB of address space, the hole included, and it must "
            "lie in lowmem. Bounce buffers (64.5 MiB once memory passes 4 GiB), the image and the "
            "windows at the top of the address space take the rest. More memory, less lowmem."
        ),
        rule="a flat map from pfn 0 to the end of memory, all of it in lowmem",
        function="find_low_pfn_range(), arch/x86/mm/init_32.c",
        claims=("S11",),
        see=Scene("exhaustion", {"machine": "pae"}, 0, "lowmem and highmem of a 16 GiB box"),
    )


def reserve(draw: Draw) -> Question:
    """Ask how much of a kernel zone is closed to requests that could have gone higher."""
    movable = draw.whole(3, 24)
    normal = draw.whole(1, 4)
    types = [ZoneType.NORMAL, ZoneType.MOVABLE]
    table = protection([0, 0], types, [normal * GIB, movable * GIB])
    kept = int(table[0, ZoneType.MOVABLE])
    ratios = PROFILES["6.1"].reserve_ratios
    return Question(
        text=(
            f"One node manages {normal} GiB in Normal and {movable} GiB in Movable. Movable is "
            "full and user pages begin to spill into Normal. How much of Normal is kept from them, "
            "beside the watermark?"
        ),
        unit="MiB",
        answer=kept // MIB,
        mistakes=(
            Mistake(0, "if a user page could take whatever is free"),
            Mistake(movable * GIB // 256 // MIB, "with the ratio of DMA, 256"),
            Mistake((normal + movable) * GIB // 32 // MIB, "if Normal itself counted as well"),
            Mistake(normal * GIB // 32 // MIB, "if it were a share of Normal"),
            Mistake(normal * 1024, "if kernel zones were closed to users altogether"),
        ),
        why=(
            f"Normal keeps 1/{ratios[ZoneType.NORMAL]} of what lies above it on the same node: "
            f"{movable} GiB / {ratios[ZoneType.NORMAL]}, {percent(kept / (normal * GIB))} of "
            "Normal. What is above it on other nodes does not count: a node without "
            "ZONE_MOVABLE keeps nothing back."
        ),
        rule="lowmem_reserve_ratio: 32 for Normal",
        function="setup_per_zone_lowmem_reserve(), mm/page_alloc.c",
        claims=("S11",),
        see=Scene("exhaustion", {"movable": 0.75}, 0, "the reserve in the zones' bars"),
    )


def files(draw: Draw) -> Question:
    """Ask how many files fit after ZONE_MOVABLE has grown, the machine being the same."""
    small, large = draw.pick(
        tuple((a, b) for a in (30, 40, 50, 55) for b in (60, 65, 70, 75, 80) if b - a >= 15)
    )
    before, after = (
        find_scene("exhaustion", {"movable": share / 100, "user": 0.0}, "OOM")
        for share in (small, large)
    )
    fits, now = (int(run.counters["objects"].iloc[-1]) for _, run in (before, after))
    starts = [run.counters.iloc[0] for _, run in (before, after)]
    room = [int(row["free"] - row["useless"]) for row in starts]
    return Question(
        text=(
            f"The classroom machine has 256 MiB. With movablecore={small}% a program can create "
            f"{fits:,} empty files in tmpfs before the kernel is out of memory. How many with "
            f"movablecore={large}%? (Within a tenth.)"
        ),
        unit="files",
        entered=True,
        within=0.1,
        answer=now,
        mistakes=(
            Mistake(fits, "if the size of the machine decided"),
            Mistake(fits * (100 - small) // (100 - large), "with the ratio turned round"),
            Mistake(fits * small // large, "if the movable shares decided"),
            Mistake(
                fits * (100 - large) // (100 - small),
                "if the kernel zones were all free at boot: image, map and marks come off first",
            ),
        ),
        why=(
            "A file is slab, and slab goes to kernel zones only. Free above marks and reserves "
            f"at boot: {room[0] / MIB:.1f} MiB there with {small} %, {room[1] / MIB:.1f} MiB with "
            f"{large} %. {fits:,} x {room[1]:,} / {room[0]:,} is {fits * room[1] // room[0]:,}; "
            f"the model, page by page, comes to {now:,}. What ZONE_MOVABLE holds does not enter."
        ),
        rule="GFP_KERNEL never reaches ZONE_MOVABLE",
        function="get_page_from_freelist(), mm/page_alloc.c",
        claims=("S12",),
        see=after[0],
    )


MAKERS: dict[str, Maker] = {"lowmem": lowmem, "reserve": reserve, "files": files}
