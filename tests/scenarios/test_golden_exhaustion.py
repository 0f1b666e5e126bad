"""Fixed runs come to the stored numbers; `python -m tests.golden_exhaustion` renews them."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.recording.recorder import TrackWriter
from tests.golden_exhaustion import RUNS, digest_track, find_changes, read_golden, sum_up


@pytest.mark.parametrize("name", RUNS)
def test_a_run_comes_to_its_golden_numbers(lesson, name):
    changes = find_changes(read_golden()[name], sum_up(lesson(**RUNS[name])))
    assert not changes, "\n".join(changes)


def test_every_golden_run_is_tested():
    assert set(read_golden()) == set(RUNS)


def test_a_digest_notices_one_cell_of_one_tick():
    def write(last: int) -> str:
        writer = TrackWriter(np.zeros(50, np.uint8))
        for tick in (1, 2):
            writer.write(tick, np.arange(tick, tick + 9), np.full(9, tick, np.uint8))
        writer.write(3, np.array([last]), np.array([7], np.uint8))
        return digest_track(writer.finish())

    assert write(20) == write(20)
    assert write(20) != write(21)
