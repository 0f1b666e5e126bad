"""A run whose metadata takes its fill and stops there, so that something else can go on."""

from __future__ import annotations

from hotmem_viz.scenarios.exhaustion import Exhaustion


class FilledRun(Exhaustion):
    """An exhaustion run that stops once the operations so far cost `fill` of all memory.

    The same requests end at the same turn on any machine of that size, whatever its zones are.
    """

    def _has_enough(self) -> bool:
        return self._operations * self.workload.pages_per_operation() >= self._fill_pages()

    def _fill_pages(self) -> float:
        return self.parameters.fill * int(self.memory.zones.managed.sum())
