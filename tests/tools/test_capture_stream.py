"""What the guest streams arrives whole, or the damage is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.capture_runs import record, stream_of
from tools.capture.stream import MAX_STREAM_BYTES, FrameStream, StreamError

FRAMES = {"version": b"Linux\n", "kpf/boot": bytes(range(256)) * 40, "ts/files/0000": b""}


@given(st.lists(st.integers(1, 700), min_size=1, max_size=60))
def test_frames_arrive_however_the_bytes_are_cut(sizes):
    data, stream, at = stream_of(FRAMES), FrameStream(), 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        stream.feed(data[at : at + size])
        at += size
    assert stream.frames == FRAMES
    assert list(stream.frames) == list(FRAMES)
    assert (stream.ended, stream.open_path) == ("done", "")


def test_a_stream_that_ends_early_keeps_the_whole_frames():
    data = stream_of(FRAMES)
    stream = FrameStream()
    stream.feed(data[: data.index(b"open", data.index(b"kpf/boot")) - 60])
    assert stream.frames == {"version": FRAMES["version"]}
    assert (stream.ended, stream.open_path) == ("", "kpf/boot")


def test_a_flipped_bit_in_the_contents_is_found():
    data = bytearray(stream_of(FRAMES))
    data[data.index(b"Linux") + 1] ^= 4
    with pytest.raises(StreamError, match="record 1: its check sum does not fit"):
        FrameStream().feed(bytes(data))


def test_a_lost_record_is_found():
    data = stream_of(FRAMES)
    lost = record("data", 1, b"Linux\n")
    with pytest.raises(StreamError, match="record 2 came where record 1 was due"):
        FrameStream().feed(data.replace(lost, b""))


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([("data", b"x")], "data without an open frame"),
        ([("open", b"a"), ("open", b"b")], "'b' opens inside 'a'"),
        ([("open", b"a"), ("close", b"0"), ("open", b"a")], "comes twice"),
        ([("open", b"a"), ("data", b"xy"), ("close", b"3")], "2 bytes came, 3 were sent"),
        ([("open", b"../a")], "not the name of a frame"),
        ([("open", b"/etc/passwd")], "not the name of a frame"),
        ([("open", b"a b")], "not the name of a frame"),
    ],
)
def test_records_in_the_wrong_place_are_named(records, complaint):
    data = b"".join(record(kind, n, payload) for n, (kind, payload) in enumerate(records))
    with pytest.raises(StreamError, match=complaint):
        FrameStream().feed(data)


@pytest.mark.parametrize(
    "data", [b"Kernel panic\n", b"x" * 200, b"data 0 9999 00000000\n", b"data 0 -1 00000000\n"]
)
def test_what_is_no_record_is_refused(data):
    with pytest.raises(StreamError, match="record 0"):
        FrameStream().feed(data)


def test_a_guest_that_never_stops_is_stopped():
    stream = FrameStream(_total=MAX_STREAM_BYTES)
    with pytest.raises(StreamError, match="more than 256 MiB"):
        stream.feed(b"x")


def test_requests_wait_for_their_answer():
    stream = FrameStream()
    stream.feed(record("ask", 0, b"add dimm1 512 0"))
    assert stream.requests == ["add dimm1 512 0"]
