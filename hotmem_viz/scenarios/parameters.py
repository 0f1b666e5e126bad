"""What a user may set of a scenario, checked at the door."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.scenarios.controls import check_parameters, choice, share, whole
from hotmem_viz.scenarios.telling import OBJECT_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)


def build_parameters(cls: type[P], given: Mapping[str, Any]) -> P:
    """Build a scenario's parameters; raises ParameterError for a name that it does not have."""
    names = [f.name for f in dataclasses.fields(cls)]
    for name, value in given.items():
        if name not in names:
            raise ParameterError(name, value, f"parameters are {', '.join(names)}")
    return cls(**given)


def require_share(name: str, value: object, highest: float = 1) -> float:
    """Return a number from 0 to `highest`, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise ParameterError(name, value, f"a number from 0 to {highest} is needed")
    return float(value)


def require_text(name: str, value: object) -> str:
    """Return a text, or raise ParameterError."""
    if not isinstance(value, str):
        raise ParameterError(name, value, "a text is needed")
    return value


def require_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return one of some words, or raise ParameterError."""
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(name, value, f"allowed are {', '.join(choices)}")
    return value


def require_whole(name: str, value: object) -> int:
    """Return a whole number from 0, or raise ParameterError."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 0:
        raise ParameterError(name, value, "a whole number from 0 is needed")
    return int(value)


MAX_USER = 0.95
DEFAULT_MOVABLE = 0.75
"""The documentation's "usually fine" 3:1, when neither movable nor boot is given."""


SHRINKABLE = ("cache", "negdentry", "disk")
"""Workloads whose objects memory pressure can take back, as long as nobody uses them."""

DIMMS, REBOOTS, HUGE_PAGES = "dimms", "reboots", "huge_pages"
THEN = {
    "nothing else": "",
    "DIMMs are added": DIMMS,
    "larger PAE boxes": REBOOTS,
    "huge pages": HUGE_PAGES,
}
"""What a run goes on to once the metadata has taken its fill."""

OTHERWISE: dict[str, tuple[str, Any]] = {
    "machine=64bit": ("machine", "64bit"),
    "machine=pae": ("machine", "pae"),
    "movable=0": ("movable", 0.0),
    "held=1": ("held", 1.0),
}
"""What a second run can have otherwise, kernels apart: a parameter and its value."""

NO_DIMMS = ("pae", "server", "64bit")
"""Presets to which no DIMMs can be added."""


def list_ways_on(machine: str) -> dict[str, str]:
    """Return what runs on a machine can go on to, by their titles."""
    left_out = {DIMMS} if machine in NO_DIMMS else set()
    if machine != "pae":
        left_out.add(REBOOTS)
    return {title: then for title, then in THEN.items() if then not in left_out}


@dataclass(frozen=True)
class ExhaustionParameters:
    """What a user may set.

    machine: a preset, or the name or path of a capture. movable: share of memory for
    ZONE_MOVABLE, 0 to 1, as movablecore= of that percent; excludes boot. boot: boot options as
    typed on a command line. workload: files, dirs, sockets, pipes, cache or disk. user: share of
    the pages asked for that are user memory, 0 to 0.95. seed: of the workload. ballast: socket
    pairs parked before the workload starts, as the captures' loads do. profile: the kernel, by a
    name of `hotmem_viz.machine.profiles.PROFILES`, of which the machine takes the build for its
    own architecture; "" is the preset's or the capture's own. The other fields say what they
    mean; `held` is for workloads that can be shrunk, "reboots" for the PAE box.
    """

    machine: str = "classroom"
    movable: float | None = None
    boot: str = ""
    workload: str = "files"
    user: float = 0.5
    seed: int = 7
    ballast: int = 0
    profile: str = ""
    held: float = share(
        0.0, "in use", "share of the cached objects that somebody uses: nothing can shrink those"
    )
    then: str = choice("", THEN, "then", "what comes once the metadata has taken its fill")
    fill: float = share(
        0.1, "its fill", "share of all memory that metadata takes before that", 0.9, step=0.01
    )
    dimm: int = whole(
        0, 0, 65536, "a DIMM", "as large as the machine where this is 0", unit="MiB", advanced=True
    )

    def __post_init__(self) -> None:
        check_parameters(self)
        require_text("machine", self.machine)
        require_text("boot", self.boot)
        require_choice("workload", self.workload, tuple(OBJECT_NAMES))
        # numpy's integers are as good, but the recording's meta has to be plain JSON.
        object.__setattr__(self, "seed", require_whole("seed", self.seed))
        object.__setattr__(self, "ballast", require_whole("ballast", self.ballast))
        require_share("user", self.user, MAX_USER)
        if self.profile != "":
            require_choice("profile", self.profile, tuple(PROFILES))
        if self.movable is not None:
            require_share("movable", self.movable)
            if self.boot.strip():
                raise ParameterError(
                    "movable", self.movable, f"boot options ({self.boot!r}) exclude it; give one"
                )
        if self.held and self.workload not in SHRINKABLE:
            allowed = f"what {self.workload} makes is always in use; {', '.join(SHRINKABLE)} differ"
            raise ParameterError("held", self.held, allowed)
        self._check_then()

    def _check_then(self) -> None:
        """Refuse what a machine cannot go on to."""
        if self.then == REBOOTS and self.machine != "pae":
            raise ParameterError("then", self.then, "larger PAE boxes need machine pae")
        if self.then == DIMMS and self.machine in NO_DIMMS:
            why = "a PAE box takes no DIMMs while it runs, and the larger machines have many pages"
            raise ParameterError("then", self.then, f"{why}; choose classroom or mail")
