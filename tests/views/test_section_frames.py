"""A picture shows the state of every section around its block, and hides what is still to come."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.recording.recording import Recording
from hotmem_viz.views.palette import THEMES, Theme, colour
from hotmem_viz.views.picture.frame import Plan, draw_frame, make_plan
from hotmem_viz.views.picture.inks import MOST, rgb_of
from hotmem_viz.views.picture.section_frames import badge_spot, states_used
from hotmem_viz.views.section_looks import SECTIONS
from hotmem_viz.vocabulary import SectionState
from tests.views.moving import (
    ABSENT,
    GOING,
    OFFLINE,
    ONLINE,
    STATES,
    TARGET,
    in_two_boots,
    make_moving,
)
from tests.views.synthetic import TINY, make_recording


@pytest.fixture(scope="module")
def moving():
    return make_moving()


def draw(plan: Plan, recording: Recording, tick: int) -> np.ndarray:
    picture: np.ndarray = plan.sheet.inks.table()[draw_frame(plan, recording, tick)]
    return picture


def ring(picture: np.ndarray, plan: Plan, i: int) -> np.ndarray:
    """Return the colours along the upper edge of a block's frame, (n, 3)."""
    shape = plan.layout.shape
    x, y = int(plan.layout.x[i]), int(plan.layout.y[i])
    edge: np.ndarray = picture[y - 1, x : x + shape.block_width]
    return edge


@pytest.mark.parametrize("theme", THEMES)
def test_the_frame_of_a_section_is_that_of_its_state(moving, theme: Theme):
    plan = make_plan(moving, theme)
    for tick, states in enumerate(STATES):
        picture = draw(plan, moving, tick)
        for i, state in enumerate(states):
            hue = rgb_of(getattr(SECTIONS[state], theme))
            share = float((ring(picture, plan, i) == hue).all(axis=1).mean())
            least, most = (0.3, 0.9) if SECTIONS[state].line not in {"none", "solid"} else (0.8, 1)
            assert least <= share <= most, f"tick {tick}, section {i}: {share}"


def test_what_belongs_to_no_zone_hides_its_cells(moving):
    plan = make_plan(moving)
    x, y = (int(v[1]) + 5 for v in (plan.layout.x, plan.layout.y))
    before, after = (draw(plan, moving, tick)[y : y + 20, x : x + 30] for tick in (3, 4))
    ground = rgb_of(colour("sunken", "light"))
    assert not (before == ground).all(axis=2).any()
    assert (after == ground).all(axis=2).mean() > 0.5


def test_a_plain_recording_has_plain_frames():
    recording = make_recording(TINY)
    plan = make_plan(recording)
    assert plan.sections.stamps == {}
    assert plan.legend.states == []


def test_states_between_key_frames_are_found(moving):
    assert moving.sections is not None
    assert GOING not in moving.sections.keys
    assert states_used(moving) == [ABSENT, OFFLINE, ONLINE, GOING, TARGET]


@pytest.mark.parametrize("theme", THEMES)
def test_the_palette_is_whole_before_the_first_tick(moving, theme: Theme):
    plan = make_plan(moving, theme)
    before = plan.sheet.inks.table()
    for tick in range(moving.n_ticks):
        assert draw_frame(plan, moving, tick).max() < MOST
    np.testing.assert_array_equal(plan.sheet.inks.table(), before)


def test_a_veiled_section_is_named_in_its_middle(moving):
    layout = make_plan(moving).layout
    found = badge_spot(layout, SECTIONS[SectionState.OFFLINE], 30.0)
    assert found is not None
    text, x, _, width = found
    assert text == "offline"
    assert abs(2 * x + width - layout.shape.block_width) <= 1


def test_boots_that_are_still_to_come_are_blank():
    recording = in_two_boots(make_moving())
    plan = make_plan(recording)
    layout = plan.layout
    assert layout.groups[1].label == "later: node 1 · Normal"
    x, y = int(layout.x[3]), int(layout.y[3])
    width, height = layout.shape.block_width, layout.shape.block_height
    blank = rgb_of(colour("panel", "light"))
    for tick in range(recording.n_ticks):
        seen = draw(plan, recording, tick)[y : y + height, x : x + width]
        assert (seen == blank).all() == (tick < 4), tick
