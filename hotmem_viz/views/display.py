"""What a Recording shows when a notebook displays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording


def mimebundle(recording: Recording, **kwargs: Any) -> Any:
    """Return the mime bundle of a Stage that shows `recording`, for `_repr_mimebundle_`."""
    from hotmem_viz.views.stage import Stage

    stage = Stage(recording)
    if not stage.chart:
        stage.draw_chart()
    return stage._repr_mimebundle_(**kwargs)
