"""Arrays that grow: what is in use is never lost, and row -1 is always empty."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.memory.fields import Field
from hotmem_viz.memory.growing import Growing

FIELDS = (Field("name", "R", np.int64, "-", "-", -1), Field("held", "RJ", np.uint16, "-", "-"))


@pytest.mark.parametrize("counts", [(64,), (63, 1), (1, 127, 1), (200, 56, 256)])
def test_row_minus_one_is_empty_however_full_the_arrays_are(counts):
    g = Growing(FIELDS, {"J": 3})
    for count in counts:
        rows = g.take(count)
        g.name[rows], g.held[rows] = rows, 7
        assert g.name[-1] == -1
        assert not g.held[-1].any()
    assert g.name[: g.used].tolist() == list(range(sum(counts)))


def test_rows_that_were_given_back_are_taken_again_one_by_one_or_at_once():
    one, other = Growing(FIELDS, {"J": 3}), Growing(FIELDS, {"J": 3})
    for g in (one, other):
        g.take(9)
        g.give(np.array([4, 2]))
        g.give(np.array([7]))
    assert other.take(5).tolist() == [7, 4, 2, 9, 10]
    assert [int(one.take(1)[0]) for _ in range(5)] == [7, 4, 2, 9, 10]
    assert len(one) == len(other) == one.used == 11
