"""A question in a notebook: predict, check, reveal. The kernel judges; the page only asks."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from hotmem_viz.errors import ParameterError
from hotmem_viz.views.bundle import CARD_MODULES, card_style_sheet, join_modules
from hotmem_viz.views.question_html import Asked, answer_html, question_html


class QuestionCard(anywidget.AnyWidget):
    """One question with what may be answered.

    asked: text (paragraphs), choices, unit. A message {"type": "check", "guess"} is answered
    with {"type": "verdict", "right", "text"}, right None where the guess could not be read;
    {"type": "reveal"} with {"type": "answer", "html"}. The key stays here until then.
    """

    _esm = join_modules(CARD_MODULES, "renderQuestion")
    _css = card_style_sheet()

    asked = traitlets.Dict().tag(sync=True)

    def __init__(self, question: Asked) -> None:
        self._question = question
        asked = {
            "text": question.text.split("\n\n"),
            "choices": list(question.choices),
            "unit": question.unit,
        }
        super().__init__(asked=asked)
        self.on_msg(self._answer)

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        if content.get("type") == "reveal":
            self.send({"type": "answer", "html": answer_html(self._question)})
        if content.get("type") == "check":
            self.send({"type": "verdict", **self._judge(content.get("guess"))})

    def _judge(self, guess: object) -> dict[str, Any]:
        try:
            verdict = self._question.check(guess)
        except ParameterError as error:
            return {"right": None, "text": f"{error.allowed[:1].upper()}{error.allowed[1:]}."}
        return {"right": verdict.right, "text": verdict.text}


def mimebundle(question: Asked, **kwargs: Any) -> Any:
    """Return the mime bundle of a question: the card; HTML and text where there are no widgets."""
    bundle: Any = QuestionCard(question)._repr_mimebundle_(**kwargs)
    data, metadata = bundle
    return {**data, "text/html": question_html(question), "text/plain": str(question)}, metadata
