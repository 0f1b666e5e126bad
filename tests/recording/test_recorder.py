"""What the recorder keeps from touched frames equals a whole reading of the memory, every tick.

The expected cells are read here from copies of the page arrays, section by section; the grid's own
reading is not used.
"""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.catalog import build_run
from hotmem_viz.mechanisms.pins import pin_pages
from hotmem_viz.memory.census import seen_kinds
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.recording.cells import CellGrid
from hotmem_viz.recording.recorder import Recorder, record
from hotmem_viz.vocabulary import PageKind
from tests.machines import make_machine, occupy
from tests.recording.runs import RandomRun, Watched


def sections_with_memory(memory) -> np.ndarray:
    """Find the sections that hold anything but holes."""
    return np.flatnonzero((memory.kind != PageKind.HOLE).any(axis=1))


def cells_of(kind: np.ndarray, sections: np.ndarray, pages: int) -> np.ndarray:
    """Return the largest kind of every `pages` pages, section after section."""
    return np.concatenate(
        [kind[s].reshape(-1, pages).max(axis=1) for s in sections]  # a few dozen sections
    )


def lesson():
    """Build a classroom run with everything that touches frames: reclaim, exits, fallback, OOM."""
    return build_run("exhaustion", movable=0.3, user=0.8, seed=5)


CASES = [
    *((lesson, cells) for cells in (1 << 17, 1 << 14, 1 << 11, 300, 70)),
    *((lambda n=n: RandomRun(n), c) for n in ("odd", "pae", "woven") for c in (1 << 17, 900, 60)),
]


@pytest.mark.parametrize(("make", "max_cells"), CASES)
def test_frames_equal_the_memory_at_every_tick(make, max_cells):
    run = Watched(make())
    recording = record(run, max_cells)
    pages = recording.meta["pages_per_cell"]
    sections = sections_with_memory(run.memory)
    assert recording.meta["sections"] == sections.tolist()
    assert recording.n_ticks == len(run.copies) > 50
    changes = 0
    for tick, copy in enumerate(run.copies):
        wanted = cells_of(copy["kind"], sections, pages)
        assert np.array_equal(recording.frame(tick), wanted), f"kinds at tick {tick}"
        changes += tick > 0 and not np.array_equal(wanted, recording.frame(tick - 1))
        if recording.owner and recording.migratetype:
            owners = recording.owner.frame(tick)
            assert np.array_equal(owners, copy["owner"][sections].ravel()), f"owners, tick {tick}"
            types = recording.migratetype.frame(tick)
            assert np.array_equal(types, copy["migratetype"][sections].ravel()), f"types, {tick}"
    assert changes > 20 or max_cells <= 300


def test_the_lesson_reclaims_frees_and_falls_back():
    """The case above would prove little if its run did not do these things."""
    run = Watched(lesson())
    recording = record(run)
    assert {"RECLAIM", "FALLBACK", "OOM"} <= {e.kind for e in recording.event_list}
    kinds = np.array([c["kind"].ravel() for c in run.copies])
    for held in (PageKind.ANON, PageKind.PAGE_CACHE):
        assert ((kinds[:-1] == held) & (kinds[1:] == PageKind.FREE)).any(), held.name


def test_the_writers_state_follows_tick_by_tick():
    run = RandomRun("odd", ticks=40, seed=3)
    ticks = run.ticks()
    first = next(ticks)
    recorder = Recorder(run.memory, run.meta, None)
    recorder.add(first)
    sections = sections_with_memory(run.memory)
    for tick in ticks:
        recorder.add(tick)
        assert recorder.owner
        assert recorder.types
        assert np.array_equal(recorder.kind.state, run.memory.kind[sections].ravel())
        assert np.array_equal(recorder.owner.state, run.memory.owner[sections].ravel())
        assert np.array_equal(recorder.types.state, run.memory.migratetype[sections].ravel())


def test_owners_and_types_travel_only_where_a_cell_is_one_page():
    fine = record(RandomRun("odd", ticks=12))
    coarse = record(RandomRun("odd", ticks=12), 100)
    assert fine.meta["pages_per_cell"] == 1
    assert fine.owner is not None
    assert fine.migratetype is not None
    assert fine.details == ()
    assert coarse.meta["pages_per_cell"] > 1
    assert coarse.owner is None
    assert coarse.migratetype is None
    assert coarse.details


def test_details_are_the_sections_pages_at_that_tick():
    run = Watched(RandomRun("woven", seed=4))
    recording = record(run, 60)
    assert [(d.section, d.tick) for d in recording.details]
    for detail in recording.details:
        copy = run.copies[detail.tick]
        for name in ("kind", "owner", "migratetype"):
            assert np.array_equal(getattr(detail, name), copy[name][detail.section])


@pytest.mark.parametrize("name", ["odd", "pae", "woven", "plain"])
@pytest.mark.parametrize("max_cells", [1, 5, 64, 1000, 20000])
def test_a_grid_divides_every_section_evenly(name, max_cells):
    mem = make_machine(name)
    grid = CellGrid(mem, max_cells)
    pages = grid.pages_per_cell
    assert pages & (pages - 1) == 0
    assert pages * grid.cells_per_section == mem.spec.section_pages
    if mem.spec.section_pages & (mem.spec.section_pages - 1) == 0:
        # A section is one cell at least; sections of an odd size may be cut finer.
        assert len(grid) <= max(max_cells, len(grid.sections))


@pytest.mark.parametrize("max_cells", [1 << 17, 1 << 12, 300])
def test_frames_of_sections_without_memory_have_no_cell(max_cells):
    memory = lesson().memory
    assert len(sections_with_memory(memory)) < memory.spec.n_sections
    grid = CellGrid(memory, max_cells)
    everything = FrameSet.of_range(0, memory.spec.n_sections * memory.spec.section_pages)
    cells, rows = grid.touched(everything)
    assert cells.tolist() == list(range(len(grid)))
    assert np.array_equal(grid.read(memory, rows), grid.read_all(memory))


def test_events_counters_and_times_arrive_in_order():
    recording = record(RandomRun("plain", ticks=30))
    assert [e.tick for e in recording.event_list] == [9, 18, 27]
    assert recording.time_ns.tolist() == [t * 1e6 for t in range(30)]
    free = (np.array([recording.frame(t) for t in range(30)]) == PageKind.FREE).sum(axis=1)
    assert recording.counters_array[:, 0].tolist() == free.tolist()
    assert recording.meta["ticks"] == 30
    assert [o["name"] for o in recording.meta["owners"]][:2] == ["nobody", "cache"]


@pytest.mark.parametrize("max_cells", [1 << 17, 5 * 96, 5 * 48, 5 * 12, 5])
def test_a_pin_shows_in_its_cell_whatever_the_page_holds(max_cells):
    mem = make_machine("odd")
    occupy(mem, np.arange(6200, 6900), PageKind.ANON, 1)
    grid = CellGrid(mem, max_cells)
    before = grid.read_all(mem)
    frames = FrameSet.of_pfns(np.array([6333, 6401, 6402]))
    pin_pages(mem, frames)
    after = grid.read_all(mem)
    changed = np.flatnonzero(after != before)
    where = np.array([6333, 6401, 6402]) // grid.pages_per_cell
    first = {s: i * grid.cells_per_section for i, s in enumerate(grid.sections.tolist())}
    per = grid.cells_per_section
    assert changed.tolist() == sorted({first[w // per] + w % per for w in where.tolist()})
    assert (after[changed] == PageKind.PINNED).all()
    cells, rows = grid.touched(frames)
    assert np.array_equal(grid.read(mem, rows), after[cells])
    assert seen_kinds(mem, 2)[6333 - 6144] == PageKind.PINNED
