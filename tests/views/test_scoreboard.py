"""The scoreboard's picture and table: large enough, inside its figure, readable without colour."""

from __future__ import annotations

import re

import pytest

import hotmem_viz
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.measures import MEASURES
from hotmem_viz.recording.scoreboard import find_ends
from hotmem_viz.views.scoreboard import BEST, UNPROVEN, WORST, draw_scoreboard, write_table


@pytest.fixture(scope="module")
def six():
    return hotmem_viz.strategies()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_is_smaller_than_14_pixels_outside_the_figure_or_on_another(six, theme):
    figure = draw_scoreboard(six, theme)
    figure.canvas.draw()
    width, height = figure.bbox.width, figure.bbox.height
    texts = figure.axes[0].texts
    boxes = [text.get_window_extent() for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        assert float(text.get_fontsize()) * 100 / 72 >= 14
        assert 0 <= box.x0 < box.x1 <= width, text.get_text()
        assert 0 <= box.y0 < box.y1 <= height, text.get_text()
    for i, box in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert not box.overlaps(other)


def test_best_and_worst_are_signs_and_as_many_as_there_are_ends(six):
    table = six.scoreboard
    ends = [find_ends(table[m.name].tolist(), m.better) for m in MEASURES]
    words = [text.get_text() for text in draw_scoreboard(six).axes[0].texts]
    for sign, which in ((BEST, 0), (WORST, 1)):
        wanted = sum(len(end[which]) for end in ends)
        assert wanted > 4
        assert sum(word.startswith(f"{sign} ") for word in words[:-1]) == wanted
        assert write_table(six).count(f"{sign} ") == wanted + 1


def test_the_notes_say_what_is_unproven_and_what_was_not_measured(six):
    figure = " ".join(draw_scoreboard(six).axes[0].texts[-1].get_text().split())
    page = re.sub(r"<[^>]+>", " ", write_table(six))
    for text in (figure, page):
        assert f"{UNPROVEN} Unproven" in text
        assert "stop_machine remap: Q11, Q12, Q13, Q15" in text
        assert "hearsay" in text
        assert "never measured (Q12)" in text
        assert "never timed (Q11)" in text


def test_the_table_has_a_header_for_every_row_and_column(six):
    page = write_table(six)
    assert page.count('<th scope="row">') == 6
    assert page.count('<th scope="col">') == 1 + len(MEASURES)
    assert page.count("<td") == 6 * len(MEASURES)


def test_it_is_saved_by_its_ending(six, tmp_path):
    for ending, begin in (
        ("svg", b"<?xml"),
        ("png", b"\x89PNG"),
        ("pdf", b"%PDF"),
        ("csv", b"strategy,usable,"),
    ):
        path = tmp_path / f"board.{ending}"
        six.save(path)
        assert path.read_bytes().startswith(begin)
    with pytest.raises(ParameterError, match=r"board\.doc"):
        six.save(tmp_path / "board.doc")
    with pytest.raises(ParameterError):
        six.draw("sepia")
