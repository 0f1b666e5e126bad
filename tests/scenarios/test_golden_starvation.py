"""Fixed runs come to the stored numbers; `python -m tests.golden_starvation` renews them."""

from __future__ import annotations

import pytest

import hotmem_viz
from tests.golden_exhaustion import find_changes
from tests.golden_starvation import RUNS, read_golden, sum_up


@pytest.mark.parametrize("name", RUNS)
def test_a_run_comes_to_its_golden_numbers(name):
    changes = find_changes(read_golden()[name], sum_up(hotmem_viz.run("starvation", **RUNS[name])))
    assert not changes, "\n".join(changes)


def test_every_golden_run_is_tested():
    assert set(read_golden()) == set(RUNS)
