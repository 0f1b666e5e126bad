"""One question of a lesson: its text, its computed key, and what a wrong answer comes from.

A question is data. Its makers (`lessons.questions_*`) compute the key from the model with the
numbers of one seed; nothing here knows what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.errors import HotmemError, ParameterError
from hotmem_viz.units import percent

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

LETTERS = "ABCDEFGH"
Value = str | int | float
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that somebody reaches by a plausible slip, and what the slip is.

    value: computed as the slip computes it. slip: a phrase that ends "That is what you get ...".
    """

    value: Value
    slip: str


@dataclass(frozen=True)
class Scene:
    """Where an answer can be seen: a scenario, its parameters, a tick, and what it shows."""

    scenario: str
    parameters: Mapping[str, Any]
    tick: int
    title: str

    @property
    def code(self) -> str:
        """The line of Python that puts it on the stage."""
        given = "".join(f", {name}={value!r}" for name, value in self.parameters.items())
        return f'hotmem_viz.app("{self.scenario}"{given})'

    def recording(self) -> Recording:
        """Run what shows it."""
        from hotmem_viz.catalog import run

        return run(self.scenario, **self.parameters)


@dataclass(frozen=True)
class Verdict:
    """What is said to a guess; it is true where the guess is right."""

    right: bool
    text: str

    def __bool__(self) -> bool:
        return self.right


@dataclass(frozen=True, repr=False)
class Question:
    """A question with the numbers of one seed; it shows itself in a notebook.

    name, seed: set by the registry. text: paragraphs, parted by blank lines. answer: the key.
    unit: of numbers. mistakes: those that would count as right, and doubles, are left out.
    entered: a number is typed in, instead of one of the choices taken; within: how far off it may
    be, as a share of the answer. why: sentences with the numbers of this seed. rule, function: of
    the kernel. claims: of the mail. see: where the answer can be seen.
    """

    text: str
    answer: Value
    mistakes: tuple[Mistake, ...]
    why: str
    unit: str = ""
    entered: bool = False
    within: float = 0.0
    rule: str = ""
    function: str = ""
    claims: tuple[str, ...] = ()
    see: Scene | None = None
    name: str = ""
    seed: int = 7
    _order: tuple[Value, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        kept: dict[str, Mistake] = {}
        for mistake in self.mistakes:
            if not self._fits(mistake.value):
                kept.setdefault(self.write(mistake.value), mistake)
        object.__setattr__(self, "mistakes", tuple(kept.values()))
        values = [self.answer, *(m.value for m in kept.values())]
        # Numbers rise; words are shuffled, or the key would always stand first.
        if any(isinstance(value, str) for value in values):
            values = list(np.random.default_rng(self.seed).permutation(np.array(values, object)))
        else:
            values.sort(key=float)
        object.__setattr__(self, "_order", tuple(values))

    def write(self, value: Value) -> str:
        """Write an answer as it is shown: numbers with their unit."""
        if isinstance(value, str):
            return value
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
        return f"{number} {self.unit}".rstrip()

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers to choose from, as they are shown; none where a number is entered."""
        return () if self.entered else tuple(self.write(value) for value in self._order)

    def check(self, guess: object) -> Verdict:
        """Say whether a guess is right, how far off it is, and which slip leads there.

        guess: a choice, its letter or its number; or the number entered. Raises ParameterError for
        anything else.
        """
        value = self._read(guess)
        mistake = next((m for m in self.mistakes if self._same(value, m.value)), None)
        slip = f" That is what you get {mistake.slip}." if mistake else ""
        if self._fits(value):
            exact = self._same(value, self.answer)
            return Verdict(True, "Right." if exact else f"Right: {self._distance(value)}.")
        distance = self._distance(value)
        return Verdict(False, f"Not so: {distance}.{slip}" if distance else f"Not so.{slip}")

    def _same(self, a: Value, b: Value) -> bool:
        return self.write(a) == self.write(b) if not self.entered else _close(a, b)

    def _fits(self, value: Value) -> bool:
        if isinstance(value, str) or isinstance(self.answer, str) or not self.entered:
            return self._same(value, self.answer)
        return abs(value - self.answer) <= self.within * abs(self.answer)

    def _distance(self, value: Value) -> str:
        """Say how far a number is from the answer; nothing for words."""
        if isinstance(value, str) or isinstance(self.answer, str):
            return ""
        off = value - self.answer
        side = "high" if off > 0 else "low"
        return f"off by {self.write(abs(off))}{self._share(off, value)}, too {side}"

    def _share(self, off: float, value: float) -> str:
        """Say the distance as a part of the answer, or as a multiple where it is far out."""
        if isinstance(self.answer, str) or not self.answer:
            return ""
        if off > 2 * self.answer:
            return f" ({value / self.answer:,.0f} times the answer)"
        return f" ({percent(abs(off) / abs(self.answer))})"

    def _read(self, guess: object) -> Value:
        if isinstance(guess, bool) or not isinstance(guess, str | Real):
            raise ParameterError("guess", guess, self._allowed())
        if self.entered:
            return self._read_number(guess)
        for letter, value in zip(LETTERS, self._order, strict=False):
            shown = (letter, letter.lower(), self.write(value))
            if guess in shown or (not isinstance(guess, str) and guess == value):
                return value
        raise ParameterError("guess", guess, self._allowed())

    def _read_number(self, guess: object) -> Value:
        text = str(guess).replace(",", "").removesuffix(self.unit).strip()
        if not _NUMBER.fullmatch(text):
            raise ParameterError("guess", guess, self._allowed())
        number = float(text)
        return int(number) if number == int(number) else number

    def _allowed(self) -> str:
        if self.entered:
            return f"a number{' of ' + self.unit if self.unit else ''} is needed"
        return f"a choice is needed, or its letter: {', '.join(LETTERS[: len(self._order)])}"

    @property
    def reference(self) -> str:
        """Rule, kernel function and claims in one line."""
        claims = ", ".join(self.claims)
        parts = (self.rule, self.function, f"claim {claims}" if claims else "")
        return " · ".join(part for part in parts if part)

    @property
    def key(self) -> str:
        """The answer as it is shown."""
        return self.write(self.answer)

    def __repr__(self) -> str:
        return f"<Question {self.name}, seed {self.seed}>"

    def __str__(self) -> str:
        lettered = [f"  {letter}. {c}" for letter, c in zip(LETTERS, self.choices, strict=False)]
        asked = lettered or [f"  A number{', ' + self.unit if self.unit else ''}."]
        ways = f"question.check(...) looks at a guess; question.reveal() tells. Seed {self.seed}."
        return "\n".join([self.text, "", *asked, "", ways])

    def reveal(self) -> str:
        """Return the answer, why it is so, the slips that lead elsewhere, and where to see it."""
        lines = [f"{self.key}. {self.why}", *([self.reference] if self.reference else [])]
        lines += [f"{self.write(m.value)}: what you get {m.slip}." for m in self.mistakes]
        if self.see is not None:
            lines.append(f"See it: {self.see.code}, tick {self.see.tick}: {self.see.title}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from hotmem_viz.views.question_card import mimebundle

        return mimebundle(self, **kwargs)


def _close(a: Value, b: Value) -> bool:
    """Tell whether two numbers are the same up to the digits that people write."""
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return abs(a - b) <= 0.005 * max(abs(a), abs(b))


def find_scene(
    scenario: str, parameters: Mapping[str, Any], kind: str, title: str = "", *, last: bool = False
) -> tuple[Scene, Recording]:
    """Run a scenario and find the tick that shows an answer; returns the run as well.

    kind, title: of the event, title as the beginning of its own. Raises HotmemError where the run
    has no such event.
    """
    from hotmem_viz.catalog import run

    recording = run(scenario, **parameters)
    found = [e for e in recording.event_list if e.kind == kind and e.title.startswith(title)]
    if not found:
        raise HotmemError(f"{scenario}: no event {kind} {title!r} in the run")
    event = found[-1 if last else 0]
    return Scene(scenario, parameters, event.tick, event.title), recording
