"""The end of the stop_machine scenario in words: drained, home, moved on; what nobody built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.scenarios.remap_telling import Told, pages, told
from hotmem_viz.units import counted, percent
from hotmem_viz.vocabulary import EventKind, Movability, PageKind

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory

_KERNEL = [k for k in PageKind if k.movability is Movability.REMAP_ONLY]


def drained(section: int) -> Told:
    """Say that the slow state is over."""
    text = (
        f"The last page of section {section} is freed: drained, and offline for good. The mail"
        " does not say so; without it lookups there would be slow for ever."
    )
    return told(EventKind.DRAINED, "Drained", text, "S25", rule="5.2", questions=("Q6",))


def came_home(section: int, count: int) -> Told:
    """Say that the pages are back."""
    text = (
        f"The memory came back, and {pages(count)} were copied home in another stop: section"
        f" {section} is found by the 1:1 map again, fast. Not in the mail."
    )
    return told(EventKind.COPIED_HOME, "Copied home", text, "S22", rule="5.2")


def target_left(host: int, sections: list[int]) -> Told:
    """Say that moves compose."""
    named = ", ".join(map(str, sections))
    text = f"Section {host}, where pages had gone, left as well. "
    if sections:
        text += f"The map was written once more for section {named}; the"
    else:
        text += "None of those pages lived any more; the"
    text += " addresses have not changed since boot (Q7)."
    return told(
        EventKind.TARGET_REMOVED, "The target goes too", text, "S28", rule="5.2", questions=("Q7",)
    )


def device_reserve(mem: PhysicalMemory) -> Told:
    """Compare what a reserve for all kernel memory and one for devices' pages would have to hold.

    Mel's percent is of devices' pages alone; that of kernelcore= (4.17) is of all kernel memory.
    """
    kinds = mem.zone_kinds.sum(axis=0)
    devices = int(kinds[PageKind.PINNED]) + int(np.bitwise_count(mem.pinned_bits).sum())
    kernel, present = int(kinds[_KERNEL].sum()), mem.spec.present_pages
    text = (
        f"A reserve like kernelcore= must hold all kernel memory: {kernel:,} pages of slabs,"
        f" stacks, buffers and tables, {percent(kernel / present, 1)} of this machine. The mail's"
        f" holds only what a device has: {pages(devices)} in this run. How few that is depends on"
        " the load: Meta (2023) found 73 % of unmovable pages to be networking's."
    )
    return told(
        EventKind.DEVICE_REGION, "What would have to stay", text, "S39", "S43", rule="5.3",
        questions=("Q15",),
    )  # fmt: skip


def finished(slow: int) -> Told:
    """Say what a lecture should not forget."""
    text = (
        f"{counted(slow, 'slow section')} at the end. Unproven, not designed: DMA, IOMMUs, KVM,"
        " kexec, hibernation, /proc/kcore and memory failure know physical addresses too, and none"
        " was asked (Q10). Fifteen open questions."
    )
    return told(
        EventKind.DONE, "Nobody built it", text, "S40", "S41", "S42", rule="5.5",
        questions=tuple(f"Q{n}" for n in range(1, 16)),
    )  # fmt: skip
