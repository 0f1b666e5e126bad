"""The exhaustion lesson: its controls, the stage, and the errors, as one widget."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps import controls
from hotmem_viz.apps.page import SETTLE_SECONDS, ErrorPanel, Later
from hotmem_viz.apps.style import style_sheet
from hotmem_viz.catalog import run
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.scenarios.parameters import (
    DEFAULT_MOVABLE,
    MAX_USER,
    ExhaustionParameters,
    build_parameters,
)
from hotmem_viz.views.stage import Stage

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

MACHINES = {
    "classroom": "classroom, 256 MiB",
    "server": "server, 64 GiB",
    "pae": "32-bit PAE, 16 GiB",
    "mail": "the mail's, node 0 normal",
}
WORKLOADS = {
    "files": "files",
    "directories": "dirs",
    "sockets": "sockets",
    "pipes": "pipes",
    "cached names": "cache",
}


class ExhaustionApp(widgets.VBox):
    """Controls above the stage; moving one runs the scenario again."""

    def __init__(self, **parameters: Any) -> None:
        self._start = p = build_parameters(ExhaustionParameters, parameters)
        self.machine = controls.choice(
            "machine", {MACHINES[name]: name for name in PRESETS}, p.machine
        )
        share = DEFAULT_MOVABLE if p.movable is None and not p.boot else p.movable or 0.0
        self.movable = controls.share(
            "movable", share, max(0.95, share), "share of memory in ZONE_MOVABLE"
        )
        self.boot = controls.text("boot options", p.boot, "kernelcore=64M")
        self.workload = controls.choice("metadata", dict(WORKLOADS), p.workload)
        self.user = controls.share(
            "user", p.user, MAX_USER, "share of the pages asked for that are user memory"
        )
        self.seed = controls.seed(p.seed)
        self.errors = ErrorPanel()
        self.stage = Stage()
        self._shown: Recording | None = None
        self._rerun = Later(self._run, self.errors, SETTLE_SECONDS)
        self._inputs = (
            self.machine, self.movable, self.boot, self.workload, self.user, self.seed
        )  # fmt: skip
        style = widgets.HTML(f"<style>{style_sheet()}</style>", layout={"display": "none"})
        super().__init__([style, controls.bar(list(self._inputs)), self.errors, self.stage])
        self.add_class("hotmem-app")
        self._settle_movable()
        self._rerun.run()
        for control in self._inputs:
            control.observe(self._on_change, names="value")

    @property
    def recording(self) -> Recording | None:
        """The recording on the stage."""
        return self._shown

    def parameters(self) -> dict[str, Any]:
        """Return the scenario's parameters as the controls have them."""
        machine, boot = self.machine.value, self.boot.value.strip()
        fixed = bool(boot) or not self._has_movable(machine)
        return asdict(
            ExhaustionParameters(
                machine=machine,
                movable=None if fixed else round(self.movable.value, 2),
                boot=boot,
                workload=self.workload.value,
                user=round(self.user.value, 2),
                seed=self.seed.value,
                ballast=self._start.ballast,
            )
        )

    def _has_movable(self, machine: str) -> bool:
        """Say whether the movable slider sizes this machine's ZONE_MOVABLE.

        Not on the PAE box, whose HighMem is what the lesson is about, and not where firmware
        marks the movable nodes.
        """
        return machine in ("classroom", "server")

    def _settle_movable(self) -> None:
        """Enable the movable slider where it counts."""
        boot = bool(self.boot.value.strip())
        self.movable.disabled = boot or not self._has_movable(self.machine.value)

    def _on_change(self, _: object) -> None:
        self._settle_movable()
        self.stage.busy = True
        self._rerun.ask()

    def _run(self) -> None:
        """Run with the newest wishes and show the result; the run before stays as a ghost."""
        try:
            recording = run("exhaustion", **self.parameters())
            self.errors.clear()
            ghost, self._shown = self._shown, recording
            self.stage.show(recording, ghost)
        finally:
            self.stage.busy = False


def exhaustion_app(**parameters: Any) -> ExhaustionApp:
    """Return the exhaustion lesson with its controls set to the given parameters."""
    return ExhaustionApp(**parameters)
