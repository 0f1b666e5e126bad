"""A captured run in words: what happened at each moment, by the numbers the kernel printed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hotmem_viz.kernel.capture_counters import load_of, objects_of
from hotmem_viz.kernel.capture_oom import tell_oom
from hotmem_viz.kernel.capture_stages import tell_stage
from hotmem_viz.kernel.capture_tries import tell_attempt
from hotmem_viz.kernel.moments import lowest_kernel_free
from hotmem_viz.kernel.zone_room import is_kernel_zone
from hotmem_viz.recording.recording import Event
from hotmem_viz.units import format_pages
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotmem_viz.kernel.capture_zones import Key, ZoneState
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.moments import Moment
    from hotmem_viz.kernel.page_flags import PageRuns

KSWAPD_RUNS = 16
"""MAX_RECLAIM_RETRIES (mm/internal.h): runs in a row without a page, after which kswapd stops."""


@dataclass(frozen=True)
class Story:
    """A capture and all that its telling needs: moments, their zones, their pages (or None)."""

    capture: Capture
    moments: Sequence[Moment]
    states: Sequence[dict[Key, ZoneState]]
    pages: Sequence[PageRuns | None]


def tell_capture(story: Story) -> list[Event]:
    """Return the events of a capture, in order of tick; at most one of a tick is a mark."""
    told = [
        *_tell_moments(story),
        *_tell_kswapd(story),
        *_tell_growth(story),
    ]
    events, marked = [], set()
    for event in sorted(told, key=lambda e: (e.tick, not e.mark)):
        mark = event.mark and event.tick not in marked
        marked |= {event.tick} if mark else set()
        events.append(replace(event, mark=mark))
    return events


def captions_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the captions of a recording: one a tick, its first event's title and all texts."""
    captions: dict[int, dict[str, Any]] = {}
    for event in events:
        caption = captions.get(event.tick)
        if caption:
            caption["text"] += f" {event.title}: {event.text}"
            continue
        captions[event.tick] = {
            "tick": event.tick,
            "title": event.title,
            "text": event.text,
            "claims": list(event.claims),
            "rule": event.rule,
            "function": event.function,
            "unproven": False,
        }
    return list(captions.values())


def _tell_moments(story: Story) -> Iterator[Event]:
    last = len(story.moments) - 1
    for tick, moment in enumerate(story.moments):
        if moment.oom is not None:
            before = story.moments[tick - 1] if tick else None
            columns = _columns(story)
            yield tell_oom(tick, moment, before, story.states[tick], columns, story.capture)
        elif moment.attempt is not None:
            yield tell_attempt(tick, moment.attempt, story.pages[tick])
        elif "/" not in moment.label:
            yield tell_stage(tick, moment, story.capture, story.states, is_last=tick == last)
        elif moment.stage:
            yield _tell_near(tick, moment)


def _columns(story: Story) -> list[str]:
    """Return the names of a node's zones in the kernel's order, those without pages too."""
    zones = next((m.zones for m in story.moments if m.zones), ())
    return [z.name for z in zones if z.nid == zones[0].nid]


def _tell_near(tick: int, moment: Moment) -> Event:
    free = sum(z.free for z in moment.zones or () if is_kernel_zone(z))
    return Event(
        tick=tick,
        kind=EventKind.CAPTURED.name,
        title="The kernel's zones are nearly full",
        text=f"Page flags were read here, with {format_pages(free)} left free in them.",
        mark=True,
        function="kpageflags_read()",
    )


def _tell_kswapd(story: Story) -> Iterator[Event]:
    """Tell of the first run of kswapd, and of the last where it gave up."""
    runs = [m.vmstat.get("pageoutrun") for m in story.moments]
    known = [(tick, n) for tick, n in enumerate(runs) if n is not None]
    if not known:
        return
    first = next((tick for tick, n in known if n > known[0][1]), None)
    if first is None or story.moments[first].note == "dead":
        return
    objects = objects_of(load_of(story.capture))
    done = story.moments[first].operations
    after = f", after {done:,} {objects}," if done else ""
    yield Event(
        tick=first,
        kind=EventKind.KSWAPD_WAKE.name,
        title="kswapd has run",
        text=(
            f"By now{after} /proc/vmstat counts {_runs(runs[first])} of kswapd: a zone that a "
            "request may use fell below its low mark."
        ),
        mark=True,
        claims=("S11",),
        rule="A4",
        function="balance_pgdat()",
    )
    yield from _tell_gives_up(story, known)


def _runs(number: int | None) -> str:
    return "one run" if number == 1 else f"{number} runs"


def _tell_gives_up(story: Story, known: list[tuple[int, int]]) -> Iterator[Event]:
    booted = known[0][1]
    for (tick, n), (_, later) in itertools.pairwise(known):
        moment = story.moments[tick]
        idle = n == later and n - booted >= KSWAPD_RUNS and lowest_kernel_free(moment)
        if idle and not moment.vmstat.get("pgsteal_kswapd", 0):
            yield Event(
                tick=tick,
                kind=EventKind.KSWAPD_GIVES_UP.name,
                title="kswapd gives up",
                text=(
                    f"{n} runs, no page reclaimed, and from here on not one run more, although a "
                    "kernel zone stays below its low mark: after sixteen runs without a page "
                    "kswapd no longer tries."
                ),
                mark=True,
                claims=("S12", "S16"),
                rule="A8",
                function="balance_pgdat()",
            )
            return


def _tell_growth(story: Story) -> Iterator[Event]:
    """Tell what each DIMM cost that was added by ACPI."""
    for tick, moment in enumerate(story.moments):
        if not moment.label.startswith("grow-added/") or not tick:
            continue
        now, before = (sum(s.free for s in story.states[t].values()) for t in (tick, tick - 1))
        number = int(moment.label.rpartition("/")[2])
        yield Event(
            tick=tick,
            kind=EventKind.CAPTURED.name,
            title=f"DIMM {number} is added",
            text=(
                f"It is not online yet, and already {format_pages(before - now)} fewer are free: "
                "its memory map (struct page) and the page tables of its direct mapping lie in "
                "zones that were there before."
                if before > now
                else "It is not online yet; free memory did not fall."
            ),
            mark=True,
            function="add_memory()",
        )
