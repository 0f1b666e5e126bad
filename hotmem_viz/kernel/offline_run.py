"""Offlines in the model what was offlined on a captured machine, from the state captured before.

The machine is loaded once, with the load in it, and goes through the same attempts in the same
order; before each one the block gets what its own snapshot says. A block that left comes back, and
an attempt that would never end is given up, as on the real machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.kernel.captured_memory import MAX_PAGES, load_memory
from hotmem_viz.kernel.captured_pages import stored_path
from hotmem_viz.kernel.captured_pins import look_pinned, mark_pins, pages_to_pin
from hotmem_viz.kernel.captured_state import (
    free_anon,
    mark_free_huge,
    mark_tmpfs,
    write_kinds,
    write_state,
)
from hotmem_viz.kernel.hotplug_answers import NEVER
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.hotplug import put_in
from hotmem_viz.mechanisms.isolation import VetoRule
from hotmem_viz.mechanisms.offline import Offlining, Verdict, cancel_offline, go_on, offline_block
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.vocabulary import PageKind, SectionState, ZoneType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.hotplug_answers import OfflineAttempt
    from hotmem_viz.memory.physical import PhysicalMemory


@dataclass(frozen=True)
class OfflineRun:
    """The model's machine of one capture, as it was before memory was taken away.

    onto: a machine of the model that gets what the captured pages held, or stays as it is where
    nothing can be predicted; by default one is built from the capture, with its zones and marks.
    """

    capture: Capture
    onto: PhysicalMemory | None = None

    @property
    def stage(self) -> str:
        """The last stage at which all pages were captured before that.

        Memory that was added after the boot shows only at the later one.
        """
        was_there = self.capture.sweep() and not self.capture.has("kpf/loaded")
        return "boot" if was_there else "loaded"

    @cached_property
    def why_not(self) -> str:
        """Why nothing can be predicted; empty when it can."""
        for path in (f"kpf/{self.stage}", f"{self.stage}/zoneinfo", "boot/zoneinfo"):
            if not self.capture.has(path):
                return f"the capture has no {path}"
        flags = self.capture.page_runs(self.stage)
        if flags.end_pfn > MAX_PAGES:
            return "the machine is too large to model every page of it"
        if pages_to_pin(self.capture) and not look_pinned(flags).any():
            return "the load pins pages, but none of them shows"
        return ""

    @cached_property
    def memory(self) -> PhysicalMemory:
        """The machine's memory; attempts change it."""
        mem = self.onto
        if mem is None:
            mem = load_memory(self.capture, self.stage)
        elif self.why_not:
            return mem
        else:
            write_state(mem, self.capture, self.stage)
        if pages_to_pin(self.capture):
            mark_pins(mem, self.capture.page_runs(self.stage))
        return mem

    def look_again(self, stage: str) -> None:
        """Give a block what its own snapshot says, taken just before the attempt on it.

        Where the page structs were not read again, a page without flags may be free, on a per-CPU
        list; it is taken for the kernel's only if somebody held it at the stage before.
        """
        if self.why_not or not self.capture.has(stored_path("kpf", stage)):
            return
        runs = self.capture.page_kinds(stage)
        kinds, start = runs.expand().astype(np.uint8), runs.start_pfn
        if not self.capture.has(stored_path("pages", stage)):
            before = self._kinds_before[start : start + len(kinds)]
            bare = kinds == PageKind.KERNEL_BUFFER
            kinds[bare & (before != PageKind.KERNEL_BUFFER)] = PageKind.FREE
        write_kinds(self.memory, start, kinds)
        mark_tmpfs(self.memory, self.capture.page_runs(stage))
        if self.capture.has(stored_path("pages", stage)):
            mark_free_huge(self.memory, self.capture.page_words(stage))
        if pages_to_pin(self.capture):
            mark_pins(self.memory, self.capture.page_runs(stage))

    @cached_property
    def _kinds_before(self) -> np.ndarray:
        return self.capture.page_kinds(self.stage).expand()


def make_attempts(
    run: OfflineRun, attempts: tuple[OfflineAttempt, ...]
) -> Iterator[tuple[OfflineAttempt, Offlining | None]]:
    """Make the attempts of a sweep, one after the other; yield each with its outcome.

    None stands for an attempt on a block that was not online. At the yield the memory is as the
    attempt left it; after it a block that left comes back, and an attempt without end is given up,
    which makes its verdict EINTR.
    """
    mem = run.memory
    for attempt in attempts:
        if attempt.before != "online" or not _is_online(mem, attempt.block):
            yield attempt, None
            continue
        run.look_again(f"sweep/memory{attempt.block}")
        out = offline_block(mem, attempt.block)
        endless = out.verdict is Verdict.NEVER_ENDS and not _ends_by_oom(mem, out)
        yield attempt, out
        if endless:
            cancel_offline(mem, out)
        elif out.verdict is Verdict.OK:
            put_in(mem, ZoneType(int(mem.zones.type[out.zone])), out.start_pfn, out.end_pfn)


def predict_sweep(run: OfflineRun, attempts: tuple[OfflineAttempt, ...]) -> list[Verdict | None]:
    """Return how each attempt of a sweep ends; None where the block was not online."""
    return [out.verdict if out else None for _, out in make_attempts(run, attempts)]


def predict_removal(run: OfflineRun, blocks: list[int]) -> str:
    """Remove the DIMM that consists of some memory blocks; returns removed, refused or never ends.

    An attempt that never ends ends nothing: the kernel thread of the ejection takes no signal.
    """
    left = {b for b in blocks if _is_online(run.memory, b)}
    for block, out in make_removal(run, blocks):
        if out.verdict is Verdict.NEVER_ENDS:
            return NEVER
        if out.verdict is Verdict.OK:
            left.discard(block)
    return "refused" if left else "removed"


def make_removal(
    run: OfflineRun, blocks: list[int], *, look: bool = True
) -> Iterator[tuple[int, Offlining]]:
    """Take the blocks of a DIMM offline as its ejection does; yield each attempt.

    In ascending order, those that were refused once more (acpi_scan_try_to_offline,
    drivers/acpi/scan.c, 6.1). One that never ends is the last; the blocks that left before it stay
    offline, and what a refusal brings back is left to the caller. look: whether the blocks get
    what was read of them just before the first removal; not so at a second one.
    """
    mem = run.memory
    for block in blocks if look else ():
        run.look_again(f"before/memory{block}")
    left = [b for b in blocks if _is_online(mem, b)]
    for _ in range(2):
        for block in list(left):
            out = offline_block(mem, block)
            endless = out.verdict is Verdict.NEVER_ENDS and not _ends_by_oom(mem, out)
            yield block, out
            if endless:
                return
            if out.verdict is Verdict.OK:
                left.remove(block)


def _is_online(mem: PhysicalMemory, block: int) -> bool:
    sections = mem.spec.block_pages // mem.spec.section_pages
    states = mem.section_state[block * sections : (block + 1) * sections]
    return bool((states == SectionState.ONLINE).any())


def _ends_by_oom(mem: PhysicalMemory, out: Offlining) -> bool:
    """Let somebody ask for a page while an attempt has no room; say whether that lets it end.

    Migration itself calls no OOM killer, the next request does. What is free lies in isolated
    pageblocks, so its victim is the load, which holds most: its pages become free.
    """
    if out.veto is None or out.veto.rule is not VetoRule.NO_ROOM:
        return False
    nid = min(mem.kswapd_failures)
    for gfp in ("HIGHUSER_MOVABLE", "KERNEL"):
        asked = alloc_pages(mem, GFP[gfp], 1, PageKind.ANON, nid=nid)
        free_pages(mem, asked.frames)
        if asked.refused:
            break
    else:
        return False
    free_anon(mem)
    go_on(mem, out)
    return out.verdict is Verdict.OK
