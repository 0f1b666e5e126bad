"""A figure that shows itself in a notebook, without pyplot and the windows that it knows of."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """What a notebook shows of it is a PNG; elsewhere it is a matplotlib figure like any other."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=100)
        return out.getvalue()
