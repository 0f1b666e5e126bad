"""A run is kept as a capture only when the project can read all of it."""

from __future__ import annotations

import dataclasses

import pytest

from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.samples import last_sample
from tests.tools.capture_runs import good_frames, make_run, runs_of_pages
from tools.capture.archive import write_capture
from tools.capture.checks import problems
from tools.capture.session import GUEST_ENDED, TIMEOUT


def test_a_good_run_has_no_problem_and_reads_back(tmp_path):
    run = make_run()
    assert problems(run) == []
    path = tmp_path / "b-files-made-up.tar.xz"
    write_capture(run, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    capture = open_capture(path)
    assert capture.args == {"kind": "files", "step": 2500}
    assert capture.status == "done"
    assert capture.zoneinfo("end") == capture.zoneinfo("boot")
    assert last_sample(capture).operations == 5000
    assert capture.data("kpf/boot") == run.stream.frames["kpf/boot"]


def broken(path: str, data: bytes | None):
    """Return good frames but for one, which is missing for None."""
    frames = good_frames()
    if data is None:
        del frames[path]
    else:
        frames[path] = data
    return frames


def test_each_expected_frame_is_missed():
    expected = ("version", "kpf/boot", "boot/buddyinfo", "result/files", "end/zoneinfo")
    for path in expected:
        assert any(path in p and "missing" in p for p in problems(make_run(broken(path, None))))


@pytest.mark.parametrize(
    ("path", "data", "complaint"),
    [
        ("boot/meminfo", b"MemTotal: much\n", "boot/meminfo"),
        ("end/zoneinfo", b"Node 0, zone DMA\n", "end/zoneinfo"),
        ("result/files", b"{", "not JSON"),
        ("kpf/end", b"1234567", "kpf/end is no list of runs"),
        ("kpf/end", runs_of_pages((1024, 7), (0, 0)), "kpf/end is no list of runs"),
        ("cmdline", b"quiet\n", "another command line"),
        ("ts/files/0001", b"nonsense\n", "not the first line of a sample"),
    ],
)
def test_a_frame_that_cannot_be_read_is_named(path, data, complaint):
    found = problems(make_run(broken(path, data)))
    assert any(complaint in p for p in found), found


def test_a_gap_between_samples_is_found():
    frames = good_frames()
    frames["ts/files/0004"] = frames["ts/files/0002"].replace(b"sample 2", b"sample 4")
    assert "ts/files: sample 4 does not follow sample 2" in problems(make_run(frames))


@pytest.mark.parametrize(("old", "new"), [(b"ops=5000", b"ops=10"), (b"t=7", b"t=1")])
def test_samples_do_not_go_back(old, new):
    frames = good_frames()
    frames["ts/files/0002"] = frames["ts/files/0002"].replace(old, new)
    assert problems(make_run(frames)) == ["ts/files: sample 2 does not follow sample 1"]


def test_another_kernel_is_noticed():
    run = make_run()
    run.order = dataclasses.replace(run.order, kernel="6.1.0-5-cloud-amd64")
    assert any(p.startswith("another kernel ran") for p in problems(run))


def test_an_open_frame_is_noticed():
    run = make_run()
    run.stream.open_path = "kpf/end"
    assert problems(run) == ["the frame kpf/end was never closed"]


def test_a_guest_that_died_of_memory_is_kept():
    frames = {p: d for p, d in good_frames().items() if not p.startswith(("result", "end"))}
    assert problems(make_run(frames, GUEST_ENDED)) == []


def test_a_guest_that_died_of_something_else_is_not():
    run = make_run(status=GUEST_ENDED)
    run.console = run.console.replace(b"oom-killer", b"nobody").replace(b"Out of memory", b"-")
    assert problems(run) == [
        "the guest ended without a word, and its console names no lack of memory"
    ]


@pytest.mark.parametrize("status", ["done", GUEST_ENDED])
def test_a_crashed_kernel_is_no_capture(status):
    run = make_run(status=status)
    run.console += b"[   11.566369] BUG: kernel NULL pointer dereference, address: 08\r\n"
    crash = "the kernel crashed: BUG: kernel NULL pointer dereference, address: 08"
    assert problems(run) == [crash]


def test_a_time_out_says_how_far_it_came():
    found = problems(make_run({"version": b"x", "kpf/boot": b""}, TIMEOUT))
    assert found == ["it was not done in time; the last frame was kpf/boot"]


def test_a_guest_that_gave_up_says_why():
    run = make_run()
    run.stream.ended = "failed"
    run.console += b"HM: failed: driver 03-virtio_pci.ko: No such file or directory\r\n"
    (found,) = problems(run)
    assert found.endswith("03-virtio_pci.ko: No such file or directory")
