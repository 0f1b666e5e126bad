"""What the random machines have in common; see hypothesis.stateful."""

from __future__ import annotations

from hypothesis.stateful import RuleBasedStateMachine, rule

from hotmem_viz.memory.physical import PhysicalMemory


class MachineInUse(RuleBasedStateMachine):
    """A machine whose kswapd, once it has given up, may wake again at any time."""

    mem: PhysicalMemory

    @rule()
    def tired_kswapd_wakes(self):
        for nid in self.mem.kswapd_failures:
            self.mem.kswapd_failures[nid] = 0
