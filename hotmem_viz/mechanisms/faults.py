"""What becomes of a touch that memory does not suffice for.

A page fault cannot say no: the OOM killer ends a process and the fault is tried again. populate
and mlock answer ENOMEM and keep what they got. mmap itself has long succeeded by then.

Sources: mm/oom_kill.c `oom_badness`, `select_bad_process`, mm/memory.c `handle_mm_fault`, mm/gup.c
`populate_vma_page_range` (6.1). Left out of badness: swap, which no machine here has, memory
cgroups, threads that share an address space, and children that die with their parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hotmem_viz.mechanisms.huge_touching import touch_huge
from hotmem_viz.mechanisms.outcome import join_outcomes
from hotmem_viz.mechanisms.touching import Access, Touched, touch
from hotmem_viz.mechanisms.unmapping import exit_process

if TYPE_CHECKING:
    from hotmem_viz.memory.address_spaces import AddressSpaces

OOM_SCORE_ADJ_MIN = -1000
"""A process with this much is never killed (include/uapi/linux/oom.h)."""


def populate(s: AddressSpaces, access: Access) -> Touched:
    """Touch memory ahead of its use (MAP_POPULATE, mlock); `refused` stands for ENOMEM.

    Raises ParameterError as `touching.touch` does.
    """
    return _touch(s, access)


def fault(s: AddressSpaces, access: Access) -> Touched:
    """Touch memory as a program does; where it ends, the OOM killer ends a process, and on it goes.

    A process that is killed itself touches no more. `refused` is set where nobody was left to kill:
    there the kernel panics. Raises ParameterError as `touching.touch` does.
    """
    done = _touch(s, access)
    while done.refused:
        victim = choose_victim(s)
        if victim is None:
            return done
        rows = np.asarray(access.mapping)
        alive = s.mappings.space[rows] != victim
        released = exit_process(s, victim)
        done.killed.append(victim)
        done.outcome.released.append(released)
        access = Access(
            rows[alive],
            np.asarray(access.first)[alive],
            np.asarray(access.pages)[alive],
            access.step,
            access.write,
        )
        if not alive.any():
            done.refused = False
            return done
        again = _touch(s, access)
        # What a victim had touched counts as reached; what the others had is found again.
        done.pages, done.refused = max(done.pages, again.pages), again.refused
        done.outcome = join_outcomes([done.outcome, again.outcome])
    return done


def _touch(s: AddressSpaces, access: Access) -> Touched:
    rows = np.asarray(access.mapping, np.int64)
    return touch_huge(s, access) if s.mappings.huge[rows].any() else touch(s, access)


def badness(s: AddressSpaces, spaces: np.ndarray) -> np.ndarray:
    """Rate processes for the OOM killer: (n,) int64 pages they hold, and what oom_score_adj adds.

    Tables count down to PUD, but not the top one (mm_pgtables_bytes). spaces: (n,) rows.
    """
    t = s.spaces
    total = int(s.mem.zones.managed.sum())
    held = t.rss[spaces] + t.levels[spaces, :-1].sum(axis=1)
    return np.asarray(held + t.score_adj[spaces].astype(np.int64) * (total // 1000))


def choose_victim(s: AddressSpaces) -> int | None:
    """Choose the process that the OOM killer ends: the worst, of equals the first; None if none."""
    spaces = s.alive()
    spaces = spaces[s.spaces.score_adj[spaces] != OOM_SCORE_ADJ_MIN]
    if not len(spaces):
        return None
    return int(spaces[badness(s, spaces).argmax()])
