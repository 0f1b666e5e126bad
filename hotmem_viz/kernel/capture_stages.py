"""The stages of a capture in words: booted, memory added, online, loaded, removed, the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotmem_viz.kernel.capture_counters import load_of, objects_of
from hotmem_viz.kernel.captured_pages import page_stages
from hotmem_viz.kernel.host_tables import group_blocks
from hotmem_viz.kernel.hotplug_answers import parse_removals, verdict_of
from hotmem_viz.recording.recording import Event
from hotmem_viz.units import format_bytes, format_pages
from hotmem_viz.vocabulary import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotmem_viz.kernel.capture_zones import Key, ZoneState
    from hotmem_viz.kernel.captures import Capture
    from hotmem_viz.kernel.moments import Moment

_LOADS = {
    "anon": "{n} MiB of anonymous memory",
    "pin": "{n} MiB of pinned pages",
    "tmpfs": "{n} MiB of tmpfs data",
    "files": "{n} files",
    "huge": "{n} huge pages",
}
_SIGKILL = 9
States = dict["Key", "ZoneState"]


def tell_stage(
    tick: int, moment: Moment, capture: Capture, states: Sequence[States], *, is_last: bool
) -> Event:
    """Tell what a stage of the scenario is."""
    now, before = states[tick], states[tick - 1] if tick else {}
    kind = EventKind.CAPTURED
    if moment.label == "boot":
        title, text, kind = *_boot(capture, now), EventKind.BOOT
    elif moment.label == "added":
        title, text = _added(capture, now, before)
    elif moment.label == "onlined":
        title, text = "The blocks are online", _onlined(capture)
    elif moment.label == "loaded":
        title, text = "The load is in", f"Now in memory: {_load_text(capture)}."
    elif moment.label in ("removed", "removed2"):
        title, text = _removed(capture, moment.label)
    elif moment.label in ("plugged", "unplugged", "gone"):
        title, text = _virtio(capture, moment.label)
    elif moment.label == "end":
        title, text = _end(capture, now)
    else:
        title, text = "The attempts are over", _free_text(now)
    if is_last and tick:
        kind = EventKind.DONE
    boots = moment.label == "boot"
    return Event(
        tick=tick,
        kind=kind.name,
        title=title,
        text=text,
        mark=tick > 0,
        claims=("S10", "S11") if boots else (),
        rule="A1, A5" if boots else "",
        function="find_zone_movable_pfns_for_nodes()" if boots else "",
    )


def _boot(capture: Capture, now: States) -> tuple[str, str]:
    total = sum(z.managed for z in now.values())
    kernel = sum(z.managed for (_, name), z in now.items() if name in ("DMA", "DMA32", "Normal"))
    names = {name for (_, name), z in now.items() if z.managed}
    share = 100 * kernel / max(total, 1)
    text = (
        f"{format_pages(total)} are managed by the page allocator, {format_pages(kernel)} "
        f"({share:.0f} %) in zones that kernel memory may use. "
    )
    for name, word in (("Movable", "ZONE_MOVABLE"), ("HighMem", "ZONE_HIGHMEM")):
        if name in names:
            text += f"The rest is {word}. "
    if page_stages(capture):
        text += (
            "The map is drawn from page flags, which do not tell reclaimable slab from other slab, "
            "nor stacks from other pages of the kernel."
        )
    how = "as it was found" if capture.is_snapshot else "has booted"
    return f"Linux {capture.kernel} {how}", text.strip()


def _free_text(now: States) -> str:
    return f"Afterwards {format_pages(sum(z.free for z in now.values()))} are free."


def _added(capture: Capture, now: States, before: States) -> tuple[str, str]:
    offline = [b for b in capture.blocks("added") if b.state == "offline"]
    names = ", ".join(run.label for run in group_blocks(offline)) or "no memory block"
    fewer = sum(z.free for z in before.values()) - sum(z.free for z in now.values())
    text = f"It appears as {names}, offline: in no zone, and nobody can use it."
    if fewer > 0:
        text += f" Adding it has cost {format_pages(fewer)} of memory that was there before."
    return "Memory is added", text


def _onlined(capture: Capture) -> str:
    if not capture.has("online"):
        online = sum(b.state == "online" for b in capture.blocks("onlined"))
        return f"Nobody asked for it; {online} blocks are online now."
    rows = capture.onlining()
    said = [
        f"{r.how} of memory{r.block}: {verdict_of(r.errno)}, {r.state} {'/'.join(r.zones)}".strip()
        for r in rows
    ]
    alike = {(r.how, r.errno, r.state, r.zones) for r in rows}
    if len(alike) == 1 and len(rows) > 1:
        how, _, state, zones = alike.pop()
        blocks = f"memory{rows[0].block}–{rows[-1].block}"
        return f"{how!r} was written to {blocks}: all {state}, zone {'/'.join(zones) or 'none'}."
    return "; ".join(said) + "." if said else "Its blocks were set online."


def _load_text(capture: Capture) -> str:
    """Put the scenario's load into words, such as anon600 or files200000,anon500."""
    words = []
    for part in filter(None, str(capture.args.get("load", "")).split(",")):
        match = re.fullmatch(r"([a-z]+)(\d{1,12})", part, re.ASCII)
        known = _LOADS.get(match[1]) if match else None
        words.append(known.format(n=f"{int(match[2]):,}") if known and match else part)
    if "anon" in capture.args and not words:
        words.append(f"{capture.args['anon']} MiB of anonymous memory")
    return " and ".join(words) or "nothing new"


def _removed(capture: Capture, stage: str) -> tuple[str, str]:
    path = "del2" if stage == "removed2" else "del"
    blocks = len(capture.blocks(stage))
    left = f"{blocks} memory blocks are there." if blocks else ""
    if not capture.has(path):
        return "After the removal", left
    verdicts = {r.verdict for r in parse_removals(capture.text(path), capture.where(path))}
    if len(verdicts) > 1:
        words = ", ".join(sorted(verdicts))
        return "Some memory is gone", f"Of the DIMMs asked out, the answers are: {words}. {left}"
    if "removed" in verdicts:
        return "The memory is gone", f"Its removal succeeded. {left}".strip()
    if "refused" in verdicts:
        why = "The kernel answered by ACPI that the device is busy: a block of it would not empty."
        return "The removal is refused", f"{why} {left}".strip()
    why = "No answer came in the time given: the kernel goes on trying."
    return "The removal does not end", f"{why} {left}".strip()


def _virtio(capture: Capture, stage: str) -> tuple[str, str]:
    text = capture.text("vmem") if capture.has("vmem") else ""
    word = "load gone" if stage == "gone" else stage
    size = re.search(rf"^{word}: \w+ size_mb=(\d{{1,9}})$", text, re.MULTILINE | re.ASCII)
    amount = f"The device has {format_bytes(int(size[1]) << 20)} plugged in." if size else ""
    title = {
        "plugged": "virtio-mem has plugged memory in",
        "unplugged": "virtio-mem was asked to take it back",
        "gone": "The load is gone",
    }[stage]
    return title, amount


def _end(capture: Capture, now: States) -> tuple[str, str]:
    """Tell how the load ended, by what it reported."""
    load = load_of(capture)
    if not capture.has(f"result/{load}"):
        return "The end", "The scenario is over."
    result = capture.result(load)
    done, signal = result.get("ops"), result.get("signal")
    count = f"{done:,} {objects_of(load)}" if isinstance(done, int) else "its work"
    if signal == _SIGKILL:
        return "The load was killed", f"It had made {count}. {_free_text(now)}"
    text = f"It has made {count}; nothing was refused for good. {_free_text(now)}"
    return "The load has ended", text
