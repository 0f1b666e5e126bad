"""The palette can be told apart, by people with and without colour blindness."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hotmem_viz.views import palette
from hotmem_viz.views.event_looks import EVENTS
from hotmem_viz.views.palette import KINDS, MOVABILITY, THEMES, UI, Theme, colour
from hotmem_viz.vocabulary import EventKind, Movability, PageKind

MAIN = (
    PageKind.FREE,
    PageKind.PAGE_CACHE,
    PageKind.ANON,
    PageKind.BUFFER,
    PageKind.RECLAIMABLE_SLAB,
    PageKind.SLAB,
    PageKind.PAGE_TABLE,
    PageKind.PINNED,
)
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(text: str) -> np.ndarray:
    rgb = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(text: str, blindness: str) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(BLINDNESS[blindness] @ linear(text), 0, 1)
    f = np.cbrt(xyz / np.array([0.95047, 1.0, 1.08883]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(a: str, b: str, blindness: str) -> float:
    return float(np.linalg.norm(lab(a, blindness) - lab(b, blindness)))


def contrast(a: str, b: str) -> float:
    weights = np.array([0.2126, 0.7152, 0.0722])
    high, low = sorted((float(weights @ linear(t)) for t in (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself_sees_that_red_and_green_meet():
    assert distance("#a05030", "#707030", "deuteranopia") < 14
    assert distance("#a05030", "#707030", "none") > 30


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_main_kinds_stay_apart(theme: Theme, blindness: str):
    looks = {kind: getattr(KINDS[kind], theme) for kind in MAIN}
    pairs = itertools.combinations(looks, 2)
    close = {(a.name, b.name): distance(looks[a], looks[b], blindness) for a, b in pairs}
    pair, nearest = min(close.items(), key=lambda item: item[1])
    assert nearest > 14, f"{pair} are {nearest:.1f} apart"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_kinds_that_look_alike_differ_in_hatch(theme: Theme, blindness: str):
    for a, b in itertools.combinations(KINDS.values(), 2):
        near = distance(getattr(a, theme), getattr(b, theme), blindness) < 14
        assert not near or a.hatch != b.hatch or " " in (a.glyph, b.glyph), (a.label, b.label)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_three_movabilities_stay_far_apart(theme: Theme, blindness: str):
    tones = [getattr(style, theme) for style in MOVABILITY.values()]
    assert min(distance(a, b, blindness) for a, b in itertools.combinations(tones, 2)) > 30


def test_every_word_of_the_vocabulary_has_a_look():
    assert set(KINDS) == set(PageKind)
    assert set(MOVABILITY) == set(Movability)
    assert set(EVENTS) == set(EventKind)
    assert [row["id"] for row in palette.kind_table()] == list(range(len(PageKind)))


def test_glyphs_are_single_and_unique():
    glyphs = [style.glyph for style in KINDS.values()]
    assert all(len(glyph) == 1 for glyph in glyphs)
    assert len(set(glyphs)) == len(glyphs)


@pytest.mark.parametrize("theme", THEMES)
def test_a_hole_is_quieter_than_free_and_free_than_all_others(theme: Theme):
    ground = colour("panel", theme)
    loud = {k: distance(getattr(s, theme), ground, "none") for k, s in KINDS.items()}
    assert loud[PageKind.HOLE] < loud[PageKind.FREE]
    others = [v for k, v in loud.items() if k > PageKind.FREE]
    assert loud[PageKind.FREE] < min(others)


WORDS = ("ink", "muted", "accent", "usable", "useless", "claim", "alarm", "side0", "side1")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_the_sides_of_a_pair_stay_apart(theme: Theme, blindness: str):
    assert distance(colour("side0", theme), colour("side1", theme), blindness) > 30


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("word", WORDS)
def test_words_can_be_read_on_every_ground(theme: Theme, word: str):
    for ground in ("page", "panel", "raised"):
        assert contrast(colour(word, theme), colour(ground, theme)) >= 4.5, ground


def test_css_has_every_colour_in_both_themes():
    css = palette.css_variables()
    for name, pair in UI.items():
        for tone in pair:
            assert f"--hotmem-{name}: {tone};" in css
