"""Recordings go to disk and come back; what is none, or damaged, is refused with one line."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, fields

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.errors import RecordingError
from hotmem_viz.recording.recorder import record
from hotmem_viz.recording.recording import SCHEMA
from hotmem_viz.recording.store import load, save, to_arrays, to_header
from hotmem_viz.recording.tracks import CellTrack
from tests.recording.runs import RandomRun

PARTS = [f.name for f in fields(CellTrack)]


@pytest.fixture(scope="module", params=[None, 60], ids=["one page a cell", "many pages a cell"])
def recording(request):
    return record(RandomRun("odd", seed=9), request.param)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return a stored recording as a dict of its arrays."""
    path = save(record(RandomRun("odd", ticks=20)), tmp_path_factory.mktemp("npz") / "x.npz")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def put(path, arrays):
    """Write arrays as an .npz."""
    np.savez_compressed(path, **arrays)
    return path


def header_of(arrays):
    return json.loads(arrays["header"].tobytes())


def with_header(arrays, change):
    """Return the arrays with a changed header; `change` gets it and may alter or replace it."""
    header = header_of(arrays)
    header = change(header) or header
    return {**arrays, "header": np.frombuffer(json.dumps(header).encode(), np.uint8)}


def refuse(path, *words):
    """Check that loading is refused with one line that names the file and all of the words."""
    with pytest.raises(RecordingError) as caught:
        load(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    for word in words:
        assert word in text
    return text


def assert_same(a, b):
    left, right = to_arrays(a), to_arrays(b)
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype, name
        assert left[name].shape == right[name].shape, name
        assert left[name].tobytes() == right[name].tobytes(), name
    assert json.dumps(to_header(a)) == json.dumps(to_header(b))


def test_everything_comes_back(recording, tmp_path):
    path = recording.save(tmp_path / "a recording.npz")
    back = hotmem_viz.load(path)
    assert_same(back, recording)
    assert back.event_list == recording.event_list
    assert [asdict(e)["claims"] for e in back.event_list] == [
        e.claims for e in recording.event_list
    ]
    assert back.meta == recording.meta
    assert [(d.section, d.tick) for d in back.details] == [
        (d.section, d.tick) for d in recording.details
    ]
    for tick in (0, 1, recording.n_ticks - 1):
        assert np.array_equal(back.frame(tick), recording.frame(tick))


def test_a_lesson_comes_back_and_gives_the_same_bytes(tmp_path):
    lesson = hotmem_viz.run("exhaustion", movable=0.9, user=0.2)
    first, second = lesson.save(tmp_path / "1.npz"), lesson.save(str(tmp_path / "2.npz"))
    assert first.read_bytes() == second.read_bytes()
    back = load(first)
    assert back.event_list == lesson.event_list
    assert_same(back, lesson)


def test_nothing_in_the_file_is_pickled(recording, tmp_path):
    path = recording.save(tmp_path / "x.npz")
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            member = io.BytesIO(file.read(name))
            assert np.lib.format.read_magic(member) in {(1, 0), (2, 0)}
            _, _, dtype = np.lib.format.read_array_header_1_0(member)
            assert not dtype.hasobject, name


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", ["header", "kind.keys", "something else"])
def test_object_arrays_are_refused_and_never_unpickled(stored, tmp_path, name):
    trace = tmp_path / "it went off"
    array = np.array([Bomb(trace)], dtype=object)
    path = tmp_path / "x.npz"
    np.savez(path, allow_pickle=True, **{**stored, name: array})
    refuse(path, "pickle")
    assert not trace.exists()


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, None, "1", [1]])
def test_another_schema_is_refused(stored, tmp_path, schema):
    path = put(tmp_path / "x.npz", with_header(stored, lambda h: h.update(schema=schema)))
    refuse(path, "schema", repr(schema), str(SCHEMA))


def test_new_arrays_and_keys_do_not_hurt(stored, tmp_path):
    more = with_header(stored, lambda h: h["meta"].update(mood="good") or h.update(more=[1]))
    back = load(put(tmp_path / "x.npz", {**more, "moves.source": np.arange(3)}))
    assert back.meta["mood"] == "good"


NEEDED = ["header", *(f"kind.{part}" for part in PARTS), "counters", "time_ns"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_array_is_named(stored, tmp_path, name):
    left = {k: v for k, v in stored.items() if k != name}
    refuse(put(tmp_path / "x.npz", left), name if name != "kind.keys" else "kind")


@pytest.mark.parametrize("track", ["owner", "migratetype"])
def test_half_a_track_is_refused(stored, tmp_path, track):
    left = {k: v for k, v in stored.items() if k != f"{track}.flip"}
    refuse(put(tmp_path / "x.npz", left), f"{track}.flip")


@pytest.mark.parametrize(
    "name", ["counters", "kind.keys", "kind.offsets", "kind.length", "owner.flip", "time_ns"]
)
def test_arrays_that_do_not_fit_together_are_refused(stored, tmp_path, name):
    refuse(put(tmp_path / "x.npz", {**stored, name: stored[name][:-1]}), "damaged")
    refuse(put(tmp_path / "x.npz", {**stored, name: stored[name][..., None]}), "damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("meta") and None,
        lambda h: h.pop("events") and None,
        lambda h: h.pop("details") is None or None,
        lambda h: h.update(meta=[1, 2]),
        lambda h: h.update(events=[{"tick": 1}]),
        lambda h: h.update(events=[{**h["events"][0], "colour": "red"}]),
        lambda h: h.update(details=[{"section": 3, "tick": 1}]),
        lambda h: h["meta"].update(sections=[0]),
        lambda h: h["meta"].pop("counters") and None,
        list,
    ],
)
def test_a_header_with_something_missing_is_refused(stored, tmp_path, change):
    refuse(put(tmp_path / "x.npz", with_header(stored, change)))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_header_that_is_not_json_is_refused(stored, tmp_path, text):
    broken = {**stored, "header": np.frombuffer(text, np.uint8)}
    refuse(put(tmp_path / "x.npz", broken), "header")


def test_what_is_no_recording_is_refused(stored, tmp_path):
    refuse(tmp_path / "nowhere.npz", "no such file")
    refuse(tmp_path, "not a recording")
    path = tmp_path / "x.npz"
    path.write_bytes(b"")
    refuse(path, "not a recording")
    path.write_text("a,b\n1,2\n")
    refuse(path, "not a recording")
    np.save(tmp_path / "x.npy", stored["counters"])
    refuse(tmp_path / "x.npy", "not a recording")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    refuse(path, "not a recording")
    refuse(put(path, {"a": np.arange(3)}), "no header")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(stored, tmp_path, share):
    path = put(tmp_path / "x.npz", stored)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refuse(path, "not a recording")


def test_a_damaged_byte_is_noticed_or_harmless(stored, tmp_path):
    path = put(tmp_path / "x.npz", stored)
    data, whole = path.read_bytes(), load(path)
    noticed = 0
    for at in np.linspace(0, len(data) - 1, 150).astype(int):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            back = load(path)
        except RecordingError:
            noticed += 1
        else:
            assert_same(back, whole)
    assert noticed > 100
