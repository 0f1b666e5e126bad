"""How the model's attempt to take a captured block offline ended, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.mechanisms.offline import Verdict
from hotmem_viz.scenarios import hot_telling
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.offline import Offlining
    from hotmem_viz.memory.physical import PhysicalMemory

_KINDS = {Verdict.OK: EventKind.OFFLINED, Verdict.NEVER_ENDS: EventKind.NEVER_ENDS}


def read_marks(mem: PhysicalMemory) -> list[tuple[int, int]]:
    """Return managed pages and the low mark of each zone, to be told what they were before."""
    zones = mem.zones
    return list(zip(zones.managed.tolist(), zones.low.tolist(), strict=True))


def tell_verdict(
    mem: PhysicalMemory, name: str, out: Offlining, marks: list[tuple[int, int]]
) -> tuple[EventKind, dict[str, Any]]:
    """Return the kind and the words of an attempt's end: verdict, guilty page, rule, function.

    marks: what `read_marks` said before it.
    """
    verdict = out.verdict or Verdict.NEVER_ENDS
    if verdict is Verdict.OK:
        told = hot_telling.tell_offlined(mem, out, marks[out.zone])
    elif verdict is Verdict.NEVER_ENDS:
        told = hot_telling.tell_endless(mem, out)
    else:
        told = hot_telling.tell_refused(mem, out)
    kind = _KINDS.get(verdict, EventKind.OFFLINE_REFUSED)
    return kind, {**told, "title": f"{name}: {verdict.value}"}
