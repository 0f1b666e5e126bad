"""The keys of notebooks 04 and 05: by the page-by-page twin, by captures, by hand formulas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hotmem_viz.catalog import build_run
from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.lessons import captured_block, questions_stop_machine
from hotmem_viz.lessons.questions import ask
from hotmem_viz.lessons.questions_hot_remove import ANSWERS
from hotmem_viz.lessons.questions_stop_machine import READS
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.recording.recording import Event
from hotmem_viz.vocabulary import EventKind
from tests.offline_oracle import OfflineOracle

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

SEEDS = (7, 8, 9, 12, 31)
WORDS = {text: verdict.value for verdict, text in ANSWERS.items()}


def numbers(text: str) -> list[float]:
    """The numbers of a text, in order."""
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


@pytest.mark.parametrize("seed", range(6))
def test_the_answer_to_a_request_is_that_of_the_page_by_page_twin(seed):
    question = ask("offline_answer", seed)
    assert question.see is not None
    settings = dict(question.see.parameters)
    if settings["obstacle"] == "huge":
        # The twin knows no huge pages. A real kernel let blocks full of them go.
        swept = open_capture("d-sweep-movable50-huge").sweep()
        assert {a.verdict for a in swept if a.block == 40} == {WORDS[str(question.answer)]}
        return
    scenario = build_run("hot_remove", **settings)
    in_the_way = None
    for tick in scenario.ticks():
        in_the_way = next((e for e in tick.events if e.kind == EventKind.IN_THE_WAY.name), None)
        if in_the_way:
            break
    assert in_the_way is not None
    mem = scenario.memory
    size = mem.spec.block_pages
    start = in_the_way.pfn // size * size
    twin = OfflineOracle(mem)
    nid = mem.spec.node_of(start)
    twin.nodes = {n for n in mem.spec.nids if n != nid}
    told = twin.offline(start, start + size, GFP["HIGHUSER_MOVABLE"], GFP["USER_MOVABLE"])
    assert WORDS[str(question.answer)] == told.verdict
    assert told.verdict != "EBUSY" or f"{told.guilty:,}" in question.why


@pytest.mark.parametrize("seed", range(27))
def test_the_model_says_of_a_captured_block_what_the_kernel_said(seed):
    question = ask("captured_block", seed)
    assert question.see is not None
    block = int(re.findall(r"memory(\d+)", question.text)[0])
    attempts = open_capture(str(question.see.parameters["name"])).sweep()
    seen = next(a for a in attempts if a.block == block)
    assert WORDS[str(question.answer)] == seen.verdict
    assert question.see.title.startswith(f"memory{block} ")


def test_the_seeds_above_reach_every_answer():
    assert {ask("captured_block", seed).answer for seed in range(27)} == set(ANSWERS.values())
    assert len({ask("offline_answer", seed).answer for seed in range(6)}) == 3


@pytest.mark.parametrize("seed", range(7, 12))
def test_blocks_of_a_dimm_are_claimed_by_type(seed):
    """Two fifths in blocks of the reclaimable type, the rest in others; each fills up first."""
    question = ask("dimm_blocks", seed)
    pages = numbers(re.findall(r"takes ([\d,]+) pages", question.text)[0])[0]
    size = numbers(re.findall(r"blocks, ([\d,]+) pages each", question.text)[0])[0]
    assert question.answer == -(-0.4 * pages // size) + -(-0.6 * pages // size)


def pause_by_hand(cpus: float, copied: float, entries: float, fixed: float = 0) -> float:
    """T_stop of KERNEL.md 4.5 with its defaults, in ms."""
    return (100e3 + 1e3 * cpus + copied * 1651 + entries * 1.0 + fixed * 10 + 10e3) / 1e6


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pause_is_that_of_the_hand_formula(seed):
    percent, pages, cpus, processes, gib = numbers(ask("pause", seed).text)[:5]
    entries = processes * (1 + 1 + gib) * 512
    assert ask("pause", seed).answer == pytest.approx(
        pause_by_hand(cpus, int(pages * percent / 100), entries), rel=1e-9
    )


class Given:
    """A draw whose picks are given."""

    seed = 7

    def __init__(self, *picks: object) -> None:
        self.picks = list(picks)

    def pick(self, _values: object) -> object:
        return self.picks.pop(0)


def test_the_worked_figures_of_the_cost_model():
    given = Given(5, 64, 64, 100)
    question = questions_stop_machine.pause(given)  # type: ignore[arg-type]
    assert question.answer == pytest.approx(6.2, abs=0.1)
    without = min(m.value for m in question.mistakes if "without the walk" in m.slip)
    assert float(question.answer) - float(without) == pytest.approx(3.4, abs=0.05)
    given = Given(5, 64, 1, 1000)
    question = questions_stop_machine.pause(given)  # type: ignore[arg-type]
    assert "1,536,000 entries of upper tables 1.54 ms" in question.why
    assert "262,144,000 of them are not read" in question.why


def new_frame(recording: Recording, tick: int, pfn: int) -> int:
    """The frame that a page is copied to, by the rows of a tick."""
    track = recording.rows["moves"]
    for row in range(len(track.tick)):
        source, target, pages = (int(track.columns[c][row]) for c in ("source", "target", "pages"))
        if track.tick[row] == tick and source <= pfn < source + pages:
            return target + pfn - source
    raise AssertionError("the page was not copied")


@pytest.mark.parametrize("seed", range(6))
def test_whoever_goes_by_a_frame_reads_what_was_never_written_to(seed):
    """What was copied names the new frame; only a virtual address leads there."""
    question = ask("after_the_remap", seed)
    assert question.see is not None
    recording = question.see.recording()
    pfn = int(numbers(re.findall(r"slab page ([\d,]+)", question.text)[0])[0])
    copied = next(e.tick for e in recording.event_list if e.kind == EventKind.COPIED.name)
    new = new_frame(recording, copied, pfn)
    memory = {pfn: "old", new: "old"}
    memory[new] = "new"
    assert question.answer == READS[memory[new if "pointer" in question.text else pfn]]


@pytest.mark.parametrize("seed", SEEDS)
def test_removals_a_day_are_those_of_the_hand_formula(seed):
    question = ask("removals", seed)
    assert question.see is not None
    tax, faults = (
        numbers(re.findall(words, question.text)[0])[0]
        for words in (r"([\d.]+) % slower", r"takes ([\d,]+) faults")
    )
    at = question.see.recording().counters.iloc[question.see.tick]
    pause = pause_by_hand(8, at["copied"], at["entries_scanned"], at["entries_fixed"])
    day_ms = tax / 100 * faults * 500e-6 * 86_400
    assert question.answer == pytest.approx(day_ms / pause, rel=1e-6, abs=0.51)


def test_a_verdict_follows_the_model(monkeypatch):
    before = ask("captured_block", 7)
    monkeypatch.setattr(captured_block, "_model_event", lambda *_: _answered("memory0: ok"))
    assert ask("captured_block", 7).answer != before.answer


def _answered(title: str) -> Event:
    return Event(0, EventKind.OFFLINED.name, title, "It went.", function="f()")
