"""validate_memory sees every kind of damage, and says what and where it is."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import HotmemError
from hotmem_viz.memory.invariants import InvariantError, validate_memory
from hotmem_viz.vocabulary import MigrateType, PageKind, SectionState
from tests.machines import NAMES, fragment, make_machine


@pytest.mark.parametrize("name", NAMES)
def test_sound_machines_pass(name):
    mem = make_machine(name)
    validate_memory(mem)
    fragment(mem, 3)
    validate_memory(mem)


def _flip_bit(mem):
    mem.free_bits[20] ^= np.uint64(1)


def _lose_page(mem):
    mem.kind.reshape(-1)[2600] = PageKind.HOLE


def _invent_page(mem):
    mem.kind.reshape(-1)[0] = PageKind.FREE


def _swap_kind(mem):
    held = np.flatnonzero(mem.kind.reshape(-1) == PageKind.ANON)[0]
    mem.kind.reshape(-1)[held] = PageKind.SLAB


def _odd_kind(mem):
    held = np.flatnonzero(mem.kind.reshape(-1) == PageKind.ANON)[0]
    mem.kind.reshape(-1)[held] = 77


def _own_free(mem):
    free = np.flatnonzero(mem.kind.reshape(-1) == PageKind.FREE)[0]
    mem.owner.reshape(-1)[free] = 1


def _own_by_none(mem):
    held = np.flatnonzero(mem.kind.reshape(-1) == PageKind.ANON)[0]
    mem.owner.reshape(-1)[held] = 999


def _retag(mem):
    mem.zone.reshape(-1)[2049] = 2


def _retype(mem):
    mem.types[3] = (mem.types[3] + 1) % 3


def _count(name, at):
    def damage(mem):
        getattr(mem, name)[at] += 1

    return damage


def _zone_count(name):
    def damage(mem):
        getattr(mem.zones, name)[1] -= 1

    return damage


def _offline(mem):
    mem.section_state[1] = SectionState.OFFLINE


def _lose_group(mem):
    mem.extents.of_group[4] = -1


def _move_group(mem):
    mem.extents.of_group[4] = mem.extents.zone_slices[1].start


def _own_map(mem):
    mem.own_map[3] = 5000


def _double_segment(mem):
    mem.segments.append(mem.segments[2])


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (_offline, "section_state: section 1"),
        (_lose_group, "extents: group 4"),
        (_move_group, "of another zone"),
        (_own_map, "own_map: section 3"),
        (_double_segment, "segments"),
        (_zone_count("end_pfn"), "outside the span of its zone 1"),
        (_flip_bit, "free_bits"),
        (_lose_page, "kind: frame 2600"),
        (_invent_page, "kind: frame 0"),
        (_swap_kind, "zone_kinds"),
        (_odd_kind, "no PageKind"),
        (_own_free, "owner"),
        (_own_by_none, "owner table"),
        (_retag, "zone: frame 2049"),
        (_retype, "zone_types"),
        (_count("zone_types", (0, 1)), "zone_types"),
        (_count("zone_kinds", (1, 5)), "zone_kinds"),
        (_count("extent_kinds", (4, 3)), "extent_kinds"),
        (_count("free_blocks", (3, 1, 7)), r"free_blocks\[3, 1, 7\]"),
        (_zone_count("free"), r"zones.free\[1\]"),
        (_zone_count("present"), r"zones.present\[1\]"),
        (_zone_count("boost"), "zones.boost"),
    ],
)
def test_damage_is_named(damage, where):
    mem = make_machine("odd")
    fragment(mem, 8)
    damage(mem)
    with pytest.raises(InvariantError, match=where) as caught:
        validate_memory(mem)
    assert isinstance(caught.value, HotmemError)
    assert isinstance(caught.value, AssertionError)


def test_free_block_of_two_types_is_named():
    mem = make_machine("plain")
    mem.types[5] = MigrateType.RECLAIMABLE
    mem.zone_types[0, [1, 2]] += [-1, 1]
    with pytest.raises(InvariantError, match="frame 2048 has two types"):
        validate_memory(mem)
