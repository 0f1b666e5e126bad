"""The page that vetoed an isolation and the verdict on memory, where a test knows there is one."""

from __future__ import annotations

from hotmem_viz.mechanisms.isolation import Isolation, Veto
from hotmem_viz.mechanisms.isolation import find_veto as _find_veto
from hotmem_viz.mechanisms.offline import Offlining, Verdict
from hotmem_viz.memory.physical import PhysicalMemory


def veto_of(out: Isolation | Offlining) -> Veto:
    """Return the veto of an outcome; fails the test where there is none."""
    assert out.veto is not None
    return out.veto


def find_veto(mem: PhysicalMemory, start_pfn: int, end_pfn: int) -> Veto:
    """Find the veto of a range; fails the test where there is none."""
    veto = _find_veto(mem, start_pfn, end_pfn)
    assert veto is not None
    return veto


def verdict_of(out: Offlining) -> Verdict:
    """Return the verdict on an attempt that has ended."""
    assert out.verdict is not None
    return out.verdict
