"""Marks once transparent huge pages are switched off: integers that real kernels printed."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.huge_pages import switch_off_huge_pages
from hotmem_viz.mechanisms.watermarks import marks_without_thp, watermark_rules
from hotmem_viz.vocabulary import ZoneType

TYPES = [ZoneType.DMA, ZoneType.DMA32, ZoneType.MOVABLE]


@pytest.mark.parametrize(
    ("profile", "managed", "high", "marks"),
    [
        # v72-c-zero-1G-60 and v612-c-zero-1G-60: managed and high at boot, then all three marks.
        (
            "7.2",
            [3840, 89967, 153066],
            [284, 6499, 3896],
            ([24, 584, 128], [30, 730, 376], [36, 876, 624]),
        ),
        (
            "6.12",
            [3840, 90893, 153062],
            [284, 6613, 3896],
            ([23, 568, 128], [28, 710, 367], [33, 852, 606]),
        ),
    ],
)
def test_marks_of_captures(profile, managed, high, marks):
    kernel = find_profile(profile)
    rules = watermark_rules(kernel, Arch.X86_64, sum(managed))
    found = marks_without_thp(TYPES, managed, rules, high, kernel.thp_off_runs)
    assert (found.min.tolist(), found.low.tolist(), found.high.tolist()) == marks


def test_boost_counts_before_and_is_gone_after_and_protection_stays():
    options = parse_boot_options("movablecore=50%", strict=True)
    mems = [boot_machine(find_preset("server"), options, find_profile("6.1")) for _ in range(2)]
    before, protection = mems[0].zones.min.copy(), mems[0].zones.protection.copy()
    mems[1].zones.boost[:] = 4096
    for mem in mems:
        switch_off_huge_pages(mem)
        assert not mem.zones.boost.any()
        assert np.array_equal(mem.zones.protection, protection)
        assert (mem.zones.min < before).all()
    # High marks that stand higher leave fewer pages to take the root of.
    assert mems[1].zones.min.sum() < mems[0].zones.min.sum()
    assert mems[0].zones.total_reserve > 0
