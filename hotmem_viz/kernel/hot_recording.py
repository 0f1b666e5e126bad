"""The model's machine that gets memory and has to give it back, as a recording.

Adding and onlining start from the model's own boot. With the load the model takes on what every
page of the captured machine held, for the verdict depends on it, and `compare` decides it so.
Which pages hold the memory map of the added memory no flag tells: a removal gives none back.

Left out: what virtio-mem does below a memory block; here it takes whole blocks back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotmem_viz.kernel.attempt_telling import read_marks
from hotmem_viz.kernel.captured_pins import pages_to_pin
from hotmem_viz.kernel.captured_state import free_anon
from hotmem_viz.kernel.changing_run import ChangingRun, steps_of
from hotmem_viz.kernel.compare_hotplug import default_state
from hotmem_viz.kernel.hot_events import added_dimms, block_range, new_blocks, read_stages
from hotmem_viz.kernel.hot_growth import count_dimms, dimm_slots
from hotmem_viz.kernel.offline_run import OfflineRun, make_removal
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE
from hotmem_viz.mechanisms.add_memory import online_memory, remove_memory
from hotmem_viz.mechanisms.offline import Verdict, go_on, offline_block
from hotmem_viz.mechanisms.pins import unpin_pages
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import EventKind, SectionState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.hot_events import Stage
    from hotmem_viz.machine.profiles import KernelProfile
    from hotmem_viz.mechanisms.offline import Offlining
    from hotmem_viz.recording.recorder import Tick

GIVEN_BACK = ("unplugged", "gone")
"""Stages at which a virtio-mem device was asked to take its memory back."""


class RecordedHotplug(ChangingRun):
    """DIMMs, or a virtio-mem device, whose memory comes, is used, and is asked out again."""

    def __init__(self, machine: ComparedMachine, profile: KernelProfile) -> None:
        capture = machine.capture
        self.virtio = capture.has("vmem")
        blocks = new_blocks(capture)
        self.pieces = [block_range(capture, b.phys_index) for b in blocks]
        nid = blocks[0].nid if blocks else 0
        if not self.virtio:
            nid, self.pieces = dimm_slots(machine, count_dimms(machine))
        super().__init__(machine, profile, [(nid, *piece) for piece in self.pieces])
        self.group = None
        if self.virtio:
            unit = self.memory.spec.block_pages
            self.group = MemoryGroup(self.pieces[0][0], self.pieces[-1][1], unit_pages=unit)
        self.captured = OfflineRun(capture, onto=self.memory)
        self._trying: Offlining | None = None

    def ticks(self) -> Iterator[Tick]:
        """Yield the booted machine, then what each stage of the scenario is in the model."""
        yield self.boot_tick()
        added = False
        for stage in read_stages(self.machine.capture, default_state(self.machine)):
            self.steps = steps_of(self.machine.capture, stage.name)
            if not added and stage.name in ("added", "plugged", "onlined"):
                yield from self._plug_in()
                added = True
            if stage.name == "loaded":
                yield self._load()
            elif stage.name in GIVEN_BACK:
                yield from self._give_back(stage.name)
            elif stage.name in ("removed", "removed2"):
                yield from self._remove(again=stage.name == "removed2")
            else:
                yield from self._bring_online(stage)

    def _plug_in(self) -> Iterator[Tick]:
        for number, (start, end) in enumerate(self.pieces, 1):
            name = f"DIMM {number}" if len(self.pieces) > 1 else "The DIMM"
            yield from self.add(self._block(start) if self.virtio else name, start, end, self.group)

    def _bring_online(self, stage: Stage) -> Iterator[Tick]:
        """Bring online what the scenario did, block by block, by its word."""
        if stage.name == "onlined" and not stage.events:
            text = "No word is written to their state: they came online by themselves."
            yield self.end(EventKind.ONLINED, title="The blocks are online", text=text)
        for event in stage.events:
            start, end = block_range(self.machine.capture, event.block)
            states = self.memory.section_state[self.sections(start, end)]
            if event.how != OFFLINE and (states == SectionState.OFFLINE).all():
                yield self.bring_online(self._block(start), start, end, event.how)

    def _load(self) -> Tick:
        """Let the pages hold what was captured when the load was in."""
        why = self.captured.why_not
        if why:
            text = f"The load is not in the model: {why}. What comes next starts from its own boot."
        else:
            mem = self.captured.memory
            mem.added[:] = [replace(a, held=FrameSet.empty()) for a in mem.added]
            text = (
                "From here on every page of the model holds what the flags of the captured machine "
                f"showed at this moment; {format_pages(int(mem.zones.free.sum()))} are free."
            )
            if n := pages_to_pin(self.machine.capture):
                text += f" The load pins {format_pages(n)}."
        loaded = "load" in self.machine.capture.args or "anon" in self.machine.capture.args
        title = "The load is in" if loaded else "The model takes on the captured state"
        return self.end(EventKind.CAPTURED, title=title, text=text, function="kpageflags_read()")

    def _remove(self, *, again: bool) -> Iterator[Tick]:
        """Eject every DIMM in turn; `again` is after the load has ended."""
        if again:
            yield self._end_load()
        capture = self.machine.capture
        count = len(capture.removals())
        for number, blocks in enumerate(added_dimms(capture, count)[:count]):
            name = f"DIMM {number + 1}" if count > 1 else "The DIMM"
            yield from self._eject(name, blocks, look=not again)

    def _eject(self, name: str, blocks: list[int], *, look: bool) -> Iterator[Tick]:
        if not blocks or not self._is_there(blocks):
            return
        if (out := self._trying) is not None:
            # The ejection that never ended goes on where it was.
            self._trying = None
            marks = read_marks(self.memory)
            go_on(self.memory, out)
            yield self.tell_attempt(out.start_pfn // self.memory.spec.block_pages, out, marks)
        attempts = make_removal(self.captured, blocks, look=look)
        while True:
            marks = read_marks(self.memory)
            if (made := next(attempts, None)) is None:
                break
            yield self.tell_attempt(made[0], made[1], marks)
            if made[1].verdict is Verdict.NEVER_ENDS:
                self._trying = made[1]
                return
        yield self._end_of(name, blocks)

    def _end_of(self, name: str, blocks: list[int]) -> Tick:
        """Pull a DIMM out whose blocks are all offline; else bring back those that are."""
        mem, size = self.memory, self.memory.spec.block_pages
        start, end = blocks[0] * size, (blocks[-1] + 1) * size
        if not remove_memory(mem, start, end).refused:
            text = "All its memory blocks are offline, so it is pulled out."
            return self._unplugged(f"{name} is out", text, start)
        states = mem.section_state[self.sections(start, end)].reshape(len(blocks), -1)
        back = [
            b
            for b, state in zip(blocks, states, strict=True)
            if (state == SectionState.OFFLINE).all()
        ]
        for block in back:
            online_memory(mem, block * size, (block + 1) * size, self.machine.options, how=ONLINE)
        text = (
            f"{len(blocks) - len(back)} of its {len(blocks)} memory blocks could not be emptied in "
            "two rounds: the device is busy."
        )
        if back:
            names = ", ".join(f"memory{b}" for b in back)
            text += f" By plain “online”, {names} {'comes' if len(back) == 1 else 'come'} back."
        return self._unplugged(f"{name} stays", text, start)

    def _unplugged(self, title: str, text: str, pfn: int) -> Tick:
        return self.end(
            EventKind.UNPLUGGED,
            title=title,
            text=text,
            claims=("S45",),
            rule="A10",
            function="acpi_scan_try_to_offline()",
            pfn=pfn,
        )

    def _end_load(self) -> Tick:
        """Let the load end: its pins are dropped, users' memory but for tmpfs is free."""
        mem = self.memory
        pinned = FrameSet.of_bits(mem.pinned_bits)
        unpin_pages(mem, pinned)
        freed = free_anon(mem)
        text = f"{format_pages(freed)} of users' memory are free again"
        text += f"; {format_pages(len(pinned))} of them were pinned." if len(pinned) else "."
        return self.end(
            EventKind.RELEASED, title="The load is gone", text=text, function="exit_mmap()"
        )

    def _give_back(self, stage: str) -> Iterator[Tick]:
        """Ask the device's blocks out, the highest first; after its load is gone, once more."""
        mem = self.memory
        if stage == "gone":
            yield self._end_load()
        for start, end in reversed(self.pieces):
            if (mem.section_state[self.sections(start, end)] != SectionState.ONLINE).any():
                continue
            marks = read_marks(mem)
            out = offline_block(mem, start // mem.spec.block_pages)
            yield self.tell_attempt(start // mem.spec.block_pages, out, marks)
            if out.verdict is Verdict.OK:
                remove_memory(mem, start, end)

    def _is_there(self, blocks: list[int]) -> bool:
        size = self.memory.spec.block_pages
        part = self.sections(blocks[0] * size, (blocks[-1] + 1) * size)
        return bool((self.memory.section_state[part] != SectionState.ABSENT).any())

    def _block(self, start: int) -> str:
        return f"memory{start // self.memory.spec.block_pages}"
