"""The exhaustion lesson: its controls, the stage, and the errors, as one widget."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps import controls
from hotmem_viz.apps.page import ALONE, SETTLE_SECONDS, ErrorPanel, Later, Linked, is_moved, tidy
from hotmem_viz.apps.scenario import make_control
from hotmem_viz.apps.style import style_sheet
from hotmem_viz.catalog import beside, find_kernels, run
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.recording.pair import Pair
from hotmem_viz.scenarios.controls import list_controls
from hotmem_viz.scenarios.parameters import (
    DEFAULT_MOVABLE,
    DIMMS,
    MAX_USER,
    OTHERWISE,
    REBOOTS,
    SHRINKABLE,
    ExhaustionParameters,
    build_parameters,
    list_ways_on,
)
from hotmem_viz.views.stage import Stage

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

MACHINES = {
    "classroom": "classroom, 256 MiB",
    "server": "server, 64 GiB",
    "pae": "32-bit PAE, 16 GiB",
    "mail": "the mail's, node 0 normal",
    "64bit": "64-bit, 16 GiB, PAE's sizes",
}
WORKLOADS = {
    "files": "files",
    "directories": "dirs",
    "sockets": "sockets",
    "pipes": "pipes",
    "cached names": "cache",
    "files looked at": "disk",
}

FOLD = "in use, fill, DIMMs"


class ExhaustionApp(widgets.VBox, Linked):
    """Controls above the stage; moving one runs the scenario again.

    beside: a second run on the same stage: a kernel by name, or one of OTHERWISE.
    """

    def __init__(self, beside: str = ALONE, **parameters: Any) -> None:
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
        kernels = kernel_choices(p.machine)
        self.profile = controls.choice("kernel", kernels, chosen_kernel(p.profile, kernels))
        kept = beside == ALONE or beside in OTHERWISE
        second = beside if kept else chosen_kernel(beside, kernels)
        self.beside = controls.choice("beside it", {"none": ALONE, **kernels}, second)
        declared, start = list_controls(ExhaustionParameters), asdict(p)
        self.declared = {n: make_control(c, start[n]) for n, c in declared.items()}
        self.then = self.declared["then"]
        folded = [self.declared[n] for n in ("held", "fill", "dimm")]
        self.errors = ErrorPanel()
        self.stage = Stage()
        self._shown: Recording | Pair | None = None
        self._rerun = Later(self._run, self.errors, SETTLE_SECONDS)
        self._settling = False
        self._inputs = (
            self.machine, self.profile, self.beside, self.movable, self.boot, self.workload,
            self.user, self.seed, self.then, *folded,
        )  # fmt: skip
        style = widgets.HTML(f"<style>{style_sheet()}</style>", layout={"display": "none"})
        plain = [control for control in self._inputs if control not in folded]
        fold = controls.fold(FOLD, folded)
        super().__init__([style, controls.bar([*plain, fold]), self.errors, self.stage])
        self.add_class("hotmem-app")
        self._settle()
        self._rerun.run()
        for control in self._inputs:
            control.observe(self._on_change, names="value")

    @property
    def recording(self) -> Recording | None:
        """The recording on the stage; of two, the left one."""
        return self._shown.left if isinstance(self._shown, Pair) else self._shown

    @property
    def shown(self) -> Recording | Pair | None:
        """What is on the stage: a recording, or a pair of them."""
        return self._shown

    def parameters(self) -> dict[str, Any]:
        """Return the scenario's parameters as the controls have them."""
        machine, boot = self.machine.value, self.boot.value.strip()
        return asdict(
            replace(
                self._start,
                machine=machine,
                movable=None if boot else self._movable_share(machine),
                boot=boot,
                workload=self.workload.value,
                user=tidy(self.user.value),
                seed=self.seed.value,
                profile=self.profile.value,
                **{n: c.value for n, c in self.declared.items() if not c.disabled},
            )
        )

    def _has_movable(self, machine: str) -> bool:
        """Say whether the movable slider sizes this machine's ZONE_MOVABLE.

        Not on the PAE box, whose HighMem is what the lesson is about, and not where firmware
        marks the movable nodes.
        """
        return machine in ("classroom", "server")

    def _movable_share(self, machine: str) -> float | None:
        """Return the share that the slider stands for, None for the usual one."""
        if not self._has_movable(machine):
            return self._start.movable if machine == self._start.machine else None
        share = tidy(self.movable.value)
        return None if share == DEFAULT_MOVABLE else share

    def _settle(self) -> None:
        """Enable what counts, and offer what the machine can do; other choices are given up."""
        machine = self.machine.value
        boot = bool(self.boot.value.strip())
        self.movable.disabled = boot or not self._has_movable(machine)
        kernels, ways = kernel_choices(machine), list_ways_on(machine)
        _offer(self.profile, kernels)
        _offer(self.then, ways)
        _offer(self.beside, {"none": ALONE, **kernels, **self._others()})
        self.declared["held"].disabled = self.workload.value not in SHRINKABLE
        self.declared["fill"].disabled = not self.then.value
        self.declared["dimm"].disabled = self.then.value != DIMMS

    def _others(self) -> dict[str, str]:
        """Return what a second run can have otherwise, by its title."""
        others: dict[str, str] = {}
        if self.then.value != REBOOTS:
            other = {"pae": ("64-bit, same sizes", "machine=64bit")}
            other["64bit"] = ("32-bit PAE", "machine=pae")
            others.update([other[self.machine.value]] if self.machine.value in other else [])
        if not self.movable.disabled:
            others["without ZONE_MOVABLE"] = "movable=0"
        if self.workload.value in SHRINKABLE:
            others["all of them in use"] = "held=1"
        return others

    def _on_change(self, change: Any) -> None:
        if self._settling or not is_moved(change):
            return
        self._settling = True
        try:
            self._settle()
        finally:
            self._settling = False
        self.stage.busy = True
        self._rerun.ask()

    def _run(self) -> None:
        """Run with the newest wishes and show the result; the run before stays as a ghost."""
        try:
            shown = self._record()
            self.errors.clear()
            before, self._shown = self._shown, shown
            self.stage.show(shown, None if isinstance(before, Pair) else before)
        finally:
            self.stage.busy = False

    def _record(self) -> Recording | Pair:
        """Run once, or twice side by side."""
        parameters = self.parameters()
        if self.beside.value == ALONE:
            return run("exhaustion", **parameters)
        if self.beside.value in OTHERWISE:
            name, value = OTHERWISE[self.beside.value]
            return beside("exhaustion", **{**parameters, name: (parameters[name], value)})
        profiles = (parameters.pop("profile"), self.beside.value)
        return beside("exhaustion", profiles, **parameters)


def kernel_choices(machine: str) -> dict[str, str]:
    """Return the kernels that a machine can boot, "" for the one it brings, by their titles."""
    own, *others = find_kernels(machine)
    return {find_profile(own).release: "", **{find_profile(name).release: name for name in others}}


def _offer(control: Any, offered: dict[str, str]) -> None:
    """Offer choices by their titles; what is chosen stays, where it is still among them."""
    if dict(control.options) == offered:
        return
    kept = control.value
    control.options = list(offered.items())
    control.value = kept if kept in offered.values() else next(iter(offered.values()))


def chosen_kernel(name: str, kernels: dict[str, str]) -> str:
    """Return the choice among `kernels` that stands for a name; raises ParameterError for none."""
    title = find_profile(name).release if name else ""
    return kernels.get(title, name)


def exhaustion_app(**parameters: Any) -> ExhaustionApp:
    """Return the exhaustion lesson with its controls set to the given parameters.

    beside: a second kernel to show on the same stage, by name.
    """
    return ExhaustionApp(**parameters)
