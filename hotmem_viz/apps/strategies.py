"""The strategies lesson: all six on the stage, or two of them larger; the scoreboard beneath.

Where fewer are on the stage, the scoreboard, which takes all six, follows when the controls have
come to rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps import controls
from hotmem_viz.apps.page import ALONE, REST_SECONDS, Later
from hotmem_viz.apps.scenario import ScenarioApp
from hotmem_viz.catalog import record_strategy
from hotmem_viz.errors import ParameterError
from hotmem_viz.recording.scoreboard import Strategies, pair_steps
from hotmem_viz.scenarios.strategy_parameters import ALL, STRATEGIES
from hotmem_viz.views.scoreboard import write_table

if TYPE_CHECKING:
    from hotmem_viz.recording.lineup import Lineup
    from hotmem_viz.recording.recording import Recording


class StrategiesApp(ScenarioApp):
    """Controls above the stage, the scoreboard below it.

    beside: the strategy on the right, ALL for all six in the order of the design, ALONE for none.
    The other parameters are the scenario's.
    """

    children: Any

    def __init__(self, beside: str = ALL, **parameters: Any) -> None:
        if beside not in (ALONE, ALL, *STRATEGIES.values()):
            allowed = f"allowed are {', '.join(STRATEGIES.values())}, {ALL} or {ALONE}"
            raise ParameterError("beside", beside, allowed)
        choices = {"all six": ALL, "none": ALONE, **STRATEGIES}
        self.beside = controls.choice("beside it", choices, beside, "what else is on the stage")
        self.board = widgets.HTML()
        self._made: dict[str, Recording] = {}
        self._made_of: dict[str, Any] = {}
        self._shown: Recording | Lineup | None = None
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
    def shown(self) -> Recording | Lineup | None:
        """What is on the stage: a recording, or several on one cursor."""
        return self._shown

    def _run(self) -> None:
        """Run the strategies that the stage needs, and show them."""
        strategy, beside = self.inputs["strategy"], self.beside.value
        # One of all six is not to be chosen.
        strategy.layout.display = "none" if beside == ALL else ""
        try:
            if beside == ALL:
                self._shown = self._record_all().lineup
                self._recording = self._shown.recordings[0]
            else:
                left = self._recording = self._record(strategy.value)
                alone = beside == ALONE
                self._shown = left if alone else pair_steps(left, self._record(beside))
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

    def _record_all(self) -> Strategies:
        return Strategies({name: self._record(name) for name in STRATEGIES.values()})

    def _show_board(self) -> None:
        self.board.value = write_table(self._record_all())
