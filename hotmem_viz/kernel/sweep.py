"""Reads what attempts to take memory away were answered: sweep/sweep and del."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.errors import CaptureError
from hotmem_viz.kernel.lines import fail, numbered
from hotmem_viz.mechanisms.offline import Verdict

if TYPE_CHECKING:
    from hotmem_viz.kernel.captures import Capture

_ATTEMPT = re.compile(
    r"\S{1,40} memory(\d{1,9}) before=(\S{1,20}) zones=(\S{1,80}) removable=[01] "
    r"result: rc=(-?\d{1,4}) [^=]{0,80}?seconds=(\d{1,9}\.\d{1,9})(?: \S{1,20})? "
    r"after=(\S{1,20}) back=(\S{1,20})",
    re.ASCII,
)
_VERDICTS = {0: Verdict.OK, 16: Verdict.EBUSY, 22: Verdict.EINVAL, -9: Verdict.NEVER_ENDS}
"""By errno; the capture's reader kills an attempt with SIGKILL when it has not ended in time."""

REMOVED, REFUSED, HANGS = "removed", "refused", "hangs"
_REFUSAL = re.compile(r"'ACPI_DEVICE_OST', 3, 130\b")
"""_OST of an ejection request (3): 0x82, the device is in use (ACPI 6.5, table 6.66)."""


@dataclass(frozen=True)
class Attempt:
    """One attempt to offline a memory block. verdict is None for an errno that A10 never gives."""

    block: int
    zones: str
    rc: int
    seconds: float
    back: str

    @property
    def verdict(self) -> Verdict | None:
        """How it ended, in the model's words."""
        return _VERDICTS.get(self.rc)


def parse_sweep(text: str, path: object = "sweep") -> tuple[Attempt, ...]:
    """Read attempts in the order in which they were made.

    Raises
    ------
    CaptureError
        When a line is none, or no block is in it.
    """
    attempts = []
    for number, line in numbered(text):
        if line.startswith("#"):
            continue
        match = _ATTEMPT.fullmatch(line.strip())
        if not match:
            fail(path, number, f"not an attempt to offline a block: {line[:60]!r}")
        block, _, zones, rc, seconds, _, back = match.groups()
        attempts.append(Attempt(int(block), zones, int(rc), float(seconds), back))
    if not attempts:
        fail(path, None, "no attempt in it")
    return tuple(attempts)


def removal_answer(capture: Capture) -> str:
    """Return how the removal of a DIMM ended: removed, refused or, when it had not ended, hangs.

    Raises
    ------
    CaptureError
        When `del` does not begin with ok or err.
    """
    text = capture.text("del").strip()
    if text.startswith("ok "):
        return REMOVED
    if not text.startswith("err "):
        raise CaptureError(capture.where("del"), f"not an answer to a removal: {text[:60]!r}", 1)
    return REFUSED if _REFUSAL.search(text) else HANGS
