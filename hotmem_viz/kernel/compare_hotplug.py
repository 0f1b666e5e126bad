"""Rows about memory that comes and goes: which zone, what it costs, zones and marks afterwards.

Inputs besides the machine are the order in which blocks went and came, and the managed pages at
boot. DIMMs lie in the window of the SRAT, one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.kernel.captured_memory import COLUMNS
from hotmem_viz.kernel.compare_boot import NONE
from hotmem_viz.kernel.compare_machine import type_of, zone_subject
from hotmem_viz.kernel.compare_rows import TWO_PERCENT
from hotmem_viz.kernel.hot_events import has_hotplug, is_growth, new_blocks, read_stages
from hotmem_viz.kernel.hot_growth import (
    count_dimms,
    grow,
    map_pages,
    most_dimms,
    paid_by_kernel_zones,
)
from hotmem_viz.kernel.hot_run import HotRun, start_run
from hotmem_viz.machine.hotplug_options import OFFLINE, ONLINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotmem_viz.kernel.compare_machine import ComparedMachine
    from hotmem_viz.kernel.compare_rows import Row, Value
    from hotmem_viz.kernel.hot_events import Stage
    from hotmem_viz.kernel.zoneinfo import ZoneInfo


def stage_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare zones, marks and the zone of each block at every moment after blocks changed."""
    if not machine.booted or not has_hotplug(machine.capture):
        return
    run = start_run(machine)
    changed = False
    for stage in read_stages(machine.capture, default_state(machine)):
        if run is not None:
            run.apply(stage.events)
        changed = changed or bool(stage.events)
        yield from _online_zones(machine, run, stage)
        if changed or stage.name == "added":
            for zone in machine.capture.zoneinfo(stage.name):
                if zone.zone is not None:
                    yield from _zone_rows(machine, run, stage.name, zone)


def default_state(machine: ComparedMachine) -> str:
    """Return what becomes of an added block by itself: by option, or as the kernel was built."""
    built = machine.profile.default_state if machine.profile else OFFLINE
    return machine.options.hotplug.default_state or built


def _online_zones(machine: ComparedMachine, run: HotRun | None, stage: Stage) -> Iterator[Row]:
    """Compare the zone of each block that came online, and where an offline one would go.

    For an offline block the kernel lists the zone of plain `online` first (valid_zones_show).
    """
    words = {e.block: e.how for e in stage.events if e.how != OFFLINE}
    new = {b.phys_index for b in new_blocks(machine.capture)}
    for block in machine.capture.blocks(stage.name):
        index, offline = block.phys_index, block.state == OFFLINE
        if index not in words and not (offline and index in new):
            continue
        how = ONLINE if offline else words[index]
        predicted = None
        if run is not None:
            zone = run.choose(index, how) if offline else run.zone_of.get(index)
            predicted = zone.label if zone is not None else NONE
        yield machine.row(
            "online-zone",
            f"{stage.name}: memory{block.number}, {'would be by ' if offline else ''}{how}",
            predicted,
            block.valid_zones[0] if block.valid_zones else NONE,
            unit="zone",
            why=machine.no_profile,
        )


def _zone_rows(
    machine: ComparedMachine, run: HotRun | None, stage: str, zone: ZoneInfo
) -> Iterator[Row]:
    """Compare one zone at one moment: where it lies, and what it keeps back."""
    row = run.mem.zones.row(zone.nid, type_of(zone)) if run else -1
    values = dict.fromkeys(("start", "end", "present", "min", "low", "high"), 0)
    reserve = [0] * len(COLUMNS[machine.spec.arch])
    if run and row >= 0:
        zones = run.mem.zones
        names = {"start": "start_pfn", "end": "end_pfn"}
        values = {name: int(getattr(zones, names.get(name, name))[row]) for name in values}
        reserve = [int(zones.protection[row, c]) for c in COLUMNS[machine.spec.arch]]
    reserve += reserve[-1:] * (len(zone.protection) - len(reserve))
    spanned, start = values["end"] - values["start"], zone.start_pfn
    rows: list[tuple[str, str, Value, Value]] = [
        ("zone-spanned", "pages", spanned, zone.spanned),
        ("zone-present", "pages", values["present"], zone.present),
    ]
    if spanned or start is not None:
        ends = (start, start + zone.spanned) if start is not None else (NONE, NONE)
        mine = (values["start"], values["end"]) if spanned else (NONE, NONE)
        rows += [("zone-start", "pfn", mine[0], ends[0]), ("zone-end", "pfn", mine[1], ends[1])]
    rows += [("protection", "pages", _list(reserve), _list(zone.protection))]
    rows += [
        (f"watermark-{name}", "pages", values[name], getattr(zone, name) - zone.boost)
        for name in ("min", "low", "high")
    ]
    for quantity, unit, predicted, observed in rows:
        yield machine.row(
            quantity,
            f"{stage}: {zone_subject(zone)}",
            predicted if run else None,
            observed,
            unit=unit,
            why=machine.no_profile,
        )


def _list(values: list[int] | tuple[int, ...]) -> str:
    return f"({', '.join(map(str, values))})"


def cost_rows(machine: ComparedMachine) -> Iterator[Row]:
    """Compare what adding memory costs, and how many DIMMs a machine survives."""
    capture = machine.capture
    added = capture.has("added/blocks") or capture.has("plugged/blocks")
    if not machine.booted or not (is_growth(capture) or added):
        return
    run, why = None, machine.unpredicted
    if machine.layout and machine.profile:
        run = grow(machine)
    if is_growth(capture):
        yield machine.row(
            "dimms-until-oom",
            f"DIMMs of {capture.args.get('mb')} MiB, {most_dimms(machine)} at most",
            len(run.paid) if run else None,
            count_dimms(machine),
            unit="DIMMs",
            why=why,
        )
    cost = paid_by_kernel_zones(machine)
    if cost is None:
        return
    predicted = None
    if run:
        predicted = sum((run.paid if cost.slabs else run.maps)[cost.first : cost.last])
    # Where blocks carry their own map next to nothing is paid: 2 % of the map itself, then.
    yield machine.row(
        "memmap-cost",
        cost.subject,
        predicted,
        cost.pages,
        tolerance=TWO_PERCENT * map_pages(machine, cost.last - cost.first),
        why=why,
    )
