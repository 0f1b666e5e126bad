"""Links that Python and the browser have to read alike: tests/test_links.py, tests/js."""

from __future__ import annotations

from typing import Any

from hotmem_viz.links import Fragment, write_link
from hotmem_viz.recording.lineup import Lineup
from hotmem_viz.recording.recording import Recording

PERCENT = "after a percent sign, two digits of a byte of UTF-8 text are needed"
PAIRS = "name=value, joined by &, is needed"
TICK = "a whole number from 0 is needed"
ONCE = "a link gives each name once"
THEMES = "allowed are auto, light, dark"
LONG = "a link has at most 4,096 characters"

READ: dict[str, dict[str, Any]] = {
    "": {},
    "#": {},
    "#tick=42": {"tick": 42},
    "scenario=hot_remove&obstacle=pin&seed=7&tick=42&theme=dark": {
        "scenario": "hot_remove",
        "tick": 42,
        "theme": "dark",
        "parameters": {"obstacle": "pin", "seed": "7"},
    },
    "http://127.0.0.1:8866/?a=b#scenario=exhaustion&beside=": {
        "scenario": "exhaustion",
        "beside": "",
    },
    "#p.beside=percent&beside=7.2&p.tick=3": {
        "beside": "7.2",
        "parameters": {"beside": "percent", "tick": "3"},
    },
    "#boot=movablecore=75%25&x=a+b%20c%26d%23e": {
        "parameters": {"boot": "movablecore=75%", "x": "a+b c&d#e"},
    },
    "#&&boot=%C3%A9€&": {"parameters": {"boot": "é€"}},
    "#__proto__=1&constructor=2": {"parameters": {"__proto__": "1", "constructor": "2"}},
    "#boot=": {"parameters": {"boot": ""}},
    "#" + "&".join(f"a{i}={i}" for i in range(400)): {
        "parameters": {f"a{i}": str(i) for i in range(400)},
    },
}
"""What is read of a text; what is left out is as by default."""

HOSTILE: dict[str, tuple[str, str]] = {
    "#tick=-1": ("tick", TICK),
    "#tick=1.5": ("tick", TICK),
    "#tick=NaN": ("tick", TICK),
    "#tick=": ("tick", TICK),
    "#tick=1e3": ("tick", TICK),
    "#tick=٣": ("tick", TICK),
    "#tick=12345678901234567890": ("tick", TICK),
    "#theme=<b>": ("theme", THEMES),
    "#theme=": ("theme", THEMES),
    "#theme=Dark": ("theme", THEMES),
    "#seed=1&seed=1": ("seed", ONCE),
    "#seed=1&p.seed=1": ("p.seed", ONCE),
    "#tick=1&tick=2": ("tick", ONCE),
    "#boot=%zz": ("boot", PERCENT),
    "#boot=%": ("boot", PERCENT),
    "#boot=a%2": ("boot", PERCENT),
    "#boot=%ff": ("boot", PERCENT),
    "#boot=%C3": ("boot", PERCENT),
    "#boot=%ED%A0%80": ("boot", PERCENT),
    "#boot=%C0%AF": ("boot", PERCENT),
    "#section-2": ("link", PAIRS),
    "#=1": ("link", PAIRS),
    "#seed=1&<script>alert(1)</script>": ("link", PAIRS),
    "http://127.0.0.1:8866/": ("link", PAIRS),
    "#boot=" + "x" * 5000: ("link", LONG),
    "x" * 1_000_000: ("link", LONG),
}
"""The name and what is allowed instead, in the error that a text has to meet with."""


def parts_of(fragment: Fragment) -> dict[str, Any]:
    """Return what a fragment says, without what is as by default."""
    parts = {
        "scenario": fragment.scenario,
        "beside": fragment.beside,
        "tick": fragment.tick,
        "theme": fragment.theme,
        "parameters": dict(fragment.parameters),
    }
    usual: dict[str, Any] = {
        "scenario": None,
        "beside": None,
        "tick": 0,
        "theme": "auto",
        "parameters": {},
    }
    return {name: value for name, value in parts.items() if value != usual[name]}


def cursor_of(*metas: dict[str, Any]) -> str:
    """Return what several runs go along on their common cursor."""
    return "step" if "strategy" in metas[0]["parameters"] else "objects"


def shown_of(*metas: dict[str, Any]) -> Recording | Lineup:
    """Return just enough of a recording, or of several on a cursor, for its link: the metas."""
    recordings = []
    for meta in metas:
        blank = object.__new__(Recording)
        object.__setattr__(blank, "meta", meta)
        recordings.append(blank)
    if len(recordings) == 1:
        return recordings[0]
    lineup = object.__new__(Lineup)
    object.__setattr__(lineup, "recordings", tuple(recordings))
    object.__setattr__(lineup, "by", cursor_of(*metas))
    return lineup


def written_cases() -> list[dict[str, Any]]:
    """Return metas, ticks and themes with the link that Python writes of each."""
    odd = {
        "beside": "percent",
        "tick": 3,
        "boot": "".join(map(chr, range(1, 128))) + "é€😀",
        "movable": None,
        "small": 1e-7,
        "smaller": 1.5e-300,
        "sum": 0.1 + 0.2,
        "large": 1e8,
        "larger": 123456789012345680000.0,
        "fine": 0.000001234,
        "whole": -17,
        "on": True,
        "off": False,
        "seed": 7,
        "same": "as usual",
    }
    usual = {name: None if name != "movable" else 0.5 for name in odd} | {"same": "as usual"}
    one = {"scenario": "odd", "parameters": odd, "defaults": usual | {"seed": 7}}
    two = {"machine": "pae", "seed": 1, "profile": ""}
    left = {"scenario": "exhaustion", "parameters": two, "defaults": {**two, "machine": "x"}}
    right = {**left, "parameters": {**two, "profile": "7.2"}}
    other = {**right, "parameters": {**two, "seed": 2}}
    shown: list[Any] = [([one], 5, "dark"), ([left, right], 8, "auto"), ([left, other], 0, "auto")]
    shown += [([left, {**left, "parameters": {**two, "machine": "64bit"}}], 4, "auto")]
    plan = {"strategy": "none", "seed": 7, "movable": 0.75}
    one_of_six = {"scenario": "strategies", "parameters": plan, "defaults": plan}
    remap = {**one_of_six, "parameters": {**plan, "strategy": "remap"}}
    shown += [([one_of_six], 1, "auto"), ([one_of_six, remap], 2, "auto")]
    shown += [([one_of_six, remap, remap], 9, "auto"), ([left, right, right], 9, "auto")]
    shown += [([{"scenario": "load", "parameters": {}}], 3, "light"), ([right, left], 1, "light")]
    return [
        {
            "metas": metas,
            "by": cursor_of(*metas),
            "tick": tick,
            "theme": theme,
            "text": write_link(shown_of(*metas), tick, theme),
        }
        for metas, tick, theme in shown
    ]
