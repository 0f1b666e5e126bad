"""Hand-made recordings whose sections change state and whose pages move, for the views' tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hotmem_viz.recording.recording import Recording
from hotmem_viz.recording.tracks import RowTrack
from hotmem_viz.vocabulary import SectionState
from tests.views.synthetic import TINY, Size, make_recording, track_of

GOING, OFFLINE, ONLINE = SectionState.GOING_OFFLINE, SectionState.OFFLINE, SectionState.ONLINE
TARGET, ABSENT = SectionState.TARGET, SectionState.ABSENT

STATES = (
    # Of sections 0, 1, 2, 5 and 6, tick by tick: no key frame has GOING_OFFLINE.
    (ONLINE, ONLINE, ONLINE, ONLINE, ABSENT),
    (ONLINE, ONLINE, ONLINE, ONLINE, ABSENT),
    (ONLINE, GOING, ONLINE, ONLINE, ABSENT),
    (ONLINE, GOING, ONLINE, TARGET, ABSENT),
    (ONLINE, OFFLINE, ONLINE, TARGET, ABSENT),
    (ONLINE, OFFLINE, ONLINE, TARGET, OFFLINE),
    (ONLINE, OFFLINE, ONLINE, ONLINE, ONLINE),
)
MOVES = (
    # tick, source, target, pages: section 1 to 5, across the border of 5 and 6, one page alone.
    (3, 3072, 5 * 3072, 100),
    (3, 3072 + 100, 6 * 3072 - 50, 80),
    (4, 3072 + 500, 2 * 3072 + 3071, 1),
)


def make_moving(size: Size = TINY) -> Recording:
    """Return tiny's run with the states and moves above."""
    columns = np.array(MOVES, np.uint32).T
    names = ("source", "target", "pages")
    moves = RowTrack(columns[0], dict(zip(names, columns[1:], strict=True)))
    return replace(
        make_recording(size),
        sections=track_of(np.array(STATES, np.uint8), 2),
        rows={"moves": moves},
    )


def in_two_boots(recording: Recording) -> Recording:
    """Return the same run as two boots: sections 5 and 6 boot with tick 4."""
    boots = [{"title": "day 1", "first_pfn": 0}, {"title": "later", "first_pfn": 4 * 3072}]
    column = {"name": "boots", "unit": "boots", "label": "boots"}
    values = np.where(np.arange(recording.n_ticks) < 4, 1, 2)
    meta = {**recording.meta, "boots": boots}
    meta["counters"] = [*meta["counters"], column]
    table = np.column_stack([recording.counters_array, values])
    return replace(recording, meta=meta, counters_array=table)
