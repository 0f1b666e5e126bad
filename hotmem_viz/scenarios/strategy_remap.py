"""The remap of a section as one strategy among six: its steps are marks once, then ticks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotmem_viz.mechanisms import remap
from hotmem_viz.mechanisms.remap import Exit
from hotmem_viz.scenarios import remap_failures, remap_telling
from hotmem_viz.scenarios.remap_pause import Pause
from hotmem_viz.vocabulary import PageKind

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator

    from hotmem_viz.mechanisms.remap import Remap
    from hotmem_viz.memory.address_map import AddressMap
    from hotmem_viz.memory.address_spaces import AddressSpaces
    from hotmem_viz.recording.recorder import Tick
    from hotmem_viz.scenarios.remap_pause import PauseParameters
    from hotmem_viz.scenarios.remap_reading import MapGauges
    from hotmem_viz.scenarios.story import Story

PASSES = 10
"""Passes over a section's movable pages; the mail gives no bound."""

Told = dict[str, Any]


class Remapping:
    """Takes sections out as the mail proposes; what `Pause` asks of a run is here."""

    def __init__(
        self, story: Story, spaces: AddressSpaces, amap: AddressMap, gauges: MapGauges,
        parameters: PauseParameters,
    ) -> None:  # fmt: skip
        self.story = story
        self.spaces, self.map = spaces, amap
        self.gauges, self.parameters = gauges, parameters
        self._seen = False

    def take_out(
        self, section: int, *, whole: bool, leaving: Collection[int]
    ) -> Generator[Tick, None, Remap]:
        """Yield ticks, and return the attempt with its verdict; how it ended is not told."""
        # What has been seen once is no mark again.
        self.story.marks = not self._seen
        attempt = remap.start(self.map, section)
        for _ in range(PASSES):
            if remap.is_emptied(attempt):
                break
            out = remap.empty(attempt, self.map.mem.spec.section_pages)
            self.story.take(out)
            self.gauges.migrated += out.granted
            if not out.granted:
                break
        found = remap.find_residue(attempt)
        if not attempt.ended and len(found):
            yield from self._make_room(attempt, whole=whole, leaving=leaving)
        if not attempt.ended:
            yield from self._stop(attempt)
        self.story.touch(attempt.frames)
        for frames in attempt.touched:
            self.story.touch(frames)
        self.story.marks = True
        return attempt

    def _make_room(
        self, attempt: Remap, *, whole: bool, leaving: Collection[int]
    ) -> Iterator[Tick]:
        """Reserve frames for what stayed."""
        story = self.story
        yield from story.tell(**remap_telling.residue(attempt.residue))
        yield story.flush()
        story.take(remap.reserve(attempt, self.spaces, whole=whole, leaving=leaving))
        if not attempt.ended:
            yield from story.tell(**remap_telling.reserved(attempt, len(attempt.residue)))
            yield story.flush()

    def _stop(self, attempt: Remap) -> Iterator[Tick]:
        """Stop the machine for what stayed; the steps of the first stop are marks."""
        yield from Pause(self, attempt).ticks()
        self._seen = self._seen or len(attempt.residue) > 0


def is_gone(attempt: Remap) -> bool:
    """Say whether the section may be pulled out."""
    return attempt.verdict in (Exit.OFFLINE, Exit.MIGRATED)


def tell_gone(attempt: Remap, live: int, pause_ns: float) -> Told:
    """Say what became of a section that has left."""
    start_pfn = attempt.section * attempt.mem.spec.section_pages
    if attempt.verdict is Exit.OFFLINE:
        told = remap_telling.emptied_whole(attempt.section) | {"pfn": start_pfn}
        told["text"] += f" {remap_telling.pages(attempt.moved)} migrated."
        return told
    told = remap_telling.migrated(attempt.section, live) | {"pfn": start_pfn}
    told["text"] += (
        f" Before that {remap_telling.pages(attempt.moved)} migrated; then the machine stood still"
        f" for {remap_telling.ms(pause_ns)}, by the cost model. Nobody has measured one."
    )
    told["questions"] = ("Q1", "Q6", "Q12")
    return told


def tell_stays(attempt: Remap) -> Told:
    """Say what kept a section."""
    mem, pfn = attempt.mem, max(attempt.pfn, 0)
    kind = PageKind(int(mem.kind.reshape(-1)[pfn]))
    return remap_failures.failed(attempt, kind, mem.owners.names[int(mem.owner.reshape(-1)[pfn])])
