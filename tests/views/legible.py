"""Whether a diagram of one pair of axes, 900 by 620, can be read from the last row."""

from __future__ import annotations

from matplotlib.figure import Figure


def check_legible(figure: Figure) -> None:
    """Fail if a text is smaller than 14 pixels, or one beside the axes leaves the figure."""
    figure.canvas.draw()
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    beside = [*figure.texts, *legend.get_texts(), axes.xaxis.label, axes.yaxis.label]
    for text in [*beside, *axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]:
        assert float(text.get_fontsize()) * 100 / 72 >= 14, text
    for text in beside:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= 900, text
        assert 0 <= box.y0 < box.y1 <= 620, text
