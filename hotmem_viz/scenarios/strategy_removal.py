"""Removal requests, as each strategy answers them: a block at a time, counted in sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hotmem_viz.mechanisms.isolation import USER_KINDS
from hotmem_viz.mechanisms.offline import Verdict, cancel_offline, offline_block
from hotmem_viz.scenarios import hot_telling, strategy_remap
from hotmem_viz.scenarios.hot_callbacks import call_owners
from hotmem_viz.units import counted
from hotmem_viz.vocabulary import ONLINE_STATES, EventKind, PageKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hotmem_viz.mechanisms.offline import Offlining
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.strategies import StrategyRun

DEAF = ("processes", "added memory")
"""Owners that nobody can call back: a page table has none but its process, which runs on."""


class Removal:
    """Asks blocks to go, and tells what becomes of each."""

    def __init__(self, run: StrategyRun) -> None:
        self.run, self.mem, self.story = run, run.memory, run.story

    def ask(self, block: int, leaving: Collection[int] = ()) -> Iterator[Tick]:
        """Ask one block. leaving: nodes that have to go as a whole."""
        per = self.mem.spec.block_pages // self.mem.spec.section_pages
        sections = range(block * per, (block + 1) * per)
        self.run.tally.asked += per
        if not np.isin(self.mem.section_state[list(sections)], ONLINE_STATES).all():
            return
        if self.run.parameters.strategy == "remap":
            for section in sections:
                yield from self._remap(section, leaving)
        else:
            yield from self._offline(block, per)

    def _tell(self, told: dict[str, Any]) -> Iterator[Tick]:
        yield from self.story.tell(**told)
        yield self.story.flush()

    def _offline(self, block: int, per: int) -> Iterator[Tick]:
        """Offline a block as today; the other system's way is to ask its owners after a veto."""
        out, low = self._try(block)
        if out.verdict is Verdict.EBUSY and self.run.parameters.strategy == "callbacks":
            yield from self._call(block)
            out, low = self._try(block)
        if out.verdict is Verdict.OK:
            self.run.tally.removed += per
            # The zone has lost the block already: before, it managed that much more.
            managed = int(self.mem.zones.managed[out.zone]) + out.end_pfn - out.start_pfn
            told = hot_telling.tell_offlined(self.mem, out, (managed, low))
            told["kind"] = EventKind.OFFLINED
        elif out.verdict is Verdict.NEVER_ENDS:
            told = hot_telling.tell_endless(self.mem, out)
            told["text"] += " Here a signal ends it, and the block is back in use."
            told["kind"] = EventKind.NEVER_ENDS
            cancel_offline(self.mem, out)
        else:
            told = hot_telling.tell_refused(self.mem, out)
            told["kind"] = EventKind.OFFLINE_REFUSED
            self.run.tally.table_held += per * self._tables_alone(block)
        yield from self._tell(told)

    def _try(self, block: int) -> tuple[Offlining, int]:
        """Make one attempt; returns it, and the low mark of the zone before."""
        zone = int(self.mem.zone.reshape(-1)[block * self.mem.spec.block_pages])
        low = int(self.mem.zones.low[zone])
        out = offline_block(self.mem, block)
        self.story.take(out)
        return out, low

    def _call(self, block: int) -> Iterator[Tick]:
        """Ask the owners in a block to let go, as the mail has heard of other systems (S19)."""
        p = self.run.parameters
        asked, freed = call_owners(self.mem, block, p, DEAF)
        self.story.take(freed, len(asked) * p.callback_ms * 1e6)
        said = ", ".join(f"{name}: {'yes' if yes else 'no'}" for name, yes in asked.items())
        text = (
            f"A page of memory{block} vetoes, so its owners are asked to let go:"
            f" {said or 'nobody'}. Let go: {counted(len(freed.frames), 'page')}. Page tables have"
            " no owner but a process that runs on. Hearsay: who can, and how fast, is chosen, not"
            " measured."
        )
        told = {
            "kind": EventKind.CALLBACK,
            "title": f"Owners in memory{block} are asked",
            "text": text,
            "claims": ("S19",),
            "rule": "5.6",
            "function": "shrink_slab()",
            "pfn": block * self.mem.spec.block_pages,
            "unproven": True,
        }
        yield from self._tell(told)

    def _tables_alone(self, block: int) -> bool:
        """Say whether nothing but page tables keeps a block: it would go if those migrated."""
        pages = self.mem.spec.block_pages
        kinds = self.mem.kind.reshape(-1)[block * pages : (block + 1) * pages]
        held = kinds[~np.isin(kinds, (PageKind.FREE, *USER_KINDS))]
        return bool(len(held)) and bool((held == PageKind.PAGE_TABLE).all())

    def _remap(self, section: int, leaving: Collection[int]) -> Iterator[Tick]:
        run = self.run
        before = run.gauges.pause_ns
        whole = run.parameters.target == "section"
        attempt = yield from run.remapping.take_out(section, whole=whole, leaving=leaving)
        if strategy_remap.is_gone(attempt):
            run.tally.removed += 1
            live = int((run.map.pages[section] >= 0).sum()) if section in run.map.pages else 0
            told = strategy_remap.tell_gone(attempt, live, run.gauges.pause_ns - before)
        else:
            told = strategy_remap.tell_stays(attempt)
        yield from self._tell(told)
