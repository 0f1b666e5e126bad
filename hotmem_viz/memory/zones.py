"""The zone table, and the extents: the parts of sections that lie in one zone.

A section can lie in two zones, because zones begin at multiples of 4 MiB and sections are
larger. Counts are therefore kept per extent, which lies in one section and in one zone.
Extents are sorted by zone, then by section, so that a zone's extents are a slice.

Buddy blocks reach at most 1,024 frames and never cross a zone border, so the frames fall into
*groups* of 1,024 (16 words) that do not influence one another. A group that holds frames of two
zones is irregular: it belongs to several extents, each with a mask of its frames.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.machine.zone_rows import Place, find_places, zone_rows
from hotmem_viz.memory.fields import ZONE_FIELDS
from hotmem_viz.memory.frames import ALL_ONES, WORD, range_bits
from hotmem_viz.vocabulary import MAX_ORDER_PAGES, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import MachineSpec
    from hotmem_viz.machine.zone_plan import ZonePlan

GROUP_WORDS = MAX_ORDER_PAGES // WORD


class ZoneTable:
    """One row a zone, as arrays (Z,) int64 named by `fields.ZONE_FIELDS`.

    `protection` is (Z, 5) int64, pages that a request whose highest zone is the column's
    ZoneType must leave free (lowmem_reserve). `total_reserve` is what all zones together keep back,
    the kernel's totalreserve_pages, written whenever watermarks are set. `thp` is whether huge
    pages raise min_free_kbytes, which is decided at boot.

    A machine whose memory comes and goes has rows of zones that are empty, start and end at 0.
    """

    nid: np.ndarray
    type: np.ndarray
    start_pfn: np.ndarray
    end_pfn: np.ndarray
    present: np.ndarray
    managed: np.ndarray
    free: np.ndarray
    min: np.ndarray
    low: np.ndarray
    high: np.ndarray
    boost: np.ndarray

    def __init__(self, spec: MachineSpec, plan: ZonePlan) -> None:
        spans = zone_rows(spec, plan)
        for field in ZONE_FIELDS:
            setattr(self, field.name, np.zeros(len(spans), field.dtype))
        self.total_reserve = 0
        self.thp = False
        self.protection = np.zeros((len(spans), len(ZoneType)), np.int64)
        for i, span in enumerate(spans):
            self.nid[i], self.type[i] = span.nid, span.zone
            self.start_pfn[i], self.end_pfn[i] = span.start_pfn, span.end_pfn
            self.present[i] = span.present_pages

    def __len__(self) -> int:
        return len(self.nid)

    def row(self, nid: int, zone_type: int) -> int:
        """Return the row of a node's zone, or -1 where the machine can have no such zone."""
        at = np.flatnonzero((self.nid == nid) & (self.type == zone_type))
        return int(at[0]) if len(at) else -1

    def label(self, zone: int) -> str:
        """Name a zone as captions do: "Normal of node 0"."""
        return f"{ZoneType(int(self.type[zone])).label} of node {self.nid[zone]}"


class Segment(NamedTuple):
    """Memory [start_pfn, end_pfn) that lies in one zone."""

    start_pfn: int
    end_pfn: int
    zone: int


def find_segments(spec: MachineSpec, plan: ZonePlan) -> list[Segment]:
    """Cut a machine's boot memory at the zone borders: segments in ascending order."""
    found = []
    for node in spec.nodes:
        for zone, span in enumerate(zone_rows(spec, plan)):
            if span.nid != node.nid:
                continue
            for r in node.ranges:
                start, end = max(r.start_pfn, span.start_pfn), min(r.end_pfn, span.end_pfn)
                if start < end:
                    found.append(Segment(start, end, zone))
    return sorted(found)


class Extents:
    """The parts of sections that lie in one zone: arrays (E,) int64.

    zone, section: rows of the zone table and section numbers. zone_slices: for each zone, its
    extents as a slice. of_group: (N / 1024,) int32, the group's extent, -1 for a group without
    memory and -2 for an irregular one; irregular: its extents, each with a (16,) uint64 mask.
    first_group, n_groups: (E,) the run of groups that an extent reaches into; all_small: whether
    each reaches into one only. woven: whether a run has groups inside that are not the extent's.

    A section that can change zones has an extent for each of them; all but one, or all, are
    empty: no group is theirs and all their counts are 0.
    """

    def __init__(
        self, segments: list[Segment], n_zones: int, spec: MachineSpec, plan: ZonePlan
    ) -> None:
        n_sections, per_section = spec.n_sections, spec.section_pages // MAX_ORDER_PAGES
        size, places = spec.section_pages, find_places(spec, plan)
        runs = [Place(s.start_pfn // size, (s.end_pfn - 1) // size + 1, s.zone) for s in segments]
        keys = np.unique(
            np.concatenate([p.zone * n_sections + np.arange(p.first, p.end) for p in runs + places])
        )
        self.zone, self.section = keys // n_sections, keys % n_sections
        bounds = np.searchsorted(self.zone, np.arange(n_zones + 1))
        self.zone_slices = [slice(int(a), int(b)) for a, b in itertools.pairwise(bounds)]
        self.of_group = np.full(n_sections * per_section, -1, np.int32)
        self.irregular: dict[int, list[tuple[int, np.ndarray]]] = {}
        self.first_group = np.full(len(keys), n_sections * per_section)
        end_group = np.zeros(len(keys), np.int64)
        edges: dict[int, dict[int, np.ndarray]] = {}
        for s in segments:
            groups = np.arange(
                s.start_pfn // MAX_ORDER_PAGES, (s.end_pfn - 1) // MAX_ORDER_PAGES + 1
            )
            extents = np.searchsorted(keys, s.zone * n_sections + groups // per_section)
            self.of_group[groups] = extents
            np.minimum.at(self.first_group, extents, groups)
            np.maximum.at(end_group, extents, groups + 1)
            for g, e in {(int(groups[i]), int(extents[i])) for i in (0, -1)}:
                masks = edges.setdefault(g, {})
                masks[e] = masks.get(e, np.uint64(0)) | _group_mask(g, s.start_pfn, s.end_pfn)
        self.n_groups = end_group - self.first_group
        for g, masks in edges.items():
            if len(masks) > 1:
                self.irregular[g] = sorted(masks.items())
                self.of_group[g] = -2
        self._share_woven_groups()
        for p in places:
            part = np.searchsorted(keys, p.zone * n_sections + np.arange(p.first, p.end))
            self.first_group[part] = np.arange(p.first, p.end) * per_section
            self.n_groups[part] = per_section
        self.all_small = bool((self.n_groups == 1).all())

    def _share_woven_groups(self) -> None:
        """Make those groups irregular that lie inside another extent's run of groups.

        Nodes can interleave inside a section; the other extent has no frames in such a group.
        """
        self.woven = False
        for e in range(len(self)):
            start, n = int(self.first_group[e]), int(self.n_groups[e])
            owner = self.of_group[start : start + n]
            for g in start + np.flatnonzero((owner != e) & (owner != -1)):
                self.woven |= start < int(g) < start + n - 1
                whole = (int(self.of_group[g]), np.full(GROUP_WORDS, ALL_ONES))
                shares = self.irregular.setdefault(int(g), [whole])
                if all(e != other for other, _ in shares):
                    shares.append((e, np.zeros(GROUP_WORDS, np.uint64)))
                self.of_group[g] = -2

    def rows(self, zone: int, sections: np.ndarray) -> np.ndarray:
        """Return a zone's extents of some sections: (n,) int64, -1 where it can have none."""
        part = self.zone_slices[zone]
        at = np.searchsorted(self.section[part], sections)
        found = part.start + np.minimum(at, part.stop - part.start - 1)
        there = (self.section[found] == sections) & (self.zone[found] == zone)
        return np.where(there, found, -1)

    def __len__(self) -> int:
        return len(self.zone)


def _group_mask(group: int, start: int, end: int) -> np.ndarray:
    """Return the frames of [start, end) inside a group: (16,) uint64."""
    base = group * MAX_ORDER_PAGES
    mask = np.zeros(GROUP_WORDS, np.uint64)
    words, bits = range_bits(max(start, base) - base, min(end, base + MAX_ORDER_PAGES) - base)
    mask[words] = bits
    return mask
