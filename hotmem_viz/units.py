"""Sizes as people write and read them: "3G" to bytes and pages, and back."""

from __future__ import annotations

import re

from hotmem_viz.errors import ParameterError
from hotmem_viz.vocabulary import PAGE_SIZE

MIB, GIB = (1 << 20) // PAGE_SIZE, (1 << 30) // PAGE_SIZE
"""Pages in a MiB and in a GiB: pfns and sizes of memory are counted in pages."""

_SUFFIXES = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_SIZE = re.compile(r"([0-9]{1,18})([KMGT]?)", re.ASCII | re.IGNORECASE)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LARGEST = 1 << 52
"""The largest physical address of x86-64 with five-level tables, in bytes."""


def parse_size(text: str, name: str = "size") -> int:
    """Read a size that a person typed: digits and at most one suffix K, M, G or T.

    Suffixes are binary. Nothing else that memparse() of the kernel takes is accepted
    (hexadecimal, octal, trailing text), because a person who types it means something else.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ParameterError
        When `text` is anything else, or above 4 PiB; `name` is the parameter it names.
    """
    match = _SIZE.fullmatch(text)
    size = int(match[1]) << _SUFFIXES[match[2].upper()] if match else None
    if size is None or size > _LARGEST:
        raise ParameterError(
            name, text, "a size is a whole number with K, M, G or T, such as 512M, up to 4096T"
        )
    return size


def parse_page_size(text: str, name: str = "size") -> int:
    """Read a size that a person typed and that must be whole pages; returns pages.

    Raises
    ------
    ParameterError
        As `parse_size`, and when the size is not a multiple of 4 KiB.
    """
    size = parse_size(text, name)
    if size % PAGE_SIZE:
        raise ParameterError(name, text, "a size must be a multiple of the 4K page")
    return size // PAGE_SIZE


def format_bytes(size: int) -> str:
    """Write bytes for people: the largest binary unit, three significant digits."""
    value, unit = float(size), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    number = f"{value:.4g}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{number} {_UNITS[unit]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write a number of things for people: "1 page", "2 pages"; plural where an s is not enough."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage: 0.016 with one digit is "1.6 %"."""
    return f"{100 * share:.{digits}f} %"


def format_pages(pages: int) -> str:
    """Write a number of pages for people: the count, and what it is in bytes."""
    return f"{counted(pages, 'page')} ({format_bytes(pages * PAGE_SIZE)})"


def format_address(pfn: int) -> str:
    """Write the address where a page starts the way /proc/iomem does, in hexadecimal."""
    return f"0x{pfn * PAGE_SIZE:x}"
