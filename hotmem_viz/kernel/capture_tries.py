"""Attempts to set memory blocks offline, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.capture_map import count_kinds
from hotmem_viz.kernel.hotplug_answers import BUSY, INVALID, NEVER, OK
from hotmem_viz.recording.recording import Event
from hotmem_viz.vocabulary import EventKind, Movability, PageKind

if TYPE_CHECKING:
    from hotmem_viz.kernel.hotplug_answers import OfflineAttempt
    from hotmem_viz.kernel.page_flags import PageRuns

_WORDS = {
    PageKind.RECLAIMABLE_SLAB: "of slab",
    PageKind.SLAB: "of slab",
    PageKind.KERNEL_STACK: "of the kernel without a flag",
    PageKind.KERNEL_BUFFER: "of the kernel without a flag",
    PageKind.PAGE_TABLE: "of page tables",
    PageKind.RESERVED: "reserved since boot",
    PageKind.MEMMAP: "of the memory map",
    PageKind.KERNEL_IMAGE: "of the kernel's image",
    PageKind.PINNED: "of devices",
}


def tell_attempt(tick: int, attempt: OfflineAttempt, pages: PageRuns | None) -> Event:
    """Tell one attempt; `pages`: what its pages held just before, where flags were read."""
    title, text = _verdict(attempt)
    found = _kernel_pages(pages)
    if found:
        text += f" Just before, its flags showed {found}."
    return Event(
        tick=tick,
        kind=(EventKind.CAPTURED if attempt.verdict == OK else EventKind.REFUSED).name,
        title=f"memory{attempt.block} {title}",
        text=text,
        mark=True,
        rule="A9",
        function="offline_pages()",
    )


def _verdict(attempt: OfflineAttempt) -> tuple[str, str]:
    """Return what became of the block, and why, in words (mm/memory_hotplug.c, 6.1)."""
    zone, seconds = ",".join(attempt.valid_zones), f"{attempt.seconds:.2g} s"
    if attempt.verdict == OK:
        title = "goes offline"
        text = f"Its zone is {zone}; after {seconds} everything in it was moved."
    elif attempt.verdict == BUSY:
        title = "is busy"
        text = f"Its zone is {zone}. EBUSY after {seconds}: a page in it is none that could move."
    elif attempt.verdict == INVALID and not zone:
        title = "is refused"
        text = "EINVAL at once: two zones share the block (valid_zones: none)."
    elif attempt.verdict == INVALID:
        title = "is refused"
        text = f"Its zone is {zone}. EINVAL at once: the block has a hole, pages without memory."
    elif attempt.verdict == NEVER:
        title = "never ends"
        text = (
            f"Its zone is {zone}. After {seconds} the kernel was still trying, and a signal ended "
            "it: pages that cannot be moved now are tried again without end."
        )
    else:
        title, text = "is refused", f"The kernel answered {attempt.verdict}."
    return title, text


def _kernel_pages(pages: PageRuns | None) -> str:
    """List the pages of a block that do not simply move, by their flags."""
    if pages is None:
        return ""
    totals: dict[str, int] = {}
    for kind, count in zip(PageKind, count_kinds(pages).tolist(), strict=True):
        if count and kind.movability is not Movability.MOVES:
            totals[_WORDS[kind]] = totals.get(_WORDS[kind], 0) + count
    return ", ".join(f"{n:,} {'page' if n == 1 else 'pages'} {word}" for word, n in totals.items())
