"""The exported page, opened from disk with the network off: it plays to the end and back."""

from __future__ import annotations

import pytest

import hotmem_viz
from tests.browser.stage import is_visible_2d_canvas, open_offline

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recording():
    """A run of the lesson."""
    return hotmem_viz.run("exhaustion", movable=0.85, seed=7)


@pytest.fixture
def stage(page, recording, tmp_path):
    """The exported page's stage."""
    return open_offline(page, recording, tmp_path)


def test_it_plays_to_the_end_and_steps_back(stage, page, recording):
    assert is_visible_2d_canvas(page)
    assert (stage.tick, stage.ticks, stage.is_playing) == (0, recording.n_ticks, False)
    stage.focus()
    stage.press("End")
    stage.wait_for_tick("tick === ticks - 1")
    last = stage.picture()
    stage.press("ArrowLeft")
    stage.wait_for_tick("tick === ticks - 2")
    before_last = stage.picture()
    for _ in range(10):
        stage.press("ArrowLeft")
    stage.wait_for_tick("tick === ticks - 12")
    stage.press("Space")
    stage.wait_for_tick("tick === ticks - 1")
    assert stage.picture() == last
    stage.press("ArrowLeft")
    stage.wait_for_tick("tick === ticks - 2")
    assert stage.picture() == before_last
