"""How large the turns of an exhaustion run are, and how many there are at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.scenarios.workloads import draw_workload

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory
    from hotmem_viz.scenarios.parameters import ExhaustionParameters
    from hotmem_viz.scenarios.setup import Setup
    from hotmem_viz.scenarios.workloads import Stock, Workload

TURNS = 1200
"""Turns drawn at most, enough to fill any machine at the largest turn allowed; a workload that
still fits after them has fitted."""

TURNS_SHRINKABLE = 400
"""Turns of a workload whose memory can be taken back: it would go on for ever."""

TICKS_TO_FILL = 160
"""The kernel zones, empty, would be filled in about this many turns."""


def size_turns(mem: PhysicalMemory, stocks: tuple[Stock, ...]) -> int:
    """Size a turn so that the zones that most of an operation may use last for a while."""
    costliest = max(stocks, key=lambda s: s.pages_per_operation)
    usable = mem.zones.free[mem.zones.type <= costliest.gfp.highest].sum()
    cap = max(512, mem.spec.present_pages // 1024)
    return int(np.clip(usable // TICKS_TO_FILL, 8, cap))


def draw_turns(p: ExhaustionParameters, setup: Setup, turn_pages: int) -> Workload:
    """Draw the turns of a run from its seed."""
    operation = setup.profile.operations.get(p.workload)
    endless = operation is not None and operation.shrinkable and p.held < 1
    return draw_workload(
        setup.profile,
        p.workload,
        [n.nid for n in setup.spec.nodes],
        user=p.user,
        turn_pages=turn_pages,
        turns=TURNS_SHRINKABLE if endless else TURNS,
        rng=np.random.default_rng(p.seed),
    )
