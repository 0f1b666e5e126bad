"""Tracks of rows and of sections: what a run said comes back tick by tick, from disk as well."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.errors import RecordingError
from hotmem_viz.mechanisms.allocator import alloc_pages
from hotmem_viz.mechanisms.offline import Verdict, offline_block
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.recording.recorder import Tick, record
from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.store import from_parts, load, to_arrays, to_header
from hotmem_viz.recording.tracks import (
    ROW_COLUMNS,
    SCATTERED,
    CpuState,
    RowWriter,
    TableChange,
    runs_of_moves,
)
from hotmem_viz.views.wire import decode_recording, encode_recording
from hotmem_viz.vocabulary import PAGEBLOCK_PAGES, PageKind, SectionState
from tests.slots import P, slots_machine

BLOCK = 20480 // P
"""A section of node 1's ZONE_MOVABLE."""

SPANS = {
    "lane": np.array([0, 3]),
    "state": np.array([CpuState.RUN, CpuState.WAITING]),
    "start_ns": np.array([0.5, 0.0]),
    "end_ns": np.array([2.5, 9.0]),
}
TABLES = {
    "table": np.array([70000, 5, 6]),
    "change": np.array([TableChange.NEW, TableChange.VISITED, TableChange.REWRITTEN]),
    "space": np.array([1, 2, 2]),
    "level": np.array([3, 1, 0]),
    "parent": np.array([-1, 70000, 5]),
    "index": np.array([0, 511, 17]),
    "pfn": np.array([20481, 20490, 1]),
    "used": np.array([1, 512, 0]),
}


class Removal:
    """Some memory is used, a section leaves, and its virtual section is found elsewhere."""

    def __init__(self) -> None:
        self.memory = slots_machine()
        machine = {"section_pages": P, "pageblock_pages": PAGEBLOCK_PAGES}
        counters = [{"name": "free", "unit": "pages", "label": "free"}]
        self.meta = {"scenario": "removal", "machine": machine, "counters": counters}
        self.states: list[np.ndarray] = []
        self.kinds: list[np.ndarray] = []

    def _tick(self, time, **what):
        self.states.append(self.memory.section_state.copy())
        self.kinds.append(self.memory.kind.copy())
        return Tick(time, [float(self.memory.zones.free.sum())], **what)

    def ticks(self):
        mem = self.memory
        lookup = np.arange(mem.spec.n_sections)
        yield self._tick(0.0, lookup=lookup)
        movable = GFP["HIGHUSER_MOVABLE"]
        used = alloc_pages(mem, movable, 300, PageKind.ANON, nid=1)
        yield self._tick(1.0, touched=[used.frames], rows=[("spans", SPANS), ("tables", TABLES)])
        out = offline_block(mem, BLOCK)
        assert out.verdict is Verdict.OK
        self.moved = out.moves
        yield self._tick(
            2.0,
            touched=[out.frames, *out.released],
            moves=out.moves,
            lookup=np.where(lookup == BLOCK, SCATTERED, lookup),
            rows=[("spans", {c: SPANS[c][:1] for c in SPANS})],
        )
        yield self._tick(3.0)


@pytest.fixture(scope="module")
def run():
    return Removal()


@pytest.fixture(scope="module")
def recording(run):
    return record(run)


def from_disk(recording: Recording, tmp_path) -> Recording:
    return load(recording.save(tmp_path / "removal.npz"))


def test_section_states_equal_the_memory_at_every_tick(run, recording):
    shown = recording.meta["sections"]
    assert BLOCK in shown
    for tick, states in enumerate(run.states):
        assert recording.sections.frame(tick).tolist() == states[shown].tolist()
    assert recording.sections.frame(2)[shown.index(BLOCK)] == SectionState.OFFLINE
    assert (recording.sections.frame(0) == SectionState.ABSENT).any()


def test_cells_equal_the_memory_at_every_tick(run, recording):
    shown = recording.meta["sections"]
    for tick, kinds in enumerate(run.kinds):
        assert np.array_equal(recording.frame(tick), kinds[shown].ravel())


def test_every_page_that_moved_is_in_one_run(run, recording):
    rows = recording.rows["moves"].at(2)
    pairs = {
        (int(s) + i, int(t) + i)
        for s, t, n in zip(rows["source"], rows["target"], rows["pages"], strict=True)
        for i in range(int(n))
    }
    wanted = {
        (int(s), int(t))
        for moves in run.moved
        for s, t in zip(moves.source, moves.target, strict=True)
    }
    assert pairs == wanted
    assert len(pairs) == 300
    assert len(recording.rows["moves"].at(1)["source"]) == 0


def test_rows_belong_to_their_ticks(recording):
    spans, tables = recording.rows["spans"], recording.rows["tables"]
    assert [len(spans.at(t)["lane"]) for t in range(4)] == [0, 2, 1, 0]
    for name, column in SPANS.items():
        assert spans.at(1)[name].tolist() == column.tolist()
    for name, column in TABLES.items():
        assert tables.at(1)[name].tolist() == column.tolist()


def test_the_look_up_says_where_a_section_is_found(recording):
    at = recording.meta["sections"].index(BLOCK)
    assert [int(recording.lookup.frame(t)[at]) for t in range(4)] == [
        BLOCK,
        BLOCK,
        SCATTERED,
        SCATTERED,
    ]


@pytest.mark.parametrize("way", ["disk", "wire"])
def test_all_tracks_come_back(recording, way, tmp_path):
    back = (
        from_disk(recording, tmp_path)
        if way == "disk"
        else decode_recording(encode_recording(recording))
    )
    mine, again = to_arrays(recording), to_arrays(back)
    assert set(mine) == set(again)
    for name, array in mine.items():
        assert np.array_equal(array, again[name]), name


def test_what_never_happened_has_no_track():
    class Still(Removal):
        def ticks(self):
            yield self._tick(0.0)
            yield self._tick(1.0)

    still = record(Still())
    assert (still.sections, still.lookup, still.rows) == (None, None, {})


def test_columns_of_unequal_length_are_refused(recording):
    arrays = {**to_arrays(recording), "spans.lane": np.zeros(7, np.uint16)}
    with pytest.raises(RecordingError, match=r"spans\.lane"):
        from_parts(to_header(recording), arrays)
    with pytest.raises(ValueError, match="column state"):
        RowWriter("spans").write(1, {**SPANS, "lane": np.zeros(3)})


def test_runs_of_moves_by_hand():
    source = np.array([9, 4, 5, 6, 20])
    target = np.array([70, 30, 31, 33, 71])
    rows = runs_of_moves(source, target)
    assert {name: column.tolist() for name, column in rows.items()} == {
        "source": [4, 6, 9, 20],
        "target": [30, 33, 70, 71],
        "pages": [2, 1, 1, 1],
    }


def test_every_track_of_rows_is_described_in_the_docs():
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
    for name, columns in ROW_COLUMNS.items():
        for column in ("tick", *columns):
            assert f"`{name}.{column}`" in text
