"""The strategies lesson: two of the six on the stage, all six on the scoreboard beneath.

Six maps at once would leave none of them readable, so two are chosen; the scoreboard, which takes
all six, follows when the controls have come to rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps import controls
from hotmem_viz.apps.page import ALONE, Later
from hotmem_viz.apps.scenario import ScenarioApp
from hotmem_viz.catalog import record_strategy
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.scoreboard import Strategies, pair_steps
from hotmem_viz.scenarios.strategy_parameters import STRATEGIES
from hotmem_viz.views.scoreboard import write_table

if TYPE_CHECKING:
    from hotmem_viz.recording.pair import Pair
    from hotmem_viz.recording.recording import Recording

REST_SECONDS = 0.4
"""How long the controls have to rest before all six are run."""


class StrategiesApp(ScenarioApp):
    """Controls above the stage, the scoreboard below it.

    beside: the strategy on the right, ALONE for none. The other parameters are the scenario's.
    """

    children: Any

    def __init__(self, beside: str = "remap", **parameters: Any) -> None:
        if beside not in (ALONE, *STRATEGIES.values()):
            allowed = f"allowed are {', '.join(STRATEGIES.values())}, or {ALONE}"
            raise ParameterError("beside", beside, allowed)
        choices = {"none": ALONE, **STRATEGIES}
        self.beside = controls.choice("beside it", choices, beside, "the strategy on the right")
        self.board = widgets.HTML()
        self._made: dict[str, Recording] = {}
        self._made_of: dict[str, Any] = {}
        self._shown: Recording | Pair | None = None
        self._score: Later | None = None
        super().__init__("strategies", **parameters)
        bar = self.children[1]
        first, *others = bar.children
        bar.children = (first, self.beside, *others)
        self.children = (*self.children, self.board)
        self._score = Later(self._show_board, self.errors, REST_SECONDS)
        self._score.ask()
        self.beside.observe(self._on_change, names="value")

    @property
    def shown(self) -> Recording | Pair | None:
        """What is on the stage: a recording, or a pair of them."""
        return self._shown

    def _run(self) -> None:
        """Run the strategies that the stage needs, and show them."""
        try:
            left = self._recording = self._record(self.inputs["strategy"].value)
            if self.beside.value == ALONE:
                self._shown = left
            else:
                self._shown = pair_steps(left, self._record(self.beside.value))
            self.errors.clear()
            self.stage.show(self._shown)
        finally:
            self.stage.busy = False
        if self._score:
            self._score.ask()

    def _record(self, strategy: str) -> Recording:
        """Return a strategy's recording; those of the same parameters are kept."""
        parameters = self.parameters()
        del parameters["strategy"]
        if parameters != self._made_of:
            self._made, self._made_of = {}, parameters
        if strategy not in self._made:
            self._made[strategy] = record_strategy(strategy, **parameters)
        return self._made[strategy]

    def _show_board(self) -> None:
        every = {name: self._record(name) for name in STRATEGIES.values()}
        self.board.value = write_table(Strategies(every))
