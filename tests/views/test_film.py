"""Films show the recording's ticks in order, hold their marks, and play where they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.recording import Recording
from hotmem_viz.views.palette import THEMES, Theme
from hotmem_viz.views.picture import film
from hotmem_viz.views.picture.frame import draw_frame, make_plan
from tests.views.pixels import wrong_cells
from tests.views.synthetic import OVERVIEW, TINY, Size, make_recording


@pytest.fixture(scope="module")
def recording():
    return make_recording(TINY)


@pytest.fixture(scope="module")
def server():
    """131,072 cells of 128 pages."""
    return make_recording(Size(**{**OVERVIEW.__dict__, "ticks": 3, "keys": 1}))


def pictures_of(path) -> list[np.ndarray]:
    with Image.open(path) as opened:
        frames = []
        for i in range(getattr(opened, "n_frames", 1)):
            opened.seek(i)
            frames.append(np.asarray(opened.convert("RGB")))
    return frames


def delays_of(path) -> list[int]:
    with Image.open(path) as opened:
        found = []
        for i in range(getattr(opened, "n_frames", 1)):
            opened.seek(i)
            found.append(opened.info["duration"])
    return found


def wrong_at(recording: Recording, picture: np.ndarray, tick: int, theme: Theme = "light") -> int:
    kinds = recording.frame(tick).reshape(len(recording.meta["sections"]), -1)
    layout = make_plan(recording, theme).layout
    return wrong_cells(picture, kinds, recording, layout, theme)


@pytest.mark.parametrize("theme", THEMES)
def test_a_gif_shows_every_tick_in_the_recordings_colours(recording, theme: Theme, tmp_path):
    path = tmp_path / "x.gif"
    recording.to_gif(path, theme=theme)
    pictures = pictures_of(path)
    assert len(pictures) == recording.n_ticks
    plan = make_plan(recording, theme)
    for tick, picture in enumerate(pictures):
        assert wrong_at(recording, picture, tick, theme) == 0
        wanted = plan.sheet.inks.table()[draw_frame(plan, recording, tick)]
        np.testing.assert_array_equal(picture, wanted)
    assert wrong_at(recording, pictures[0], recording.n_ticks - 1, theme) > 100


def test_a_gif_of_a_server_is_right_too(server, tmp_path):
    path = tmp_path / "x.gif"
    film.save_gif(server, path, first=1)
    pictures = pictures_of(path)
    assert [wrong_at(server, picture, tick) for tick, picture in enumerate(pictures, 1)] == [0, 0]


def test_a_gif_tells_its_marks_longer_and_plays_for_ever(recording, tmp_path):
    path = tmp_path / "x.gif"
    film.save_gif(recording, path, fps=8)
    telling = {c["tick"] for c in recording.meta["captions"]} | {6}
    assert telling == {0, 2, 3, 5, 6}
    wanted = [3000 if tick in telling else 125 for tick in range(7)]
    assert delays_of(path) == pytest.approx(wanted, abs=5)
    with Image.open(path) as opened:
        assert opened.info["loop"] == 0
        assert opened.size[0] <= 1280


def test_a_gif_can_show_a_part_and_a_single_tick(recording, tmp_path):
    path = tmp_path / "x.gif"
    film.save_gif(recording, path, first=2, last=4)
    assert [wrong_at(recording, p, t) for t, p in enumerate(pictures_of(path), 2)] == [0, 0, 0]
    film.save_gif(recording, path, first=4, last=4)
    (picture,) = pictures_of(path)
    assert wrong_at(recording, picture, 4) == 0


def test_a_gif_stores_what_changes_and_not_what_stays(recording, tmp_path):
    kind = replace(
        recording.kind,
        keys=recording.kind.keys[:1],
        key_ticks=np.zeros(1, np.int32),
        offsets=np.zeros(recording.n_ticks + 1, np.uint32),
    )
    still = replace(recording, kind=kind)
    sizes = []
    for last in (0, 6):
        film.save_gif(still, tmp_path / "x.gif", last=last)
        sizes.append((tmp_path / "x.gif").stat().st_size)
    # Six more ticks of new words, counts and captions over the same map.
    assert sizes[1] < 3 * sizes[0]


def test_delays_add_up_although_a_gif_counts_in_hundredths():
    delays = film._centiseconds([1 / 30] * 300)
    assert sum(delays) == 1000
    assert set(delays) == {3, 4}


def long_run(ticks: int) -> Recording:
    tiny = make_recording(TINY)
    marks = tuple(replace(e, tick=e.tick * 10 + 1) for e in tiny.event_list)
    meta = {**tiny.meta, "captions": [{"tick": 97, "title": "told", "text": ""}]}
    return replace(tiny, meta=meta, event_list=marks, time_ns=np.zeros(ticks))


def test_a_long_run_leaves_ticks_out_but_none_that_tells():
    run = long_run(1501)
    chosen = film.plan_film(run)
    assert len(chosen.ticks) <= film.MOST_FRAMES + 10
    marks = {e.tick for e in run.event_list if e.mark}
    assert len(marks) > 3
    assert marks | {0, 97, 1500} <= set(chosen.ticks)
    assert chosen.ticks == sorted(set(chosen.ticks))
    held = {tick for tick, s in zip(chosen.ticks, chosen.seconds, strict=True) if s > 1}
    assert held == marks | {97, 1500}
    gaps = np.diff(chosen.ticks)
    assert gaps.max() == 6  # 1501 ticks in 300 pictures.


@pytest.mark.parametrize(("ticks", "fps"), [(7, 2), (164, 7), (277, 13), (1501, 12)])
def test_a_run_takes_some_twenty_seconds(ticks: int, fps: int):
    assert film.plan_film(long_run(ticks)).fps == fps


def test_a_part_has_the_marks_that_lie_in_it():
    chosen = film.plan_film(long_run(200), fps=10, first=30, last=98)
    assert (chosen.ticks[0], chosen.ticks[-1]) == (30, 98)
    held = [t for t, s in zip(chosen.ticks, chosen.seconds, strict=True) if s > 1]
    assert held == [31, 51, 61, 97, 98]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"fps": 0}, "fps: 0 is not allowed; 1 to 50"),
        ({"fps": 51}, "fps: 51 .* 1 to 50"),
        ({"fps": float("nan")}, "fps: nan"),
        ({"first": -1}, "first: -1 .* 0 to 6"),
        ({"last": 7}, "last: 7 .* 0 to 6"),
        ({"first": 5, "last": 4}, r"last: 4 .* 5 \(first\) to 6"),
        ({"theme": "blue"}, "theme: 'blue' .* light, dark"),
    ],
)
@pytest.mark.parametrize("ending", ["gif", "mp4"])
def test_what_cannot_be_shown_is_refused_and_leaves_no_file(
    recording, tmp_path, options, named, ending
):
    path = tmp_path / f"x.{ending}"
    with pytest.raises(ParameterError, match=named):
        getattr(recording, f"to_{ending}")(path, **options)
    assert not path.exists()
