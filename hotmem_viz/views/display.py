"""What a Recording or a Lineup shows when a notebook displays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hotmem_viz.recording.lineup import Lineup
    from hotmem_viz.recording.recording import Recording


def mimebundle(shown: Recording | Lineup, **kwargs: Any) -> Any:
    """Return the mime bundle of a Stage that shows it, for `_repr_mimebundle_`."""
    from hotmem_viz.views.stage import Stage

    stage = Stage(shown)
    if not stage.chart:
        stage.draw_chart()
    return stage._repr_mimebundle_(**kwargs)
