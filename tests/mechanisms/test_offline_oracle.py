"""Offlining equals the page-by-page twin: same verdict, guilty page, moves and memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hotmem_viz.mechanisms.offline import offline_block
from hotmem_viz.mechanisms.pins import pin_pages
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.vocabulary import PageKind
from tests.machines import fragment, tire_kswapd
from tests.offline_oracle import OfflineOracle
from tests.oracles import compare_machine
from tests.slots import P, slots_machine
from tests.vetoes import verdict_of

USERS = (PageKind.ANON,)
MIXED = (PageKind.ANON, PageKind.ANON, PageKind.ANON, PageKind.SLAB, PageKind.MEMMAP)
SECTIONS = (0, 1, 3, 7, 8, 9, 10, 11)


def make(seed):
    """Fill a machine a little or nearly, with users' pages or all sorts, some of them pinned."""
    rng = np.random.default_rng(seed)
    mem = slots_machine()
    tire_kswapd(mem)
    kinds = USERS if seed % 3 else MIXED
    fragment(mem, seed, runs=int(rng.choice([8, 40, 300])), kinds=kinds)
    if seed % 2:
        users = np.flatnonzero(mem.kind.ravel() == PageKind.ANON)
        if len(users):
            pin_pages(mem, FrameSet.of_pfns(rng.choice(users, max(1, len(users) // 900))))
    return mem, int(rng.choice(SECTIONS))


@pytest.mark.parametrize("seed", range(60))
def test_offlining_equals_the_twin(seed):
    mem, section = make(seed)
    twin = OfflineOracle(mem)
    answer = twin.offline(
        section * P, section * P + P, GFP["HIGHUSER_MOVABLE"], GFP["USER_MOVABLE"]
    )
    out = offline_block(mem, section, signal_at_ns=10**10)
    told = {"EINTR": "never ends"}.get(verdict_of(out).value, verdict_of(out).value)
    assert (told, out.veto.pfn if out.veto else -1) == (answer.verdict, answer.guilty)
    assert out.granted == answer.moved
    validate_memory(mem)
    assert mem.owner.ravel().tolist() == twin.owner
    compare_machine(mem, twin)


def test_the_seeds_above_reach_every_verdict():
    reached: Counter[str] = Counter()
    for seed in range(60):
        mem, section = make(seed)
        reached[verdict_of(offline_block(mem, section, signal_at_ns=10**10)).value] += 1
    assert set(reached) == {"ok", "EBUSY", "EINVAL", "EINTR"}
    assert min(reached.values()) >= 3
