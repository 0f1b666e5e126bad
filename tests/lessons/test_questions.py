"""Questions: well made for every seed, judged rightly, and with no key that is written down."""

from __future__ import annotations

import itertools

import pytest

import hotmem_viz
from hotmem_viz.catalog import SCENARIOS
from hotmem_viz.errors import ParameterError
from hotmem_viz.lessons.captured_scene import CAPTURE
from hotmem_viz.lessons.question import Mistake, Question
from hotmem_viz.lessons.questions import ask, list_questions
from hotmem_viz.views.question_html import question_html

SEEDS = (7, 8, 23)
NAMES = list_questions()
WORDS = Question(
    "Which?", "this one", (Mistake("that one", "by a slip"), Mistake("none", "late")), ""
)
NUMBER = Question(
    "How many?", 400, (Mistake(800, "twice"), Mistake(401, "nearly")), "", "pages", True, 0.05
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_question_is_well_made(name, seed):
    question = hotmem_viz.question(name, seed=seed)
    assert (question.name, question.seed) == (name, seed)
    assert question.text.strip().endswith((".", "?", ")"))
    assert question.why.endswith(".")
    assert question.check(question.key)
    assert len(question.mistakes) >= 2
    written = [question.write(m.value) for m in question.mistakes]
    assert len({*written, question.key}) == len(written) + 1
    assert all(not question.check(text) for text in written)
    assert all(m.slip in question.check(question.write(m.value)).text for m in question.mistakes)
    if question.entered:
        assert question.choices == ()
        assert 0 < question.within < 0.25
    else:
        assert question.choices.count(question.key) == 1
        assert sorted(question.choices) == sorted([*written, question.key])
    assert all(claim.startswith("S") for claim in question.claims)
    assert question.key not in str(question).split("\n") or not question.entered


@pytest.mark.parametrize("name", NAMES)
def test_seeds_give_different_numbers(name):
    asked = [ask(name, seed) for seed in range(7, 12)]
    assert all(a.text != b.text for a, b in itertools.pairwise(asked))
    assert len({q.answer for q in asked}) >= 2
    assert ask(name, 7).reveal() == asked[0].reveal()


@pytest.mark.parametrize("name", NAMES)
def test_where_it_is_seen_exists(name):
    see = ask(name, 7).see
    assert see is not None
    assert see.scenario in (*SCENARIOS, CAPTURE)
    if see.parameters.get("machine") not in ("server", "pae"):
        recording = see.recording()
        recording.check_tick(see.tick)
        titles = [e.title for e in recording.event_list if e.tick == see.tick]
        assert see.tick == 0 or see.title in titles


@pytest.mark.parametrize(("name", "share"), [("lowmem", 0.03), ("operations_until_oom", 0.2)])
def test_no_choice_comes_near_the_key_by_accident(name, share):
    for seed in range(11):
        question = ask(name, seed)
        away = [abs(float(m.value) / float(question.answer) - 1) for m in question.mistakes]
        assert len(away) >= 3
        assert min(away) > share


def test_names_are_listed_by_notebook():
    assert hotmem_viz.questions("03") == ("tables", "sharers", "fault")
    assert len(NAMES) == len(set(NAMES)) >= 12
    with pytest.raises(ParameterError, match="notebook: '12' is not allowed; allowed are 00"):
        list_questions("12")


@pytest.mark.parametrize(
    ("name", "seed", "what"),
    [
        ("nothing", 7, "question"),
        ("files", -1, "seed"),
        ("files", 1.5, "seed"),
        ("files", True, "seed"),
    ],
)
def test_what_is_not_allowed_is_named(name, seed, what):
    with pytest.raises(ParameterError, match=f"^{what}: "):
        ask(name, seed)


def test_a_choice_is_taken_by_its_words_or_its_letter():
    letter = "ABC"[WORDS.choices.index("this one")]
    assert WORDS.check("this one")
    assert WORDS.check(letter)
    assert WORDS.check(letter.lower()).text == "Right."
    assert WORDS.check("that one").text == "Not so. That is what you get by a slip."
    for guess in ("D", "", "another one", 3, None, True, ["this one"]):
        with pytest.raises(
            ParameterError, match=r"guess: .* a choice is needed, or its letter: A, B, C"
        ):
            WORDS.check(guess)


def test_a_number_is_judged_by_how_far_off_it_is():
    assert [m.value for m in NUMBER.mistakes] == [800]
    assert NUMBER.check(400).text == "Right."
    assert NUMBER.check("415 pages").text == "Right: off by 15 pages (4 %), too high."
    assert NUMBER.check(380)
    assert not NUMBER.check(379)
    assert NUMBER.check(800).text == (
        "Not so: off by 400 pages (100 %), too high. That is what you get twice."
    )
    assert NUMBER.check("1,200").text == "Not so: off by 800 pages (200 %), too high."
    assert NUMBER.check(8000).text == "Not so: off by 7,600 pages (20 times the answer), too high."
    for guess in ("", "many", "nan", "inf", float("nan"), None, True, "1e999"):
        with pytest.raises(ParameterError, match=r"guess: .* a number of pages is needed"):
            NUMBER.check(guess)


def test_what_is_printed_asks_and_does_not_tell():
    shown = str(ask("files", 7))
    assert f"{ask('files', 7).answer:,}" not in shown
    assert "A number, files." in shown
    assert repr(ask("files", 7)) == "<Question files, seed 7>"
    assert [line[2:4] for line in str(WORDS).split("\n") if line.startswith("  ")] == [
        "A.",
        "B.",
        "C.",
    ]


def test_without_widgets_there_is_html_that_folds_the_answer():
    question = Question(
        "Is 1 < 2 & 3?\n\nThink.", "<yes>", (Mistake("no", "in haste"),), "Because."
    )
    html = question_html(question)
    before, _, fold = html.partition("<details>")
    assert "Is 1 &lt; 2 &amp; 3?</p><p>Think." in before
    assert "Because." not in before
    assert "<summary>Reveal the answer</summary><p><strong>&lt;yes&gt;</strong></p>" in fold
    assert "<script" not in html
    bundle, _ = ask("section", 7)._repr_mimebundle_()
    assert bundle["text/plain"] == str(ask("section", 7))
    assert "<details>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
