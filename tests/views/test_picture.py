"""A picture shows each cell in the colour of its kind, and its words are whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.palette import THEMES, Theme
from hotmem_viz.views.picture import words
from hotmem_viz.views.picture.frame import WIDTH, draw_frame, make_plan
from hotmem_viz.views.picture.inks import MOST, Inks, rgb_of
from hotmem_viz.views.picture.memmap import fit_map
from hotmem_viz.views.picture.sheet import LARGE, MIDDLE, SMALL, Sheet, shorten, text_width
from hotmem_viz.vocabulary import PageKind
from tests.views.pixels import wrong_cells
from tests.views.synthetic import CLASSROOM, OVERVIEW, TINY, Size, make_recording

SIZES = {
    "tiny": TINY,
    "classroom": Size(**{**CLASSROOM.__dict__, "ticks": 5, "keys": 2}),
    "overview": Size(**{**OVERVIEW.__dict__, "ticks": 5, "keys": 2}),
}


@pytest.fixture(scope="module", params=SIZES)
def recording(request):
    return make_recording(SIZES[request.param])


@pytest.fixture(scope="module")
def tiny():
    return make_recording(TINY)


@pytest.mark.parametrize("theme", THEMES)
def test_every_cell_has_the_colour_of_its_kind(recording, theme: Theme):
    plan = make_plan(recording, theme)
    assert plan.cells.fold == 1
    sections = len(recording.meta["sections"])
    for tick in (0, recording.n_ticks - 1):
        picture = plan.sheet.inks.table()[draw_frame(plan, recording, tick)]
        kinds = recording.frame(tick).reshape(sections, -1)
        assert wrong_cells(picture, kinds, recording, plan.layout, theme) == 0
        # The other tick's kinds would be found wrong: the count can tell.
        other = recording.frame(recording.n_ticks - 1 - tick).reshape(sections, -1)
        assert wrong_cells(picture, other, recording, plan.layout, theme) > 100


def test_a_picture_is_even_and_as_wide_as_a_projector(recording):
    width, height = make_plan(recording).size
    assert width == WIDTH == 1280
    assert height <= 720
    assert height % 2 == 0


def test_a_picture_depends_on_recording_and_tick_alone(tiny):
    plan = make_plan(tiny)
    first = draw_frame(plan, tiny, 3)
    draw_frame(plan, tiny, 6)
    np.testing.assert_array_equal(draw_frame(plan, tiny, 3), first)
    np.testing.assert_array_equal(draw_frame(make_plan(tiny), tiny, 3), first)


def test_a_tick_that_was_not_recorded_is_refused(tiny):
    with pytest.raises(ParameterError, match="tick"):
        draw_frame(make_plan(tiny), tiny, 99)


@pytest.mark.parametrize("theme", THEMES)
def test_the_palette_is_whole_before_the_first_tick(recording, theme: Theme):
    plan = make_plan(recording, theme)
    before = plan.sheet.inks.table()
    for tick in range(recording.n_ticks):
        assert draw_frame(plan, recording, tick).max() < MOST
    after = plan.sheet.inks.table()
    np.testing.assert_array_equal(after, before)
    assert len(np.unique(after, axis=0)) == len(after) == 256


def test_more_cells_than_fit_are_put_together_and_show_the_least_movable():
    recording = make_recording(SIZES["classroom"])
    meta = recording.meta
    layout, fold = fit_map(meta, 500, 130)
    assert fold > 1
    assert layout.shape.fits
    assert recording.kind
    kind = replace(recording.kind, keys=recording.kind.keys.copy())
    kind.keys[0].reshape(64, -1)[40, 5] = PageKind.PINNED
    pinned = replace(recording, kind=kind)
    plan = make_plan(pinned)
    folded = replace(plan.cells, fold=4, cell=plan.cells.cell // 4)
    pixels = plan.sheet.pixels.copy()
    folded.paint(pixels, pinned.frame(0))
    shown = pinned.frame(0).reshape(64, -1, 4).max(axis=2).repeat(4, axis=1)
    assert (shown[40, 4:8] == PageKind.PINNED).all()
    picture = plan.sheet.inks.table()[pixels]
    assert wrong_cells(picture, shown, pinned, plan.layout, "light") == 0


def test_no_text_is_smaller_than_a_lecture_hall_can_read():
    assert min(SMALL, MIDDLE, LARGE) >= 14


def test_letters_are_written_where_they_are_asked_for():
    sheet = Sheet(200, 40, "light", Inks())
    ground = sheet.pixels[0, 0]
    end = sheet.write(20, 25, "no holes", size=SMALL)
    rows, columns = np.nonzero(sheet.pixels != ground)
    assert 20 <= columns.min() < 24
    assert end - 4 < columns.max() <= end
    assert 25 - SMALL < rows.min() < rows.max() <= 25 + 4
    assert sheet.pixels.max() < len(sheet.inks.table())
    assert sheet.ink("ink") in sheet.pixels


@pytest.mark.parametrize("x", [-30, 170, 500])
def test_letters_beyond_the_edge_are_left_out(x: int):
    sheet = Sheet(200, 12, "light", Inks())
    sheet.write(x, 12, "beyond", size=SMALL)
    assert sheet.pixels.shape == (12, 200)


def test_a_line_break_in_a_recordings_words_is_a_space():
    sheets = [Sheet(200, 40, "light", Inks()) for _ in range(2)]
    for sheet, text in zip(sheets, ("two\nlines", "two lines"), strict=True):
        sheet.write(5, 25, text)
    np.testing.assert_array_equal(sheets[0].pixels, sheets[1].pixels)


def test_a_long_text_is_shortened_to_its_room():
    text = "Classroom machine: 2 nodes, 256 MiB, every border at 1/32"
    short = shorten(text, 150, SMALL)
    assert short.endswith("…")
    assert text_width(short, SMALL) <= 150
    assert shorten(text, 1000, SMALL) == text


def test_the_legend_names_every_kind_that_is_ever_there(tiny):
    present = set(np.unique(np.stack([tiny.frame(t) for t in range(tiny.n_ticks)])).tolist())
    legend = words.lay_out_legend(tiny, 1232)
    assert {int(kind) for *_, kind in legend.places} == present
    assert legend.places[-1][2] is PageKind.HOLE
    places = [(row, x) for row, x, _ in legend.places]
    assert len(set(places)) == len(places)


def test_the_scale_says_what_a_cell_is(tiny):
    assert words.scale_of_cells(tiny, 1) == "1 cell = 1 page, 4 KiB"
    told = "1 cell = 8 pages, 32 KiB; it shows the least movable"
    assert words.scale_of_cells(tiny, 8) == told


def test_a_recording_without_counters_and_captions_is_shown_too(tiny):
    meta = {**tiny.meta, "counters": [], "captions": []}
    bare = replace(tiny, meta=meta, counters_array=np.zeros((tiny.n_ticks, 0)), event_list=())
    plan = make_plan(bare)
    picture = plan.sheet.inks.table()[draw_frame(plan, bare, 6)]
    kinds = bare.frame(6).reshape(5, -1)
    assert wrong_cells(picture, kinds, bare, plan.layout, "light") == 0


def test_captions_are_those_of_the_tick_and_marked_by_their_event(tiny):
    plan = make_plan(tiny)
    last = max(c["tick"] for c in tiny.meta["captions"])
    picture = plan.sheet.inks.table()[draw_frame(plan, tiny, last)]
    bar = picture[plan.caption_top + 10, words.MARGIN + 2]
    event = words.event_of(tiny, words.caption_at(tiny, last))
    assert event is not None
    assert event.kind == "oom"
    assert tuple(bar) == rgb_of("#b3151f")


def test_what_nobody_has_built_says_so(tiny):
    unproven = next(c for c in tiny.meta["captions"] if c["unproven"])
    proven = next(c for c in tiny.meta["captions"] if not c["unproven"])
    told = [" ".join(word for word, *_ in words._sources(c)) for c in (unproven, proven)]
    assert ["unproven" in text for text in told] == [True, False]


def test_every_caption_is_whole_and_stays_within_its_box(recording):
    lines = words.caption_lines(recording, WIDTH)
    room = WIDTH - 2 * words.MARGIN - 34
    for caption in recording.meta["captions"]:
        placed = list(words._wrapped(caption, room))
        told = f"{caption['title']} {caption['text']}"
        assert [word for _, _, word, _ in placed] == told.split()
        before = (0, 0.0)
        for line, x, word, bold in placed:
            assert (line, x) >= before
            end = x + text_width(word, MIDDLE, bold)
            assert line < lines
            assert end <= room
            before = (line, end)


def test_the_palette_holds_as_many_colours_as_a_gif_can():
    inks = Inks()
    asked = [inks.index((v % 256, v // 256, 7)) for v in range(400)]
    assert max(asked) == MOST - 1
    assert len(np.unique(inks.table(), axis=0)) == 256
