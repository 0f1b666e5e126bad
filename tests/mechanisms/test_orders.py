"""Two ways of reading blocks off bits, for few groups and for many, give the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotmem_viz.mechanisms import orders
from hotmem_viz.mechanisms.orders import Wish, choose_blocks, find_heads

BOTH_WAYS = (0, 8)


def ragged_bits(groups, seed):
    """Free frames of groups: a mixture of whole blocks of all orders and of single frames."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((groups, 1024), bool)
    for row in frames:
        for _ in range(int(rng.integers(1, 12))):
            size = 1 << int(rng.integers(0, 11))
            start = int(rng.integers(0, 1024 // size)) * size
            row[start : start + size] = True
        row[rng.integers(0, 1024, 40)] = rng.random() < 0.5
    return np.packbits(frames, axis=1, bitorder="little").view(np.uint64)


def both(monkeypatch, ask):
    """Return what is answered with arrays, and with long integers."""
    answers = []
    for few in BOTH_WAYS:
        monkeypatch.setattr(orders, "FEW_GROUPS", few)
        answers.append(ask())
    return answers


@pytest.mark.parametrize("groups", [1, 3, 8])
@pytest.mark.parametrize("highest", [0, 5, 6, 9, 10])
def test_heads_are_the_same(monkeypatch, groups, highest):
    bits = ragged_bits(groups, 17 * groups + highest)
    arrays, integers = both(monkeypatch, lambda: find_heads(bits, highest))
    assert arrays.any()
    assert np.array_equal(arrays, integers)


@given(groups=st.integers(1, 8), seed=st.integers(0, 10_000), draw=st.data())
def test_choices_are_the_same(groups, seed, draw):
    bits = ragged_bits(groups, seed)
    usable = np.random.default_rng(seed).random((groups, 2)) < 0.8
    heads = find_heads(bits) * np.repeat(usable, 8, axis=1)
    held = np.bitwise_count(heads).sum(axis=(1, 2)).tolist()
    lasts = [k for k in range(11) if held[k]]
    if not lasts:
        return
    last = draw.draw(st.sampled_from(lasts))
    blocks = draw.draw(st.integers(1, held[last]))
    spare = draw.draw(st.integers(0, (1 << last) - 1))
    first = draw.draw(st.integers(0, last))
    wish = Wish(first, last, [n > 0 for n in held], blocks, spare)
    with pytest.MonkeyPatch.context() as patch:
        arrays, integers = both(patch, lambda: choose_blocks(bits, usable, wish))
    assert np.array_equal(arrays.taken, integers.taken)
    assert np.array_equal(arrays.split, integers.split)
    assert arrays.spare == integers.spare
    frames = sum(held[k] << k for k in range(first, last)) + (blocks << last) - spare
    assert np.bitwise_count(arrays.taken).sum() == frames
    assert not (arrays.taken & ~bits).any()
