"""A message carries a whole recording, and only a message is taken for one."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.pair import Pair
from hotmem_viz.views.wire import (
    ALIGN,
    decode_lineup,
    decode_recording,
    encode_lineup,
    encode_recording,
    encode_shown,
    read_message,
)
from tests.views.synthetic import CLASSROOM, OVERVIEW, TINY, Size, make_recording

if TYPE_CHECKING:
    from hotmem_viz.recording.tracks import CellTrack


def assert_same_track(a: CellTrack | None, b: CellTrack | None) -> None:
    assert (a is None) == (b is None)
    if a is None or b is None:
        return
    for part in ("keys", "key_ticks", "offsets", "start", "length", "flip"):
        np.testing.assert_array_equal(getattr(a, part), getattr(b, part), part)
    assert a.keys.dtype == b.keys.dtype


@pytest.mark.parametrize("size", [TINY, CLASSROOM, OVERVIEW], ids=["tiny", "classroom", "overview"])
def test_a_recording_comes_back_whole(size: Size):
    recording = make_recording(size)
    back = decode_recording(encode_recording(recording))
    for name in ("kind", "owner", "migratetype"):
        assert_same_track(getattr(recording, name), getattr(back, name))
    np.testing.assert_array_equal(recording.counters_array, back.counters_array)
    np.testing.assert_array_equal(recording.time_ns, back.time_ns)
    assert back.meta == json.loads(json.dumps(recording.meta))
    assert back.event_list == recording.event_list
    assert [(d.section, d.tick) for d in back.details] == [
        (d.section, d.tick) for d in recording.details
    ]


def test_the_header_says_where_everything_is():
    header, arrays = read_message(encode_recording(make_recording(TINY)))
    assert header["schema"] == 2
    assert {row["offset"] % ALIGN for row in header["arrays"]} == {0}
    assert arrays["kind.keys"].dtype == np.uint8
    assert arrays["owner.keys"].dtype == np.uint16
    assert [kind["name"] for kind in header["kinds"]][:2] == ["hole", "free"]
    assert {kind["movability"] for kind in header["kinds"]} == {"moves", "remap", "never"}


def test_numpy_numbers_in_meta_become_json():
    recording = make_recording(TINY)
    recording.meta["present"] = np.int64(5)
    header, _ = read_message(encode_recording(recording))
    assert header["meta"]["present"] == 5


@pytest.mark.parametrize("message", [b"", b"no message", zlib.compress(b"\2\0\0\0{]")])
def test_anything_else_is_refused(message: bytes):
    with pytest.raises(RecordingError, match="not a recording"):
        read_message(message)


def test_another_schema_is_refused():
    text = b'{"schema": 9}'
    with pytest.raises(RecordingError, match="schema 9"):
        read_message(zlib.compress(struct.pack("<I", len(text)) + text))


@pytest.fixture
def pair():
    left, right = make_recording(TINY), make_recording(OVERVIEW)
    ends = np.minimum.outer(np.arange(OVERVIEW.ticks), [TINY.ticks - 1, OVERVIEW.ticks - 1])
    return Pair((left, right), ("one", "the other"), ends, "objects")


def test_a_pair_comes_back_whole(pair: Pair):
    back = decode_lineup(encode_shown(pair))
    assert (back.titles, back.by) == (pair.titles, "objects")
    np.testing.assert_array_equal(back.ticks, pair.ticks)
    for one, again in zip(pair.recordings, back.recordings, strict=True):
        for name in ("kind", "owner", "migratetype"):
            assert_same_track(getattr(one, name), getattr(again, name))
        np.testing.assert_array_equal(one.counters_array, again.counters_array)
        assert again.meta == json.loads(json.dumps(one.meta))
        assert again.event_list == one.event_list
        assert len(again.details) == len(one.details)


def test_a_pair_is_no_recording_and_a_recording_no_pair(pair: Pair):
    """A reader that knows recordings alone refuses a pair, because it has no `schema`."""
    header, arrays = read_message(encode_lineup(pair))
    assert "schema" not in header
    assert [side["schema"] for side in header["sides"]] == [2, 2]
    assert arrays["ticks"].dtype == np.int32
    with pytest.raises(RecordingError, match="schema None"):
        decode_recording(encode_lineup(pair))
    with pytest.raises(RecordingError, match="one recording"):
        decode_lineup(encode_recording(pair.left))
    assert encode_shown(pair.left) == encode_recording(pair.left)


def test_another_lineup_schema_is_refused():
    text = b'{"lineup_schema": 2, "schema": 1}'
    with pytest.raises(RecordingError, match="lineup schema 2 is not 1"):
        read_message(zlib.compress(struct.pack("<I", len(text)) + text))
