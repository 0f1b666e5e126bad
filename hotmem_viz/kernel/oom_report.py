"""Reads the reports that the OOM killer writes to the log (mm/oom_kill.c, show_free_areas)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hotmem_viz.kernel.lines import to_int
from hotmem_viz.vocabulary import PAGE_SIZE

_INVOKED = re.compile(
    r" invoked oom-killer: gfp_mask=0x[0-9a-f]{1,8}\(([A-Z_|]*)\), order=(\d{1,2})", re.ASCII
)
_ZONE = re.compile(r"(?:Node (\d{1,4}) )?(DMA|DMA32|Normal|HighMem|Movable) free:", re.ASCII)
_FIGURE = re.compile(r"\b(free|boost|min|low|high|present|managed|free_pcp):(\d+)kB", re.ASCII)
_TOTAL = re.compile(r" free:(\d+) free_pcp:", re.ASCII)
_RESERVE = re.compile(r"lowmem_reserve\[\]:((?: \d+)+)", re.ASCII)
_KIB_PER_PAGE = PAGE_SIZE // 1024


@dataclass(frozen=True)
class OomZone:
    """One zone of a report, in pages; marks include boost.

    Zones that the request may not use are not printed, so a kernel request's report is silent
    about ZONE_MOVABLE, however much is free there.
    """

    nid: int
    name: str
    free: int
    boost: int
    min: int
    low: int
    high: int
    present: int
    managed: int
    free_pcp: int
    protection: tuple[int, ...] = ()


@dataclass(frozen=True)
class OomReport:
    """What was asked for when memory had run out, and how the zones stood.

    `free` is the sum over all zones, those not printed too; None where the log lacks it.
    """

    task: str
    gfp: str
    order: int
    zones: tuple[OomZone, ...]
    free: int | None = None

    @property
    def unprinted_free(self) -> int | None:
        """Free pages of the zones that the request could not use, and so were not printed."""
        return None if self.free is None else self.free - sum(z.free for z in self.zones)


@dataclass
class _Draft:
    task: str
    gfp: str
    order: int
    zones: dict[tuple[int, str], OomZone] = field(default_factory=dict)
    free: int | None = None


class OomReader:
    """Collects OOM reports from the lines of a log."""

    def __init__(self, path: object) -> None:
        self.path = path
        self.drafts: list[_Draft] = []

    def read(self, number: int, line: str) -> None:
        """Take one line; lines that belong to no report are passed over."""
        if invoked := _INVOKED.search(line):
            # The task's name stands before; it may hold anything but a space here.
            task = line[: invoked.start()].rpartition(" ")[2]
            self.drafts.append(_Draft(task, invoked[1], int(invoked[2])))
        elif not self.drafts:
            return
        elif match := _TOTAL.match(line):
            self.drafts[-1].free = to_int(match[1], self.path, number, "free")
        elif match := _ZONE.match(line):
            self._read_zone(number, line, match)
        elif (match := _RESERVE.match(line)) and self.drafts[-1].zones:
            words = match[1].split()
            reserve = tuple(to_int(w, self.path, number, "lowmem_reserve") for w in words)
            key, last = self.drafts[-1].zones.popitem()
            self.drafts[-1].zones[key] = replace(last, protection=reserve)

    def _read_zone(self, number: int, line: str, match: re.Match[str]) -> None:
        figures = {
            name: to_int(value, self.path, number, name) // _KIB_PER_PAGE
            for name, value in _FIGURE.findall(line)
        }
        wanted = ("free", "boost", "min", "low", "high", "present", "managed", "free_pcp")
        # Kernels before 5.14 print no boost; a line cut off by the console is passed over.
        if "managed" in figures:
            marks = {name: figures.get(name, 0) for name in wanted}
            zone = OomZone(nid=int(match[1] or 0), name=match[2], protection=(), **marks)
            self.drafts[-1].zones.setdefault((zone.nid, zone.name), zone)

    def finish(self) -> tuple[OomReport, ...]:
        """Return the reports in the order of the log."""
        return tuple(
            OomReport(d.task, d.gfp, d.order, tuple(d.zones.values()), d.free) for d in self.drafts
        )
