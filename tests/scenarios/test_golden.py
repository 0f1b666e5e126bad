"""Fixed runs come to the stored numbers; `python -m tests.golden` renews them."""

from __future__ import annotations

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.catalog import SCENARIOS
from hotmem_viz.recording.recorder import TrackWriter
from tests.golden import KEPT, digest_track, find_changes, read_golden, sum_up
from tests.golden_runs import RUNS

EVERY = [(scenario, name) for scenario, runs in RUNS.items() for name in runs]


@pytest.mark.parametrize(("scenario", "name"), EVERY, ids=": ".join)
def test_a_run_comes_to_its_golden_numbers(scenario, name):
    recording = hotmem_viz.run(scenario, **RUNS[scenario][name])
    changes = find_changes(read_golden(scenario)[name], sum_up(recording))
    assert not changes, "\n".join(changes)


def test_every_scenario_has_golden_runs_and_all_of_them_are_tested():
    assert set(RUNS) == set(KEPT) == set(SCENARIOS)
    for scenario, runs in RUNS.items():
        assert set(read_golden(scenario)) == set(runs)


def test_a_digest_notices_one_cell_of_one_tick():
    def write(last: int) -> str:
        writer = TrackWriter(np.zeros(50, np.uint8))
        for tick in (1, 2):
            writer.write(tick, np.arange(tick, tick + 9), np.full(9, tick, np.uint8))
        writer.write(3, np.array([last]), np.array([7], np.uint8))
        return digest_track(writer.finish())

    assert write(20) == write(20)
    assert write(20) != write(21)
