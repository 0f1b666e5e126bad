"""Life after a remap: pages are freed under their old names, drain, come home, or move once more.

None of this is in the mail; without it the slow state would last for ever (KERNEL.md 5.2, steps 10
to 12; Q6, Q7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.errors import ParameterError
from hotmem_viz.mechanisms.allocator import free_pages
from hotmem_viz.mechanisms.block_counts import count_blocks
from hotmem_viz.mechanisms.hotplug import put_in
from hotmem_viz.mechanisms.outcome import Moves, Outcome
from hotmem_viz.mechanisms.remap import rewrite_parents
from hotmem_viz.mechanisms.remap_targets import open_section
from hotmem_viz.memory.address_map import NOWHERE, SCATTERED
from hotmem_viz.memory.frames import FrameSet, union
from hotmem_viz.memory.zones import GROUP_WORDS
from hotmem_viz.vocabulary import PageKind, SectionState, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.mechanisms.table_walk import Walk
    from hotmem_viz.memory.address_map import AddressMap
    from hotmem_viz.memory.address_spaces import AddressSpaces


def live_pages(amap: AddressMap, section: int) -> np.ndarray:
    """Return the virtual pages of a slow section that something lives at: (n,) int64."""
    return section * amap.mem.spec.section_pages + np.flatnonzero(amap.pages[section] >= 0)


def free_moved(amap: AddressMap, vpfns: np.ndarray) -> Outcome:
    """Free kernel pages of slow sections by their names; the frames go to whom they belong.

    The virtual page is not used again (Q6). A section whose last page this was is drained.
    """
    frames = FrameSet.of_pfns(np.sort(amap.translate(vpfns)))
    free_pages(amap.mem, frames)
    out = note_freed(amap, [frames])
    out.granted = len(frames)
    out.released.insert(0, frames)
    return out


def note_freed(amap: AddressMap, released: list[FrameSet]) -> Outcome:
    """Take frames that were freed, by whomever, out of the map; to be called before any request.

    Sections of which nothing lives any more are drained: OFFLINE, their target open again.
    """
    gone = union(released).pfns()
    out = Outcome()
    for section in amap.slow:
        frames = amap.pages[section]
        frames[np.isin(frames, gone)] = NOWHERE
        if not (frames >= 0).any():
            out.released += _forget(amap, section)
            if amap.mem.section_state[section] == SectionState.OFFLINE_MIGRATED:
                amap.mem.section_state[section] = SectionState.OFFLINE
    return out


def pull_out(amap: AddressMap, section: int) -> None:
    """Let the hardware of an emptied section go; its virtual range may live on (S25, step 10).

    What old frames contained is gone. Raises ParameterError for memory that is in use.
    """
    state, size = amap.mem.section_state[section], amap.mem.spec.section_pages
    if state not in (SectionState.OFFLINE, SectionState.OFFLINE_MIGRATED):
        raise ParameterError("section", section, "a section that is offline")
    amap.mem.section_state[section] = SectionState.REMOVED
    amap.contents.drop(section * size, (section + 1) * size)


def copy_home(
    amap: AddressMap, spaces: AddressSpaces, section: int, zone_type: ZoneType
) -> tuple[Outcome, Walk]:
    """Bring a section's frames back and copy its pages home, in another stop; lookups are fast.

    Raises ParameterError for a section that is not slow.
    """
    mem, size = amap.mem, amap.mem.spec.section_pages
    if section not in amap.pages:
        raise ParameterError("section", section, "one that is offline-migrated")
    home = live_pages(amap, section)
    source = amap.translate(home)
    mem.section_state[section] = SectionState.OFFLINE
    put_in(mem, zone_type, section * size, (section + 1) * size)
    frames = FrameSet.of_pfns(home)
    groups = np.unique(frames.words // GROUP_WORDS)
    count_blocks(mem, groups, -1)
    mem.fill(frames, PageKind.KERNEL_BUFFER, 0)
    count_blocks(mem, groups, +1)
    mem.relabel(frames, mem.kind.reshape(-1)[source], mem.owner.reshape(-1)[source])
    amap.contents.write(home, amap.contents.read(source))
    order = np.argsort(source)
    walk = rewrite_parents(spaces, source[order], home[order])
    old = FrameSet.of_pfns(source[order])
    free_pages(mem, old)
    released = [old, *_forget(amap, section)]
    whole = FrameSet.of_range(section * size, (section + 1) * size)
    out = Outcome(len(home), frames=whole, released=released, moves=[Moves(source, home)])
    return out, walk


def _forget(amap: AddressMap, section: int) -> list[FrameSet]:
    """End a section's slow life: found by the 1:1 map again, its target and tables given back."""
    mem, target = amap.mem, int(amap.found_in[section])
    del amap.pages[section]
    amap.found_in[section] = section
    if target != SCATTERED:
        open_section(mem, target, amap.targets.pop(target))
    splits = amap.splits.pop(section, FrameSet.empty())
    if not len(splits):
        return []
    free_pages(mem, splits)
    return [splits]
