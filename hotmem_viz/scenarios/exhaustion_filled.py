"""A run whose metadata takes its fill and stops there, so that something else can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.vocabulary import ZoneType

if TYPE_CHECKING:
    from hotmem_viz.memory.physical import PhysicalMemory


class FilledRun(Exhaustion):
    """An exhaustion run that stops once the operations so far cost `fill` of all memory.

    The same requests end at the same turn on any machine of that size, whatever its zones are.
    """

    def _has_enough(self) -> bool:
        return self._operations * self.workload.pages_per_operation() >= self._fill_pages()

    def _fill_pages(self) -> float:
        return self.parameters.fill * int(self.memory.zones.managed.sum())


def kernel_room(mem: PhysicalMemory) -> int:
    """Count the free pages that a GFP_KERNEL request could still have, order and type apart."""
    zones = mem.zones
    line = zones.min + zones.boost + zones.protection[:, ZoneType.NORMAL]
    room = np.maximum(zones.free - line, 0)
    return int(room[zones.type <= ZoneType.NORMAL].sum())
