"""Workloads are drawn beforehand: what becomes of a request changes nothing about the next."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from hotmem_viz.catalog import build_run
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.scenarios.workloads import BUFFERS_PER_CACHE, draw_workload

COLUMNS = ("operations", "anon", "cache", "buffers", "node", "exit_turn")


def draw(**changes):
    wishes: dict[str, Any] = {"name": "files", "nids": [0, 1], "user": 0.5}
    wishes |= {"turn_pages": 100, "turns": 400, "rng": np.random.default_rng(7)} | changes
    return draw_workload(PROFILES["6.1"], wishes.pop("name"), wishes.pop("nids"), **wishes)


def assert_same(a, b):
    for name in COLUMNS:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_one_seed_one_workload():
    assert_same(draw(), draw())
    assert not np.array_equal(draw().operations, draw(rng=np.random.default_rng(8)).operations)


def test_a_run_does_not_change_its_workload():
    run = build_run("exhaustion", movable=0.9, seed=3)
    before = {name: getattr(run.workload, name).copy() for name in COLUMNS}
    for _ in run.ticks():
        pass
    for name, column in before.items():
        assert np.array_equal(column, getattr(run.workload, name)), name


def test_strategies_get_the_same_requests():
    """Movable shares that round to the same turns ask for the very same things."""
    a, b = (build_run("exhaustion", movable=m, seed=3) for m in (0.3, 0.9))
    again = [
        draw_workload(
            r.memory.profile, "files", [0, 1], user=0.5, turn_pages=77, turns=400,
            rng=np.random.default_rng(3),
        )
        for r in (a, b)
    ]  # fmt: skip
    assert_same(*again)
    # Node and exits depend on the seed alone, whatever the pages in a turn.
    assert np.array_equal(a.workload.node, b.workload.node)
    assert np.array_equal(a.workload.exit_turn, b.workload.exit_turn)


@pytest.mark.parametrize("name", ["files", "dirs", "sockets", "pipes", "cache"])
@pytest.mark.parametrize("user", [0.0, 0.4, 0.9])
def test_shares_and_sizes_are_as_asked(name, user):
    w = draw(name=name, user=user, turns=4000)
    kernel = w.operations.sum() * w.pages_per_operation()
    assert kernel / len(w) == pytest.approx(100, rel=0.02)
    users = (w.anon + w.cache).sum()
    assert users / (users + kernel) == pytest.approx(user, abs=0.01)
    assert w.buffers.sum() == int(w.cache.sum() * BUFFERS_PER_CACHE)
    assert min(getattr(w, c).min() for c in COLUMNS) >= 0
    assert not ((w.anon > 0) & (w.cache > 0)).any(), "programs and readers take turns"


def test_every_node_asks_and_both_actors_get_to_every_node():
    w = draw(nids=[0, 3, 5], turns=600)
    for column in (w.operations, w.anon, w.cache):
        by_node = {int(n): int(column[w.node == n].sum()) for n in np.unique(w.node)}
        assert set(by_node) == {0, 3, 5}
        assert max(by_node.values()) < 1.3 * min(by_node.values())


def test_exits_come_later():
    w = draw(turns=2000)
    turns = np.arange(len(w))[w.exit_turn > 0]
    assert 0.15 < len(turns) / len(w) < 0.25
    assert (w.exit_turn[turns] > turns).all()


def test_all_columns_are_whole_numbers_of_one_length():
    w = draw(turns=123)
    assert [f.name for f in fields(w)][2:] == list(COLUMNS)
    for name in COLUMNS:
        assert getattr(w, name).shape == (123,) == (len(w),)
        assert getattr(w, name).dtype == np.int64


def test_an_unknown_workload_is_refused():
    with pytest.raises(ParameterError, match="workload: 'tea' is not allowed; allowed are files"):
        draw(name="tea")


def test_a_kernel_whose_costs_of_a_workload_nobody_measured_says_which_it_knows():
    with pytest.raises(ParameterError, match=r"workload: 'disk' .*files.*this kernel") as told:
        build_run("exhaustion", machine="pae", workload="disk")
    assert "ballast" not in str(told.value)
