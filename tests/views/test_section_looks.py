"""States of sections can be told apart, by people with and without colour blindness."""

from __future__ import annotations

import itertools

import pytest

from hotmem_viz.views.palette import THEMES, Theme, colour
from hotmem_viz.views.section_looks import SECTIONS, section_table
from hotmem_viz.vocabulary import ONLINE_STATES, SectionState
from tests.views.test_palette import BLINDNESS, contrast, distance

SHOWN = {state: look for state, look in SECTIONS.items() if look.line != "none"}


def test_every_state_has_a_look_and_a_row():
    assert list(SECTIONS) == list(SectionState)
    assert [row["id"] for row in section_table()] == [int(state) for state in SectionState]
    assert set(SECTIONS) - set(SHOWN) == {SectionState.ONLINE}


def test_letters_are_single_and_unique():
    letters = [look.letter for look in SECTIONS.values()]
    assert {len(letter) for letter in letters} == {1}
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_states_of_one_line_and_veil_differ_in_colour(theme: Theme, blindness: str):
    for a, b in itertools.combinations(SHOWN.values(), 2):
        near = distance(getattr(a, theme), getattr(b, theme), blindness) < 14
        assert not near or (a.line, a.veil) != (b.line, b.veil), (a.label, b.label)


@pytest.mark.parametrize("theme", THEMES)
def test_letters_can_be_read_on_their_badge(theme: Theme):
    for look in SHOWN.values():
        least = 3.0 if look is SECTIONS[SectionState.ABSENT] else 4.5
        assert contrast(colour("panel", theme), getattr(look, theme)) >= least, look.label


def test_just_those_are_veiled_whose_frames_belong_to_no_zone():
    veiled = {state for state, look in SECTIONS.items() if look.veil != "none"}
    assert veiled == set(SectionState) - set(ONLINE_STATES)
