"""The one error of the capture tool: a sentence for whoever runs it."""

from __future__ import annotations


class CaptureToolError(Exception):
    """Something is missing or went wrong; the text is one line that says what to do."""


def one_line(text: str, limit: int = 300) -> str:
    """Return the last line of a program's complaint that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "it said nothing")[:limit]
