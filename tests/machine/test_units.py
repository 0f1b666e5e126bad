"""Sizes that people type and read."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.units import GIB, MIB, format_address, format_bytes, format_pages, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("4096", 4096), ("64K", 65536), ("3g", 3 << 30), ("2T", 2 << 40)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


def test_a_mib_and_a_gib_are_counted_in_pages():
    assert (MIB, GIB) == (256, 262_144)


@pytest.mark.parametrize(
    "text", ["", "G", "-1G", "+1G", "1.5G", "1 G", "1GiB", "0x1G", "٣G", "9999T"]
)
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(ParameterError, match=r"^mem: "):
        parse_size(text, "mem")


def test_formats():
    assert format_bytes(512) == "512 B"
    assert format_bytes(3 << 29) == "1.5 GiB"
    assert format_bytes(1023 << 20) == "1023 MiB"
    assert format_bytes(16 << 30) == "16 GiB"
    assert format_pages(1) == "1 page (4 KiB)"
    assert format_pages(262144) == "262,144 pages (1 GiB)"
    assert format_address(0x100000) == "0x100000000"
