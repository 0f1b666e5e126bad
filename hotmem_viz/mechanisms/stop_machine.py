"""stop_machine: what the pause costs, and what each CPU does in it.

Every CPU's stopper thread goes PREPARE, DISABLE_IRQ, RUN, EXIT, and all acknowledge each step; from
DISABLE_IRQ on they spin with interrupts off. One CPU, or a few, do the work in RUN. Devices, NMIs
and firmware go on (KERNEL.md A13).

No constant here was measured of this use, for nobody built it: each is an assumption with the
published figure that it leans on (KERNEL.md 4.5). Source: kernel/stop_machine.c, 6.1:
multi_cpu_stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

PREPARE, DISABLE_IRQ, RUN, EXIT, WAITING = 1, 2, 3, 4, 5
"""What a CPU does, as recordings number it (`recording.tracks.CpuState`)."""


@dataclass(frozen=True)
class StopCosts:
    """The constants of the pause, in ns.

    rendezvous_ns, rendezvous_cpu_ns: all CPUs arrive, and a part for each; chosen to lie inside
    the 0.7 ms of Ksplice and the "few ms" of kpatch. copy_page_ns: one page at 2.481 GB/s, the
    copy part of a 2 MiB migration (Zi Yan, 2019). copiers: CPUs that copy. scan_entry_ns: reading
    an entry, 1 in cache; 12.5 from memory, 100 ns a line of 8 entries. fix_entry_ns: rewriting
    one. flush_ns: every CPU flushes itself.
    """

    rendezvous_ns: float = 100_000
    rendezvous_cpu_ns: float = 1_000
    copy_page_ns: float = 1_651
    copiers: int = 1
    scan_entry_ns: float = 1.0
    fix_entry_ns: float = 10
    flush_ns: float = 10_000


HOT_SCAN_NS, COLD_SCAN_NS = 1.0, 12.5
"""Reading an entry of a table that is in cache, and of one that is not (KERNEL.md 4.5)."""


DAY_S = 86_400


class TaxOrStall(NamedTuple):
    """An always-on tax against a stall at each removal (S36, S37), both in ns of a day.

    tax: share of every page fault; fault_ns: what a fault costs; faults: of them a second;
    removals: a day. Their defaults are assumptions, and nobody measured a pause (KERNEL.md 4.4 and
    4.5).
    """

    tax: float
    fault_ns: float
    faults: float
    removals: float

    @property
    def tax_day_ns(self) -> float:
        """What page-table migration at any time would cost in a day."""
        return self.tax * self.fault_ns * self.faults * DAY_S

    def stall_day_ns(self, pause_ns: float) -> float:
        """Return what removals cost in a day, each with a pause."""
        return self.removals * pause_ns

    def even_removals(self, pause_ns: float) -> float:
        """Return how many removals a day cost as much as the tax; 0 while nothing paused."""
        return self.tax_day_ns / pause_ns if pause_ns else 0.0


class StopTime(NamedTuple):
    """The parts of one pause, in ns: T_stop is their sum."""

    rendezvous: float
    copy: float
    scan: float
    fix: float
    flush: float

    @property
    def total(self) -> float:
        """How long nothing else ran."""
        return sum(self)


def stop_time(costs: StopCosts, cpus: int, *, copied: int, entries: int, fixed: int) -> StopTime:
    """Compute T_rendezvous + N_copy t_copy / W + E t_scan + N_fix t_fix + T_flush.

    copied: pages. entries: read by the walk over all tables. fixed: entries rewritten.
    """
    return StopTime(
        costs.rendezvous_ns + costs.rendezvous_cpu_ns * cpus,
        copied * costs.copy_page_ns / min(costs.copiers, cpus),
        entries * costs.scan_entry_ns,
        fixed * costs.fix_entry_ns,
        costs.flush_ns,
    )


def rendezvous_spans(costs: StopCosts, cpus: int) -> dict[str, np.ndarray]:
    """Lay out how the CPUs arrive: columns of a track of spans.

    They are woken one after another, all wait in PREPARE for the last, and turn interrupts off in
    the second half of the fixed part. That halving is only a drawing; the sum is the model's.
    """
    lanes = np.arange(cpus)
    arrival = costs.rendezvous_cpu_ns * (lanes + 1)
    end = costs.rendezvous_ns + costs.rendezvous_cpu_ns * cpus
    off = end - costs.rendezvous_ns / 2
    parts = [
        _columns(lanes, np.zeros(cpus), np.zeros(cpus), arrival),
        _columns(lanes, np.full(cpus, PREPARE), arrival, np.full(cpus, off)),
        _columns(lanes, np.full(cpus, DISABLE_IRQ), np.full(cpus, off), np.full(cpus, end)),
    ]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def work_spans(cpus: int, working: int, time_ns: float) -> dict[str, np.ndarray]:
    """Lay out a stretch of RUN: the first `working` CPUs work, the others wait and spin."""
    lanes = np.arange(cpus)
    states = np.where(lanes < working, RUN, WAITING)
    return _columns(lanes, states, np.zeros(cpus), np.full(cpus, time_ns))


def exit_spans(cpus: int, time_ns: float) -> dict[str, np.ndarray]:
    """Lay out EXIT, in which every CPU flushes its TLB: no interrupts are sent (A16)."""
    lanes = np.arange(cpus)
    return _columns(lanes, np.full(cpus, EXIT), np.zeros(cpus), np.full(cpus, time_ns))


def stop_spans(costs: StopCosts, cpus: int, pause: StopTime) -> dict[str, np.ndarray]:
    """Lay out a whole stop in one tick: its parts one after another, as long as `pause` says."""
    rewriting = pause.scan + pause.fix
    parts = [
        (rendezvous_spans(costs, cpus), pause.rendezvous),
        (work_spans(cpus, min(costs.copiers, cpus), pause.copy), pause.copy),
        (work_spans(cpus, 1, rewriting), rewriting),
        (exit_spans(cpus, pause.flush), pause.flush),
    ]
    begin, laid = 0.0, []
    for spans, time_ns in parts:
        laid.append(_later(spans, begin))
        begin += time_ns
    return {name: np.concatenate([spans[name] for spans in laid]) for name in laid[0]}


def _later(spans: dict[str, np.ndarray], time_ns: float) -> dict[str, np.ndarray]:
    return spans | {name: spans[name] + time_ns for name in ("start_ns", "end_ns")}


def _columns(
    lane: np.ndarray, state: np.ndarray, start: np.ndarray, end: np.ndarray
) -> dict[str, np.ndarray]:
    return {"lane": lane, "state": state, "start_ns": start, "end_ns": end}
