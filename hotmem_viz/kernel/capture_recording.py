"""A captured kernel as a recording, for the same stage that plays the model's runs.

Every moment is a tick. Zones and meminfo were read at nearly all of them, page flags at a few: in
between, the map stays that of the flags read last, and `meta["maps"]` says of which moment it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.capture_counters import (
    count_attempts,
    describe_attempts,
    describe_counters,
    load_of,
    objects_of,
    read_counters,
)
from hotmem_viz.kernel.capture_details import section_details
from hotmem_viz.kernel.capture_map import CaptureGrid, count_kinds, lay_out_map, within
from hotmem_viz.kernel.capture_telling import Story, captions_of, tell_capture
from hotmem_viz.kernel.capture_zones import describe_zones, states_by_moment
from hotmem_viz.kernel.captured_pages import page_stages, stored_path
from hotmem_viz.kernel.changing_run import count_steps, describe_steps, has_steps
from hotmem_viz.kernel.moments import Moment, read_moments
from hotmem_viz.kernel.page_flags import PageRuns
from hotmem_viz.recording.recorder import TrackWriter
from hotmem_viz.recording.recording import SCHEMA, Recording
from hotmem_viz.vocabulary import PAGE_SIZE, PAGEBLOCK_PAGES, PageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.captures import Capture

SCENARIO = "capture"
_NS = 1e9


def record_capture(capture: Capture, max_cells: int | None = None) -> Recording:
    """Return a capture as a recording: a tick for each moment, cells where page flags were read.

    max_cells: cells of the map at most, 131,072 unless given.

    Raises
    ------
    CaptureError
        When the machine did not come up, or a file of the capture is damaged.
    """
    if not capture.has("boot/zoneinfo"):
        raise CaptureError(capture.path, "the machine did not come up: there is nothing to show")
    moments = read_moments(capture)
    grid = _grid(capture, max_cells)
    pages = [within(capture.page_kinds(m.stage), grid.ranges) if m.stage else None for m in moments]
    states = states_by_moment(moments)
    zones = describe_zones(moments)
    maps = _Maps(grid, capture)
    for tick, (moment, runs) in enumerate(zip(moments, pages, strict=True)):
        maps.add(tick, moment, runs)
    events = tell_capture(Story(capture, moments, states, pages))
    listed = describe_counters(zones, objects_of(load_of(capture)))
    counters = read_counters(moments, states, np.array(maps.counts), zones)
    if any(m.attempt for m in moments):
        listed.append(describe_attempts())
        counters = np.hstack((counters, count_attempts(moments)))
    if has_steps(capture):
        listed.append(describe_steps())
        counters = np.hstack((counters, count_steps(capture, moments)))
    meta: dict[str, Any] = {
        "schema": SCHEMA,
        "scenario": SCENARIO,
        "title": capture.title or capture.name,
        "parameters": dict(capture.args),
        "seed": 0,
        "profile": capture.profile_name,
        "page_size": PAGE_SIZE,
        "machine": _describe_machine(capture, grid),
        "zones": zones,
        "owners": [{"id": 0, "name": "nobody"}],
        "counters": listed,
        "captions": captions_of(events),
        "maps": maps.listed,
        "ticks": len(moments),
        **grid.describe(),
    }
    return Recording(
        meta=meta,
        kind=maps.kind.finish() if maps.kind else None,
        counters_array=counters,
        time_ns=_times(moments),
        event_list=tuple(events),
        migratetype=maps.types.finish() if maps.types else None,
        details=tuple(section_details(grid, maps.whole)),
    )


def _grid(capture: Capture, max_cells: int | None) -> CaptureGrid:
    stages = [s for s in capture.stages if "/" not in s]
    return lay_out_map(capture, stages, *([] if max_cells is None else [max_cells]))


class _Maps:
    """The tracks of cells and pageblocks, written tick by tick, and which moment each map is of.

    counts: pages of each kind at every tick, by the flags read last. whole: (tick, runs of all
    pages, types of pageblocks) of every moment whose pages were all read.
    """

    def __init__(self, grid: CaptureGrid, capture: Capture) -> None:
        self.grid, self.capture = grid, capture
        has_pages = bool(page_stages(capture))
        cells = np.zeros(len(grid.cell_starts), np.uint8)
        self.kind = TrackWriter(cells) if has_pages else None
        self.types: TrackWriter | None = None
        self.listed: list[dict[str, Any]] = []
        self.counts: list[np.ndarray] = []
        self.whole: list[tuple[int, PageRuns, np.ndarray | None]] = []
        self._runs: PageRuns | None = None

    def add(self, tick: int, moment: Moment, runs: PageRuns | None) -> None:
        """Enter a moment; `runs`: the kinds of all pages, of one block, or None."""
        types = self._types(moment) if moment.stage else None
        if runs is not None:
            self.listed.append({"tick": tick, "label": _map_label(moment)})
            if runs.start_pfn == 0:
                self.whole.append((tick, runs, types))
            self._runs = runs if self._runs is None else overlay(self._runs, runs)
        self._write(tick, runs, types)
        counted = np.zeros(len(PageKind), np.int64)
        if self._runs is not None:
            counted = count_kinds(self._runs)
            counted[PageKind.HOLE] = 0  # Where there is no memory there is no page.
        self.counts.append(counted)

    def _types(self, moment: Moment) -> np.ndarray | None:
        if not self.capture.has(stored_path("pbt", moment.stage)):
            return None
        return self.grid.types_of(self.capture.pageblock_types(moment.stage))

    def _write(self, tick: int, runs: PageRuns | None, types: np.ndarray | None) -> None:
        """Write both tracks; a moment without flags changes nothing."""
        nothing = np.empty(0, np.int64), np.empty(0, np.uint8)
        cells, values = self.grid.cells_of(runs) if runs is not None else nothing
        if self.kind is not None:
            _enter(self.kind, tick, cells, values)
        if types is not None and tick == 0:
            self.types = TrackWriter(types)
        elif self.types is not None:
            everything = np.arange(len(self.types.state))
            changed = (everything, types) if types is not None else nothing
            self.types.write(tick, *changed)


def _enter(track: TrackWriter, tick: int, cells: np.ndarray, values: np.ndarray) -> None:
    """Write a tick of a track; the first one is its first key frame."""
    if tick:
        track.write(tick, cells, values)
        return
    track.state[cells] = values
    track.keys[0] = track.state.copy()


def _map_label(moment: Moment) -> str:
    """Name the moment that pages were read at, as the stage says it."""
    if moment.attempt:
        return f"those of {moment.label}"
    return "zones nearly full" if "/" in moment.stage else moment.stage


def overlay(whole: PageRuns, part: PageRuns) -> PageRuns:
    """Return `whole` with the pages of `part` put in their place."""
    pieces = [whole.part(0, part.start_pfn), part, whole.part(part.end_pfn, whole.end_pfn)]
    return PageRuns(
        np.concatenate([p.words for p in pieces if p.total]),
        np.concatenate([p.pages for p in pieces if p.total]),
        min(whole.start_pfn, part.start_pfn),
    ).merged()


def _times(moments: Sequence[Moment]) -> np.ndarray:
    """Return nanoseconds since the machine started: (T,); where unknown, the last known."""
    last, times = 0.0, []
    for moment in moments:
        last = max(last, moment.seconds or 0.0)
        times.append(last * _NS)
    return np.array(times, np.float64)


def _describe_machine(capture: Capture, grid: CaptureGrid) -> dict[str, Any]:
    hotplug = [(m.start_pfn, m.end_pfn) for m in capture.srat if m.hotpluggable]
    try:
        by_node = dict(capture.boot_log.node_ranges)
    except CaptureError:
        by_node = {0: grid.ranges}
    nodes = [
        {
            "nid": nid,
            "hotpluggable": any(a < end and start < b for start, end in spans for a, b in hotplug),
            "ranges": [list(span) for span in spans],
        }
        for nid, spans in sorted(by_node.items())
    ]
    return {
        "name": capture.name,
        "title": capture.name,
        "arch": capture.arch.value,
        "scale": 1,
        "section_pages": grid.section_pages,
        "pageblock_pages": PAGEBLOCK_PAGES,
        "n_sections": int(grid.sections[-1]) + 1,
        "nodes": nodes,
        "present_pages": sum(end - start for start, end in grid.ranges),
    }
