"""The claims ledger: for each claim of the mail, the scenario and the tick that show it.

Ticks are not written down but found: a scenario is run, and the first event that names the claim
and is of the kind that shows it says when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from hotmem_viz.catalog import run
from hotmem_viz.errors import HotmemError
from hotmem_viz.lessons.claim_texts import CLAIM_TEXTS
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.recording.recording import Recording

SEED = 7


@dataclass(frozen=True)
class Claim:
    """One claim of the mail, and where it is seen.

    id: S1 to S47. parameters: of the scenario, its seed always among them. kind, title: of the
    event that shows it, title as the beginning of the event's own; "" for any. today: what became
    of it. figure: for an opinion, what is shown beside it. pending: nothing shows it yet, and
    scenario says where it will be seen.
    """

    id: str
    claim: str
    scenario: str
    parameters: Mapping[str, Any]
    kind: EventKind | None
    title: str
    today: str
    figure: str = ""
    pending: bool = False


@dataclass(frozen=True)
class _Place:
    """Where a claim is seen: see Claim."""

    scenario: str
    kind: EventKind | None = None
    title: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    figure: str = ""
    pending: bool = False


_STALE = {"ranges": "right", "month": "shrunk"}
_SWALLOWS = {"ranges": "swallows", "month": "same"}
_HOT_ADD = {**_STALE, "beside": "hot_add"}
_BOOT, _REMAP, _SIX = "boot_options", "stop_machine", "strategies"
_KERNEL = {"where": "kernel"}

_SHOWN: dict[str, _Place] = {
    "S1": _Place(_BOOT, EventKind.RANGE_READ, "The range lands right", _STALE),
    "S2": _Place(_BOOT, EventKind.RANGE_READ, "The range swallows", _SWALLOWS),
    "S3": _Place(_BOOT, EventKind.REMOTE_KERNEL, "No kernel memory on", _SWALLOWS),
    "S4": _Place(_BOOT, EventKind.BOOT, "Day 1", _STALE),
    "S5": _Place(_BOOT, EventKind.SCORED, "Score, a month later", _STALE),
    "S6": _Place(
        _BOOT,
        EventKind.SCORED,
        "Score, a month later",
        _STALE,
        figure="the score of the same string a month later",
    ),
    "S7": _Place(
        _BOOT,
        EventKind.SCORED,
        "Score, a month later",
        _STALE,
        figure="the score of the same string a month later",
    ),
    "S8": _Place(_BOOT, EventKind.BLOCK_ONLINED, "Node 1: the hot-pluggable part", _HOT_ADD),
    "S9": _Place(
        _BOOT,
        EventKind.SCORED,
        "Score, instead",
        _HOT_ADD,
        figure="decisions of a person, addresses typed against files written",
    ),
    "S10": _Place(
        _SIX,
        EventKind.CAPACITY,
        "",
        {"strategy": "percent"},
        figure="how much of memory metadata may fill, strategy by strategy",
    ),
    "S11": _Place("exhaustion", EventKind.OOM, "", {"machine": "pae"}),
    "S12": _Place("exhaustion", EventKind.CACHE_STOPS, "", {"workload": "disk"}),
    "S13": _Place("starvation", EventKind.OOM),
    "S14": _Place("starvation", EventKind.STARVED, figure="what could be mapped, and what not"),
    "S15": _Place("exhaustion", EventKind.POOL_FULL, "", {"then": "huge_pages"}),
    "S16": _Place("hot_remove", EventKind.OFFLINE_REFUSED, "", {**_KERNEL, "obstacle": "slab"}),
    "S17": _Place(
        "hot_remove", EventKind.OFFLINE_REFUSED, "", {**_KERNEL, "obstacle": "page_table"}
    ),
    "S18": _Place("hot_remove", EventKind.OFFLINE_REFUSED, "", {**_KERNEL, "obstacle": "device"}),
    "S19": _Place(
        "hot_remove",
        EventKind.CALLBACK,
        "",
        {**_KERNEL, "obstacle": "slab", "callbacks": True, "callback_success": 1.0},
    ),
    "S20": _Place(_SIX, EventKind.NODE_LEFT, figure="sections that kernel pages keep in use"),
    "S21": _Place(_REMAP, EventKind.LOOKUP),
    "S22": _Place(_REMAP, EventKind.LOOKUP),
    "S23": _Place(_REMAP, EventKind.LOOKUP),
    "S24": _Place(_REMAP, EventKind.ISOLATED),
    "S25": _Place(_REMAP, EventKind.OFFLINE_MIGRATED),
    "S26": _Place(_REMAP, EventKind.STOPPED),
    "S27": _Place(_REMAP, EventKind.COPIED),
    "S28": _Place(_REMAP, EventKind.TABLE_WRITTEN),
    "S29": _Place(_REMAP, EventKind.RESUMED),
    "S30": _Place(_REMAP, EventKind.LOOKUP),
    "S31": _Place(_REMAP, EventKind.TABLE_WRITTEN),
    "S32": _Place(_REMAP, EventKind.LOOKUP, figure="loads a lookup, fast and slow; not measured"),
    "S33": _Place(_REMAP, EventKind.RESIDUE),
    "S34": _Place(_REMAP, EventKind.CORRUPTED, "", {"failure": "corrupt"}),
    "S35": _Place(_REMAP, EventKind.TABLES_WALKED),
    "S36": _Place(_REMAP, EventKind.TAX),
    "S37": _Place(_REMAP, EventKind.TAX, figure="a tax on every fault against a stall at removal"),
    "S38": _Place(_REMAP, EventKind.REMAP_FAILED, "", {"failure": "ebusy"}),
    "S39": _Place(_REMAP, EventKind.DEVICE_REGION, "The region spills", {"devices": 0.025}),
    "S40": _Place(_REMAP, EventKind.DONE, figure="the questions that the mail leaves open"),
    "S41": _Place(_REMAP, EventKind.DONE, figure="the parts of the kernel that it touches"),
    "S42": _Place(_REMAP, EventKind.DONE, figure="the questions that the mail leaves open"),
    "S43": _Place(_SIX, EventKind.DEVICE_REGION, "", {"strategy": "remap"}),
    "S44": _Place(
        _SIX, EventKind.LOADED, "The load is over: 100 %", {"strategy": "remap", "metadata": 0.4}
    ),
    "S45": _Place("hot_remove", EventKind.NODE_LEFT, "", {"what": "node", "machine": "mail"}),
    "S46": _Place("hot_remove", EventKind.CORNER),
    "S47": _Place(
        _SIX,
        EventKind.COMPARED,
        "",
        {"strategy": "remap"},
        figure="the scoreboard of six strategies",
    ),
}

_PENDING: dict[str, tuple[int, ...]] = {}
"""Claims that nothing shows yet, by the scenario that will."""


def _collect() -> tuple[Claim, ...]:
    places = dict(_SHOWN)
    for scenario, numbers in _PENDING.items():
        places.update({f"S{n}": _Place(scenario, pending=True) for n in numbers})
    claims = []
    for name, (text, today) in CLAIM_TEXTS.items():
        p = places[name]
        settings = {**p.parameters, "seed": SEED}
        claims.append(
            Claim(name, text, p.scenario, settings, p.kind, p.title, today, p.figure, p.pending)
        )
    return tuple(claims)


CLAIMS: tuple[Claim, ...] = _collect()
"""All claims, S1 to S47 in order; those that nothing shows yet are `pending`."""


def find_tick(claim: Claim, recording: Recording) -> int:
    """Return the tick of the event that shows a claim; HotmemError where there is none."""
    for event in recording.event_list:
        kind_fits = claim.kind is None or event.kind == claim.kind.name
        if kind_fits and claim.id in event.claims and event.title.startswith(claim.title):
            return event.tick
    raise HotmemError(f"{claim.id}: no event of {claim.scenario} shows it")


@cache
def _run_once(scenario: str, parameters: str) -> Recording:
    return run(scenario, **json.loads(parameters))


def record_claim(claim: Claim) -> Recording:
    """Return the run that shows a claim; claims that share one share the recording."""
    return _run_once(claim.scenario, json.dumps(dict(claim.parameters), sort_keys=True))


def ledger() -> list[dict[str, Any]]:
    """Run what shows each claim and return the ledger's rows; pending claims are left out.

    A row has id, claim, scenario, parameters, tick and today; figure too, where the claim is an
    opinion.
    """
    rows: list[dict[str, Any]] = []
    for claim in CLAIMS:
        if claim.pending:
            continue
        row = {
            "id": claim.id,
            "claim": claim.claim,
            "scenario": claim.scenario,
            "parameters": dict(claim.parameters),
            "tick": find_tick(claim, record_claim(claim)),
            "today": claim.today,
        }
        rows.append({**row, "figure": claim.figure} if claim.figure else row)
    return rows
