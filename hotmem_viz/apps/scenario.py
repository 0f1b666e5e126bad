"""Any scenario with its controls: made of what its parameters declare, above the stage."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps import controls
from hotmem_viz.apps.figures import FigureBelow
from hotmem_viz.apps.page import (
    REST_SECONDS,
    SETTLE_SECONDS,
    ErrorPanel,
    Later,
    Linked,
    is_moved,
    tidy,
)
from hotmem_viz.apps.style import style_sheet
from hotmem_viz.catalog import find_scenario, run
from hotmem_viz.scenarios.controls import Control, list_controls
from hotmem_viz.scenarios.parameters import build_parameters
from hotmem_viz.views.stage import Stage

if TYPE_CHECKING:
    from hotmem_viz.recording.lineup import Lineup
    from hotmem_viz.recording.recording import Recording

FOLD = "constants and details"


class ScenarioApp(widgets.VBox, Linked):
    """Controls above the stage; moving one runs the scenario again.

    name: a scenario of the catalog. Its advanced controls lie in a fold below the others; its
    figure, if it has one, below the stage.
    """

    def __init__(self, name: str, **parameters: Any) -> None:
        _, self._type = find_scenario(name)
        self.scenario = name
        start = asdict(build_parameters(self._type, parameters))
        declared = list_controls(self._type)
        self.inputs = {n: make_control(c, start[n]) for n, c in declared.items()}
        # What has no control stays as it was given.
        self._fixed = {n: v for n, v in start.items() if n not in declared}
        self.errors = ErrorPanel()
        self.stage = Stage()
        self._recording: Recording | None = None
        self.figure = FigureBelow()
        self._rerun = Later(self._run, self.errors, SETTLE_SECONDS)
        self._redraw = Later(self._draw_figure, self.errors, REST_SECONDS)
        style = widgets.HTML(f"<style>{style_sheet()}</style>", layout={"display": "none"})
        plain = [self.inputs[n] for n, c in declared.items() if not c.advanced]
        folded = [self.inputs[n] for n, c in declared.items() if c.advanced]
        fold = [controls.fold(FOLD, folded)] if folded else []
        super().__init__(
            [style, controls.bar([*plain, *fold]), self.errors, self.stage, self.figure]
        )
        self.add_class("hotmem-app")
        self._rerun.run()
        for control in self.inputs.values():
            control.observe(self._on_change, names="value")

    @property
    def recording(self) -> Recording | None:
        """The recording on the stage."""
        return self._recording

    @property
    def shown(self) -> Recording | Lineup | None:
        """What is on the stage: a recording, or several on one cursor."""
        return self._recording

    def parameters(self) -> dict[str, Any]:
        """Return the scenario's parameters as the controls have them."""
        given = {name: control.value for name, control in self.inputs.items()}
        given = {name: tidy(v) if isinstance(v, float) else v for name, v in given.items()}
        return asdict(build_parameters(self._type, {**self._fixed, **given}))

    def _on_change(self, change: Any) -> None:
        if not is_moved(change):
            return
        self.stage.busy = True
        self._rerun.ask()

    def _run(self) -> None:
        """Run with the newest wishes and show the result; the run before stays as a ghost."""
        try:
            recording = run(self.scenario, **self.parameters())
            self.errors.clear()
            before, self._recording = self._recording, recording
            self.stage.show(recording, before)
            self._redraw.ask()
        finally:
            self.stage.busy = False

    def _draw_figure(self) -> None:
        if self._recording is not None:
            self.figure.draw(self.scenario, self._recording)


def make_control(control: Control, value: Any) -> Any:
    """Return the widget of one declared parameter, set to `value`."""
    tip = f"{control.help} ({control.source})" if control.source else control.help
    if control.kind == "choice":
        return controls.choice(control.label, dict(control.choices), value, tip)
    if control.kind == "share":
        return controls.share(control.label, value, control.highest, tip, control.step)
    if control.kind == "text":
        return controls.text(control.label, value, control.help)
    if control.kind == "flag":
        return controls.flag(control.label, value, tip)
    label = f"{control.label}, {control.unit}" if control.unit else control.label
    bounds = (control.lowest, control.highest, control.step)
    if control.kind == "whole":
        return controls.whole(label, value, bounds, tip)
    return controls.number(label, value, bounds, tip)
