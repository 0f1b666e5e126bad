"""The questions by name: predict, then reveal.

Each is made of a seed: it draws the numbers, the model computes the key, and plausible slips
compute the wrong answers. No key is written down anywhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.lessons.question import Question

T = TypeVar("T")

MODULES = (
    "questions_map",
    "questions_boot",
    "questions_lowmem",
    "questions_tables",
    "questions_hot_remove",
    "questions_stop_machine",
    "questions_strategies",
    "questions_kernels",
)
"""Modules of `hotmem_viz.lessons`, one for each notebook, in their order. Each has NOTEBOOK, the
notebook's number, and MAKERS, what makes its questions by name."""


class Draw:
    """Draws the numbers of one question.

    What is picked first goes round with the seed, so that neighbouring seeds never ask the same;
    the rest is drawn.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self._turn: int | None = seed
        self._rng = np.random.default_rng([zlib.crc32(name.encode()), seed])

    def pick(self, values: Sequence[T]) -> T:
        """Return one of some values."""
        turn, self._turn = self._turn, None
        at = self._rng.integers(len(values)) if turn is None else turn % len(values)
        return values[int(at)]

    def whole(self, lowest: int, highest: int, step: int = 1) -> int:
        """Return a whole number, both bounds allowed, `step` apart from the lowest on."""
        return self.pick(range(lowest, highest + 1, step))


Maker = Callable[[Draw], Question]


@cache
def _makers() -> dict[str, tuple[str, Maker]]:
    """Return the notebook and the maker of every question, by name, in the notebooks' order."""
    found: dict[str, tuple[str, Maker]] = {}
    for module_name in MODULES:
        module = import_module(f"hotmem_viz.lessons.{module_name}")
        for name, maker in module.MAKERS.items():
            if name in found:
                raise ValueError(f"two questions are called {name}")
            found[name] = (module.NOTEBOOK, maker)
    return found


def list_questions(notebook: str = "") -> tuple[str, ...]:
    """Return the names of all questions, or of one notebook's, by its number such as "02".

    Raises ParameterError for a notebook that has none.
    """
    notebooks = sorted({number for number, _ in _makers().values()})
    if notebook and notebook not in notebooks:
        raise ParameterError("notebook", notebook, f"allowed are {', '.join(notebooks)}")
    return tuple(name for name, (number, _) in _makers().items() if notebook in ("", number))


def ask(name: str, seed: Any = 7) -> Question:
    """Make a question with the numbers of a seed.

    Raises ParameterError for a name that no question has, and for a seed that is no whole number
    from 0 on.
    """
    makers = _makers()
    if name not in makers:
        raise ParameterError("question", name, f"questions are {', '.join(makers)}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError("seed", seed, "a whole number from 0 is needed")
    _, make = makers[name]
    return replace(make(Draw(name, int(seed))), name=name, seed=int(seed))
