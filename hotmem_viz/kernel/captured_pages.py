"""Finds what a capture says about its pages at a stage: flags, page structs, pageblocks, kinds.

Stages are those of the texts (boot, loaded, end, near/KIND, ...), and for single memory blocks
before/memoryN and sweep/memoryN, whose pages begin at the block's first pfn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.iomem import image_pfns
from hotmem_viz.kernel.lines import MAX_PFN
from hotmem_viz.kernel.page_flags import PageRuns, parse_page_runs
from hotmem_viz.kernel.page_kinds import page_kinds
from hotmem_viz.kernel.pageblocks import PageblockTypes, parse_pageblocks
from hotmem_viz.vocabulary import PAGE_SIZE, PAGEBLOCK_PAGES

if TYPE_CHECKING:
    from hotmem_viz.kernel.captures import Capture

_BLOCK = re.compile(r"(?:before|sweep)/memory(\d{1,9})", re.ASCII)
_NEAR = re.compile(r"near/([^/]+)")
_ISOLATE_BIT_SINCE = (6, 16)
"""include/linux/pageblock-flags.h: isolation became a bit beside the type."""


def stored_path(folder: str, stage: str) -> str:
    """Return where a stage's pages are: kpf/boot; kpf/files/near for the stage near/files."""
    near = _NEAR.fullmatch(stage)
    return f"{folder}/{near[1]}/near" if near else f"{folder}/{stage}"


def page_stages(capture: Capture, folder: str = "kpf") -> tuple[str, ...]:
    """Return the stages that have pages, in alphabetical order, as `stored_path` takes them."""
    head = f"frames/{folder}/"
    names = (n.removeprefix(head) for n in capture.files if n.startswith(head))
    return tuple(sorted(re.sub(r"^([^/]+)/near$", r"near/\1", name) for name in names))


def block_pages(capture: Capture) -> int:
    """Return the size of a memory block, in pages."""
    text = capture.text("block_size_bytes").strip()
    where = capture.where("block_size_bytes")
    try:
        size = int(text, 16)
    except ValueError:
        raise CaptureError(where, f"not a hexadecimal number: {text[:20]!r}", 1) from None
    pages = size // PAGE_SIZE
    if not 0 < pages <= MAX_PFN or size % (PAGEBLOCK_PAGES * PAGE_SIZE):
        raise CaptureError(where, f"not a size of a memory block: {text[:20]!r}", 1)
    return pages


def read_runs(capture: Capture, folder: str, stage: str) -> PageRuns:
    """Read the runs of a stage from `folder`: kpf, flags; pages, words of page structs."""
    path = stored_path(folder, stage)
    block = _BLOCK.fullmatch(stage)
    start = int(block[1]) * block_pages(capture) if block else 0
    return parse_page_runs(capture.data(path), capture.where(path), start_pfn=start)


def read_pageblocks(capture: Capture, stage: str) -> PageblockTypes:
    """Read the pageblocks' migrate types at a stage."""
    path = stored_path("pbt", stage)
    found = re.match(r"(\d{1,3})\.(\d{1,3})", capture.kernel, re.ASCII)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    isolate_bit = version >= _ISOLATE_BIT_SINCE
    return parse_pageblocks(capture.text(path), capture.where(path), isolate_bit=isolate_bit)


def node_ranges(capture: Capture, stage: str) -> dict[int, tuple[tuple[int, int], ...]]:
    """Return each node's pfns at a stage: the boot log's ranges, and blocks added since."""
    ranges = _booted_ranges(capture, stage)
    if capture.has(f"{stage}/blocks"):
        booted = max((end for spans in ranges.values() for _, end in spans), default=0)
        size = block_pages(capture)
        for block in capture.blocks(stage):
            first = block.phys_index * size
            if booted <= first < MAX_PFN:
                ranges.setdefault(block.nid, []).append((first, first + size))
    return {nid: tuple(sorted(spans)) for nid, spans in sorted(ranges.items())}


def _booted_ranges(capture: Capture, stage: str) -> dict[int, list[tuple[int, int]]]:
    """Return the boot log's ranges; none where it was lost and memory blocks can do instead."""
    try:
        return {nid: list(spans) for nid, spans in capture.boot_log.node_ranges.items()}
    except CaptureError:
        if capture.has(f"{stage}/blocks"):
            return {}
        raise


def present_ranges(capture: Capture, stage: str) -> tuple[tuple[int, int], ...]:
    """Return the pfns that exist at a stage, of all nodes."""
    return tuple(sorted(r for spans in node_ranges(capture, stage).values() for r in spans))


def captured_kinds(capture: Capture, stage: str) -> PageRuns:
    """Return what every page held at a stage, as far as the capture tells: words are PageKinds.

    Raises
    ------
    CaptureError
        When the capture has no flags of that stage, or its files are damaged.
    """
    flags = read_runs(capture, "kpf", stage)
    image = image_pfns(capture.iomem()) if capture.has("boot/iomem") else ()
    words = None
    if capture.has(stored_path("pages", stage)):
        words = read_runs(capture, "pages", stage)
    whole = words is None and not flags.start_pfn
    return page_kinds(
        flags,
        words,
        held_known=capture.manifest.get("format", 1) != 1,
        present=present_ranges(capture, stage) if whole else None,
        image=image,
    )
