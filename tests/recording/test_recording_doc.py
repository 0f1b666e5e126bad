"""docs/recording.md is complete and its example works, without the package."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hotmem_viz
from hotmem_viz.recording.pair import pair_recordings
from hotmem_viz.recording.recording import Event
from hotmem_viz.recording.store import to_header
from hotmem_viz.views.wire import encode_lineup, encode_recording, read_message
from hotmem_viz.vocabulary import EventKind, PageKind

DOC = (Path(__file__).resolve().parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
TRACK_DTYPES = {
    "kind": "uint8",
    "owner": "uint16",
    "migratetype": "uint8",
    "sections": "uint8",
    "lookup": "uint16",
}


@pytest.fixture(scope="module", params=["classroom", "pae"])
def recording(request):
    return hotmem_viz.run("exhaustion", machine=request.param, user=0.2)


def section(title):
    """Return a section's text, sub-sections left out."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", DOC, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def rows(title):
    """Return the table rows of a section as lists of cells."""
    lines = re.findall(r"^\| (`.*) \|$", section(title), re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def names(title):
    """Return all names in the first column of a section's table."""
    return [name for row in rows(title) for name in re.findall(r"`([^`]+)`", row[0])]


def stored(recording, folder):
    with np.load(recording.save(folder / "lesson.npz"), allow_pickle=False) as file:
        return dict(file)


def test_every_array_is_described_with_its_type_and_shape(recording, tmp_path):
    arrays = stored(recording, tmp_path)
    meta = recording.meta
    letters = {
        "T": meta["ticks"],
        "F": len(meta["counters"]),
        "P": meta["machine"]["section_pages"],
        "B": meta["machine"]["section_pages"] // meta["machine"]["pageblock_pages"],
    }
    tracks = [t for t in TRACK_DTYPES if f"{t}.keys" in arrays]
    seen = set()
    for quoted, dtype, shape, *_ in rows("Arrays"):
        name = quoted.strip("`")
        if name.endswith(".*"):
            assert dtype == TRACK_DTYPES[name.removesuffix(".*")]
            continue
        pattern = re.escape(name).replace("N", r"\d+")
        for found in [a for a in arrays if re.fullmatch(pattern, a)]:
            seen.add(found)
            assert arrays[found].dtype == dtype, found
            if name != "header":
                wanted = tuple(letters[w] for w in re.findall(r"\w", shape))
                assert arrays[found].shape == wanted, found
    cells = len(meta["sections"]) * meta["cells_per_section"]
    for track in tracks:
        size = cells
        if track in ("migratetype", "sections", "lookup"):
            size = len(meta["sections"]) * (letters["B"] if track == "migratetype" else 1)
        q, r = (len(arrays[f"{track}.{part}"]) for part in ("key_ticks", "start"))
        shapes = {"(Q, C)": (q, size), "(Q,)": (q,), "(T + 1,)": (letters["T"] + 1,), "(R,)": (r,)}
        for name, dtype, shape, *_ in rows("Tracks"):
            array = arrays[name.strip("`").replace("X", track)]
            seen.add(name.strip("`").replace("X", track))
            assert array.dtype == (TRACK_DTYPES[track] if "track" in dtype else dtype), name
            assert array.shape == shapes[shape], name
    assert seen == set(arrays)


def test_every_key_is_described(recording):
    header = json.loads(json.dumps(to_header(recording)))
    meta = header["meta"]
    assert set(names("Header")) == set(header)
    assert names("meta") == sorted(meta, key=names("meta").index)
    assert set(names("meta")) == set(meta)
    assert set(names("meta.machine")) == set(meta["machine"])
    assert all(set(names("meta.zones")) == set(zone) for zone in meta["zones"])
    assert all(set(names("meta.captions")) == set(c) for c in meta["captions"])
    assert set(names("events")) == {f.name for f in fields(Event)}
    for node in meta["machine"]["nodes"]:
        assert set(node) == {"nid", "hotpluggable", "ranges"}
    for owner in meta["owners"]:
        assert set(owner) == {"id", "name"}
    for detail in header["details"]:
        assert set(detail) == {"section", "tick"}


def test_several_boots_are_described():
    meta = hotmem_viz.run("boot_options").meta
    assert all(names("Several boots") == list(boot) for boot in meta["boots"])
    for row in (*meta["zones"], *meta["machine"]["nodes"]):
        assert 0 <= row["boot"] < len(meta["boots"])
    own = names("counters of several boots")
    assert [c["name"] for c in meta["counters"]][-len(own) :] == own


def test_the_counters_of_strategies_are_described():
    own, meta = names("counters of strategies"), hotmem_viz.run("strategies").meta
    assert [c["name"] for c in meta["counters"]][-len(own) :] == own
    units = {c["name"]: c["unit"] for c in meta["counters"]}
    for row in rows("counters of strategies"):
        assert {units[name] for name in re.findall(r"`([^`]+)`", row[0])} == {row[1]}


def test_every_counter_is_described(recording):
    patterns = [
        name.replace("zoneN", r"zone\d+").replace("NAME", r"\w+") for name in names("meta.counters")
    ]
    for counter in recording.meta["counters"]:
        assert any(re.fullmatch(p, counter["name"]) for p in patterns), counter["name"]
        zone = {"zone"} if counter["name"].startswith("zone") else set()
        assert set(counter) == {"name", "unit", "label"} | zone
    told = [c["name"] for c in recording.meta["counters"]]
    assert all(any(re.fullmatch(p, name) for name in told) for p in patterns)


def test_kinds_of_page_and_of_event_are_all_listed():
    table = section("Tracks")
    listed = {int(i) for i in re.findall(r"\| (\d+) \| ", table)}
    assert listed == {int(kind) for kind in PageKind}
    for kind in EventKind:
        assert kind.name in section("events")


def test_the_message_to_the_browser_is_as_described(recording):
    header, arrays = read_message(encode_recording(recording))
    assert set(names("The message to the browser")) >= set(header)
    told = dict(rows("The message to the browser"))
    for key in ("kinds", "movabilities", "event_kinds", "section_states", "arrays"):
        for row in header[key]:
            assert set(row) <= set(re.findall(r"\w+", told[f"`{key}`"])), key
    assert header["events"][-1]["kind"] == recording.event_list[-1].kind.lower()
    assert "lower case" in told["`events`"]
    in_file = {"counters", "time_ns"} | {n for n in arrays if "." in n}
    assert set(arrays) == in_file


def test_a_pairs_message_is_as_described(recording):
    pair = pair_recordings(recording, recording)
    header, arrays = read_message(encode_lineup(pair))
    title = "Several recordings on one cursor"
    assert set(names(title)) == set(header)
    told = dict(rows(title))
    for side in header["sides"]:
        assert set(side) == {"schema", "meta", "events", "details"}
        assert set(side) <= set(re.findall(r"`(\w+)`", told["`sides`"]))
    single = read_message(encode_recording(recording))[1]
    assert set(arrays) == {"ticks", *(f"{i}.{name}" for i in (0, 1) for name in single)}
    assert arrays["ticks"].shape == (pair.n_positions, 2)
    assert "int32 of shape (positions, sides)" in section(title)


def test_the_message_has_the_arrays_of_the_file(recording, tmp_path):
    _, arrays = read_message(encode_recording(recording))
    in_file = stored(recording, tmp_path)
    del in_file["header"]
    assert set(arrays) == set(in_file)
    for name, array in arrays.items():
        assert np.array_equal(array, in_file[name]), name


def test_the_example_reads_a_recording_without_the_package(
    recording, tmp_path, monkeypatch, capsys
):
    recording.save(tmp_path / "lesson.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "hotmem_viz", None)  # any import of it would fail
    blocks = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, Any] = {}
    exec("\n".join(blocks), names)
    for tick in (0, 1, 64, 65, recording.n_ticks - 1):
        assert np.array_equal(names["state_at"]("kind", tick), recording.frame(tick))
    present = recording.meta["machine"]["present_pages"]
    assert 0 <= names["pages_by_kind"][1:].sum() - present < present / 1000
    printed = capsys.readouterr().out
    assert "pages are of no use to the kernel" in printed
    assert f"{int(names['useless'])}" in printed
    pages = recording.meta["machine"]["section_pages"]
    starts = {names["first_pfn_of"](c) for c in range(len(names["cells"]))}
    assert len(starts) == len(names["cells"])
    assert {s // pages for s in starts} == set(recording.meta["sections"])
