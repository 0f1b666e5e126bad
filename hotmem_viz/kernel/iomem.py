"""Reads where the kernel's image lies from /proc/iomem, as root sees it."""

from __future__ import annotations

import re

from hotmem_viz.vocabulary import PAGE_SIZE

_IMAGE = re.compile(
    r"^ *([0-9a-f]{1,16})-([0-9a-f]{1,16}) : Kernel (?:code|rodata|data|bss)$",
    re.ASCII | re.MULTILINE,
)


def image_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Return the parts of the image as (start, end) pfns; none where addresses are hidden."""
    spans = ((int(a, 16), int(b, 16) + 1) for a, b in _IMAGE.findall(text))
    return tuple((a // PAGE_SIZE, -(-b // PAGE_SIZE)) for a, b in spans if b > a + 1)
