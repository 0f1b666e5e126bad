"""A question as HTML: for the widget, and by itself where there are no widgets."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Asked(Protocol):
    """What a view needs of a question; `lessons.question.Question` has it."""

    @property
    def text(self) -> str:
        """Paragraphs, parted by blank lines."""

    @property
    def unit(self) -> str:
        """Unit of a number to enter."""

    @property
    def why(self) -> str:
        """Why the answer is what it is."""

    @property
    def key(self) -> str:
        """The answer as it is shown."""

    @property
    def reference(self) -> str:
        """Rule, kernel function and claims."""

    @property
    def choices(self) -> Sequence[str]:
        """What to choose from; none where a number is entered."""

    @property
    def mistakes(self) -> Sequence[Any]:
        """Wrong answers, each with a value and the slip that leads there."""

    @property
    def see(self) -> Any:
        """Where it can be seen: code, tick and title; or None."""

    def write(self, value: Any) -> str:
        """Write an answer as it is shown."""

    def check(self, guess: object) -> Any:
        """Judge a guess: right, and text."""


def answer_html(question: Asked) -> str:
    """Return what is revealed: the answer, why, the slips, and where to see it."""
    parts = [f"<p><strong>{escape(question.key)}</strong></p>", f"<p>{escape(question.why)}</p>"]
    if question.reference:
        parts.append(f'<p class="hotmem-q-source">{escape(question.reference)}</p>')
    if question.mistakes:
        slips = "".join(
            f"<li><b>{escape(question.write(m.value))}</b>: what you get {escape(m.slip)}.</li>"
            for m in question.mistakes
        )
        parts.append(f"<p>The other answers:</p><ul>{slips}</ul>")
    if question.see is not None:
        see = question.see
        parts.append(
            f"<p>See it: <code>{escape(see.code)}</code>, tick {see.tick}: {escape(see.title)}</p>"
        )
    return "".join(parts)


def question_html(question: Asked) -> str:
    """Return the whole question, with its answer in a fold that opens without any script."""
    text = "".join(f"<p>{escape(part)}</p>" for part in question.text.split("\n\n"))
    if question.choices:
        items = "".join(f"<li>{escape(choice)}</li>" for choice in question.choices)
        asked = f'<ol type="A">{items}</ol>'
    else:
        unit = f", {escape(question.unit)}" if question.unit else ""
        asked = f"<p>A number{unit}.</p>"
    return (
        f'<section class="hotmem-question" aria-label="Question">{text}{asked}'
        f"<details><summary>Reveal the answer</summary>{answer_html(question)}</details></section>"
    )
