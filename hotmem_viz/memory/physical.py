"""PhysicalMemory: the arrays of one machine, and the few ways in which writers touch them.

Only mechanisms (and boot) write. Frames change hands through `fill` and `clear`, which keep
every declared count current; buddy orders are never stored but read off the free bitmap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from hotmem_viz.memory.fields import COUNT_FIELDS, PAGE_FIELDS, SECTION_FIELDS, Field
from hotmem_viz.memory.frames import WORD, Bits, FrameSet, Words, pack, unpack
from hotmem_viz.memory.zones import GROUP_WORDS, Extents, Segment, ZoneTable, find_segments
from hotmem_viz.vocabulary import (
    N_ORDERS,
    PAGEBLOCK_PAGES,
    MigrateType,
    PageKind,
)

if TYPE_CHECKING:
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan
    from hotmem_viz.memory.added import AddedMemory, MemoryGroup

_FREE, _ISOLATE = int(PageKind.FREE), int(MigrateType.ISOLATE)
"""As plain numbers: looking a member up costs more than what `fill` does for a few frames."""


@dataclass
class Owners:
    """Who holds frames: rows of names; a row whose slab or cache can be shrunk is shrinkable."""

    names: list[str] = field(default_factory=lambda: ["nobody"])
    shrinkable: list[bool] = field(default_factory=lambda: [False])

    def add(self, name: str, *, shrinkable: bool = False) -> int:
        """Return the row of `name`, a new one if there is none yet."""
        if name in self.names:
            return self.names.index(name)
        self.names.append(name)
        self.shrinkable.append(shrinkable)
        return len(self.names) - 1


@dataclass
class HugePool:
    """What the pool of huge pages has promised: mappings that have not touched theirs yet.

    The pages themselves are in the field `huge`.
    """

    reserved: int = 0


class PhysicalMemory:
    """The memory of one machine: S sections of P frames, N = S * P.

    The arrays are those of `hotmem_viz.memory.fields`; they can be index-assigned, never
    rebound. `zones` and `extents` say which frame lies where, `owners` who holds them;
    `segments` are the memory that is online, ascending, each in one zone; `added` what came
    after boot and `groups` the devices that it belongs to.
    """

    kind: np.ndarray
    owner: np.ndarray
    zone: np.ndarray
    free_bits: np.ndarray
    pinned_bits: np.ndarray
    migratetype: np.ndarray
    huge: np.ndarray
    section_state: np.ndarray
    own_map: np.ndarray
    free_blocks: np.ndarray
    extent_kinds: np.ndarray
    zone_kinds: np.ndarray
    zone_types: np.ndarray

    def __init__(self, spec: MachineSpec, plan: ZonePlan, profile: KernelProfile) -> None:
        self.spec, self.plan, self.profile = spec, plan, profile
        self.segments: list[Segment] = find_segments(spec, plan)
        self.zones = ZoneTable(spec, plan)
        self.extents = Extents(self.segments, len(self.zones), spec, plan)
        self.owners = Owners()
        self.huge_pool = HugePool()
        self.groups: list[MemoryGroup] = []
        self.added: list[AddedMemory] = []
        self.kswapd_failures = dict.fromkeys(spec.nids, 0)
        self.zonelists: dict[tuple[int, int], list[int]] = {}
        self.unmixed_zones: dict[tuple[int, int], list[int]] = {}
        self.reclaim_hand = [0] * len(self.zones)
        for f in PAGE_FIELDS + SECTION_FIELDS + COUNT_FIELDS:
            # A machine has few kinds and orders but many extents: those lie next to each other.
            layout: Literal["C", "F"] = "F" if f.axes[0] == "E" else "C"
            self.__dict__[f.name] = np.zeros(self.shape(f), f.dtype, order=layout)
        self.migratetype[...] = MigrateType.MOVABLE
        self.kind_words = self.kind.reshape(-1, WORD)
        self.owner_words = self.owner.reshape(-1, WORD)
        self.types = self.migratetype.reshape(-1)
        self.huge_states = self.huge.reshape(-1)

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.__dict__:
            raise AttributeError(f"{name} is a field of physical memory: assign to its elements")
        self.__dict__[name] = value

    def shape(self, declared: Field) -> tuple[int, ...]:
        """Return the shape of a declared field on this machine."""
        sizes = {
            "S": self.spec.n_sections,
            "P": self.spec.section_pages,
            "W": self.spec.n_sections * self.spec.section_pages // WORD,
            "B": self.spec.section_pages // PAGEBLOCK_PAGES,
            "E": len(self.extents),
            "Z": len(self.zones),
            "Y": len(MigrateType),
            "O": N_ORDERS,
            "K": len(PageKind),
        }
        return tuple(sizes[axis] for axis in declared.axes)

    def locate(self, words: Words, bits: Bits) -> tuple[Words, Bits, np.ndarray]:
        """Say in which extent each word's frames lie.

        Returns words, bits and extents (W',) int64; a word that two zones share is returned
        once for each, with that zone's frames only.
        """
        extent = self.extents.of_group[words // GROUP_WORDS].astype(np.int64)
        if not self.extents.irregular or (extent >= 0).all():
            return words, bits, extent
        regular = extent >= 0
        parts = [(words[regular], bits[regular], extent[regular])]
        for g, shares in self.extents.irregular.items():
            inside = words // GROUP_WORDS == g
            for e, mask in shares:
                share = bits[inside] & mask[words[inside] % GROUP_WORDS]
                hit = share != 0
                parts.append((words[inside][hit], share[hit], np.full(int(hit.sum()), e)))
        return (
            np.concatenate([p[0] for p in parts]),
            np.concatenate([p[1] for p in parts]),
            np.concatenate([p[2] for p in parts]),
        )

    def fill(self, frames: FrameSet, kind: PageKind, owner: int) -> None:
        """Give free frames to an owner; the free bitmap and the counts follow.

        The blocks they were part of are the business of `mechanisms.buddy`.
        """
        mask = unpack(frames.bits)
        rows = _index(frames.words)
        self.kind_words[rows] += mask * np.uint8(kind - _FREE)
        if owner:
            self.owner_words[rows] += mask * np.uint16(owner)
        self.free_bits[rows] ^= frames.bits
        self._count(frames, _FREE, kind)

    def clear(self, frames: FrameSet) -> None:
        """Make held frames free, pinned or not; the free bitmap and the counts follow."""
        if not len(frames.words):
            return
        mask = unpack(frames.bits)
        rows = _index(frames.words)
        held = self.kind_words[rows]
        kind = int(held[0, mask[0].argmax()])
        if ((held ^ np.uint8(kind)) * mask).any():
            self._count_mixed(frames, held, mask)
            np.copyto(held, np.uint8(_FREE), where=mask.view(bool))
        else:
            self._count(frames, kind, _FREE)
            held -= mask * np.uint8(kind - _FREE)
        self.kind_words[rows] = held
        keep = mask.astype(np.uint16)
        keep -= np.uint16(1)
        self.owner_words[rows] &= keep
        self.free_bits[rows] |= frames.bits
        self.pinned_bits[rows] &= ~frames.bits
        if any(self.zone_types[:, _ISOLATE].tolist()):
            self.zones.free[:] -= self.count_by_zone(self.inside_isolated(frames))

    def relabel(self, frames: FrameSet, kinds: np.ndarray, owners: np.ndarray) -> None:
        """Say anew what held frames hold, and for whom; the counts follow.

        kinds: (n,) uint8, owners: (n,) uint16, in order of pfn; n is the number of frames.
        """
        pfns = frames.pfns()
        old = self.kind.reshape(-1)[pfns]
        changed = old != kinds
        for was in np.flatnonzero(np.bincount(old[changed])):
            for now in np.flatnonzero(np.bincount(kinds[changed & (old == was)])):
                share = FrameSet.of_pfns(pfns[changed & (old == was) & (kinds == now)])
                self._count(share, int(was), int(now))
        self.kind.reshape(-1)[pfns] = kinds
        self.owner.reshape(-1)[pfns] = owners

    def inside_isolated(self, frames: FrameSet) -> FrameSet:
        """Return those of some frames that lie in isolated pageblocks."""
        isolated = self.types[frames.words // (PAGEBLOCK_PAGES // WORD)] == MigrateType.ISOLATE
        return FrameSet(frames.words[isolated], frames.bits[isolated])

    def count_by_zone(self, frames: FrameSet) -> np.ndarray:
        """Count frames by the zone they lie in: (Z,) int64 pages."""
        _, bits, extent = self.locate(frames.words, frames.bits)
        pages = np.bitwise_count(bits)
        zones = self.extents.zone[extent]
        return np.bincount(zones, weights=pages, minlength=len(self.zones)).astype(np.int64)

    def _count_mixed(self, frames: FrameSet, held: np.ndarray, mask: np.ndarray) -> None:
        """Count frames of several kinds as free; held, mask: (W', 64) uint8."""
        for kind in self._kinds_near(frames):
            share = pack(mask & (held == kind))
            if share.any():
                self._count(FrameSet.of_nonzero(frames.words, share), int(kind), _FREE)

    def _kinds_near(self, frames: FrameSet) -> np.ndarray:
        """Kinds that occur in the extents of some frames, free ones left out."""
        extents = np.unique(self.locate(frames.words, frames.bits)[2])
        there = self.extent_kinds[extents].any(axis=0)
        there[_FREE] = False
        return np.flatnonzero(there)

    def _count(self, frames: FrameSet, old: int, new: int) -> None:
        """Move frames from one kind's counts to another's; free counts too."""
        if not len(frames.words):
            return
        of_group = self.extents.of_group
        first, last = (int(of_group[frames.words[i] // GROUP_WORDS]) for i in (0, -1))
        if first == last and first >= 0 and not self.extents.woven:
            # Within one extent, nearly always so for the small requests of a lesson.
            self._count_extent(first, len(frames), old, new)
            return
        _, bits, extent = self.locate(frames.words, frames.bits)
        low = int(extent.min())
        pages = np.bincount(extent - low, weights=np.bitwise_count(bits)).astype(np.int64)
        at = slice(low, low + len(pages))
        self.extent_kinds[at, old] -= pages
        self.extent_kinds[at, new] += pages
        by_zone = np.bincount(self.extents.zone[at], weights=pages, minlength=len(self.zones))
        by_zone = by_zone.astype(np.int64)
        self.zone_kinds[:, old] -= by_zone
        self.zone_kinds[:, new] += by_zone
        if old == _FREE:
            self.zones.free[:] -= by_zone
        elif new == _FREE:
            self.zones.free[:] += by_zone

    def _count_extent(self, extent: int, pages: int, old: int, new: int) -> None:
        """Move pages of one extent from one kind's counts to another's."""
        zone = int(self.extents.zone[extent])
        for counts in (self.extent_kinds[extent], self.zone_kinds[zone]):
            counts[old] -= pages
            counts[new] += pages
        if old == _FREE:
            self.zones.free[zone] -= pages
        elif new == _FREE:
            self.zones.free[zone] += pages


def _index(words: Words) -> Words | slice:
    """Index of rows; a slice where the words are neighbours, which is several times as fast."""
    if len(words) and int(words[-1]) - int(words[0]) + 1 == len(words):
        return slice(int(words[0]), int(words[-1]) + 1)
    return words
