"""Reads what came of setting memory blocks offline, one after another (frames/sweep/sweep)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotmem_viz.kernel.lines import fail, numbered

if TYPE_CHECKING:
    from hotmem_viz.kernel.captures import Capture

_PATH = "sweep/sweep"
_LINE = re.compile(
    r"sweep memory(\d{1,9}) before=(\S+) zones=(\S+) removable=\S+ "
    r"result: rc=(-?\d{1,4})(.*?) seconds=(\d{1,9}(?:\.\d{1,9})?)(?: gave-up)? "
    r"after=(\S+) back=(\S+)",
    re.ASCII,
)


@dataclass(frozen=True)
class BlockAttempt:
    """One attempt: `code` 0 for success, an errno, or -9 where it was ended by a signal.

    zones: valid_zones before. seconds: until the answer, or the signal. after: the block's state.
    """

    number: int
    zones: str
    code: int
    answer: str
    seconds: float
    after: str


def read_attempts(capture: Capture) -> tuple[BlockAttempt, ...]:
    """Return a capture's attempts in the order made; none where it tried no block.

    Raises
    ------
    CaptureError
        When a line is not an attempt.
    """
    if not capture.has(_PATH):
        return ()
    return parse_attempts(capture.text(_PATH), capture.where(_PATH))


def parse_attempts(text: str, path: object = _PATH) -> tuple[BlockAttempt, ...]:
    """Read a line for each attempt; raises CaptureError when one is none."""
    attempts = []
    for number, line in numbered(text):
        if line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            fail(path, number, f"not an attempt at a memory block: {line[:60]!r}")
        block, _, zones, code, answer, seconds, after, _ = match.groups()
        attempts.append(
            BlockAttempt(int(block), zones, int(code), answer.strip(), float(seconds), after)
        )
    return tuple(attempts)
