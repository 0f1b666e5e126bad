"""The package's errors: one base and its kinds, for misuse and unusable input only.

A refused allocation or an OOM is not an error but an Outcome, because failing is the lesson.
"""

from __future__ import annotations

_MOST = 500
"""Characters of a name or a reason that an error shows."""

_MOST_OF_A_VALUE = 160
"""Characters of a value that an error shows: enough to know it again."""


class HotmemError(Exception):
    """Base of every error that the package raises on purpose; its text is one clear line."""


class ParameterError(HotmemError, ValueError):
    """A parameter has a value that is not allowed; names the parameter, value and choices."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = _one_line(name), value, _one_line(allowed)
        super().__init__(f"{self.name}: {_shown(value)} is not allowed; {self.allowed}")


class BootOptionError(ParameterError):
    """A boot option typed by a person that the kernel would misread or ignore."""


class CaptureError(HotmemError):
    """A capture or kernel text that cannot be read; names file, line and reason.

    Names and reasons come from files that anybody may have made: they are brought to one line.
    """

    def __init__(self, path: object, reason: str, line: int | None = None) -> None:
        self.path, self.line, self.reason = _one_line(path), line, _one_line(reason)
        where = self.path if line is None else f"{self.path}, line {line}"
        super().__init__(f"{where}: {self.reason}")


def _shown(value: object) -> str:
    """Write a value as Python does, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_OF_A_VALUE else f"{text[: _MOST_OF_A_VALUE - 3]}..."


def _one_line(text: object) -> str:
    """Write what cannot be printed as its code, and cut what nobody would read."""
    line = str(text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[:_MOST])
    return line if len(line) <= _MOST else f"{line[: _MOST - 3]}..."


class HostError(HotmemError):
    """A machine that shows nothing of its memory: no Linux, or a container that hides it."""


class RecordingError(HotmemError):
    """A stored recording that cannot be read: wrong schema, missing or damaged arrays."""
