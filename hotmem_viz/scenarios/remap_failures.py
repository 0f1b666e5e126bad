"""The exits of the stop_machine scenario in words: who stood in the way, and what was undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.scenarios.remap_telling import Told, told
from hotmem_viz.vocabulary import EventKind, PageKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.remap import Remap


def failed(remap: Remap, kind: PageKind, owner: str) -> Told:
    """Say why an attempt ended, and what became of the section."""
    page = f"page {remap.pfn} ({kind.name.lower().replace('_', ' ')}, {owner})"
    back = f"Section {remap.section} is back in use; {remap.moved:,} pages stay where they went."
    reasons = {
        Exit.EINTR: ("Given up", "The user stopped waiting while pages still migrated. ", ("S24",)),
        Exit.EBUSY: (
            "A device holds a page",
            f"Nobody can move {page}: a device knows its frame, or boot put it there. ",
            ("S38", "S39", "S43"),
        ),
        Exit.ENOMEM: ("No frames to copy to", "Nothing was stopped and nothing copied. ", ("S27",)),
        Exit.ABORTED: (
            "Nothing written yet",
            f"With all CPUs stopped, {page} is a device's by now. Nothing was written yet. ",
            ("S38",),
        ),
    }
    verdict = remap.verdict or Exit.EINTR
    title, text, claims = reasons[verdict]
    questions = {Exit.EBUSY: ("Q15",), Exit.ABORTED: ("Q9", "Q13")}.get(verdict, ())
    return told(
        EventKind.REMAP_FAILED, f"{title} ({verdict.value})", text + back, *claims,
        rule="5.4", questions=questions, unproven=verdict is not Exit.EINTR, pfn=remap.pfn,
    )  # fmt: skip


def no_more_room(taken: int) -> Told:
    """Say who took the room."""
    text = f"Before frames are reserved, a burst of kernel memory takes {taken:,} pages: all of it."
    return told(EventKind.REFUSED, "Somebody else was faster", text, unproven=False)


def taken_by_device(pfn: int, owner: str, *, marked: bool) -> Told:
    """Say that a driver has mapped a page for DMA."""
    text = f"A driver maps page {pfn} ({owner}) for DMA: the device knows its frame by number."
    if not marked:
        text += " Nothing marks the page, so it will be taken for virtual-only."
    return told(
        EventKind.DEVICE_PAGE, "A physical user", text, "S18", "S34", function="dma_map_single",
        questions=("Q9", "Q13"), unproven=False, pfn=pfn,
    )  # fmt: skip


def corrupted(pfn: int, frame: int, read: int, true: int) -> Told:
    """Say what the physical user reads."""
    text = (
        f"The kernel writes through the old address, into frame {frame}. The device still reads"
        f" frame {pfn}, and finds tag {read} instead of {true}: old data, and no error anywhere."
    )
    return told(
        EventKind.CORRUPTED, "The device reads the old frame", text, "S34", rule="5.4",
        questions=("Q9", "Q13"), pfn=frame,
    )  # fmt: skip
