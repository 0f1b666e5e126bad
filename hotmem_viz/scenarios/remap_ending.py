"""The last words of the stop_machine scenario: what a reserve must hold, and what nobody built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.scenarios.remap_telling import Told, told
from hotmem_viz.vocabulary import EventKind, Movability, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

_KERNEL = [k for k in PageKind if k.movability is Movability.REMAP_ONLY]


def device_reserve(mem: PhysicalMemory) -> Told:
    """Compare what a reserve for all kernel memory and one for devices' pages would have to hold.

    Mel's percent is of devices' pages alone; that of kernelcore= (4.17) is of all kernel memory.
    """
    kinds = mem.zone_kinds.sum(axis=0)
    devices = int(kinds[PageKind.PINNED]) + int(np.bitwise_count(mem.pinned_bits).sum())
    kernel, present = int(kinds[_KERNEL].sum()), mem.spec.present_pages
    held = f"{devices:,} page" + ("" if devices == 1 else "s")
    text = (
        f"A reserve like kernelcore= must hold all kernel memory: {kernel:,} pages of slabs,"
        f" stacks, buffers and tables, {kernel / present:.1%} of this machine. The mail's holds"
        f" only what a device has: {held} in this run. How few that is depends on the load: Meta"
        " (2023) found 73% of unmovable pages to be networking's."
    )
    return told(
        EventKind.DEVICE_REGION, "What would have to stay", text, "S39", "S43", rule="5.3",
        questions=("Q15",),
    )  # fmt: skip


def finished(slow: int) -> Told:
    """Say what a lecture should not forget."""
    text = (
        f"{slow} slow section{'' if slow == 1 else 's'} at the end. All of this is unproven and not"
        " designed: DMA, IOMMUs, KVM, kexec, hibernation, /proc/kcore and the memory-failure code"
        " know physical addresses too, and none of them was asked (Q10)."
    )
    return told(
        EventKind.DONE, "Nobody built it", text, "S40", "S41", "S42", rule="5.5", questions=("Q10",)
    )
