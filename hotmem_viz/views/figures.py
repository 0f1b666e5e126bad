"""Charts and printed pages by matplotlib, drawn once per recording and never per frame."""

from __future__ import annotations

from typing import Any
from hotmem_viz.recording.recording import Recording

def chart_payload(recording: Recording, ghost: Recording | None = None) -> dict[str, Any]:
    return {}
