"""What every strategy is asked: requests for memory, then for sections, drawn before any runs.

Nothing here knows a strategy or an outcome, so that all six get the very same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from hotmem_viz.machine.spec import NodeSpec
    from hotmem_viz.scenarios.strategy_parameters import StrategiesParameters

TURNS = 12
CHUNK = 512
"""Pages at most that an actor asks for before another has its turn."""


class Actor(NamedTuple):
    """Who asks for memory: owner's name, kind of page, whose part of the demand, how much of it."""

    name: str
    kind: PageKind
    of: str
    part: float


LARGE = "a large program"
ACTORS = (
    Actor("inodes and dentries", PageKind.RECLAIMABLE_SLAB, "metadata", 0.55),
    Actor("other slabs", PageKind.SLAB, "metadata", 0.35),
    Actor("kernel stacks", PageKind.KERNEL_STACK, "metadata", 0.1),
    Actor("programs", PageKind.ANON, "user", 0.3),
    Actor(LARGE, PageKind.ANON, "user", 0.4),
    Actor("files", PageKind.PAGE_CACHE, "user", 0.3),
    Actor("devices", PageKind.PINNED, "device", 1.0),
    Actor("processes", PageKind.PAGE_TABLE, "processes", 1.0),
)
"""The mixture is our choice; it is that of the stop_machine lesson, with devices beside it."""

REQUEST = np.dtype(
    [("turn", np.int16), ("actor", np.int16), ("count", np.int32), ("nid", np.int16)]
)
"""A request: when, whose, how many pages (of processes: how many), on which node."""


@dataclass(frozen=True)
class Plan:
    """The workload and the removal requests.

    requests: (R,) of REQUEST, in order. fates: by actor, a number from 0 to 1 for each page that
    it may hold, in order of pfn: those below the residue outlive the burst. blocks: (n,) memory
    blocks asked to go one by one. added, broken: the node that comes and the one that breaks.
    """

    requests: np.ndarray
    fates: tuple[np.ndarray, ...]
    blocks: np.ndarray
    added: NodeSpec
    broken: NodeSpec


def draw_plan(
    p: StrategiesParameters, nodes: tuple[NodeSpec, ...], added: NodeSpec, block_pages: int
) -> Plan:
    """Draw the plan for a machine of some nodes, to which one is added; the first one stays."""
    present = sum(n.present_pages for n in nodes)
    load, fate, removal = (np.random.default_rng(s) for s in _children(p.seed))
    chunk = max(CHUNK, present // 1024)
    requests = [
        _of_actor(i, actor, p, present, chunk, [n.nid for n in nodes], load)
        for i, actor in enumerate(ACTORS)
    ]
    at = np.concatenate([when for when, _ in requests])
    every = np.concatenate([rows for _, rows in requests])[np.argsort(at, kind="stable")]
    fates = tuple(
        fate.random(int(every["count"][every["actor"] == i].sum()))
        for i, actor in enumerate(ACTORS)
        if actor.of == "metadata"
    )
    broken = nodes[1 + int(removal.integers(len(nodes) - 1))]
    others = [b for n in nodes[1:] if n is not broken for b in list_blocks(n, block_pages)]
    blocks = removal.permutation(np.array(others))[: p.removals]
    return Plan(every, fates, blocks, added, broken)


def _children(seed: int) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence([seed, 47]).spawn(3)


def _of_actor(
    i: int,
    actor: Actor,
    p: StrategiesParameters,
    present: int,
    chunk: int,
    nids: list[int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one actor's requests: when each comes, from 0 to 1, and the requests."""
    if actor.of == "processes":
        counts = np.ones(p.processes, np.int64)
    else:
        total = int(present * getattr(p, actor.of) * actor.part)
        pieces = -(-total // chunk)
        counts = np.diff(np.arange(pieces + 1) * total // max(pieces, 1))
    n = len(counts)
    at = (np.arange(n) + rng.random(n)) / max(n, 1)
    rows = np.zeros(n, REQUEST)
    rows["turn"], rows["actor"], rows["count"] = (at * TURNS).astype(int), i, counts
    rows["nid"] = np.array(nids)[(np.arange(n) + rng.integers(len(nids))) % len(nids)]
    return at, rows


def list_blocks(node: NodeSpec, block_pages: int) -> list[int]:
    """List the memory blocks that lie wholly in a node."""
    return [
        b
        for r in node.ranges
        for b in range(-(-r.start_pfn // block_pages), r.end_pfn // block_pages)
    ]
