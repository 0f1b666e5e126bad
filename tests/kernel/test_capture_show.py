"""A capture beside the model: the same load, the same numbers as compare, one cursor."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import hotmem_viz
from hotmem_viz.cli import main
from hotmem_viz.errors import CaptureError, RecordingError
from hotmem_viz.kernel.capture_recording import record_capture
from hotmem_viz.kernel.capture_show import load_capture
from hotmem_viz.kernel.captures import capture_names, captures_folder, open_capture
from hotmem_viz.kernel.compare import compare_capture
from hotmem_viz.kernel.compare_machine import ComparedMachine
from hotmem_viz.kernel.table_recording import RecordedTables
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recorder import record
from hotmem_viz.vocabulary import PageKind
from tests.changed_captures import keep, make_capture


def last(recording, name):
    names = [c["name"] for c in recording.meta["counters"]]
    return recording.counters_array[-1, names.index(name)]


@pytest.mark.parametrize("name", ["b-files-85", "e-sockets-04G", "c-sparse-zero-85", "c-dense-85"])
def test_the_model_beside_it_is_the_one_that_compare_counts(name):
    shown = load_capture(name)
    rows = {r.quantity: r for r in compare_capture(name).rows}
    assert shown.model is not None
    (until,) = [r for q, r in rows.items() if q in ("objects-until-oom", "steps-until-oom")]
    assert last(shown.model, "objects") == until.predicted
    assert last(shown.capture, "objects") == until.observed
    if "objects" in until.quantity:
        zones = [z["id"] for z in shown.model.meta["zones"] if not z["kernel"]]
        free = sum(last(shown.model, f"zone{i}.free") for i in zones)
        told = [r for q, r in rows.items() if q in ("free-movable", "free-highmem")]
        assert [free] == [r.predicted for r in told]


def test_the_cells_of_a_page_table_load_are_those_of_the_models_memory():
    machine = ComparedMachine(open_capture("c-sparse-zero-85"))
    assert machine.profile
    run = RecordedTables(machine, machine.profile)
    recording = record(run)
    mem, meta = run.memory, recording.meta
    kinds = mem.kind[meta["sections"]].reshape(-1, meta["pages_per_cell"])
    assert (recording.frame(recording.n_ticks - 1) == kinds.max(axis=1)).all()
    tables = last(recording, "kind.page_table")
    assert tables == (mem.kind == PageKind.PAGE_TABLE).sum() > 20_000


def test_both_stand_where_as_much_was_done():
    shown = load_capture("b-files-85")
    pair = shown.pair
    assert isinstance(pair, Pair)
    assert (pair.left, pair.right) == (shown.capture, shown.model)
    assert pair.by == "objects"
    done = [
        r.counters_array[:, [c["name"] for c in r.meta["counters"]].index("objects")][t]
        for r, t in zip(pair.recordings, pair.ticks.T, strict=True)
    ]
    step = max(int(b - a) for a, b in zip(done[1], done[1][1:], strict=False))
    behind = abs(done[0] - done[1])
    # The captured side has a sample each 2,500 files, the model a tick each turn.
    assert behind[done[0] < done[0][-1]].max() <= 2500 + step
    ooms = [next(e.tick for e in r.event_list if e.kind == "OOM") for r in pair.recordings]
    places = [pair.position_of(side, tick) for side, tick in enumerate(ooms)]
    assert abs(places[0] - places[1]) < 12


def test_a_load_that_is_not_modelled_stands_beside_the_models_boot(tmp_path):
    def other(files):
        manifest = json.loads(files["manifest.json"])
        manifest["args"]["kind"] = "unheard-of"
        files["manifest.json"] = json.dumps(manifest).encode()

    shown = load_capture(make_capture(tmp_path, "b-files-85", other))
    assert shown.model is not None
    assert shown.model.n_ticks == 1
    assert shown.why == "the load 'unheard-of' is not modelled"
    assert shown.pair is not None
    assert shown.pair.titles[1] == "model, booted"


def test_a_kernel_without_profile_stands_alone(tmp_path):
    path = make_capture(tmp_path, "b-files-85", keep, kernel="9.9.9-test")
    shown = load_capture(path)
    assert shown.model is None
    assert shown.shown is shown.capture
    assert "no profile for kernel 9.9.9-test" in shown.why
    assert "no profile" in repr(shown)


def test_names_and_paths_and_what_is_neither(tmp_path):
    assert "a-none" in captures_folder().joinpath("a-none.tar.xz").name
    assert hotmem_viz.load_capture("a-none").source.name == "a-none"
    assert load_capture(captures_folder() / "a-none.tar.xz").capture.n_ticks == 1
    with pytest.raises(CaptureError, match="there is no such file"):
        load_capture("nowhere")
    broken = tmp_path / "broken.tar.xz"
    broken.write_bytes((captures_folder() / "a-none.tar.xz").read_bytes()[:900])
    with pytest.raises(CaptureError, match="truncated"):
        load_capture(broken)


@pytest.mark.slow
@pytest.mark.parametrize("name", capture_names())
def test_every_capture_that_comes_with_the_package_is_shown_or_did_not_boot(name):
    capture = open_capture(name)
    if not capture.has("boot/zoneinfo"):
        with pytest.raises(CaptureError, match="did not come up"):
            record_capture(capture)
        return
    recording = record_capture(capture)
    assert recording.kind is not None
    assert recording.meta["maps"][0]["tick"] == 0
    by_flags = (recording.frame(0) == PageKind.FREE).sum() * recording.meta["pages_per_cell"]
    # Pages on per-CPU lists are free as well, and zoneinfo counts them apart; 7.2 has some that
    # nobody holds and that are in use all the same.
    free = sum(z.free + z.pcp_pages for z in capture.zoneinfo())
    assert 0.9 * free < by_flags < free + 1600
    assert len(recording.to_html()) < 2_000_000


def outcome(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["show", *words])
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_the_command_writes_one_page(capsys, tmp_path):
    page = tmp_path / "x.html"
    assert outcome(capsys, "b-files-85", "--out", str(page)) == (0, "", "")
    both = len(page.read_text(encoding="utf-8"))
    assert outcome(capsys, "b-files-85", "--alone", "--out", str(page)) == (0, "", "")
    assert both < 2_000_000
    assert "model (Linux" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("b-files-85",), 2, "--out"),
        (("b-files-85", "--out", "x.npz"), 2, ".html"),
        (("nowhere", "--out", "x.html"), 1, "nowhere: there is no such file"),
        (("b-files-85", "--out", "nowhere/x.html"), 1, "no folder"),
        (("c-boot-kernelcore-056M", "--out", "x.html"), 1, "did not come up"),
    ],
)
def test_the_command_used_wrongly_is_one_line(capsys, tmp_path, monkeypatch, words, status, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = outcome(capsys, *words)
    assert (code, out) == (status, "")
    assert says in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_in_a_notebook_it_is_the_stage_with_both():
    shown = load_capture("a-none")
    data = shown._repr_mimebundle_()
    bundle = data[0] if isinstance(data, tuple) else data
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_picture_without_a_map_says_so():
    recording = replace(load_capture("a-none", model=False).capture, kind=None)
    with pytest.raises(RecordingError, match="has no map: nobody read its pages"):
        recording.plot(0)
