"""A track gives back the states that were written, from any direction, for any small history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotmem_viz.recording.recorder import KEY_EVERY, TrackWriter

if TYPE_CHECKING:
    from hotmem_viz.recording.tracks import CellTrack

TICKS = (1, 2, 7, 63, 64, 65, 150)


def write_history(
    seed: int, cells: int, ticks: int, dtype: type[np.unsignedinteger]
) -> tuple[list[np.ndarray], CellTrack]:
    """Return random states (T, C) and the track that was written from them.

    A tick names the cells that changed and some that did not; now and then none at all.
    """
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    states = [rng.integers(0, 4, cells).astype(dtype)]
    writer = TrackWriter(states[0].copy())
    for tick in range(1, ticks):
        state = states[-1].copy()
        named = np.flatnonzero(rng.random(cells) < rng.choice([0, 0.1, 0.6, 1]))
        if rng.random() < 0.3:
            state[named] = rng.integers(0, top, endpoint=True)
        else:
            state[named] = rng.integers(0, 3, len(named))
        writer.write(tick, named, state[named])
        states.append(state)
    return states, writer.finish()


histories = st.builds(
    write_history,
    seed=st.integers(0, 2**32 - 1),
    cells=st.integers(1, 40),
    ticks=st.sampled_from(TICKS),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_frames_are_the_states_that_were_written(history):
    states, track = history
    for tick, state in enumerate(states):
        frame = track.frame(tick)
        assert frame.dtype == state.dtype
        assert frame.tobytes() == state.tobytes()


@settings(max_examples=60, deadline=None)
@given(histories, st.data())
def test_forward_then_back_gives_the_same_bytes(history, data):
    states, track = history
    first = data.draw(st.integers(0, len(states) - 1), label="from")
    last = data.draw(st.integers(first, len(states) - 1), label="to")
    state = track.frame(first)
    before = state.tobytes()
    for tick in range(first + 1, last + 1):
        track.flip_tick(state, tick)
        assert state.tobytes() == states[tick].tobytes()
    for tick in range(last, first, -1):
        track.flip_tick(state, tick)
        assert state.tobytes() == states[tick - 1].tobytes()
    assert state.tobytes() == before


@settings(max_examples=40, deadline=None)
@given(histories)
def test_runs_are_as_few_as_can_be(history):
    states, track = history
    assert track.offsets[0] == track.offsets[1] == 0
    assert len(track.offsets) == len(states) + 1
    assert track.offsets[-1] == len(track.start) == len(track.length) == len(track.flip)
    for tick in range(1, len(states)):
        flip = states[tick - 1] ^ states[tick]
        # Boundaries of a run: wherever the change differs from its left neighbour's.
        edges = np.diff(flip.astype(np.int64), prepend=0) != 0
        wanted = int((edges & (flip != 0)).sum())
        assert track.offsets[tick + 1] - track.offsets[tick] == wanted
    assert (track.flip != 0).all()
    assert (track.length > 0).all()


@pytest.mark.parametrize("ticks", TICKS)
def test_key_frames_stand_at_a_bounded_distance(ticks):
    _, track = write_history(1, 5, ticks, np.uint8)
    assert track.key_ticks[0] == 0
    assert (np.diff(np.append(track.key_ticks, ticks)) > 0).all()
    assert (np.diff(np.append(track.key_ticks, ticks)) <= KEY_EVERY).all()
    assert track.keys.shape == (len(track.key_ticks), 5)


def test_a_frame_is_a_copy():
    _, track = write_history(2, 9, 70, np.uint8)
    for tick in (0, 64, 69):
        before = track.frame(tick).tobytes()
        track.frame(tick)[:] = 255
        assert track.frame(tick).tobytes() == before
