"""What the stop_machine lesson says of itself: its open questions, its pages, its worked figures.

Figures are those of KERNEL.md 4.2 and 4.5, worked out by hand there.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import build_run
from hotmem_viz.vocabulary import PageKind
from tests.scenarios.ledger import column


def tick_of(recording, kind):
    return next(e.tick for e in recording.event_list if e.kind == kind)


@pytest.mark.slow
def test_a_thousand_processes_of_a_gib_cost_what_the_worked_figures_say():
    """KERNEL.md 4.5: 3,000 tables, 1,536,000 entries, 1.5 ms hot; 64 CPUs arrive in 0.16 ms."""
    recording = hotmem_viz.run(
        "stop_machine", machine="server", processes=1000, mapped=1024, cpus=64, residue=0.05
    )
    last = {n: column(recording, n)[-1] for n in ("entries_scanned", "copied", "entries_fixed")}
    assert last["entries_scanned"] == 1_536_000
    told = next(e.text for e in recording.event_list if e.kind == "TABLES_WALKED")
    assert "1,000 processes" in told
    assert "3,000 upper tables, 1,536,000 entries read in 1.54 ms" in told
    # 100 us + 64 CPUs, 4,096 bytes at 2.481 GB/s, 1 ns an entry, 10 ns each rewritten, 10 us.
    expected = 164_000 + last["copied"] * 4096 / 2.481 + 1_536_000 + last["entries_fixed"] * 10
    assert column(recording, "pause_ns")[-1] == pytest.approx(expected + 10_000, rel=1e-3)


def test_five_percent_of_a_section_are_copied_at_the_rate_of_the_worked_figures():
    """KERNEL.md 4.2: 1,638 pages, 5 % of 32,768, take 2.7 ms."""
    recording = hotmem_viz.run("stop_machine", residue=0.05, cpus=64, seed=2)
    tick, copied = tick_of(recording, "COPIED"), column(recording, "copied")[-1]
    assert 0.03 < copied / 1024 < 0.12
    spent = recording.time_ns[tick] - recording.time_ns[tick - 1]
    assert spent / copied == pytest.approx(2.7e6 / 1638, rel=5e-3)


def test_each_open_question_is_asked_where_it_bites():
    given = ({"target": "page"}, {"after": "target"}, {"failure": "corrupt"})
    told = [e for p in given for e in hotmem_viz.run("stop_machine", **p).event_list]
    asked = {q for e in told if e.kind != "DONE" for q in e.questions}
    every = {f"Q{n}" for n in range(1, 16)}
    assert asked == every
    assert {q for e in told if e.kind == "DONE" for q in e.questions} == every


def test_a_copy_that_lands_on_another_node_is_told():
    # The node that breaks has to go as a whole, so that its pages cannot stay on it.
    recording = hotmem_viz.run("strategies", strategy="remap", seed=7)
    ranges = [(n["nid"], *r) for n in recording.meta["machine"]["nodes"] for r in n["ranges"]]
    seen = set()
    for event in (e for e in recording.event_list if e.kind == "COPIED"):
        moves = recording.rows["moves"].at(event.tick)
        nids = [
            [next(nid for nid, start, end in ranges if start <= pfn < end) for pfn in moves[side]]
            for side in ("source", "target")
        ]
        away = sum(int(n) for n, a, b in zip(moves["pages"], *nids, strict=True) if a != b)
        seen.add(away > 0)
        assert event.questions == ("Q14",)
        assert (f"{away:,} of the copies lie on another node" in event.text) == (away > 0)
    assert seen == {True, False}


@pytest.mark.parametrize("failure", ["ebusy", "corrupt", "abort"])
@pytest.mark.parametrize("seed", [1, 4, 7])
def test_a_driver_maps_slab_and_never_a_stack_or_a_table(failure, seed):
    run = build_run("stop_machine", failure=failure, seed=seed)
    before = {"ebusy": "DEVICE_PAGE", "corrupt": "DEVICE_PAGE", "abort": "STOPPED"}[failure]
    for tick in run.ticks():
        if any(e.kind == before for e in tick.events):
            break
    pinned = np.flatnonzero(np.unpackbits(run.memory.pinned_bits.view(np.uint8), bitorder="little"))
    pfns = pinned if failure != "corrupt" else np.array([run.gauges.device_pfn])
    assert len(pfns) == 1
    kind = PageKind(int(run.memory.kind.reshape(-1)[pfns[0]]))
    assert kind in (PageKind.SLAB, PageKind.RECLAIMABLE_SLAB)


def test_one_of_anything_is_told_in_the_singular():
    told = hotmem_viz.run("stop_machine", cpus=1, processes=1).event_list
    texts = [f"{e.title} {e.text}" for e in told]
    assert any("The only CPU has stopped" in t for t in texts)
    wrong = re.compile(r"\b1 (pages|processes|entries|tables|page tables|top tables|CPUs)\b")
    assert not [t for t in texts if wrong.search(t)]
