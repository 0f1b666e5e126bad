"""movablecore_map=: the boot option that the mail argues about, which no released kernel has.

Proposed in 2012, merged for 3.9-rc1 under the name movablemem_map, reverted before 3.9
(20e6926dcbaf). A person names ranges of physical addresses; each node's ZONE_MOVABLE begins at the
lowest of its memory that a range names and reaches to the end of the node.

Left out: how the patches kept early allocations out of the ranges, and that they let sizes be
given beside them. Claims S1, S2, S5 and S7.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hotmem_viz.errors import BootOptionError, ParameterError
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.units import parse_page_size
from hotmem_viz.vocabulary import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable

OPTION = "movablecore_map"
FORM = f"the form is {OPTION}=SIZE@ADDRESS, such as {OPTION}=24M@152M, given once for each range"


def parse_movable_map(text: str) -> BootOptions:
    """Read ranges that a person typed: "movablecore_map=24M@152M", once for each range.

    Raises
    ------
    BootOptionError
        For any other word, an empty range, and ranges that overlap.
    """
    ranges = sorted(_parse_range(word) for word in text.split())
    if not ranges:
        raise BootOptionError(OPTION, text, FORM)
    for (_, end), (start, _) in itertools.pairwise(ranges):
        if start < end:
            raise BootOptionError(OPTION, text, "ranges may not overlap")
    return BootOptions(movable_ranges=tuple(ranges), text=text)


def _parse_range(word: str) -> tuple[int, int]:
    name, equals, value = word.partition("=")
    size_text, at, start_text = value.partition("@")
    if name != OPTION or not equals or not at:
        raise BootOptionError(OPTION, word, FORM)
    try:
        size, start = parse_page_size(size_text, OPTION), parse_page_size(start_text, OPTION)
    except ParameterError as error:
        raise BootOptionError(OPTION, word, f"{FORM}; {error.allowed}") from None
    if not size:
        raise BootOptionError(OPTION, word, f"{FORM}; a range is not empty")
    return start, start + size


def write_movable_map(ranges: Iterable[tuple[int, int]]) -> str:
    """Write ranges of pfns as a person would type them."""
    return " ".join(f"{OPTION}={_size(end - start)}@{_size(start)}" for start, end in ranges)


def _size(pages: int) -> str:
    kib = pages * PAGE_SIZE // 1024
    return f"{kib // 1024}M" if kib % 1024 == 0 else f"{kib}K"
