"""The exact state of a lesson as a link's fragment: scenario, parameters, seed, tick, theme.

The grammar is in docs/links.md; `views/static/linkstate.js` is the browser's reader and writer of
the same. A link comes from anybody: what it says is checked by name and by value, and only runs a
scenario. Stands beside the catalog.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from hotmem_viz.catalog import REPLAYED, find_scenario
from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.presets import PRESETS
from hotmem_viz.machine.profiles import PROFILES
from hotmem_viz.recording.lineup import SIDES, Lineup
from hotmem_viz.scenarios.controls import list_controls, read_value, write_value
from hotmem_viz.scenarios.parameters import OTHERWISE, build_parameters, require_choice

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording

MOST = 4096
"""Characters of a link that are read."""

THEMES = ("auto", "light", "dark")
RESERVED = ("scenario", "beside", "tick", "theme")
PREFIX = "p."
"""Before a parameter whose name is one of RESERVED."""

_PLAIN = "@:,/="
"""Characters that stay as they are in a value, beside letters, digits and -._~"""

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TICK = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Fragment:
    """What a link says, read but not yet checked against any scenario.

    scenario, beside: None where it says nothing. parameters: texts by name.
    """

    scenario: str | None = None
    beside: str | None = None
    tick: int = 0
    theme: str = "auto"
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LinkState:
    """A state that can be shown: a known scenario, and parameters that it accepts.

    parameters: those that the link names, as values. beside: what the app takes for a second run
    (a kernel by name, "" for the machine's own, a strategy), None where the link says nothing.
    """

    scenario: str
    parameters: Mapping[str, Any]
    beside: str | None = None
    tick: int = 0
    theme: str = "auto"


def split_fragment(text: str) -> Fragment:
    """Read a fragment, or the fragment of a whole link.

    Raises ParameterError for what is no link: too long, twice the same name, percent signs that
    stand for nothing, a tick or a theme that cannot be.
    """
    if len(text) > MOST:
        raise ParameterError("link", text, f"a link has at most {MOST:,} characters")
    before, hash_sign, after = text.partition("#")
    said: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for part in (after if hash_sign else before).strip().split("&"):
        if not part:
            continue
        name, equals, raw = part.partition("=")
        if not name or not equals:
            raise ParameterError("link", part, "name=value, joined by &, is needed")
        value = _decode(name, raw)
        bare = name.removeprefix(PREFIX)
        where = said if name in RESERVED else parameters
        if bare in where:
            raise ParameterError(name, value, "a link gives each name once")
        where[bare] = value
    return Fragment(
        said.get("scenario"), said.get("beside"), _read_tick(said), _read_theme(said), parameters
    )


def _decode(name: str, raw: str) -> str:
    allowed = "after a percent sign, two digits of a byte of UTF-8 text are needed"
    if _BAD_PERCENT.search(raw):
        raise ParameterError(name, raw, allowed)
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeError:
        raise ParameterError(name, raw, allowed) from None


def _read_tick(said: Mapping[str, str]) -> int:
    text = said.get("tick", "0")
    if not _TICK.fullmatch(text):
        raise ParameterError("tick", text, "a whole number from 0 is needed")
    return int(text)


def _read_theme(said: Mapping[str, str]) -> str:
    theme = said.get("theme", "auto")
    if theme not in THEMES:
        raise ParameterError("theme", theme, f"allowed are {', '.join(THEMES)}")
    return theme


def read_link(text: str, scenario: str = "exhaustion") -> LinkState:
    """Read a link, its fragment or the text of a state, and check it.

    scenario: which one, where the link names none. Raises ParameterError, naming the parameter,
    its value and what is allowed, for anything that is not allowed. Whether the run has the tick
    shows when it has run.
    """
    said = split_fragment(text)
    name = scenario if said.scenario is None else said.scenario
    _, parameters_type = find_scenario(name)
    fields = {f.name: f for f in dataclasses.fields(parameters_type)}
    values = {
        key: read_value(fields[key], value) if key in fields else value
        for key, value in said.parameters.items()
    }
    build_parameters(parameters_type, values)
    control = list_controls(parameters_type).get("machine")
    if "machine" in values and (control is None or control.kind != "choice"):
        _check_machine(values["machine"])
    if said.beside is not None:
        _check_beside(name, said.beside)
    return LinkState(name, values, said.beside, said.tick, said.theme)


def _check_machine(machine: str) -> None:
    """Refuse files: a link from somebody else opens none on this machine."""
    if machine in PRESETS:
        return
    from hotmem_viz.kernel.captures import capture_names

    if machine not in capture_names():
        allowed = f"a link names {', '.join(PRESETS)}, or a capture that comes with the package"
        raise ParameterError("machine", machine, allowed)


def _check_beside(scenario: str, second: str) -> None:
    """Refuse what cannot stand beside a run; whether it goes with the rest shows in the run."""
    if scenario not in REPLAYED:
        allowed = f"scenarios whose requests a second run can replay are {', '.join(REPLAYED)}"
        raise ParameterError("beside", second, allowed)
    if scenario == "strategies":
        from hotmem_viz.scenarios.strategy_parameters import ALL, STRATEGIES

        require_choice("beside", second, (*STRATEGIES.values(), ALL))
    else:
        require_choice("beside", second, ("", *PROFILES, *OTHERWISE))


def write_link(shown: Recording | Lineup, tick: int = 0, theme: str = "auto") -> str:
    """Write the state that shows a recording, two kernels, or strategies, at a tick.

    Returns "" for what no scenario of the catalog has made, such as a capture. Only parameters
    that are not the default are written, and always the seed.
    """
    meta = shown.recordings[0].meta if isinstance(shown, Lineup) else shown.meta
    if "defaults" not in meta:
        return ""
    second = _second_run(shown)
    if second is None and isinstance(shown, Lineup):
        return ""
    parts = [("scenario", str(meta["scenario"]))]
    for name, value in meta["parameters"].items():
        if name == "seed" or value != meta["defaults"][name]:
            parts.append((f"{PREFIX}{name}" if name in RESERVED else name, write_value(value)))
    if second is not None:
        parts.append(("beside", second))
    parts.append(("tick", str(tick)))
    if theme != "auto":
        parts.append(("theme", theme))
    return "&".join(f"{name}={quote(value, safe=_PLAIN)}" for name, value in parts)


BESIDE = {"objects": "profile", "installed": "profile", "step": "strategy"}
"""The one parameter in which two runs usually differ, by what their cursor goes along."""


def _second_run(shown: Recording | Lineup) -> str | None:
    """Return what stands beside the first: a kernel, a strategy, one parameter with its value.

    None for no second run that a link can name. Two runs of the same kernel, or of the same
    strategy, are such runs too. More than two are all strategies.
    """
    if not isinstance(shown, Lineup):
        return None
    if len(shown.recordings) > len(SIDES):
        from hotmem_viz.scenarios.strategy_parameters import ALL

        return ALL if shown.by == "step" else None
    left, right = (side.meta for side in shown.recordings)
    given, key = right["parameters"], BESIDE.get(shown.by, "")
    if "defaults" not in right or left["scenario"] != right["scenario"] or key not in given:
        return None
    differing = [name for name, value in left["parameters"].items() if given[name] != value]
    if differing in ([], [key]):
        return str(given[key])
    other = "&".join(f"{name}={write_value(given[name])}" for name in differing)
    return other if other in OTHERWISE else None
