"""Printed pages: nothing is cut off or too small, and nothing is asked of another machine."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image

from hotmem_viz.errors import ParameterError
from hotmem_viz.views import printed
from hotmem_viz.views.palette import THEMES, Theme, colour, event_colour
from hotmem_viz.views.picture.frame import draw_frame, make_plan
from hotmem_viz.views.picture.inks import rgb_of
from tests.views.synthetic import TINY, make_recording

LEAST_PIXELS = 14


@pytest.fixture(scope="module")
def recording():
    return make_recording(TINY)


def texts_of(figure) -> list[Text]:
    figure.canvas.draw()
    found = figure.findobj(lambda artist: isinstance(artist, Text))
    return [text for text in found if text.get_text() and text.get_visible()]


def shown(text: Text, figure) -> bool:
    """Return whether a text is drawn at all: axes keep labels for ticks that they do not show."""
    box = text.get_window_extent()
    return bool(box.width) and box.overlaps(figure.bbox)


@pytest.mark.parametrize("theme", THEMES)
def test_a_png_has_the_picture_of_the_tick_and_the_chart(recording, theme: Theme, tmp_path):
    path = tmp_path / "x.png"
    printed.save_png(recording, 3, path, theme)
    plan = make_plan(recording, theme)
    wanted = plan.sheet.inks.table()[draw_frame(plan, recording, 3)]
    with Image.open(path) as opened:
        picture = np.asarray(opened.convert("RGB"))
    height, width, _ = wanted.shape
    assert picture.shape == (height + printed.CHART_PIXELS, width, 3)
    np.testing.assert_array_equal(picture[:height], wanted)
    chart = picture[height:].reshape(-1, 3)
    assert (chart == rgb_of(colour("usable", theme))).all(axis=1).any()


def test_plot_is_the_page_of_a_tick(recording):
    figure = recording.plot(theme="dark")
    assert to_hex(figure.get_facecolor()) == "#181c22"
    with pytest.raises(ParameterError, match="tick"):
        recording.plot(99)


@pytest.mark.parametrize("page", ["chart", "tick"])
def test_no_text_is_cut_off_or_too_small(recording, page):
    title = "a kernel allocation that is refused although more than half of memory is free " * 3
    events = tuple(replace(e, title=title) for e in recording.event_list)
    wordy = replace(recording, event_list=events)
    figure = printed.draw_chart_page(wordy) if page == "chart" else printed.draw_page(wordy, 5)
    texts = [text for text in texts_of(figure) if shown(text, figure)]
    assert len(texts) > 10
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.width, text
        assert box.y1 <= figure.bbox.height, text
        assert float(text.get_fontsize()) * 96 / 72 >= LEAST_PIXELS, text


def test_words_are_no_formulas(recording, tmp_path):
    events = tuple(replace(e, title="$5 of $\\nonsense") for e in recording.event_list)
    meta = {**recording.meta, "title": "a $ and a $"}
    odd = replace(recording, event_list=events, meta=meta)
    odd.to_svg(tmp_path / "x.svg")
    odd.plot().savefig(tmp_path / "x.png")
    words = [text.get_text() for text in texts_of(printed.draw_chart_page(odd))]
    assert "a $ and a $" in words


def test_no_two_texts_of_a_chart_overlap(recording):
    figure = printed.draw_chart_page(recording)
    boxes = [t.get_window_extent().shrunk(0.98, 0.8) for t in texts_of(figure) if shown(t, figure)]
    assert [i for i, box in enumerate(boxes) if box.count_overlaps(boxes) > 1] == []


@pytest.mark.parametrize("theme", THEMES)
def test_an_svg_parses_and_names_no_other_place(recording, theme: Theme, tmp_path):
    path = tmp_path / "x.svg"
    recording.to_svg(path, theme=theme)
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    titles = [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["Kernel zones run dry: free memory over the ticks"]
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"url\((?!#)", text)
    named = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert named == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<!DOCTYPE" not in text
    assert "<script" not in text
    assert colour("panel", theme) in text
    assert colour("usable", theme) in text


def test_the_letters_of_an_svg_are_outlines_of_a_readable_size(recording, tmp_path):
    path = tmp_path / "x.svg"
    recording.to_svg(path)
    text = path.read_text(encoding="utf-8")
    assert "<text" not in text
    assert "font-family" not in text
    # Glyphs are drawn at 100 points and scaled to the size of the text.
    points = [100 * float(k) for k in re.findall(r"<g [^>]*scale\(([\d.]+) -[\d.]+\)", text)]
    assert len(points) > 20
    assert min(points) * 96 / 72 >= LEAST_PIXELS


@pytest.mark.parametrize("theme", THEMES)
def test_a_pdf_brings_its_fonts(recording, theme: Theme, tmp_path):
    path = tmp_path / "x.pdf"
    recording.to_pdf(path, theme=theme)
    raw = path.read_bytes()
    assert raw.startswith(b"%PDF")
    fonts = re.findall(rb"/BaseFont /([\w+-]+)", raw)
    assert fonts
    # Six letters and a plus: the part of a font that is in the file (PDF 32000, 9.6.4).
    assert all(re.fullmatch(rb"[A-Z]{6}\+DejaVuSans(-\w+)?", font) for font in fonts)
    assert raw.count(b"/FontFile2") == len(set(fonts))
    assert b"/URI" not in raw


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_the_same_recording_gives_the_same_bytes(recording, ending, tmp_path):
    first, again = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, again):
        getattr(recording, f"to_{ending}")(path)
    assert first.read_bytes() == again.read_bytes()


def test_a_chart_can_show_a_part_of_the_run(recording):
    figure = printed.draw_chart_page(recording, first=3, last=6)
    (chart,) = figure.axes
    assert chart.get_xlim() == (3, 6)
    words = " ".join(text.get_text() for text in texts_of(figure))
    for event in recording.event_list:
        assert (event.title in words) == (event.mark and event.tick >= 3)
    free = recording.counters["free"].to_numpy() * 4096 / 2**20
    claim = recording.counters["mem_available"].to_numpy() * 4096 / 2**20
    top = max(free[3:].max(), claim[3:].max())
    assert chart.get_ylim()[1] == pytest.approx(1.04 * top)


def test_each_mark_has_its_colour_and_number(recording):
    figure = printed.draw_chart_page(recording, "dark")
    marks = [e for e in recording.event_list if e.mark]
    flags = {}
    for text in texts_of(figure):
        if (box := text.get_bbox_patch()) is not None:
            flags[text.get_text()] = to_hex(box.get_facecolor())
    wanted = {str(i): event_colour(e.kind, "dark") for i, e in enumerate(marks, 1)}
    assert flags == wanted


@pytest.mark.parametrize(
    ("options", "named"),
    [({"first": 9}, "first"), ({"last": -2}, "last"), ({"theme": "blue"}, "theme")],
)
def test_what_cannot_be_drawn_is_refused(recording, tmp_path, options, named):
    with pytest.raises(ParameterError, match=named):
        recording.to_svg(tmp_path / "x.svg", **options)
    assert list(tmp_path.iterdir()) == []


def test_places_are_spread_within_their_room():
    assert printed.spread([0.1, 0.5], 0.2) == [0.1, 0.5]
    moved = printed.spread([0.9, 0.91, 0.92, 1.0], 0.05)
    assert moved == pytest.approx([0.85, 0.9, 0.95, 1.0])
    assert printed.spread([], 0.1) == []
