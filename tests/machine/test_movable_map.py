"""movablecore_map=: read strictly, and cut by hand-made plans."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import BootOptionError
from hotmem_viz.machine.movable_map import parse_movable_map, write_movable_map
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.vocabulary import ZoneType

GIB = 1 << 18
MIB = 1 << 8
# Node 0 with a hole from 3 to 4 GiB and one from 6 to 7, node 1 behind it.
SPEC = MachineSpec(
    "small",
    (
        NodeSpec(0, (PfnRange(0, 3 * GIB), PfnRange(4 * GIB, 6 * GIB), PfnRange(7 * GIB, 9 * GIB))),
        NodeSpec(1, (PfnRange(9 * GIB, 14 * GIB),)),
    ),
)


def plan(text: str):
    return plan_zones(SPEC, parse_movable_map(text), PROFILES["2012"])


def test_ranges_are_read_and_written():
    text = "movablecore_map=2G@4G movablecore_map=512M@1G"
    assert parse_movable_map(text).movable_ranges == (
        (GIB, GIB + 512 * MIB),
        (4 * GIB, 6 * GIB),
    )
    assert write_movable_map(((4 * GIB, 6 * GIB), (3, 4))) == (
        "movablecore_map=2048M@4096M movablecore_map=4K@12K"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "movablecore_map",
        "movablecore_map=2G",
        "movablecore_map=2G@",
        "movablecore_map=@4G",
        "movablecore_map=0@4G",
        "movablecore_map=2G@0x100000000",
        "movablecore_map=2G@4G@6G",
        "movablecore_map=2G@4G,1G@8G",
        "movablecore_map=3K@4G",
        "movablecore_map=2G@4G movablecore_map=1G@5G",
        "movablecore_map=2G@4G movable_node",
        "movablemem_map=2G@4G",
    ],
)
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(BootOptionError) as caught:
        parse_movable_map(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("movablecore_map: ")


def test_the_zone_reaches_from_the_range_to_the_end_of_its_node():
    made = plan("movablecore_map=512M@5G")
    assert dict(made.movable_starts) == {0: 5 * GIB}
    movable = made.find(0, ZoneType.MOVABLE)
    assert movable is not None
    # The rest of the second range, and the third, which nobody named.
    assert movable.present_pages == 3 * GIB
    assert made.find(1, ZoneType.MOVABLE) is None


def test_a_range_across_a_border_swallows_the_node_behind_it():
    made = plan("movablecore_map=2G@8G")
    assert dict(made.movable_starts) == {0: 8 * GIB, 1: 9 * GIB}
    assert made.find(1, ZoneType.NORMAL) is None


def test_a_range_in_a_hole_does_nothing_and_one_half_in_it_begins_behind_it():
    assert not plan("movablecore_map=1G@6G").movable_starts
    assert dict(plan("movablecore_map=2G@6G").movable_starts) == {0: 7 * GIB}


def test_the_lowest_of_several_ranges_counts_and_is_rounded_up_to_4_mib():
    made = plan("movablecore_map=1G@12G movablecore_map=4K@10241M")
    assert dict(made.movable_starts) == {1: 10244 * MIB}
