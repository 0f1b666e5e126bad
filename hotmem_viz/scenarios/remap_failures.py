"""The exits of the stop_machine scenario in words: who stood in the way, and what was undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotmem_viz.mechanisms.isolation import RESERVED_KINDS
from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.scenarios.hot_telling import KIND_WORDS, NOBODY
from hotmem_viz.scenarios.remap_telling import Told, pages, told
from hotmem_viz.vocabulary import EventKind, PageKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.remap import Remap


class Reason(NamedTuple):
    """Why an attempt ended; see `told`."""

    title: str
    text: str
    claims: tuple[str, ...]
    function: str = ""
    questions: tuple[str, ...] = ()


def failed(remap: Remap, kind: PageKind, owner: str) -> Told:
    """Say why an attempt ended, and what became of the section."""
    back = f"Section {remap.section} is back in use; {remap.moved:,} pages stay where they went."
    if remap.moved == 1:
        back = back.replace("pages stay where they", "page stays where it")
    verdict = remap.verdict or Exit.EINTR
    why = _reason(remap, verdict, kind, owner)
    return told(
        EventKind.REMAP_FAILED, f"{why.title} ({verdict.value})", f"{why.text} {back}",
        *why.claims, rule="5.4", function=why.function, questions=why.questions,
        unproven=verdict is not Exit.EINTR, pfn=remap.pfn,
    )  # fmt: skip


def _reason(remap: Remap, verdict: Exit, kind: PageKind, owner: str) -> Reason:
    page = f"page {remap.pfn:,} ({owner if owner != NOBODY else KIND_WORDS[kind]})"
    if verdict is Exit.EINTR:
        text = "A signal came while pages still migrated, and today's loop heeds it too."
        return Reason("Given up", text, ("S24",), "offline_pages")
    if verdict is Exit.EBUSY and kind in RESERVED_KINDS:
        text = f"Nobody can move {page}: boot reserved it, and the mail has no word for that."
        return Reason("Boot's own memory stays", text, ("S38",), "has_unmovable_pages")
    if verdict is Exit.EBUSY:
        text = (
            f"Nobody can move {page}: a device knows its frame by number. Such pages should have"
            " lain in the region for devices alone."
        )
        claims = ("S38", "S39", "S43")
        return Reason("A device holds a page", text, claims, "dma_map_single", ("Q15",))
    if verdict is Exit.ABORTED:
        text = (
            f"With all CPUs stopped, {page} is a device's by now. Nothing has been written, so"
            " nothing has to be undone."
        )
        return Reason("Nothing written yet", text, ("S38",), "dma_map_single", ("Q9", "Q13"))
    if not remap.room.refused:
        text = f"{page[0].upper()}{page[1:]} could migrate, but no zone has room for it."
        return Reason("No room to migrate to", text, ("S24",), "migrate_pages")
    need = pages(len(remap.residue))
    text = f"There is no room for {need} of residue. Nothing was stopped and nothing copied."
    return Reason("No frames to copy to", text, ("S27",), "__alloc_pages", ("Q1",))


def no_more_room(taken: int) -> Told:
    """Say who took the room."""
    text = f"Before frames are reserved, a burst of kernel memory takes {taken:,} pages: all of it."
    return told(
        EventKind.REFUSED, "Somebody else was faster", text, "S27", rule="A8",
        function="__alloc_pages", unproven=False,
    )  # fmt: skip


def taken_by_device(pfn: int, owner: str, *, marked: bool) -> Told:
    """Say that a driver has mapped a page for DMA."""
    text = f"A driver maps page {pfn:,} ({owner}) for DMA: the device knows its frame by number."
    if not marked:
        text += " Nothing marks the page, so it will be taken for virtual-only."
    return told(
        EventKind.DEVICE_PAGE, "A physical user", text, "S18", "S34", rule="5.3",
        function="dma_map_single", questions=("Q9", "Q13"), unproven=False, pfn=pfn,
    )  # fmt: skip


def corrupted(pfn: int, frame: int, read: int, true: int) -> Told:
    """Say what the physical user reads."""
    text = (
        f"The kernel writes through the old address, into frame {frame:,}. The device still reads"
        f" frame {pfn:,}, and finds tag {read} instead of {true}: old data, and no error anywhere."
    )
    return told(
        EventKind.CORRUPTED, "The device reads the old frame", text, "S34", rule="5.4",
        function="dma_map_single", questions=("Q9", "Q13"), pfn=frame,
    )  # fmt: skip
