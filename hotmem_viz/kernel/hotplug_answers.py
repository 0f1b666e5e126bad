"""Reads what a scenario was answered when it set blocks offline or online, or plugged DIMMs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotmem_viz.kernel.blocks import STATES, read_zones
from hotmem_viz.kernel.lines import fail, numbered, to_int
from hotmem_viz.kernel.zoneinfo import ZONE_NAMES

_RESULT = r"rc=(-?\d{1,4}) (.{1,60}?) seconds=(\d{1,6}\.\d{1,6})( gave-up)?"
_ATTEMPT = re.compile(
    r"(\w{1,20}) memory(\d{1,9}) before=([a-z-]{1,20}) zones=(\S{1,60}) removable=([01]) "
    rf"result: {_RESULT} after=([a-z-]{{1,20}}) back=(\S{{1,20}})",
    re.ASCII,
)
_ONLINED = re.compile(
    rf"(\w{{1,20}}) memory(\d{{1,9}}) {_RESULT} -> ([a-z-]{{1,20}}) (\S{{1,60}})", re.ASCII
)
_REMOVAL = re.compile(
    r"(ok|err) (deleted|not-deleted) host_seconds=(\d{1,6}\.\d{1,6}) events=\[(.{0,4000})\]",
    re.ASCII,
)
_MISSING = re.compile(r"err Device '[\w.-]{1,60}' not found", re.ASCII)
_EVENT = re.compile(r"\('([A-Z_]{1,40})', (\d{1,6}|None), (\d{1,6}|None)\)", re.ASCII)
_GROWN = re.compile(
    r"dimm(\d{1,6}) ok added blocks (\d{1,9})->(\d{1,9}) onlined=(\d{1,9}) failed=(\d{1,9}) "
    r"MemFree: (\d{1,15}) kB((?: \w{1,16}=\d{1,15})+)",
    re.ASCII,
)
_EBUSY, _EINVAL, _KILLED = 16, 22, -9

OK, BUSY, INVALID, NEVER = "ok", "EBUSY", "EINVAL", "never ends"
"""Verdicts of an attempt; any other error is "errno N"."""

ACPI_OST_EJECT, OST_REFUSED, OST_ACCEPTED = 3, 0x82, 0x84
"""ACPI _OST of an eject request: 0x84 says that it goes on, 0x82 that it was refused."""


@dataclass(frozen=True)
class OfflineAttempt:
    """What came of setting one block offline, and of bringing it back ("-": not tried)."""

    tag: str
    block: int
    before: str
    valid_zones: tuple[str, ...]
    errno: int
    seconds: float
    after: str
    back: str

    @property
    def verdict(self) -> str:
        """The answer in a word; an attempt that had to be killed never ends by itself."""
        return verdict_of(self.errno)


@dataclass(frozen=True)
class Onlined:
    """What came of a block's onlining: the word written, the answer, its state and zones then."""

    how: str
    block: int
    errno: int
    seconds: float
    state: str
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Removal:
    """What came of asking a DIMM out. `events` are (name, source, status) in order.

    `missing` tells that it had gone already when it was asked again.
    """

    deleted: bool
    seconds: float
    events: tuple[tuple[str, int | None, int | None], ...]
    missing: bool = False

    @property
    def verdict(self) -> str:
        """Say "removed", "refused", or "never ends" where no answer came in the time given."""
        if self.deleted or self.missing:
            return "removed"
        refused = (ACPI_OST_EJECT, OST_REFUSED)
        return "refused" if any(e[1:] == refused for e in self.events) else NEVER


@dataclass(frozen=True)
class Growth:
    """The machine after one more DIMM: blocks before and after, and free pages by zone name."""

    dimm: int
    blocks_before: int
    blocks: int
    onlined: int
    failed: int
    free_kib: int
    free: dict[str, int]


def verdict_of(errno: int) -> str:
    """Return the word for an error number; -9 is a task that was killed while it tried."""
    words = {0: OK, _EBUSY: BUSY, _EINVAL: INVALID, _KILLED: NEVER}
    return words.get(errno, f"errno {errno}")


def parse_sweep(text: str, path: object = "sweep") -> tuple[OfflineAttempt, ...]:
    """Read the attempts to set every block offline, in the order made.

    Raises
    ------
    CaptureError
        When a line is not an attempt.
    """
    found: list[OfflineAttempt] = []
    for number, line in numbered(text, path):
        if line.startswith("#"):
            continue
        match = _ATTEMPT.fullmatch(line.strip())
        if not match or match[3] not in STATES or match[10] not in STATES:
            fail(path, number, f"not an attempt to set a block offline: {line[:60]!r}")
        zones = read_zones(match[4], path, number)
        figures = int(match[6]), float(match[8])
        found.append(
            OfflineAttempt(match[1], int(match[2]), match[3], zones, *figures, match[10], match[11])
        )
    return tuple(found)


def parse_onlining(text: str, path: object = "online") -> tuple[Onlined, ...]:
    """Read how blocks were onlined, in the order made.

    Raises
    ------
    CaptureError
        When a line is not the onlining of a block.
    """
    found: list[Onlined] = []
    for number, line in numbered(text, path):
        match = _ONLINED.fullmatch(line.strip())
        if not match or match[7] not in STATES:
            fail(path, number, f"not the onlining of a block: {line[:60]!r}")
        zones = read_zones(match[8], path, number)
        found.append(
            Onlined(match[1], int(match[2]), int(match[3]), float(match[5]), match[7], zones)
        )
    return tuple(found)


def parse_removal(text: str, path: object = "del") -> Removal:
    """Read the answer to the removal of a DIMM.

    Raises
    ------
    CaptureError
        When it is not such an answer.
    """
    lines = list(numbered(text, path))
    line = lines[0][1].strip() if len(lines) == 1 else ""
    if _MISSING.fullmatch(line):
        return Removal(deleted=False, seconds=0.0, events=(), missing=True)
    match = _REMOVAL.fullmatch(line)
    if not match or (match[1] == "ok") != (match[2] == "deleted"):
        fail(path, 1, f"not the answer to a removal: {text[:60]!r}")
    events = [_read_event(word) for word in _EVENT.findall(match[4])]
    if f"[{match[4]}]" != str(events):
        fail(path, 1, f"not a list of events: {match[4][:60]!r}")
    return Removal(deleted=match[1] == "ok", seconds=float(match[3]), events=tuple(events))


def _read_event(words: tuple[str, str, str]) -> tuple[str, int | None, int | None]:
    source, status = (None if word == "None" else int(word) for word in words[1:])
    return words[0], source, status


def parse_growth(text: str, path: object = "grow") -> tuple[Growth, ...]:
    """Read a line for each DIMM that was added.

    Raises
    ------
    CaptureError
        When a line is none of that.
    """
    found: list[Growth] = []
    for number, line in numbered(text, path):
        match = _GROWN.fullmatch(line.strip())
        zones = dict(word.split("=") for word in match[7].split()) if match else {}
        if not match or not set(zones) <= set(ZONE_NAMES):
            fail(path, number, f"not a DIMM that was added: {line[:60]!r}")
        free = {name: to_int(word, path, number, name) for name, word in zones.items()}
        dimm, before, after, onlined, failed, kib = (int(word) for word in match.groups()[:6])
        found.append(Growth(dimm, before, after, onlined, failed, kib, free))
    return tuple(found)
